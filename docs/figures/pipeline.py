"""From a declaration to a network."""

import matplotlib.pyplot as plt
from _style import GREY, arrow, bare, box
from matplotlib.figure import Figure


def draw() -> Figure:
    """The stations of a spec on its way to modules."""
    stations = [
        ("spec", "what is declared:\nno weights"),
        ("check", "types meet, or an\nerror names the layer"),
        ("plan", "blocks, bases, costs:\nexact, no torch"),
        ("passes", "plan to plan:\nfold, fuse, order"),
        ("emit", "floats start here"),
        ("modules", "plain torch;\nthe plan comes along"),
    ]
    figure, axes = plt.subplots(figsize=(9.4, 1.5))
    bare(axes).set_xlim(-0.7, 8.5)
    axes.set_ylim(-0.75, 0.4)
    axes.set_aspect("equal")
    for number, (name, words) in enumerate(stations):
        x = 1.55 * number
        box(axes, x, 0, name, GREY if number in (0, 5) else "white")
        axes.text(x, -0.32, words, ha="center", va="top", fontsize=7.5)
        if number:
            arrow(axes, (x - 1.0, 0), (x - 0.53, 0))
    return figure
