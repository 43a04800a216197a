"""The README's figure, from the README's numbers: FLOPs and time, dense, flopping and octic."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
from _style import GREY, IRREPS
from matplotlib.axes import Axes
from matplotlib.figure import Figure

README = Path(__file__).parents[2] / "README.md"
NETWORKS = {
    "vit_small_patch16_224": "ViT-S/16",
    "vit_base_patch16_224": "ViT-B/16",
    "resmlp_b24_224": "ResMLP-B24",
    "convnext_base": "ConvNeXt-B",
}
COLOURS = {"dense": GREY, "flop": IRREPS[0], "D4": IRREPS[2]}


def draw() -> Figure:
    """GFLOPs from the table, milliseconds from the list below it."""
    text = README.read_text()
    flops, times = {}, {}
    for name, label in NETWORKS.items():
        row = re.search(rf"^\| `{name}` \|.*\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", text, re.M)
        assert row, f"the README's table has no {name}"
        flops[label] = [float(value) for value in row.groups()]
        pattern = rf"`{name}`: ([\d,]+) ms dense, ([\d,]+) ms flopping, ([\d,]+) ms octic"
        found = re.search(pattern, text)
        if found:
            times[label] = [float(value.replace(",", "")) for value in found.groups()]
    figure, axes = plt.subplots(1, 2, figsize=(8.2, 2.6), width_ratios=(len(flops), len(times)))
    _bars(axes[0], flops, "GFLOPs, one image", "{:.1f}")
    _bars(axes[1], times, "ms, 8 images, one core", "{:,.0f}")
    axes[0].legend(loc="upper left", frameon=False)
    return figure


def _bars(axes: Axes, values: dict[str, list[float]], title: str, form: str) -> None:
    for place, numbers in enumerate(values.values()):
        for group, (number, (kind, colour)) in enumerate(
            zip(numbers, COLOURS.items(), strict=False)
        ):
            x = place + 0.28 * (group - (len(numbers) - 1) / 2)
            axes.bar(x, number, 0.26, color=colour, label=kind if place == 0 else None)
            axes.text(x, number, form.format(number), ha="center", va="bottom", fontsize=7)
    axes.set_xticks(range(len(values)), list(values))
    axes.set_title(title, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
