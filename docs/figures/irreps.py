"""The character table of D4 as colours, and how much of a 4 x 4 grid each irrep takes."""

import matplotlib.pyplot as plt
import numpy as np
from _style import IRREPS, show
from matplotlib.figure import Figure

import irrepnet as ir


def draw() -> Figure:
    """Characters, and channels of each kind among 16 pixels."""
    action = ir.actions.image("D4")
    group, table = action.group, action.group.character_table
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.4), width_ratios=(1, 1.3))
    values = np.real(table.values)
    show(left, values, "characters", size=2)
    left.set_yticks(range(5), [i.name for i in group.irreps])
    left.set_xticks(range(5), [f"{c.size}\n({c.element_order})" for c in group.conjugacy_classes])
    left.tick_params(axis="x", labelsize=6)
    left.set_xlabel("conjugacy classes: size and order")
    for row, column in [(r, c) for r in range(5) for c in range(5)]:
        left.text(column, row, f"{values[row, column]:.0f}", ha="center", va="center")

    grid = ir.reps.permutation(group, action.permutation(4, 4).tolist())
    start = 0
    for irrep, copies, colour in zip(
        group.irreps, grid.decompose().multiplicities, IRREPS, strict=True
    ):
        width = irrep.dim * copies
        right.barh(0, width, left=start, color=colour)
        right.text(start + width / 2, 0, f"{copies} x\n{irrep.name}", ha="center", va="center")
        start += width
    right.set_title("the 16 pixels of a 4 x 4 grid, by irrep")
    right.set_yticks([])
    right.set_xlabel("dimensions")
    return figure
