"""What each block of a network costs, as a picture: dense beside equivariant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from irrepnet._errors import OptionError, OutputError
from irrepnet.accounting import FlopReport
from irrepnet.report._costs import Summary, summarise
from irrepnet.report._extras import require
from irrepnet.report._html import part_colour

#: Endings that matplotlib is asked for.
PICTURES = (".png", ".svg", ".pdf")
_BAR = 0.4


def check_picture(path: Path) -> None:
    """Find what a picture lacks before the long work.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        OptionError: If the ending is none of a picture.
    """
    require("matplotlib", "matplotlib", "--picture")
    if path.suffix not in PICTURES:
        raise OptionError(
            f"got --picture {path}: expected a name that ends in {', '.join(PICTURES)}."
        )


def draw_flops(
    dense: FlopReport, equivariant: FlopReport, path: Path, title: str, label: str
) -> None:
    """Draw stacked bars for each block, the ordinary network's paler ones beside the other's.

    Args:
        dense: Costs of the ordinary network.
        equivariant: Costs of the equivariant one.
        path: The file to write; its ending chooses the format.
        title: What stands above.
        label: What the equivariant network is called.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        OutputError: If the file cannot be written.
    """
    check_picture(path)
    from matplotlib.figure import Figure

    costs = summarise(dense, equivariant)
    figure = Figure(figsize=(max(8.0, 1.5 + 0.6 * len(costs.blocks)), 4.2), layout="constrained")
    axes = figure.add_subplot()
    _draw_bars(axes, costs)
    left, right = costs.total.dense.flops, costs.total.equivariant.flops
    axes.set_title(
        f"{title}: dense (left, pale) {left / 1e9:.2f}, {label} (right) {right / 1e9:.2f} GFLOPs",
        fontsize=10,
    )
    axes.set_ylabel("million FLOPs (1 MAC = 2 FLOPs), one image")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), reverse=True)
    try:
        figure.savefig(path, dpi=150)
    except OSError as problem:
        raise OutputError(f"cannot write {path}: {problem.strerror}.") from None


def _draw_bars(axes: Any, costs: Summary) -> None:
    names = [line.block for line in costs.blocks]
    named: set[str] = set()
    for shift, side, alpha in ((-_BAR / 2, "dense", 0.4), (_BAR / 2, "equivariant", 1.0)):
        heights = dict.fromkeys(names, 0.0)
        for line in costs.lines:
            height = getattr(line, side).flops / 1e6
            at = names.index(line.block) + shift
            axes.bar(
                at,
                height,
                _BAR,
                bottom=heights[line.block],
                color=part_colour(line.part),
                alpha=alpha,
                edgecolor="white",
                linewidth=0.3,
                label=None if alpha < 1 or line.part in named else line.part,
            )
            heights[line.block] += height
            named |= {line.part} if alpha == 1 else set()
    labels = [name.removeprefix("block ") for name in names]
    axes.set_xticks(range(len(names)), labels, fontsize=8)  # "embedding" beside "0"
    axes.set_xlabel("block")
