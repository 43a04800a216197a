"""Errors that `certify` finds: rounding in an honest network, and a bias where none may be."""

import matplotlib.pyplot as plt
import torch
from _style import IRREPS
from matplotlib.figure import Figure

import irrepnet as ir
from irrepnet.certificate import Certificate


def draw() -> Figure:
    """The largest error after each layer, in two dtypes and in a network that cheats."""
    model = ir.create_model(
        "vit_tiny_patch16_224", group="flop", depth=2, num_classes=10, img_size=32
    )
    ir.testing.randomise_(model)  # as it starts, LayerScale hides what blocks do
    honest = ir.certify(model)
    guilty = model.get_submodule("blocks.1.mlp.fc1")
    guilty.register_forward_hook(_shift)
    figure, axes = plt.subplots(figsize=(7.2, 2.8))
    lines = [
        ("float32", _worst(honest, "float32"), IRREPS[2]),
        ("float64", _worst(honest, "float64"), IRREPS[0]),
        ("float64, one bias on asym", _worst(ir.certify(model), "float64"), IRREPS[1]),
    ]
    for label, worst, colour in lines:
        axes.semilogy(range(len(worst)), list(worst.values()), "o-", color=colour, label=label)
    axes.axhline(1e-12, color="black", lw=0.8, ls="--", label="allowed in float64")
    paths = [path or "the network" for path in lines[0][1]]
    axes.set_xticks(range(len(paths)), paths, rotation=35, ha="right")
    axes.set_ylabel("relative error")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _shift(_: torch.nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
    return output + 0.01  # on every channel, whatever its irrep


def _worst(certificate: Certificate, dtype: str) -> dict[str, float]:
    paths = [path for path in certificate.paths if not path.startswith("head.")]
    return {
        # A layer that only moves numbers has no error at all: drawn at 1e-16.
        path: max(
            1e-16,
            *(e.relative for e in certificate.errors if (e.path, e.dtype) == (path, dtype)),
        )
        for path in paths
    }
