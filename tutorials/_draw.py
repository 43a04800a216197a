"""Pictures of the tutorials: every function returns a PNG that a notebook shows and stores."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import networkx
import numpy as np
from IPython.display import Image
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from PIL import Image as Pixels

from irrepnet.groups import Group, Subgroup

#: Okabe and Ito's colours, which people who confuse red and green tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#999999")


def figure(width: float, height: float) -> Figure:
    """An empty figure, in inches; draw on it and give it to `png`."""
    return Figure(figsize=(width, height), layout="constrained")


def png(drawn: Figure, alt: str, dpi: int = 110) -> Image:
    """A figure as an image of 256 colours, without dates or versions in it.

    Args:
        drawn: The figure.
        alt: What it shows, in words.
        dpi: Pixels an inch.
    """
    buffer, small = io.BytesIO(), io.BytesIO()
    drawn.savefig(buffer, dpi=dpi, facecolor="white")
    Pixels.open(buffer).convert("RGB").quantize(256).save(small, "PNG", optimize=True)
    return Image(small.getvalue(), alt=alt)


def pictures(
    arrays: Sequence[np.ndarray],
    titles: Sequence[str],
    alt: str,
    columns: int | None = None,
    size: float = 1.7,
    signed: bool | Sequence[bool] = False,
    limit: float | None = None,
) -> Image:
    """Arrays side by side, each as an image.

    Args:
        arrays: Two axes (or three, for colours) each.
        titles: One for each.
        alt: What they show, in words.
        columns: How many in a row; all by default.
        size: Inches of each.
        signed: Blue for negative and red for positive, white for zero; else grey. One for each, or
            one for all.
        limit: Value of the strongest colour when signed; by default the largest of each array.
    """
    columns = columns or len(arrays)
    coloured = [signed] * len(arrays) if isinstance(signed, bool) else signed
    rows = math.ceil(len(arrays) / columns)
    drawn = figure(size * columns, (size + 0.35) * rows)
    for number, (array, title, colour) in enumerate(
        zip(arrays, titles, coloured, strict=True), start=1
    ):
        axes = drawn.add_subplot(rows, columns, number)
        if colour:
            most = limit or max(1e-12, np.abs(array).max())
            axes.imshow(array, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
        else:
            axes.imshow(array, cmap="gray", interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    return png(drawn, alt)


def coloured_table(
    table: np.ndarray, names: Sequence[str], alt: str, size: float = 0.5, title: str = ""
) -> Image:
    """A table of small whole numbers, each number a colour and a name."""
    drawn = figure(size * (table.shape[1] + 1), size * (table.shape[0] + 1))
    _cells(drawn.add_subplot(), table, [[names[v] for v in row] for row in table], title)
    axes = drawn.axes[0]
    if table.shape == (len(names), len(names)):
        axes.set_xticks(range(len(names)), names)
        axes.set_yticks(range(len(names)), names)
        axes.xaxis.tick_top()
    return png(drawn, alt)


def labelled_grids(
    grids: Sequence[np.ndarray], titles: Sequence[str], alt: str, size: float = 0.38
) -> Image:
    """Grids of small whole numbers side by side; equal numbers share a colour."""
    widths = [grid.shape[1] for grid in grids]
    height = max(grid.shape[0] for grid in grids)
    drawn = figure(size * (sum(widths) + len(grids)), size * height + 0.5)
    all_axes = drawn.subplots(1, len(grids), width_ratios=widths, squeeze=False)[0]
    for axes, grid, title in zip(all_axes, grids, titles, strict=True):
        _cells(axes, grid, [[str(v) for v in row] for row in grid], title)
    return png(drawn, alt)


def _cells(axes, table: np.ndarray, texts: Sequence[Sequence[str]], title: str) -> None:
    count = int(table.max()) + 1
    cmap = "tab10" if count <= 10 else "tab20" if count <= 20 else "nipy_spectral"
    top = 10 if count <= 10 else 20 if count <= 20 else count
    axes.imshow(table, cmap=cmap, vmin=-0.5, vmax=top - 0.5, alpha=0.55)
    for i, row in enumerate(texts):
        for j, text in enumerate(row):
            axes.text(j, i, text, ha="center", va="center", fontsize=8)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=10)


def circle(count: int, radius: float = 1.0, phase: float = math.pi / 2) -> np.ndarray:
    """Points on a circle, clockwise from `phase`, shape `(count, 2)`."""
    angles = phase - 2 * np.pi * np.arange(count) / count
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def two_rings(group: Group, twist: float = 0.0) -> dict[int, np.ndarray]:
    """Places for a Cayley graph: powers of the first generator outside, their neighbours inside.

    The inner ring holds the outer one times the second generator, turned by `twist` steps.
    """
    ring = [group.identity]
    while (following := group.multiply(ring[-1], group.generators[0])) != group.identity:
        ring.append(following)
    places = dict(zip(ring, circle(len(ring)), strict=True))
    if len(group.generators) > 1:
        inner = circle(len(ring), 0.48, np.pi / 2 - 2 * np.pi * twist / len(ring))
        for a, place in zip(ring, inner, strict=True):
            places[group.multiply(a, group.generators[1])] = place
    return places


def cayley_graphs(
    graphs: Sequence[tuple[Group, Mapping[int, np.ndarray], Sequence[str]]],
    titles: Sequence[str],
    alt: str,
    size: float = 3.0,
) -> Image:
    """Cayley graphs side by side: from `a` an arrow leads to `a g`, one colour each generator `g`.

    Args:
        graphs: Group, place of every element, name of every element. A generator of order two is a
            line without a head: it leads there and back.
        titles: One for each.
        alt: What they show, in words.
        size: Inches of each.
    """
    drawn = figure(size * len(graphs), size + 0.3)
    for number, ((group, places, names), title) in enumerate(
        zip(graphs, titles, strict=True), start=1
    ):
        axes = drawn.add_subplot(1, len(graphs), number)
        for g, colour in zip(group.generators, COLOURS, strict=False):
            there_and_back = group.multiply(g, g) == group.identity
            for a, b in enumerate(group.right_multiply(g).tolist()):
                if there_and_back and b < a:
                    continue
                axes.add_patch(
                    FancyArrowPatch(
                        tuple(places[a]),
                        tuple(places[b]),
                        arrowstyle="-" if there_and_back else "-|>",
                        mutation_scale=12,
                        shrinkA=10,
                        shrinkB=10,
                        color=colour,
                        linewidth=1.6,
                    )
                )
        for a, (x, y) in places.items():
            axes.text(x, y, names[a], ha="center", va="center", fontsize=9)
        axes.set_title(title, fontsize=10)
        _plain(axes, np.array(list(places.values())))
    return png(drawn, alt)


def hasse(
    lattice: networkx.DiGraph,
    names: Mapping[int, str],
    alt: str,
    places: Mapping[int, float],
    size: float = 5.5,
) -> Image:
    """A subgroup lattice: larger subgroups above smaller ones, lines where nothing is between.

    Subgroups that are conjugate have one colour.

    Args:
        lattice: What `groups.subgroup_lattice(G, conjugates=True)` returns.
        names: What to write at each node.
        alt: What it shows, in words.
        places: How far right each node stands.
        size: Inches across.
    """
    found: dict[int, Subgroup] = dict(lattice.nodes(data="subgroup"))
    orders = sorted({h.order for h in found.values()})
    at = {i: np.array([places[i], 1.15 * orders.index(h.order)]) for i, h in found.items()}
    drawn = figure(size, 0.95 * len(orders) + 0.4)
    axes = drawn.add_subplot()
    for lower, upper in lattice.edges:
        axes.plot(*np.stack([at[lower], at[upper]]).T, color="#888", lw=1, zorder=1)
    for i, place in at.items():
        colour = COLOURS[lattice.nodes[i]["class_index"] % len(COLOURS)]
        box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": colour, "lw": 2}
        axes.text(*place, names[i], ha="center", va="center", fontsize=8, bbox=box, zorder=2)
    _plain(axes, np.array(list(at.values())), equal=False)
    return png(drawn, alt)


def _plain(axes, points: np.ndarray, equal: bool = True, margin: float = 0.18) -> None:
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    axes.set_xlim(low[0] - margin, high[0] + margin)
    axes.set_ylim(low[1], high[1])
    axes.axis("off")
    if equal:
        axes.set_aspect("equal")


def bars(
    groups: Mapping[str, Sequence[float]],
    names: Sequence[str],
    alt: str,
    ylabel: str = "",
    width: float = 6.0,
    height: float = 2.6,
    log: bool = False,
) -> Image:
    """Bars beside each other: for every name one bar of each group."""
    drawn = figure(width, height)
    axes = drawn.add_subplot()
    places, thickness = np.arange(len(names)), 0.8 / len(groups)
    for k, (label, values) in enumerate(groups.items()):
        shift = (k - (len(groups) - 1) / 2) * thickness
        axes.bar(places + shift, values, thickness, label=label, color=COLOURS[k])
    axes.set_xticks(places, names)
    axes.set_ylabel(ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    if log:
        axes.set_yscale("log")
    if len(groups) > 1:
        axes.legend(frameon=False, fontsize=9)
    return png(drawn, alt)


def butterfly(count: int, alt: str) -> Image:
    """The mirror's change of basis on a row of pixels, as a flow of numbers from left to right."""
    drawn = figure(4.2, 0.32 * count + 0.3)
    axes = drawn.add_subplot()
    half = count // 2
    for k in range(half):
        colour, top, bottom = COLOURS[k % len(COLOURS)], -k, k + 1 - count
        for target, other in [(-k, False), (-half - k, True)]:
            axes.plot([0, 1], [top, target], color=colour, lw=1.5)
            axes.plot([0, 1], [bottom, target], color=colour, lw=1.5, ls="--" if other else "-")
        axes.text(-0.05, top, f"$x_{k}$", ha="right", va="center")
        axes.text(-0.05, bottom, f"$x_{count - 1 - k}$", ha="right", va="center")
        sum_, difference = f"$x_{k} + x_{count - 1 - k}$", f"$x_{k} - x_{count - 1 - k}$"
        axes.text(1.05, -k, sum_, ha="left", va="center")
        axes.text(1.05, -half - k, difference, ha="left", va="center")
    axes.text(
        0.5, 0.55, "dashed: subtract;  all results times $1/\\sqrt{2}$", ha="center", fontsize=9
    )
    axes.set_xlim(-0.25, 1.45)
    axes.axis("off")
    return png(drawn, alt)


def curves(x: np.ndarray, panels: Mapping[str, Mapping[str, np.ndarray]], alt: str) -> Image:
    """Small plots side by side: for every title, curves by label."""
    drawn = figure(2.2 * len(panels), 2.1)
    all_axes = drawn.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, lines) in zip(all_axes, panels.items(), strict=True):
        for k, (label, y) in enumerate(lines.items()):
            axes.plot(x, y, color=COLOURS[k], lw=1.8, ls="--" if k else "-", label=label)
        axes.axhline(0, color="#bbb", lw=0.6, zorder=0)
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    all_axes[0].legend(frameon=False, fontsize=8)
    return png(drawn, alt)


def planes(
    points: np.ndarray, images: Sequence[np.ndarray], titles: Sequence[str], alt: str
) -> Image:
    """Where maps send the points of a curve in the plane; colours are those of the points.

    Args:
        points: Shape `(n, 2)`.
        images: The same shape, one for each map.
        titles: One for each map.
        alt: What they show, in words.
    """
    drawn = figure(2.2 * len(images), 2.4)
    colours = np.arctan2(points[:, 1], points[:, 0])
    for number, (image, title) in enumerate(zip(images, titles, strict=True), start=1):
        axes = drawn.add_subplot(1, len(images), number)
        axes.plot(*np.concatenate([points, points[:1]]).T, color="#bbb", lw=0.8)
        axes.scatter(*image.T, c=colours, cmap="hsv", s=14)
        axes.set_title(title, fontsize=10)
        axes.set_aspect("equal")
        axes.set_xlim(-1.25, 1.25)
        axes.set_ylim(-1.25, 1.25)
        axes.set_xticks([])
        axes.set_yticks([])
    return png(drawn, alt)


def verdicts(
    words: Sequence[Sequence[str]], rows: Sequence[str], columns: Sequence[str], alt: str
) -> Image:
    """A table of words: "no" in orange, everything else in blue."""
    drawn = figure(1.6 + 0.85 * len(columns), 0.35 * len(rows) + 0.5)
    axes = drawn.add_subplot()
    for i, row in enumerate(words):
        for j, word in enumerate(row):
            colour = COLOURS[1] if word == "no" else COLOURS[0]
            axes.text(j, i, word, ha="center", va="center", fontsize=9, color=colour)
    axes.imshow(
        [[word == "no" for word in row] for row in words],
        cmap="coolwarm",
        vmin=-1.5,
        vmax=2.5,
        alpha=0.3,
        aspect="auto",
    )
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    return png(drawn, alt)
