"""Pass "group": which blocks of a linear map could share one batched product.

Products share a call if they have one size and stand next to each other on both sides: those of the
one-dimensional irreps of a regular type, or the components of an irrep. Pass "lower" decides which
groups do; `"block"` and `"prepacked"` multiply every block by itself and need no groups.
"""

from __future__ import annotations

from dataclasses import replace

from irrepnet.compiler._graph import layer_graph, layers, retyped
from irrepnet.compiler._plan import Plan
from irrepnet.nn import block_maps, calls
from irrepnet.specs import Linear


def group(plan: Plan) -> Plan:
    """Group equal blocks of every `Linear` whose lowering a cost model will choose."""
    graph = layer_graph(plan.root)
    found = {p: s for p, s in layers(graph).items() if isinstance(s, Linear) and not s.lowering}
    if plan.lowering != "auto" or not found:
        return plan
    for path, spec in found.items():
        runs = tuple(("separate", run) for run in equal_blocks(spec))
        graph.nodes[path]["spec"] = replace(spec, lowering=runs)
    return retyped(plan, graph, [])


def equal_blocks(spec: Linear) -> tuple[tuple[str, ...], ...]:
    """Irreps of the output in order, those together whose products could be one batched one.

    Examples:
        >>> from irrepnet import groups
        >>> from irrepnet.types import FeatureType
        >>> X = FeatureType.regular(groups.octic(), 16)
        >>> equal_blocks(Linear(X, X))
        (('A1', 'A2', 'B1', 'B2'), ('E',))
        >>> equal_blocks(Linear(X, FeatureType(X.group, "4*A1 + 4*A2 + 3*B1 + 2*E")))
        (('A1', 'A2'), ('B1',), ('E',))
    """
    maps = block_maps(spec.in_type, spec.out_type)
    runs = {block.name: (block.name,) for block in maps}
    for call in calls(maps, "batched"):
        run = tuple(dict.fromkeys(block.name for block in call.blocks))
        runs |= dict.fromkeys(run, run)
    return tuple(dict.fromkeys(runs.values()))
