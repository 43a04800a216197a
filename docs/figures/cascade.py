"""What each block costs when symmetry is given up on the way."""

import matplotlib.pyplot as plt
from _style import GREY, IRREPS
from matplotlib.figure import Figure

import irrepnet as ir

BREAKS = [("flop", 4), ("trivial", 8)]


def draw() -> Figure:
    """FLOPs of each block of ViT-S: dense, and down the chain D4, flop, nothing."""
    figure, axes = plt.subplots(figsize=(7.2, 2.4))
    dense = _blocks(ir.create_model("vit_small_patch16_224", "trivial", device="meta"))
    chain = _blocks(ir.create_model("vit_small_patch16_224", "D4", break_at=BREAKS, device="meta"))
    colours = [IRREPS[0]] * 4 + [IRREPS[2]] * 4 + [IRREPS[3]] * 4
    axes.bar(range(12), dense, color=GREY, label="dense")
    axes.bar(range(12), chain, color=colours, width=0.6)
    for start, name in ((0, "D4"), (4, "flop"), (8, "no symmetry")):
        axes.text(start + 1.5, max(dense) * 1.04, name, ha="center")
    axes.set(xlabel="block", ylabel="million FLOPs", ylim=(0, max(dense) * 1.2), xticks=range(12))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _blocks(model: ir.nn.Classifier) -> list[float]:
    rows = ir.flops(model, (3, 224, 224)).rows
    inside = [[r for r in rows if r.path.startswith(f"blocks.{n}.")] for n in range(12)]
    return [sum(r.flops for r in block) / 1e6 for block in inside]
