"""Registered models made small: the same code on few channels and pixels."""

from typing import Any

import torch

import irrepnet as ir
from irrepnet.actions import ImageAction

GROUPS = ("trivial", "flop", "vflip", "rot180", "klein_four", "C4", "D4")

#: What every registered model is tried with.
FIVE_GROUPS = ("trivial", "flop", "klein_four", "C4", "D4")

#: Made small, every registered model is one of these (a test says so).
ONE_OF_EACH = (
    "vit_tiny_patch16_224",
    "resmlp_12_224",
    "convnext_tiny",
    "convnext_isotropic_small",
    "convnext_isotropic_large",
)


def narrow(
    group: str | ImageAction = "flop",
    name: str = "vit_tiny_patch16_224",
    dtype: torch.dtype | None = torch.float64,
    device: str | None = None,
    seed: int = 0,
    **options: Any,
) -> ir.nn.Classifier:
    """A model of depth 2 on images of 16 x 16 in 4 x 4 patches, weights as they start."""
    sizes = {"width": 64, "depth": 2, "heads": 4, "patch": 4, "img_size": 16, "num_classes": 5}
    torch.manual_seed(seed)
    return ir.create_model(name, group, dtype=dtype, device=device, **{**sizes, **options})


def random_narrow(group: str | ImageAction = "flop", **options: Any) -> ir.nn.Classifier:
    """The same with every parameter at order one, in evaluation mode."""
    model = ir.testing.randomise_(narrow(group, **options)).eval()
    assert isinstance(model, ir.nn.Classifier)
    return model


def images(model: ir.nn.Classifier, batch: int = 2, seed: int = 0) -> torch.Tensor:
    """White noise of the size and dtype that a model takes."""
    source = model.plan.source
    dtype = next(model.parameters()).dtype
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, source.channels, *source.size)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
