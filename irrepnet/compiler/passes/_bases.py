"""Pass "bases": adjacent changes of basis cancel, and one moves to where it is cheapest.

A layer that works on the points of a G-set goes there from irreps and back. What flows between such
layers, through layers that act alike on every channel and through additions of skip connections,
may be in irreps or on the points: whatever is less work. Who needs irreps then gets a
`ToIrreps` before it, such as behind pooling, on one position instead of all.

A layer takes part if its spec has `enter` and `leave` and its rule says on which points
(`points_in`, `points_out`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import networkx

from irrepnet.compiler._edge import Features
from irrepnet.compiler._graph import INPUT, OUTPUT, Notes, insert, layer_graph, retyped
from irrepnet.compiler._plan import Plan
from irrepnet.compiler._rule import rule_of
from irrepnet.compiler.passes._work import work
from irrepnet.specs import Chain, Classifier, DropPath, Spec, ToIrreps, TokenPool
from irrepnet.types import GSetType

#: Layers that act alike on every channel, so that any orthogonal change of basis passes them.
TRANSPARENT = (DropPath, TokenPool)


Edges = list[tuple[str, str]]


@dataclass(frozen=True)
class Wire:
    """Edges that have to be in one basis.

    Attributes:
        edges: All of them.
        writers: The layers that write to them.
        readers: The edges to layers that take either basis or need irreps.
    """

    edges: Edges
    writers: list[str]
    readers: Edges


def bases(plan: Plan) -> Plan:
    """Cancel and move changes of basis."""
    graph = layer_graph(plan.root)
    notes: Notes = []
    for wire in list(_wires(graph)):
        points = _points_of(graph, wire)
        if points is not None and _saves(graph, wire, points):
            _move(graph, wire, points, notes)
    return retyped(plan, graph, notes) if notes else plan


def _wires(graph: networkx.DiGraph) -> Iterator[Wire]:
    """Edges joined by what any change of basis passes, and edges that carry the same features."""
    order = {edge: k for k, edge in enumerate(graph.edges)}
    joined = networkx.Graph()
    joined.add_nodes_from(order)
    passing = {node for node in graph if _passes(graph, node)}
    for node in graph:
        into = list(graph.in_edges(node)) if node in passing else []
        networkx.add_path(joined, [*into, *graph.out_edges(node)])
    for found in networkx.connected_components(joined):
        edges = sorted(found, key=lambda edge: order[edge])
        writers = dict.fromkeys(a for a, _ in edges if a not in passing)
        yield Wire(edges, list(writers), [edge for edge in edges if edge[1] not in passing])


def _passes(graph: networkx.DiGraph, node: str) -> bool:
    spec = graph.nodes[node]["spec"]
    return isinstance(spec, TRANSPARENT) or (spec is None and node not in (INPUT, OUTPUT))


def _points_of(graph: networkx.DiGraph, wire: Wire) -> GSetType | None:
    """The points on which all writers could leave their output, if these may flow here."""
    root = graph.graph["root"]
    if any(is_border(root, *edge) for edge in wire.edges):
        return None
    found = {_points(graph.nodes[a]["spec"], "leave", "points_out") for a in wire.writers}
    return found.pop() if len(found) == 1 else None


def is_border(root: Spec, before: str, after: str) -> bool:
    """Whether users see what flows along an edge: out of a classifier's features, or of a layer."""
    if isinstance(root, Classifier):
        return after == OUTPUT or (after.startswith("head.") and not before.startswith("head."))
    return after == OUTPUT and not isinstance(root, Chain)  # there is no chain to insert into


def _points(spec: Spec | None, basis: str, side: str) -> GSetType | None:
    """The points on which a layer could take or give its features, if it could."""
    if spec is None or getattr(spec, basis, None) != "irreps":
        return None
    if not getattr(spec, "normalised", True):  # the maps around it took factors of the change
        return None
    ask = getattr(rule_of(spec), side, None)
    return None if ask is None else ask(spec)


def _takes(graph: networkx.DiGraph, reader: str, points: GSetType) -> bool:
    return _points(graph.nodes[reader]["spec"], "enter", "points_in") == points


def _saves(graph: networkx.DiGraph, wire: Wire, points: GSetType) -> bool:
    """Whether changes of basis are less work with points on the wire than with irreps."""
    written = [next(iter(graph.out_edges(a))) for a in wire.writers]
    takes: dict[bool, Edges] = {True: [], False: []}
    for edge in wire.readers:
        takes[_takes(graph, edge[1], points)].append(edge)
    work = {edge: _change(points, graph.edges[edge]["type"]) for edge in wire.edges}
    irreps = sum(work[edge] for edge in [*written, *takes[True]])
    return sum(work[edge] for edge in takes[False]) < irreps


def _change(points: GSetType, edge: Features) -> float:
    """What a change of basis takes; nothing where nothing moves."""
    if all(
        run.slots == run.points and run.signed_permutation == tuple((k, 1) for k in range(run.size))
        for run in points.runs
    ):
        return 0.0
    return work(replace(edge, gset=points), ToIrreps(points.feature_type, points.counts))


def _move(graph: networkx.DiGraph, wire: Wire, points: GSetType, notes: Notes) -> None:
    back = ToIrreps(points.feature_type, points.counts)
    for writer in wire.writers:
        graph.nodes[writer]["spec"] = replace(graph.nodes[writer]["spec"], leave="points")
        notes.append((writer, "left on the points"))
    for _, reader in wire.readers:
        if _takes(graph, reader, points):
            graph.nodes[reader]["spec"] = replace(graph.nodes[reader]["spec"], enter="points")
            notes.append((reader, "taken on the points"))
        else:
            name = wire.writers[0].rpartition(".")[2]
            path = insert(graph, f"{name}_to_irreps", back, reader)
            notes.append((path, f"the change of {name}, moved here, where it is cheapest"))
