"""An image as the sum of its parts under D4."""

import matplotlib.pyplot as plt
import numpy as np
from _style import GLYPH, show
from matplotlib.figure import Figure

import irrepnet as ir


def draw() -> Figure:
    """The letter, and its part in each irrep with the share of its energy."""
    action = ir.actions.image("D4")
    grid = ir.reps.permutation(action.group, action.permutation(6, 6).tolist())
    parts, image = grid.decompose(), GLYPH.ravel()
    figure, axes = plt.subplots(1, 6, figsize=(9, 1.9))
    show(axes[0], GLYPH, "image", size=1.2)
    total = np.zeros(36)
    for place, irrep in zip(axes[1:], action.group.irreps, strict=True):
        part = parts.part(image, irrep)
        total += part
        share = (part @ part) / (image @ image)
        show(place, part.reshape(6, 6), f"{irrep.name}: {share:.0%}", size=0.6)
    assert np.allclose(total, image)
    return figure
