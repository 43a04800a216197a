"""Colours and small parts that the pictures share."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

mpl.use("agg")
mpl.rcParams |= {
    "font.size": 9,
    "figure.facecolor": "white",
    "savefig.bbox": "tight",
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "irrepnet",  # the same picture gives the same file
    "figure.constrained_layout.use": True,
}

#: One colour an irrep, in irrep order.
IRREPS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#aa3377")
GREY = "#bbbbbb"
#: For numbers with a sign.
SIGNED = "RdBu_r"

#: An image without any symmetry.
GLYPH = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
    ],
    dtype=float,
)


def bare(axes: Axes) -> Axes:
    """An axes without ticks and frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return axes


def show(axes: Axes, image: np.ndarray, title: str = "", size: float = 1.0) -> None:
    """A matrix or an image of signed numbers between -size and size."""
    axes.imshow(image, cmap=SIGNED, vmin=-size, vmax=size)
    axes.set_title(title, fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])


def box(axes: Axes, x: float, y: float, text: str, colour: str = "white", width: float = 1) -> None:
    """A box with its middle at (x, y)."""
    corner = (x - width / 2, y - 0.2)
    style = "round,pad=0.02,rounding_size=0.06"
    axes.add_patch(
        FancyBboxPatch(corner, width, 0.4, boxstyle=style, fc=colour, ec="black", lw=0.8)
    )
    axes.text(x, y, text, ha="center", va="center")


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str = "") -> None:
    """An arrow, with words above its middle."""
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=10, color="black"))
    if text:
        middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        axes.annotate(text, middle, (0, 4), textcoords="offset points", ha="center", fontsize=8)
