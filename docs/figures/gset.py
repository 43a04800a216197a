"""A pointwise function between two butterflies."""

import matplotlib.pyplot as plt
from _style import IRREPS, arrow, bare, box
from matplotlib.figure import Figure


def draw() -> Figure:
    """From irreps to points, the function on each point, and back."""
    figure, axes = plt.subplots(figsize=(7.6, 1.9))
    bare(axes).set_xlim(-0.7, 6.7)
    axes.set_ylim(-0.35, 1.55)
    axes.set_aspect("equal")
    upper, lower = 1.1, 0.1
    names = {
        0: ("sym", "asym"),
        2: ("$x$", "$g\\,x$"),
        4: ("$f(x)$", "$f(g\\,x)$"),
        6: ("sym", "asym"),
    }
    for x, (first, second) in names.items():
        colours = IRREPS[:2] if x in (0, 6) else ("white", "white")
        box(axes, x, upper, first, colours[0])
        box(axes, x, lower, second, colours[1])
    for x in (0, 4):
        for start, end in [(upper, upper), (upper, lower), (lower, upper), (lower, lower)]:
            arrow(axes, (x + 0.55, start), (x + 1.45, end))
        axes.text(x + 1, upper + 0.22, "$\\pm$ and $1/\\sqrt{2}$", ha="center", fontsize=8)
    for y in (upper, lower):
        arrow(axes, (2.55, y), (3.45, y), "$f$")
    return figure
