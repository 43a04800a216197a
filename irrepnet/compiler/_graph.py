"""A plan as a graph of layers, and its picture."""

from __future__ import annotations

from html import escape
from os import PathLike
from pathlib import Path

import networkx

from irrepnet._errors import OutputError
from irrepnet.compiler._check import check, source_of
from irrepnet.compiler._cost import cost
from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._plan import Node, Plan
from irrepnet.specs import Residual, Spec
from irrepnet.types import FeatureType


def graph(plan: Plan, positions: int | None = None) -> networkx.DiGraph:
    """The network as a graph of layers; see `Plan.graph`."""
    rows = {row.path: row for row in cost(plan, positions)}
    found = networkx.DiGraph()
    found.add_node("input", kind="Input", type=str(plan.source), params=0, flops=0, decision="")

    def add(name: str, node: Node, kind: str, before: str) -> str:
        row = rows[node.path if kind != "Skip" else name]
        found.add_node(
            name,
            kind=kind,
            type=str(node.target),
            params=row.params,
            flops=row.flops,
            decision=node.decision,
        )
        found.add_edge(before, name, skip=False)
        return name

    def run(node: Node, before: str) -> str:
        """Add a node's layers after `before`; returns the last."""
        if not node.children:
            return add(node.path or node.kind, node, node.kind, before)
        last = before
        for child in node.children:
            last = run(child, last)
        if isinstance(node.spec, Residual):
            name = f"{node.path}.skip" if node.path else "skip"
            found.add_node(name)  # before its edges, so that the order is that of running
            found.add_edge(before, name, skip=True)
            last = add(name, node, "Skip", last)
        return last

    last = run(plan.root, "input")
    found.add_node("output", kind="Output", type=str(plan.target), params=0, flops=0, decision="")
    found.add_edge(last, "output", skip=False)
    return found


#: Sizes of the picture, in pixels.
WIDTH, HEIGHT, GAP, MARGIN = 560, 46, 16, 48


def draw(plan: Plan, path: str | PathLike[str], positions: int | None = None) -> None:
    """Write the graph as an SVG picture; see `Plan.draw`."""
    try:
        Path(path).write_text(svg(graph(plan, positions)), encoding="utf-8")
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
            f"{escape(layer['type'])}</text>",
        ]
    return "\n".join([*lines, "</svg>", ""])


def _label(name: str, kind: str) -> str:
    return kind if name in ("input", "output", kind) else f"{name}: {kind}"


def _type_of(edge: Edge) -> FeatureType | None:
    return edge.type if isinstance(edge, Features) else None


def _in_type(spec: Spec) -> FeatureType | None:
    return _type_of(source_of(spec))


def _out_type(spec: Spec) -> FeatureType | None:
    return _type_of(check(spec).target)


Plan.views.update(graph=graph, draw=draw)
Spec.theory.update(in_type=_in_type, out_type=_out_type)
