"""The typed graph of a network: layers and joins as nodes, what flows between them on edges.

Passes look for patterns along its edges, whatever chain or residual a layer stands in, and edit it;
`retyped` makes a plan of the result. Modules and parameters keep their names, since paths do.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Any

import networkx

from irrepnet.compiler._check import check, joined
from irrepnet.compiler._edge import Edge
from irrepnet.compiler._plan import Node, Plan
from irrepnet.specs import Chain, Classifier, Residual, Spec

#: Where the network starts and ends; every other node is the path of a layer, or of the addition of
#: a skip connection.
INPUT, OUTPUT = "(input)", "(output)"

#: What a pass did: pairs of the path of a layer or a chain, and a text.
Notes = list[tuple[str, str]]


def layer_graph(root: Node) -> networkx.DiGraph:
    """The graph of a typed tree, its nodes in the order in which they run.

    Nodes have `spec` (`None` for additions, input and output), `kind` and `decision`; edges have
    `type`, an `Edge`, and `skip`.
    """
    graph = networkx.DiGraph(root=root.spec)

    def add(name: str, kind: str, before: str, edge: Edge, node: Node | None = None) -> str:
        spec, decision = (node.spec, node.decision) if node else (None, "")
        graph.add_node(name, spec=spec, kind=kind, decision=decision)
        graph.add_edge(before, name, type=edge, skip=False)
        return name

    def run(node: Node, before: str) -> str:
        """Add a node's layers after `before`; returns the last."""
        if not node.children:
            return add(node.path, node.kind, before, node.source, node)
        last = before
        for child in node.children:
            last = run(child, last)
        if isinstance(node.spec, Residual):
            last = add(joined(node.path, "skip"), "Skip", last, node.target)
            graph.add_edge(before, last, type=node.source, skip=True)
        return last

    graph.add_node(INPUT, spec=None, kind="Input", decision="")
    add(OUTPUT, "Output", run(root, INPUT), root.target)
    return graph


def layers(graph: networkx.DiGraph) -> dict[str, Spec]:
    """The layers by path, in the order in which they run."""
    found, at = {}, INPUT
    while at != OUTPUT:
        at = next(b for _, b, skip in graph.out_edges(at, data="skip") if not skip)
        if graph.nodes[at]["spec"] is not None:
            found[at] = graph.nodes[at]["spec"]
    return found


def before(graph: networkx.DiGraph, path: str) -> str:
    """The node whose output a layer takes."""
    (found,) = graph.predecessors(path)
    return found


def scope(path: str) -> str:
    """The path of the chain that a layer stands in."""
    return path.rpartition(".")[0]


def leave_out(graph: networkx.DiGraph, path: str) -> bool:
    """Take a layer out of the graph, unless its chain has no other; says whether it was."""
    if len(_steps(graph, scope(path))) == 1:
        return False
    source = before(graph, path)
    edge = graph.edges[source, path]["type"]
    for _, after, skip in list(graph.out_edges(path, data="skip")):
        graph.add_edge(source, after, type=edge, skip=skip)
    graph.remove_node(path)
    return True


def insert(graph: networkx.DiGraph, name: str, spec: Spec, after: str) -> str:
    """Put a layer right before another one, into its chain; returns its path.

    What flows out of it is known once the graph is typed again.
    """
    source, inside = before(graph, after), scope(after)
    while name in _steps(graph, inside):
        name += "_"
    path = joined(inside, name)
    data = graph.edges[source, after]
    graph.remove_edge(source, after)
    graph.add_node(path, spec=spec, kind=type(spec).__name__, decision="")
    graph.add_edge(source, path, **data)
    graph.add_edge(path, after, **data)
    return path


def swap(graph: networkx.DiGraph, first: str, second: str) -> None:
    """Let two neighbours of one chain, of which only the second reads the first, change places."""
    source, out = before(graph, first), list(graph.out_edges(second, data=True))
    edge = graph.edges[source, first]["type"]
    graph.remove_edges_from([(source, first), (first, second), *((a, b) for a, b, _ in out)])
    graph.add_edge(source, second, type=edge, skip=False)
    graph.add_edge(second, first, type=edge, skip=False)
    graph.add_edges_from((first, after, data) for _, after, data in out)


def _steps(graph: networkx.DiGraph, inside: str) -> set[str]:
    """Names of the steps of a chain; the head of a classifier is none of its features."""
    start = f"{inside}." if inside else ""
    paths = (p for p, spec in graph.nodes(data="spec") if spec is not None and p.startswith(start))
    names = {path[len(start) :].split(".")[0] for path in paths}
    return names - {"head"} if not inside and _is_classifier(graph) else names


def _is_classifier(graph: networkx.DiGraph) -> bool:
    return isinstance(graph.graph["root"], Classifier)


def retyped(plan: Plan, graph: networkx.DiGraph, notes: Notes) -> Plan:
    """The plan of a graph that a pass has changed.

    Args:
        plan: The plan before.
        graph: Its graph after the pass.
        notes: What the pass did.

    Raises:
        IrrepnetError: If the changed network does not type: a wrong pass cannot go unnoticed.
    """
    paths, head = list(layers(graph)), None
    if _is_classifier(graph):
        head = _composed(graph, [p for p in paths if p.startswith("head.")], "head")
        features = _composed(graph, [p for p in paths if not p.startswith("head.")], "")
        spec: Spec = replace(graph.graph["root"], features=features)
    else:
        spec = _composed(graph, paths, "")
    root = check(spec, plan.source, head=head)
    return replace(plan, root=root, notes=(*plan.notes, *notes))


def _composed(graph: networkx.DiGraph, paths: list[str], inside: str) -> Any:
    """The spec of the layers at some paths, all inside one chain or the one layer itself."""
    if paths == [inside]:
        return graph.nodes[inside]["spec"]
    depth = inside.count(".") + 1 if inside else 0
    steps = tuple(
        (name, _composed(graph, list(group), joined(inside, name)))
        for name, group in groupby(paths, key=lambda path: path.split(".")[depth])
    )
    return Residual(steps) if joined(inside, "skip") in graph else Chain(steps)
