"""Models by name."""

from __future__ import annotations

import fnmatch
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from irrepnet import compiler, nn, specs
from irrepnet._errors import SpecError
from irrepnet.actions import ImageAction
from irrepnet.models._convnext import ConvNeXtSize, IsotropicConvNeXtSize, convnext
from irrepnet.models._options import check_size
from irrepnet.models._resmlp import ResMLPSize, resmlp
from irrepnet.models._vit import ViTSize, vit

#: Names that timm uses for the same networks' preprocessing (ImageNet statistics).
PREPROCESSING = {
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "crop_pct": 1.0,
    "interpolation": "bicubic",
}


@dataclass(frozen=True)
class Family:
    """A function that builds specs, and the sizes that it is known with.

    Attributes:
        build: Takes architecture, size, `group` and keyword options.
        sizes: By model name; a size's fields are options as well.
    """

    build: Callable[..., specs.Classifier]
    sizes: Mapping[str, Any]

    def options(self, name: str) -> list[str]:
        """Names of the options of a model."""
        known = {*inspect.signature(self.build).parameters, *vars(self.sizes[name])}
        return sorted(known - {"architecture", "size"})

    def spec(self, name: str, **options: Any) -> specs.Classifier:
        """The spec of a model."""
        size = self.sizes[name]
        changed = {k: options.pop(k) for k in vars(size) if k in options}
        size = replace(size, **changed)
        check_size(size)
        return self.build(name, size, **options)


FAMILIES = (
    Family(
        vit,
        {
            "vit_tiny_patch16_224": ViTSize(16, 192, 12, 3),
            "vit_small_patch16_224": ViTSize(16, 384, 12, 6),
            "vit_base_patch16_224": ViTSize(16, 768, 12, 12),
            "vit_large_patch16_224": ViTSize(16, 1024, 24, 16),
            "vit_huge_patch14_224": ViTSize(14, 1280, 32, 16),
        },
    ),
    Family(
        resmlp,
        {
            "resmlp_12_224": ResMLPSize(16, 384, 12, 0.1),
            "resmlp_24_224": ResMLPSize(16, 384, 24, 1e-5),
            "resmlp_b24_224": ResMLPSize(16, 768, 24, 1e-6),
            "resmlp_l24_224": ResMLPSize(16, 1280, 24, 1e-6),
        },
    ),
    Family(
        convnext,
        {
            "convnext_tiny": ConvNeXtSize(4, (96, 192, 384, 768), (3, 3, 9, 3)),
            "convnext_small": ConvNeXtSize(4, (96, 192, 384, 768), (3, 3, 27, 3)),
            "convnext_base": ConvNeXtSize(4, (128, 256, 512, 1024), (3, 3, 27, 3)),
            "convnext_large": ConvNeXtSize(4, (192, 384, 768, 1536), (3, 3, 27, 3)),
            "convnext_isotropic_small": IsotropicConvNeXtSize(16, 384, 18),
            "convnext_isotropic_base": IsotropicConvNeXtSize(16, 768, 18),
            "convnext_isotropic_large": IsotropicConvNeXtSize(16, 1024, 36, 1e-6),
        },
    ),
)

#: The family of each model.
MODELS = {name: family for family in FAMILIES for name in family.sizes}


def list_models(pattern: str = "*") -> list[str]:
    """Names of the registered models that match a pattern.

    Examples:
        >>> list_models("vit_large*")
        ['vit_large_patch16_224']
    """
    return sorted(fnmatch.filter(MODELS, pattern))


def model_spec(name: str, group: str | ImageAction = "trivial", **options: Any) -> specs.Classifier:
    """The spec of a registered model; see `create_model` for the options.

    Raises:
        SpecError: If the name or an option is unknown.
    """
    if name not in MODELS:
        raise SpecError(f"unknown model {name!r}: expected one of {', '.join(list_models())}.")
    known = MODELS[name].options(name)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise SpecError(
            f"unknown option {', '.join(unknown)} for {name}: expected some of {', '.join(known)}."
        )
    return MODELS[name].spec(name, group=group, **options)


def create_model(
    name: str,
    group: str | ImageAction = "trivial",
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    lowering: str = "block",
    **options: Any,
) -> nn.Classifier:
    """Build a registered model.

    Args:
        name: One of `list_models()`.
        group: What it is invariant to: a name of `actions.image` ("flop", "D4", ...), or an
            `ImageAction`; `"trivial"` is the ordinary network.
        device: Where the parameters live; `"meta"` builds without memory.
        dtype: Their dtype.
        lowering: How blocks are computed (see `irrepnet.compile`).
        **options: `num_classes`, `img_size`, `in_chans`, `global_pool`, `drop_rate`,
            `drop_path_rate`, `break_at` and the further ones of the family's function, such as
            `models.vit`; `depth`, `width`, `patch` and the like override the named sizes.

    Returns:
        A `torch.nn.Module` with timm's surface (`forward_features`, `reset_classifier`, ...).

    Raises:
        IrrepnetError: If the group does not fit the sizes, naming the layer and what would.

    Examples:
        >>> model = create_model("vit_tiny_patch16_224", group="flop", num_classes=10, depth=1)
        >>> model(torch.zeros(1, 3, 224, 224)).shape
        torch.Size([1, 10])
    """
    return build(model_spec(name, group, **options), device, dtype, lowering)


def build(
    spec: specs.Classifier,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    lowering: str = "block",
) -> nn.Classifier:
    """The model of a classifier's spec, with its preprocessing."""
    model = compiler.compile(spec, lowering, device, dtype)
    assert isinstance(model, nn.Classifier)
    source = model.plan.source
    model.default_cfg = {
        "architecture": spec.architecture,
        "num_classes": spec.num_classes,
        "input_size": (source.channels, *source.size),
        "pool_size": None,
        "fixed_input_size": True,
        "first_conv": "patch_embed.proj",
        "classifier": "head.fc",
        **PREPROCESSING,
    }
    return model
