"""A comparison as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable
from importlib import resources
from typing import Any

import numpy as np

from irrepnet.accounting import PARTS
from irrepnet.report import _words as words
from irrepnet.report._bar_chart import Cluster, Segment, bar_chart
from irrepnet.report._comparison import Comparison
from irrepnet.report._costs import Entry, Line, ratio
from irrepnet.report._extras import require
from irrepnet.report._numbers import mebibytes, millions, milliseconds, share, times

#: Colour-blind safe (Okabe and Ito), legible on light and dark; in the order of `PARTS`. Whatever
#: mixes tokens has one colour: no network does so in two ways.
_COLOURS = (
    "#009e73", "#8c8c8c", "#666699", "#1b9e9e", "#d55e00", "#f0c419", "#0072b2",
    "#d55e00", "#56b4e9", "#d55e00", "#5b5ea6", "#cc79a7", "#a6761d", "#444444",
)  # fmt: skip


def check_html() -> None:
    """Refuse an HTML report that could not be made, while nothing is lost yet.

    Raises:
        MissingExtraError: If Jinja or Pillow is not installed.
    """
    require("jinja2", "Jinja", "--html")
    require("PIL.Image", "Pillow", "--html")


def html(comparison: Comparison) -> str:
    """The report as a page: photo, charts, tables; pictures and styles are inside it.

    Args:
        comparison: The comparison.

    Raises:
        MissingExtraError: If Jinja or Pillow is not installed.
    """
    jinja2 = require("jinja2", "Jinja", "--html")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = resources.files("irrepnet.report").joinpath("compare.html.j2")
    template = environment.from_string(source.read_text(encoding="utf-8"))
    colours = {line.part: part_colour(line.part) for line in comparison.costs.parts}
    return template.render(
        comparison=comparison,
        words=words,
        group=comparison.request.group,
        pictures=_pictures(comparison),
        tiles=_tiles(comparison),
        colours=colours,
        flops_chart=_chart(comparison, colours, "million FLOPs", lambda e: e.flops / 1e6),
        time_chart=_chart(comparison, colours, "ms", lambda e: e.time_ms or 0.0),
        ratio=ratio,
        mebibytes=mebibytes,
        milliseconds=milliseconds,
        millions=millions,
        share=share,
        times=times,
    )


def part_colour(part: str) -> str:
    """The colour of a part in every picture."""
    return _COLOURS[PARTS.index(part)] if part in PARTS else "#999999"


def _pictures(comparison: Comparison) -> list[tuple[str, str]]:
    """Captions and data URIs: the photo, and the photo moved by each element that was tried."""
    photo, action = comparison.photo, comparison.request.action
    pictures = [("as the network sees it", _data_uri(photo.pixels))]
    moves = {change.element: change.move for change in comparison.changes}
    for element, move in moves.items():
        pictures.append((move, _data_uri(photo.moved(action, element))))
    return pictures


def _data_uri(pixels: np.ndarray) -> str:
    images = require("PIL.Image", "Pillow", "--html")
    file = io.BytesIO()
    images.fromarray(pixels).save(file, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _tiles(comparison: Comparison) -> list[tuple[str, str]]:
    """What to read first: a number and what it is."""
    total, (dense, equivariant) = comparison.costs.total, comparison.memories
    memory = ratio(dense.above_baseline_bytes, equivariant.above_baseline_bytes)
    kept = [c for c in comparison.changes if c.invariant and c.dtype == "float32"]
    tiles = [
        (times(ratio(total.dense.params, total.equivariant.params)), "parameters"),
        (times(comparison.matmul_ratio), "FLOPs in matrix products"),
        (times(comparison.speedup), "median time"),
        (times(memory), "memory above the baseline"),
    ]
    over = f"dense over {comparison.request.group}"
    tiles = [(number, f"{text}, {over}") for number, text in tiles if number]
    if kept:
        worst = max(c.equivariant for c in kept)
        least = min(c.dense for c in kept)
        tiles.append((f"{worst:.0e}", f"change of the logits, against {least:.0e} (float32)"))
    return tiles


def _chart(
    comparison: Comparison, colours: dict[str, str], unit: str, value: Callable[[Entry], float]
) -> str:
    blocks: dict[str, list[Line]] = {}
    for line in comparison.costs.lines:
        blocks.setdefault(line.block, []).append(line)
    clusters = []
    for block, lines in blocks.items():
        bars = (
            _segments((line.part, value(line.dense)) for line in lines),
            _segments((line.part, value(line.equivariant)) for line in lines),
        )
        clusters.append(Cluster(block.removeprefix("block "), bars))
    return bar_chart(clusters, ("dense", comparison.request.group), unit, colours)


def _segments(values: Iterable[tuple[str, Any]]) -> tuple[Segment, ...]:
    return tuple(Segment(part, value) for part, value in values if value)
