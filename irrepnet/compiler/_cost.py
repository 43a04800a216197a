"""Pass 2, cost: parameters, FLOPs and memory traffic of every layer of a plan, for one sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from irrepnet._errors import SpecError
from irrepnet.compiler._edge import Edge, Features, Images
from irrepnet.compiler._plan import Node, Plan
from irrepnet.compiler._rule import Cost, rule_of
from irrepnet.specs import Residual, Spec

#: FLOPs of the backward pass for one FLOP of the forward pass, for work that is no product.
BACKWARD = {"bias": 1, "basis change": 1}
BACKWARD_OTHERWISE = 2


@dataclass(frozen=True)
class Row:
    """What one layer costs for one sample.

    Attributes:
        path: The layer's module path.
        kind: Name of the layer's spec, or `"Skip"` for the addition of a skip connection.
        cost: Parameters and FLOPs, as the layer's rule states them.
        reads: Numbers of features that the layer reads.
        writes: Numbers of features that it writes.
        live: Numbers of features that exist while it runs at inference: its input, its output, and
            what skip connections around it hold.
        input_grad: Whether the backward pass needs the gradient of its input, which it does unless
            nothing trainable stands before.
        saved: Numbers that torch's autograd keeps for the backward pass, if they were measured.
    """

    path: str
    kind: str
    cost: Cost
    reads: int = 0
    writes: int = 0
    live: int = 0
    input_grad: bool = True
    saved: int | None = None

    @property
    def params(self) -> int:
        """Trainable parameters."""
        return self.cost.params

    @property
    def matmul_flops(self) -> int:
        """FLOPs of everything that torch's FLOP counter counts."""
        return self.cost.matmul

    @property
    def other_flops(self) -> int:
        """FLOPs of norms, softmax, activations, basis changes, biases and elementwise work."""
        return sum(flops for _, flops in self.cost.other)

    @property
    def flops(self) -> int:
        """All FLOPs of the forward pass."""
        return self.matmul_flops + self.other_flops

    @property
    def backward_matmul_flops(self) -> int:
        """FLOPs of the backward pass that torch's counter counts.

        A product of features and weights has two in its backward pass, one for each gradient; a
        product with a constant matrix has one; a gradient that nobody needs has none; what was not
        kept is made again.
        """
        c = self.cost
        weighted = c.matmul - c.on_features - c.on_weights
        if self.input_grad:
            return 2 * weighted + c.on_features + c.on_weights + c.recomputed
        behind = c.on_products + (c.recomputed if c.on_products != 0 else 0)
        return (weighted if c.params != 0 else 0) + behind + c.on_weights

    @property
    def backward_other_flops(self) -> int:
        """All other FLOPs of the backward pass, by `BACKWARD`."""
        if not self.input_grad and self.params == 0:
            return 0
        return sum(BACKWARD.get(kind, BACKWARD_OTHERWISE) * n for kind, n in self.cost.other)

    @property
    def backward_flops(self) -> int:
        """All FLOPs of the backward pass."""
        return self.backward_matmul_flops + self.backward_other_flops

    @property
    def weights(self) -> int:
        """Numbers that are read besides the features."""
        return self.cost.params if self.cost.weights is None else self.cost.weights

    def bytes_read(self, itemsize: int = 4, batch: int = 1) -> int:
        """Bytes that the layer must read: its input for each sample, its weights once.

        Args:
            itemsize: Bytes of a number, 4 for float32.
            batch: Samples that are computed together.
        """
        return itemsize * (batch * self.reads + self.weights)

    def bytes_written(self, itemsize: int = 4, batch: int = 1) -> int:
        """Bytes that the layer must write: its output."""
        return itemsize * batch * self.writes

    def intensity(self, itemsize: int = 4, batch: int = 1) -> float:
        """FLOPs for each byte that is read or written; 0 where nothing moves."""
        moved = self.bytes_read(itemsize, batch) + self.bytes_written(itemsize, batch)
        return float(batch * self.flops / moved) if moved else 0.0


@dataclass(frozen=True)
class Place:
    """What flows somewhere in a network, and at how many positions.

    Attributes:
        edge: Images or features.
        positions: Feature vectors of one sample; 0 for images.
    """

    edge: Edge
    positions: int

    @property
    def numbers(self) -> int:
        """How many numbers one sample has there."""
        if isinstance(self.edge, Images):
            return self.edge.channels * self.edge.size[0] * self.edge.size[1]
        return self.positions * self.edge.type.dim


@dataclass(frozen=True)
class Stop:
    """One layer as it is counted; a skip connection's addition is one of its own.

    Attributes:
        path: As in `Row`.
        kind: As in `Row`.
        spec: The layer; `None` for an addition.
        source: What comes in.
        target: What goes out.
        held: What skip connections hold meanwhile, its own input left out.
    """

    path: str
    kind: str
    spec: Spec | None
    source: Place
    target: Place
    held: tuple[Place, ...] = ()


def cost(plan: Plan, positions: int | None = None) -> tuple[Row, ...]:
    """Costs of all layers, in the order in which they run; their sum is the network's.

    Args:
        plan: The network.
        positions: Feature vectors of one sample, for a network that takes features at any leading
            axes; by default what the plan says.

    Raises:
        SpecError: If neither says how many positions there are.
    """
    return tuple(rows(stops(plan, positions)))


def layer_cost(spec: Spec, positions: Any) -> Cost:
    """What a single layer costs, its sizes being numbers or sympy expressions.

    Args:
        spec: A layer; its types may have expressions as multiplicities.
        positions: Feature vectors of one sample.

    Examples:
        >>> from sympy import symbols
        >>> from irrepnet import groups
        >>> from irrepnet.specs import Linear
        >>> from irrepnet.types import FeatureType
        >>> m, n, N = symbols("m n N")
        >>> X = FeatureType(groups.quaternion(), [m, 0, 0, 0, n])
        >>> layer_cost(Linear(X, X, bias=False), N).matmul
        N*(2*m**2 + 32*n**2)
    """
    rule = rule_of(spec)
    return rule.cost(spec, rule.source(spec), positions)


def rows(stopping: Iterable[Stop], trainable: bool = False) -> Iterator[Row]:
    """Each layer's rule evaluated at the layer's sizes.

    Args:
        stopping: The layers in the order in which they run.
        trainable: Whether anything trainable stands before the first.
    """
    for stop in stopping:
        found = _cost(stop)
        reads = stop.source.numbers if found.reads is None else found.reads
        writes = stop.target.numbers if found.writes is None else found.writes
        live = sum((place.numbers for place in (stop.source, stop.target, *stop.held)), 0)
        yield Row(stop.path, stop.kind, found, reads, writes, live, trainable)
        trainable = trainable or found.params != 0


def _cost(stop: Stop) -> Cost:
    numbers = stop.source.numbers
    if stop.spec is None:  # both summands are read
        return Cost(other=(("elementwise", numbers),), reads=2 * numbers)
    return rule_of(stop.spec).cost(stop.spec, stop.source.edge, stop.source.positions)


def stops(plan: Plan, positions: int | None = None) -> Iterator[Stop]:
    """The layers of a plan in the order in which they run; see `cost`."""
    known = plan.source.positions if isinstance(plan.source, Features) else 0
    start = positions if known is None else known
    if start is None:
        raise SpecError(
            f"the network takes {plan.source} at any number of positions: expected positions=..., "
            f"the number of feature vectors of one sample."
        )
    return _stops(plan.root, plan, start, (), 0)


def _stops(
    node: Node, plan: Plan, start: int, held: tuple[Place, ...], same: int
) -> Iterator[Stop]:
    """Layers of one node, the last `same` of what is held being the node's own input."""
    source, target = _place(node.source, plan, start), _place(node.target, plan, start)
    if not node.children:
        yield Stop(node.path, node.kind, node.spec, source, target, held[: len(held) - same])
        return
    skips = isinstance(node.spec, Residual)
    inside = (*held, source) if skips else held
    for index, child in enumerate(node.children):
        yield from _stops(child, plan, start, inside, 0 if index else same + skips)
    if skips:
        path = f"{node.path}.skip" if node.path else "skip"
        yield Stop(path, "Skip", None, source, target, inside[: len(inside) - same])


def _place(edge: Edge, plan: Plan, start: int) -> Place:
    """Where types leave positions open, there are as many as on the network's input."""
    if isinstance(edge, Images):
        return Place(edge, 0)
    if edge.positions is not None:
        return Place(edge, edge.positions)
    assert isinstance(plan.source, Features)
    return Place(edge, start + edge.prefix - plan.source.prefix)
