"""Which channels belong to which attention head."""

import matplotlib.pyplot as plt
from _style import IRREPS, bare
from matplotlib.figure import Figure

import irrepnet as ir


def draw() -> Figure:
    """The channels of a type, with the head that reads each."""
    x = ir.FeatureType(ir.groups.octic(), "2*A1 + 2*B1 + 4*E")
    figure, axes = plt.subplots(figsize=(7.2, 1.5))
    for block in x.blocks:
        for channel in range(block.start, block.stop):
            copy = (channel - block.start) % block.multiplicity
            head = copy * 2 // block.multiplicity
            axes.barh(0, 0.94, left=channel, color=IRREPS[block.irrep.index], height=0.8)
            axes.text(channel + 0.47, 0, f"head {head}", ha="center", va="center", color="white")
        middle = (block.start + block.stop) / 2
        axes.text(middle, 0.55, f"{block.multiplicity} x {block.irrep.name}", ha="center")
    bare(axes).set_ylim(-0.5, 0.8)
    return figure
