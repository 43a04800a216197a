"""Where each channel of a feature type stands."""

import matplotlib.pyplot as plt
from _style import IRREPS, bare
from matplotlib.figure import Figure

import irrepnet as ir


def draw() -> Figure:
    """One row of channels: blocks in irrep order, components outermost, copies innermost."""
    feature = ir.FeatureType(ir.groups.octic(), "2*A1 + 1*B1 + 3*E")
    figure, axes = plt.subplots(figsize=(7.2, 1.3))
    for block in feature.blocks:
        colour = IRREPS[block.irrep.index]
        for channel in range(block.start, block.stop):
            component, copy = divmod(channel - block.start, block.multiplicity)
            axes.barh(0, 0.94, left=channel, color=colour, height=0.8)
            label = f"copy {copy}" if block.irrep.dim == 1 else f"part {component}\ncopy {copy}"
            axes.text(channel + 0.47, 0, label, ha="center", va="center", color="white", fontsize=8)
        middle = (block.start + block.stop) / 2
        axes.text(middle, 0.55, f"{block.multiplicity} x {block.irrep.name}", ha="center")
    bare(axes).set_xticks(
        [c + 0.47 for c in range(feature.dim)], [str(c) for c in range(feature.dim)]
    )
    axes.set_xlabel(f"channels of {feature}")
    axes.set_ylim(-0.5, 0.8)
    return figure
