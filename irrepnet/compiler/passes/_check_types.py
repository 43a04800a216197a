"""Pass "check types": every layer is typed again from the edges of the graph; nothing changes."""

from __future__ import annotations

from irrepnet._errors import SpecError
from irrepnet.compiler._graph import OUTPUT, layer_graph
from irrepnet.compiler._plan import Plan
from irrepnet.compiler._rule import rule_of


def check_types(plan: Plan) -> Plan:
    """The same plan, if on every edge flows what the layer before it gives.

    Raises:
        IrrepnetError: If a layer does not fit its edges.
    """
    graph = layer_graph(plan.root)
    for path in graph:
        spec = graph.nodes[path]["spec"]
        sources = [edge for _, _, edge in graph.in_edges(path, data="type")]
        targets = {edge for _, _, edge in graph.out_edges(path, data="type")}
        if spec is not None:
            targets.add(rule_of(spec).check(spec, sources[0])[1])
        elif path != OUTPUT:  # an addition, or the input
            targets.update(sources or [plan.source])
        if len(targets) > 1:
            found = " and ".join(sorted(map(str, targets)))
            raise SpecError(f"{path}: got both {found} for what goes out: expected one type.")
    return plan
