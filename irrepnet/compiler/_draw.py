"""The picture of a plan's graph."""

from __future__ import annotations

from html import escape
from os import PathLike
from pathlib import Path

import networkx

from irrepnet._errors import OutputError, SpecError
from irrepnet.compiler._cost import cost
from irrepnet.compiler._graph import INPUT, OUTPUT, layer_graph
from irrepnet.compiler._plan import Plan


def costed_graph(plan: Plan, positions: int | None = None) -> networkx.DiGraph:
    """The typed graph with parameters and FLOPs, where these are known; see `Plan.graph`."""
    graph = layer_graph(plan.root)
    try:
        rows = cost(plan, positions)
    except SpecError:  # any number of positions
        return graph
    for name in (INPUT, OUTPUT):
        graph.add_node(name, params=0, flops=0)
    for row in rows:
        graph.add_node(row.path, params=row.params, flops=row.flops)
    return graph


#: Sizes of the picture, in pixels.
WIDTH, HEIGHT, GAP, MARGIN = 560, 46, 16, 48


def draw(plan: Plan, path: str | PathLike[str], positions: int | None = None) -> None:
    """Write the graph as an SVG picture; see `Plan.draw`."""
    cost(plan, positions)  # refuses where FLOPs are not known
    try:
        Path(path).write_text(svg(costed_graph(plan, positions)), encoding="utf-8")
    except OSError as problem:
        raise OutputError(
            f"cannot write {str(path)!r}: {problem.strerror}. Expected a file in a folder that "
            f"exists and may be written to."
        ) from None


def svg(layers: networkx.DiGraph) -> str:
    """A column of boxes, one a layer, in the order in which they run; skips are arcs.

    Shades are shares of the FLOPs.
    """
    top = {name: MARGIN + k * (HEIGHT + GAP) for k, name in enumerate(layers)}
    total = sum(layers.nodes[n]["flops"] for n in layers)
    most = max(1, *(layers.nodes[n]["flops"] for n in layers))
    params = sum(layers.nodes[n]["params"] for n in layers)
    height = MARGIN + len(top) * (HEIGHT + GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + 2 * MARGIN}" height="{height}" '
        f'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{MARGIN}" y="28" font-size="14">{total:,} FLOPs, {params:,} parameters</text>',
    ]
    for a, b, skip in layers.edges(data="skip"):
        start, stop = top[a] + HEIGHT, top[b]
        if skip:
            x, far = MARGIN + WIDTH, MARGIN + WIDTH + MARGIN - 8
            start, stop = top[a] + HEIGHT // 2, top[b] + HEIGHT // 2
            lines.append(
                f'<path d="M{x} {start} C{far} {start} {far} {stop} {x} {stop}" fill="none" '
                f'stroke="#777" stroke-dasharray="4 3"/>'
            )
        else:
            x = MARGIN + WIDTH // 2
            lines.append(f'<line x1="{x}" y1="{start}" x2="{x}" y2="{stop}" stroke="#777"/>')
    for name in layers:
        layer = layers.nodes[name]
        shade = 255 - round(120 * layer["flops"] / most)
        numbers = f"{layer['flops']:,} FLOPs, {layer['params']:,} parameters"
        lines += [
            f'<rect x="{MARGIN}" y="{top[name]}" width="{WIDTH}" height="{HEIGHT}" rx="5" '
            f'fill="rgb({shade},{(shade + 255) // 2},255)" stroke="#555">'
            f"<title>{escape(layer['decision'] or layer['kind'])}</title></rect>",
            f'<text x="{MARGIN + 10}" y="{top[name] + 18}" font-weight="bold">'
            f"{escape(_label(name, layer['kind']))}</text>",
            f'<text x="{MARGIN + WIDTH - 10}" y="{top[name] + 18}" text-anchor="end">'
            f"{numbers}</text>",
            f'<text x="{MARGIN + 10}" y="{top[name] + 36}" fill="#333">'
            f"{escape(_type(layers, name))}</text>",
        ]
    return "\n".join([*lines, "</svg>", ""])


def _label(name: str, kind: str) -> str:
    return kind if name in ("", INPUT, OUTPUT) else f"{name}: {kind}"


def _type(layers: networkx.DiGraph, name: str) -> str:
    """What goes out of a layer, or into the output."""
    edges = layers.in_edges if name == OUTPUT else layers.out_edges
    return str(next(edge for _, _, edge in edges(name, data="type")))


Plan.views.update(graph=costed_graph, draw=draw)
