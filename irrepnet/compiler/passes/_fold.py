"""Pass "fold": constant maps become fewer or cheaper.

- A layer that is the identity in training and inference alike is left out.
- Two restrictions one after another become one, if that is no more work.
- A constant map of the channels commutes with pooling over positions: the cheaper order is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import networkx

from irrepnet.compiler._graph import (
    Notes,
    before,
    layer_graph,
    layers,
    leave_out,
    retyped,
    scope,
    swap,
)
from irrepnet.compiler._plan import Plan
from irrepnet.compiler.passes._work import work
from irrepnet.specs import (
    Dropout,
    DropPath,
    InvariantDropout,
    InvariantMap,
    Restrict,
    Spec,
    ToIrreps,
    TokenPool,
)


def fold(plan: Plan) -> Plan:
    """Leave out identities, compose restrictions, pool where it is cheapest."""
    graph = layer_graph(plan.root)
    notes: Notes = []
    for path, spec in layers(graph).items():
        if _is_identity(spec) and leave_out(graph, path):
            notes.append((scope(path), f"{_name(path)} left out: with rate 0 it does nothing"))
    while any(
        _compose(graph, *pair, notes) or _swap(graph, *pair, notes) for pair in _pairs(graph)
    ):
        pass
    return retyped(plan, graph, notes) if notes else plan


def _is_identity(spec: Spec) -> bool:
    return isinstance(spec, DropPath | Dropout | InvariantDropout) and spec.rate == 0


def _name(path: str) -> str:
    return path.rpartition(".")[2]


def _pairs(graph: networkx.DiGraph) -> Iterator[tuple[str, str]]:
    """Layers of which nothing but the second reads the first."""
    found = layers(graph)
    for path in found:
        after = list(graph.successors(path))
        if len(after) == 1 and after[0] in found:
            yield path, after[0]


def _compose(graph: networkx.DiGraph, a: str, b: str, notes: Notes) -> bool:
    """Restrict to a subgroup of a subgroup at once."""
    first, second = graph.nodes[a]["spec"], graph.nodes[b]["spec"]
    if not isinstance(first, Restrict) or not isinstance(second, Restrict):
        return False
    if "gset" in (first.basis, second.basis):  # points mix irreps: no map of each irrep by itself
        return False
    embedding = tuple(first.embedding[h] for h in second.embedding)
    both = replace(second, in_type=first.in_type, embedding=embedding, through=first)
    source = graph.edges[before(graph, a), a]["type"]
    if work(source, both) > work(source, first, second):
        return False
    for gone, kept in ((a, b), (b, a)):
        if leave_out(graph, gone):
            graph.nodes[kept]["spec"] = both
            notes.append((kept, f"together with {gone}, as one change of basis"))
            return True
    return False


def _swap(graph: networkx.DiGraph, a: str, b: str, notes: Notes) -> bool:
    """Let pooling and a constant map of channels change places, where that is cheaper."""
    first, second = graph.nodes[a]["spec"], graph.nodes[b]["spec"]
    if scope(a) != scope(b):
        return False
    source = graph.edges[before(graph, a), a]["type"]
    target = next(edge for _, _, edge in graph.out_edges(b, data="type"))
    if isinstance(second, TokenPool) and _maps_channels(first):
        early, late = replace(second, feature_type=source.type), first
    elif isinstance(first, TokenPool) and first.kind == "avg" and _maps_channels(second):
        early, late = second, replace(first, feature_type=target.type)
    else:
        return False
    if work(source, early, late) >= work(source, first, second):
        return False
    swap(graph, a, b)
    graph.nodes[a]["spec"], graph.nodes[b]["spec"] = late, early
    notes.append((b, f"before {_name(a)}, where it is cheaper"))
    return True


def _maps_channels(spec: Spec) -> bool:
    """Whether a layer is a constant linear map of the channels."""
    return isinstance(spec, Restrict | ToIrreps) or (
        isinstance(spec, InvariantMap) and spec.kind == "trivial"
    )
