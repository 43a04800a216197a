"""Pass "lower": how each intertwiner's blocks are multiplied, unless the spec says so.

`"block"` multiplies every block by itself, which is what all published counts use and what was
measured fastest on CPUs for blocks of 48 channels and more. `"auto"` asks a cost model: one call
for each product against one call with the expanded dense matrix, at the positions that the plan
knows.
"""

from __future__ import annotations

from dataclasses import replace

from irrepnet.compiler._cost_of_basis import num_weights, product_flops
from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._graph import Notes, before, layer_graph, layers, retyped
from irrepnet.compiler._machine import NOMINAL, Rates
from irrepnet.compiler._plan import Plan
from irrepnet.nn import block_maps, products
from irrepnet.specs import Linear


def seconds(spec: Linear, positions: int, lowering: str, rates: Rates = NOMINAL.float32) -> float:
    """Predicted time of an intertwiner in float32 inference, where expanded weights are kept.

    Args:
        spec: The layer.
        positions: Rows of its input, batch included.
        lowering: One of `nn`'s linear lowerings.
        rates: How fast the machine is.
    """
    groups = products(block_maps(spec.in_type, spec.out_type), lowering == "batched")
    width, height = spec.in_type.dim, spec.out_type.dim
    flops, calls = positions * product_flops(spec.in_type, spec.out_type), len(groups)
    weights = num_weights(spec.in_type, spec.out_type)
    if lowering == "dense":
        flops, calls, weights = 2 * positions * width * height, 1, width * height
    traffic = 4 * (positions * (width + height) + weights)
    return calls * rates.call + max(flops / rates.flops, traffic / rates.bandwidth)


def lower(plan: Plan) -> Plan:
    """Choose the lowering of every `Linear` that leaves it open."""
    graph = layer_graph(plan.root)
    notes: Notes = []
    found = {path: spec for path, spec in layers(graph).items() if isinstance(spec, Linear)}
    open_ = {path: spec for path, spec in found.items() if spec.lowering is None}
    for path, spec in open_.items():
        edge = graph.edges[before(graph, path), path]["type"]
        way = _choice(spec, plan.lowering, _positions(edge))
        graph.nodes[path]["spec"] = replace(spec, lowering=way)
    return retyped(plan, graph, notes) if open_ else plan


def _choice(spec: Linear, lowering: str, positions: int) -> str:
    if lowering == "block":
        return "separate"
    return min(("separate", "batched", "dense"), key=lambda way: seconds(spec, positions, way))


def _positions(edge: Edge) -> int:
    """Rows for a batch of one; 1 where the plan leaves them open."""
    known = edge.positions if isinstance(edge, Features) else None
    return known or 1
