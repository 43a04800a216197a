"""Bar charts as SVG inside an HTML page: no fonts, scripts or links of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_HEIGHT, _TOP, _BOTTOM, _LEFT = 260, 12, 40, 56
_BAR, _GAP, _GROUP_GAP = 20, 3, 17


@dataclass(frozen=True)
class Segment:
    """A coloured piece of a bar.

    Attributes:
        part: What it stands for; also chooses its colour.
        value: Its height in the chart's unit.
    """

    part: str
    value: float


@dataclass(frozen=True)
class Cluster:
    """Bars that stand together.

    Attributes:
        label: Name below the bars.
        bars: For each series, the pieces of its bar from the bottom up.
    """

    label: str
    bars: tuple[tuple[Segment, ...], ...]


def bar_chart(
    clusters: Sequence[Cluster], series: Sequence[str], unit: str, colours: dict[str, str]
) -> str:
    """Stacked bars in clusters, one bar for each series; earlier series are paler.

    Args:
        clusters: The bars.
        series: Names of the bars of a cluster, for tooltips.
        unit: Unit of the values.
        colours: CSS colour of each part.

    Returns:
        An `<svg>` element.
    """
    step = len(series) * (_BAR + _GAP) + _GROUP_GAP
    width = _LEFT + len(clusters) * step + _GROUP_GAP
    highest = max((sum(s.value for s in bar) for c in clusters for bar in c.bars), default=0.0)
    tick = _tick(highest)
    top = tick * max(1, math.ceil(highest / tick))
    scale = (_HEIGHT - _TOP - _BOTTOM) / top
    drawn = _axis(top, tick, scale, width, unit)
    for number, cluster in enumerate(clusters):
        left = _LEFT + _GROUP_GAP + number * step
        middle = left + (step - _GROUP_GAP - _GAP) / 2
        drawn.append(_text(middle, _HEIGHT - _BOTTOM + 16, cluster.label, "middle"))
        for index, (name, bar) in enumerate(zip(series, cluster.bars, strict=True)):
            at = left + index * (_BAR + _GAP)
            faint = index < len(series) - 1
            drawn += _bar(at, bar, scale, colours, f"{cluster.label}, {name}", unit, faint)
    return (
        f'<svg role="img" viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}">'
        f"<title>{escape(unit)} of each block</title>{''.join(drawn)}</svg>"
    )


def _tick(highest: float) -> float:
    """A round distance of grid lines, about four to the top."""
    rough = highest / 4 or 1.0
    power = 10 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)


def _axis(top: float, tick: float, scale: float, width: float, unit: str) -> list[str]:
    drawn = []
    for number in range(round(top / tick) + 1):
        y = _HEIGHT - _BOTTOM - number * tick * scale
        drawn.append(f'<line class="grid" x1="{_LEFT}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(_text(_LEFT - 6, y + 4, f"{number * tick:,.10g}", "end"))
    across = (_HEIGHT - _BOTTOM) / 2
    drawn.append(
        f'<text transform="translate(12 {across:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(unit)}</text>"
    )
    return drawn


def _bar(
    left: float,
    bar: Sequence[Segment],
    scale: float,
    colours: dict[str, str],
    name: str,
    unit: str,
    faint: bool,
) -> list[str]:
    drawn, y = [], float(_HEIGHT - _BOTTOM)
    for segment in bar:
        height = segment.value * scale
        y -= height
        said = escape(f"{name}: {segment.part} {segment.value:.3g} {unit}")
        drawn.append(
            f'<rect x="{left}" y="{y:.2f}" width="{_BAR}" height="{height:.2f}" '
            f'fill="{colours[segment.part]}"{" class=faint" * faint}><title>{said}</title></rect>'
        )
    return drawn


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
