"""Pass "lower": how each linear map's blocks are multiplied, unless its spec says so.

`"block"` multiplies every block by itself, which is what all published counts use. `"prepacked"`
does so by oneDNN. `"auto"` asks a cost model with this machine's stored calibration: for each group
of equal blocks one batched product against one for each block, and for neighbouring groups one
product with their expanded matrix, at the positions that the plan knows.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._graph import Notes, before, layer_graph, layers, retyped
from irrepnet.compiler._machine import Machine, Rates
from irrepnet.compiler._plan import Plan
from irrepnet.nn import block_maps, calls, can_prepack
from irrepnet.specs import Linear
from irrepnet.types import Lowering, describe_lowering

#: Bytes of a number.
ITEMSIZE = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}

#: What a prediction must save before anything but one product a block is chosen: it is rough.
MARGIN = 0.1


def lower(plan: Plan) -> Plan:
    """Choose the lowering of every `Linear` that leaves it open."""
    graph = layer_graph(plan.root)
    open_ = [p for p, s in layers(graph).items() if isinstance(s, Linear) and _is_open(s)]
    if not open_:
        return plan
    notes: Notes = []
    if plan.lowering == "auto":
        machine = plan.machine or Machine.load()
        rates, itemsize = machine.rates(plan.dtype), ITEMSIZE.get(plan.dtype, 4)
        notes.append(("", f"lowering auto: times predicted for one sample ({machine.source})"))
        for path in open_:
            spec, edge = graph.nodes[path]["spec"], graph.edges[before(graph, path), path]["type"]
            way, why = _predicted(spec, _positions(edge), rates, itemsize)
            graph.nodes[path]["spec"] = replace(spec, lowering=way)
            notes.append((path, why))
        return retyped(plan, graph, notes)
    way = "separate"
    if plan.lowering == "prepacked":
        way = "prepacked" if can_prepack() else way
        notes.append(("", PREPACKED if can_prepack() else NO_ONEDNN))
    for path in open_:
        graph.nodes[path]["spec"] = replace(graph.nodes[path]["spec"], lowering=way)
    return retyped(plan, graph, notes)


#: What a plan says of `"prepacked"`.
PREPACKED = (
    "lowering prepacked: products by oneDNN in float32 inference on a CPU; elsewhere, and where "
    "autograd records, one product for each block as in lowering block"
)
NO_ONEDNN = "lowering prepacked: this torch has no oneDNN, so lowering block instead"


def _is_open(spec: Linear) -> bool:
    """Whether the spec says no more than which blocks could share a product."""
    if isinstance(spec.lowering, str):
        return False
    return all(way == "separate" for way, _ in spec.lowering or ())


def _positions(edge: Edge) -> int:
    """Rows for a batch of one; 1 where the plan leaves them open."""
    known = edge.positions if isinstance(edge, Features) else None
    return known or 1


@lru_cache(maxsize=1024)
def _predicted(spec: Linear, rows: int, rates: Rates, itemsize: int) -> tuple[Lowering, str]:
    """The best lowering and why, by prediction."""
    separate = seconds(spec, rows, "separate", rates, itemsize)
    time, found = _fastest(spec, rows, rates, itemsize)
    if time > (1 - MARGIN) * separate:
        time, found = separate, "separate"
    times = {describe_lowering(w): seconds(spec, rows, w, rates, itemsize) for w in (found, *WAYS)}
    shown = ", ".join(f"{way} {1e6 * t:.1f} us" for way, t in times.items())
    return found, f"predicted for {rows} rows: {shown}"


#: What the cost model compares; `"prepacked"` is asked for.
WAYS = ("separate", "batched", "dense")


def _fastest(spec: Linear, rows: int, rates: Rates, itemsize: int) -> tuple[float, Lowering]:
    """The fastest partition of the blocks: groups as they are, or several of them expanded."""
    names = tuple((block.irrep.name,) for block in spec.out_type.blocks)
    groups = tuple(g for _, g in spec.lowering) if isinstance(spec.lowering, tuple) else names
    best: list[tuple[float, tuple[tuple[str, tuple[str, ...]], ...]]] = [(0.0, ())]
    for stop in range(1, len(groups) + 1):
        options = []
        for start in reversed(range(stop)):
            together = tuple(name for g in groups[start:stop] for name in g)
            for way in WAYS if start == stop - 1 else ("dense",):
                time = seconds(spec, rows, ((way, together),), rates, itemsize)
                options.append((best[start][0] + time, (*best[start][1], (way, together))))
        best.append(min(options, key=lambda option: option[0]))
    time, parts = best[-1]
    ways = {way for way, _ in parts}
    return time, parts if len(ways) > 1 or (ways == {"dense"} and len(parts) > 1) else ways.pop()


def seconds(spec: Linear, rows: int, lowering: Lowering, rates: Rates, itemsize: int = 4) -> float:
    """Predicted time of an intertwiner in inference, where expanded weights are kept.

    Args:
        spec: The layer.
        rows: Rows of its input, batch included.
        lowering: How it is lowered, or some of its blocks.
        rates: How fast the machine is.
        itemsize: Bytes of a number.
    """
    maps = block_maps(spec.in_type, spec.out_type)
    if not isinstance(lowering, str):
        names = {name for _, run in lowering for name in run}
        maps = tuple(block for block in maps if block.name in names)
    found = calls(maps, lowering)
    called = {block.name for call in found for block in call.blocks}
    total = 0.0
    for call in found:
        widths = sum(b - a for pair in call.spans for a, b in pair)
        traffic = itemsize * (rows * widths + call.flops // 2)
        total += rates.seconds(rows * call.flops, traffic)
    for block in (b for b in maps if b.reached and b.name not in called):  # two transposes besides
        widths = sum(b - a for a, b in (block.source, block.target))
        moved = rates.seconds(0, itemsize * rows * widths)
        total += 2 * moved + rates.seconds(rows * block.flops, itemsize * rows * widths)
    return total
