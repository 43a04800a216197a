"""One network at several widths, and what of the saved FLOPs each realises, as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from irrepnet._errors import OptionError, OutputError
from irrepnet.models._registry import MODELS
from irrepnet.report._extras import require
from irrepnet.report._speed_row import SpeedRow
from irrepnet.report._speed_suite import Case


def widened(case: Case, width: int) -> Case:
    """The same network with other channels: heads keep their width, later stages their ratio.

    Args:
        case: A network.
        width: Channels, of the first stage if there are several.

    Raises:
        OptionError: If the heads or stages do not come out whole.

    Examples:
        >>> case = Case("ViT-B", "vit_base_patch16_224", "flop")
        >>> dict(widened(case, 384).sizes)
        {'width': 384, 'heads': 6}
    """
    sizes = {**vars(MODELS[case.model].sizes[case.model]), **dict(case.sizes)}
    changed: dict[str, Any] = dict(case.sizes)
    if "widths" in sizes:
        first = sizes["widths"][0]
        wide = [w * width for w in sizes["widths"]]
        _check_whole([w % first for w in wide], width, f"stages of {sizes['widths']} channels")
        changed["widths"] = tuple(w // first for w in wide)
    else:
        changed["width"] = width
        if "heads" in sizes:
            per_head = sizes["width"] / sizes["heads"]
            _check_whole([width % per_head], width, f"heads of {per_head:g} channels")
            changed["heads"] = int(width // per_head)
    return replace(case, name=f"{case.name}, width {width}", sizes=tuple(changed.items()))


def _check_whole(rests: Sequence[float], width: int, what: str) -> None:
    if width < 1 or any(rests):
        raise OptionError(
            f"got width {width}, which does not hold whole {what}: expected a multiple."
        )


def check_plot(path: Path) -> None:
    """Find what a plot lacks before the long work.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        OptionError: If the ending is none of a picture.
    """
    require("matplotlib", "matplotlib", "a plot")
    if path.suffix not in (".svg", ".png", ".pdf"):
        raise OptionError(f"got --plot {path}: expected a name that ends in .svg, .png or .pdf.")


def plot_speedups(rows: Sequence[SpeedRow], path: Path) -> None:
    """Draw time ratios against FLOP ratios, one point a row; on the diagonal all is realised.

    Args:
        rows: Measured rows.
        path: The file to write; its ending chooses the format.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        OutputError: If the file cannot be written.
    """
    check_plot(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.add_subplot()
    series: dict[str, list[tuple[float, float, str]]] = {}
    for row in rows:
        found = row.speedup(row.headline)
        if found is not None:
            name, _, width = row.case.name.partition(", width ")
            conditions = f"{name}, {row.case.dtype} {row.case.mode} {row.case.step}"
            series.setdefault(conditions, []).append((row.flop_ratio, found, width))
    for name, points in series.items():
        axes.plot(*zip(*[p[:2] for p in points], strict=True), "o-", label=name)
        for x, y, width in points:
            axes.annotate(width, (x, y), textcoords="offset points", xytext=(5, -10))
    ends = [p[0] for points in series.values() for p in points] or [1.0]
    axes.plot([1, max(ends)], [1, max(ends)], "k--", linewidth=1, label="all of it realised")
    axes.set(xlabel="FLOPs, dense over equivariant", ylabel="time, dense over equivariant")
    axes.legend()
    axes.grid(alpha=0.3)
    picture = io.BytesIO()
    figure.savefig(picture, format=path.suffix[1:], dpi=150)
    try:
        path.write_bytes(picture.getvalue())
    except OSError as problem:
        raise OutputError(f"cannot write {path}: {problem.strerror}.") from None
