"""The eight elements of D4, on an image without symmetry, and the orbits of its pixels."""

import matplotlib.pyplot as plt
import numpy as np
from _style import GLYPH, bare, show
from matplotlib.figure import Figure

import irrepnet as ir


def draw() -> Figure:
    """A letter under every element, then the grid with a colour for each orbit."""
    action = ir.actions.image("D4")
    figure, axes = plt.subplots(1, 9, figsize=(9.6, 1.6))
    for element, place in enumerate(axes[:8]):
        show(place, action.move(element, GLYPH), f"element {element}", size=1.6)
    points = action.permutation(6, 6)
    orbits = np.unique(points.min(axis=0), return_inverse=True)[1].reshape(6, 6)
    bare(axes[8]).imshow(orbits, cmap="tab10")
    axes[8].set_title("orbits of pixels", fontsize=9)
    return figure
