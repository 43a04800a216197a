"""Pass 2, cost: parameters and FLOPs of every layer of a plan, for one sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from irrepnet._errors import SpecError
from irrepnet.compiler._edge import Features, Images
from irrepnet.compiler._plan import Node, Plan
from irrepnet.compiler._rule import Cost, rule_of
from irrepnet.specs import Residual


@dataclass(frozen=True)
class Row:
    """What one layer costs for one sample.

    Attributes:
        path: The layer's module path.
        kind: Name of the layer's spec, or `"Skip"` for the addition of a skip connection.
        cost: Parameters and FLOPs.
    """

    path: str
    kind: str
    cost: Cost

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
        """All FLOPs."""
        return self.matmul_flops + self.other_flops


def cost(plan: Plan, positions: int | None = None) -> tuple[Row, ...]:
    """Costs of all layers, in the order in which they run; their sum is the network's.

    Args:
        plan: The network.
        positions: Feature vectors of one sample, for a network that takes features at any leading
            axes; by default what the plan says.

    Raises:
        SpecError: If neither says how many positions there are.
    """
    known = plan.source.positions if isinstance(plan.source, Features) else 0
    start = positions if known is None else known
    if start is None:
        raise SpecError(
            f"the network takes {plan.source} at any number of positions: expected positions=..., "
            f"the number of feature vectors of one sample."
        )
    return tuple(_rows(plan.root, plan, start))


def _rows(node: Node, plan: Plan, start: int) -> Iterator[Row]:
    at = _positions(node, plan, start)
    if not node.children:
        yield Row(node.path, node.kind, rule_of(node.spec).cost(node.spec, node.source, at))
    for child in node.children:
        yield from _rows(child, plan, start)
    if isinstance(node.spec, Residual):
        assert isinstance(node.source, Features)
        added = Cost(other=(("elementwise", at * node.source.type.dim),))
        yield Row(f"{node.path}.skip" if node.path else "skip", "Skip", added)


def _positions(node: Node, plan: Plan, start: int) -> int:
    """Positions on a node's input; where types leave them open, as many as on the network's."""
    if isinstance(node.source, Images):
        return 0
    if node.source.positions is not None:
        return node.source.positions
    assert isinstance(plan.source, Features)
    return start + node.source.prefix - plan.source.prefix
