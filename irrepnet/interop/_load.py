"""`load_flopping`: published checkpoints as irrepnet networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from irrepnet import models, nn
from irrepnet._errors import CheckpointError
from irrepnet.interop._convnext import CONVNEXT_KINDS, build_convnext, read_convnext
from irrepnet.interop._octic import build_octic, read_octic
from irrepnet.interop._resmlp import RESMLP_KINDS, build_resmlp, read_resmlp
from irrepnet.interop._state import reading
from irrepnet.interop._vit import build_vit, read_vit

#: Kinds of published networks that can be loaded.
KINDS = (
    "deit3.vit",
    "flopping.d2_vit",
    "flopping.hybrid_vit",
    "octic.vit",
    *CONVNEXT_KINDS,
    *RESMLP_KINDS,
)

#: How the network of a config is built, and how a checkpoint is read into it, where it is no ViT.
_FAMILIES: dict[str, tuple[Callable[..., nn.Classifier], Callable[..., None]]] = {
    "octic.vit": (build_octic, lambda reader, model, _: read_octic(reader, model)),
    **dict.fromkeys(CONVNEXT_KINDS, (build_convnext, read_convnext)),
    **dict.fromkeys(RESMLP_KINDS, (build_resmlp, read_resmlp)),
}


def load_flopping(
    state_dict: Mapping[str, Tensor], kind: str, config: Mapping[str, Any]
) -> nn.Classifier:
    """Build the network that a published checkpoint holds, with its weights.

    Tensors that carry no freedom (token permutations, the antisymmetric half of the class token,
    the middle of kernels that change sign) are checked and dropped. The flopping ResMLP also stores
    biases of its affine layers that it never uses: ours are zero, and `model.notes` says so.

    Args:
        state_dict: The checkpoint, under the published code's own parameter names.
        kind: `"deit3.vit"` (dense DeiT III), `"flopping.d2_vit"`, `"flopping.hybrid_vit"`,
            `"octic.vit"` (hybrid or early invariant), `"convnext"`, `"convnext_isotropic"`,
            `"flopping.d2_convnext"`, `"flopping.d2_convnext_isotropic"`, `"deit.resmlp"` or
            `"flopping.d2_resmlp"`.
        config: The published constructor's arguments; those left out take its defaults.

    Returns:
        A model in evaluation mode, in the checkpoint's dtype; same outputs to rounding.

    Raises:
        CheckpointError: If the kind or a config key is unknown, or keys are missing, unknown or
            ill-shaped; all of them are listed.

    References:
        Flopping for FLOPs (arXiv 2502.05169); Octic ViTs (arXiv 2505.15441); DeiT III
        (arXiv 2204.07118).
    """
    if kind not in KINDS:
        raise CheckpointError(f"unknown kind {kind!r}: expected one of {', '.join(KINDS)}.")
    if not isinstance(config, Mapping):
        raise CheckpointError(
            f"got config={config!r}: expected the published constructor's arguments as a mapping."
        )
    if "img_size" in config:
        config = {**config, "img_size": models.image_size(config["img_size"])}
    floats = [v.dtype for v in state_dict.values() if torch.is_floating_point(v)]
    dtype = floats[0] if floats else torch.get_default_dtype()
    build, read = _FAMILIES.get(kind, (build_vit, read_vit))
    model = build(config, kind, dtype)
    with reading(state_dict, kind) as reader:
        read(reader, model, kind)
    return model.eval()
