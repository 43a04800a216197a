"""`Plan`: a checked network, layer by layer, with its types and the choices that were made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike
from typing import Any, ClassVar

import networkx

from irrepnet.compiler._edge import Edge
from irrepnet.compiler._machine import Machine
from irrepnet.specs import Spec


@dataclass(frozen=True)
class Node:
    """One layer of a plan.

    Attributes:
        path: Where the module stands, as in `named_modules`; empty for the whole network.
        spec: The layer's spec, every choice filled in.
        source: What comes in.
        target: What goes out.
        decision: In words, how the layer is computed.
        children: The layers inside, for composed specs.
    """

    path: str
    spec: Spec
    source: Edge
    target: Edge
    decision: str = ""
    children: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This node and all below, in the order in which they run."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def kind(self) -> str:
        """Name of the spec's class."""
        return type(self.spec).__name__


@dataclass(frozen=True)
class Plan:
    """What the compiler decided for a network.

    Attributes:
        root: The network.
        lowering: How blocks are computed; `"block"` is one product for each isotypic block.
        declared: The spec before the passes rewrote it; the root's own if `None`.
        notes: What passes did and why: pairs of the path of a layer or a chain, and a text.
        dtype: What numbers `"auto"` chooses for.
        machine: The machine that `"auto"` chooses for; this one's calibration if `None`.
    """

    root: Node
    lowering: str = "block"
    declared: Spec | None = None
    notes: tuple[tuple[str, str], ...] = ()
    dtype: str = "float32"
    machine: Machine | None = None

    @property
    def spec(self) -> Spec:
        """The spec as declared, every choice of representation filled in: what a file stores."""
        return self.declared or self.root.spec

    @property
    def source(self) -> Edge:
        """What the network takes."""
        return self.root.source

    @property
    def target(self) -> Edge:
        """What it gives."""
        return self.root.target

    def leaves(self) -> Iterator[Node]:
        """The layers that are not composed, in the order in which they run."""
        return (node for node in self.root.walk() if not node.children)

    #: What needs the rules of layers, and so torch; filled by `irrepnet.compiler`.
    views: ClassVar[dict[str, Callable[..., Any]]] = {}

    def graph(self, positions: int | None = None) -> networkx.DiGraph:
        """The network as a typed graph, on which the passes work.

        Args:
            positions: As in `irrepnet.compiler.cost`.

        Returns:
            Nodes are paths of layers and of the additions of skip connections, and `"(input)"`,
            `"(output)"`, with attributes `spec` (`None` where there is none), `kind`, `decision`
            and, where the number of positions is known, `params` and `flops`. Edges have `type`
            (`Images` or `Features`) and `skip`.

        Examples:
            >>> import irrepnet as ir
            >>> X = ir.FeatureType(ir.groups.flop(), "2*sym + 2*asym")
            >>> graph = ir.compile(ir.specs.residual(fc=ir.specs.Linear(X, X))).plan.graph()
            >>> list(graph.edges)
            [('(input)', 'fc'), ('(input)', 'skip'), ('fc', 'skip'), ('skip', '(output)')]
            >>> str(graph.edges["fc", "skip"]["type"])
            '(2*sym + 2*asym) over flop'
        """
        return self.views["graph"](self, positions)

    def draw(self, path: str | PathLike[str], positions: int | None = None) -> None:
        """Write the graph of layers as an SVG picture, with types, parameters and FLOPs.

        Args:
            path: The file to write.
            positions: As in `irrepnet.compiler.cost`.

        Raises:
            OutputError: If the file cannot be written.
            SpecError: If the number of positions is not known.
        """
        self.views["draw"](self, path, positions)

    def explain(self) -> str:
        """For a person: each layer, what goes in and out, and how it is computed.

        Examples:
            >>> import irrepnet as ir
            >>> X = ir.FeatureType(ir.groups.flop(), "2*sym + 2*asym")
            >>> print(ir.compile(ir.specs.Linear(X, X)).plan.explain())
            Linear: (2*sym + 2*asym) over flop -> (2*sym + 2*asym) over flop
                sym: 2 x 2 real; asym: 2 x 2 real
                8 of 16 weights of the dense map, 16 of 32 FLOPs a position; bias on 2 of 4 channels
        """
        notes: dict[str, list[str]] = {}
        for path, text in self.notes:
            notes.setdefault(path, []).append(text)
        nodes = self.root.walk()
        return "\n".join(line for n in nodes for line in _describe(n, notes.get(n.path, [])))


def _describe(node: Node, notes: list[str]) -> list[str]:
    depth = node.path.count(".") + bool(node.path)
    indent = "    " * depth
    name = f"{node.path} " if node.path else ""
    lines = [f"{indent}{name}{node.kind}: {node.source} -> {node.target}"]
    return lines + [f"{indent}    {line}" for line in [*node.decision.splitlines(), *notes]]
