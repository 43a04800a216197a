"""Weights of the published dense, flopping and hybrid vision transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from irrepnet import nn
from irrepnet._errors import CheckpointError
from irrepnet.interop._state import StateReader, layer_at, only_weight, read_head
from irrepnet.models import ViTSize, build, vit

#: Config keys of the published constructors, with the values that they default to.
DEFAULTS: dict[str, Any] = {
    "img_size": 224,
    "patch_size": 16,
    "in_chans": 3,
    "num_classes": 1000,
    "embed_dim": 768,
    "depth": 12,
    "num_heads": 12,
    "mlp_ratio": 4,
    "qkv_bias": False,
    "drop_rate": 0.0,
    "drop_path_rate": 0.0,
    "init_scale": 1e-4,
    "norm_eps": 1e-6,
    "use_symmetrized_asym_feats": False,
    "use_fused_attn": False,
    "attn_drop_rate": 0.0,
    "qk_scale": None,
    "use_attn_mixer": False,
}

#: Config keys whose other values would change the network in a way that ours does not know.
_FIXED = ("attn_drop_rate", "qk_scale", "use_attn_mixer")


def build_vit(config: Mapping[str, Any], kind: str, dtype: torch.dtype) -> nn.Classifier:
    """The network of a published ViT's config, weights not loaded yet.

    Raises:
        CheckpointError: If the config has keys that the published constructor does not know, or
            values that it refuses or that ours does not support.
    """
    unknown = sorted(set(config) - set(DEFAULTS))
    if unknown:
        raise CheckpointError(
            f"unknown config keys {', '.join(unknown)} for {kind}: expected some of "
            f"{', '.join(DEFAULTS)}."
        )
    c = {**DEFAULTS, **config}
    _check_values(c, kind)
    spec = vit(
        kind,
        ViTSize(c["patch_size"], c["embed_dim"], c["depth"], c["num_heads"]),
        "trivial" if kind == "deit3.vit" else "flop",
        num_classes=c["num_classes"],
        img_size=c["img_size"],
        in_chans=c["in_chans"],
        drop_rate=c["drop_rate"],
        drop_path_rate=c["drop_path_rate"],
        break_at=[("trivial", c["depth"] // 2)] if kind == "flopping.hybrid_vit" else None,
        invariants="norm" if c["use_symmetrized_asym_feats"] else "trivial",
        mlp_ratio=c["mlp_ratio"],
        init_values=c["init_scale"],
        qkv_bias=c["qkv_bias"],
        norm_eps=c["norm_eps"],
    )
    return build(spec, dtype=dtype)


def _check_values(config: Mapping[str, Any], kind: str) -> None:
    for key in _FIXED:
        if config[key] != DEFAULTS[key]:
            raise CheckpointError(
                f"config {key}={config[key]!r} of {kind} is not supported: expected "
                f"{DEFAULTS[key]!r}."
            )
    size, patch = config["img_size"], config["patch_size"]
    width = size if isinstance(size, int) else size[1]
    if kind != "deit3.vit" and (patch % 2 or width // patch % 2):
        raise CheckpointError(
            f"config img_size={size!r}, patch_size={patch!r} of {kind}: expected an even patch and "
            f"an even number of patches in a row, which the published network pairs."
        )


def read_vit(reader: StateReader, model: nn.Classifier, kind: str) -> None:
    """Copy a published ViT's weights into ours."""
    if kind == "deit3.vit":
        _read_dense_stem(reader, model)
    else:
        _read_flopping_stem(reader, model)
    for name, block in layer_at(model, "blocks", nn.Chain).named_children():
        if isinstance(block, nn.Chain):
            norm = layer_at(block, "attention.norm", nn.IsotypicLayerNorm)
            dense = norm.feature_type.group.order == 1
            (_read_dense_block if dense else _read_typed_block)(reader, block, f"blocks.{name}")
    norm = layer_at(model, "norm", nn.IsotypicLayerNorm)
    (_read_typed_norm if kind == "flopping.d2_vit" else _read_dense_norm)(reader, norm, "norm")
    read_head(reader, model)


def _read_dense_stem(reader: StateReader, model: nn.Classifier) -> None:
    embed = layer_at(model, "patch_embed", nn.PatchEmbed)
    kernel = reader.take("patch_embed.proj.weight", tuple(embed.kernel().shape))
    if kernel is not None:
        embed.load_kernel_(kernel)
    reader.copy("patch_embed.proj.bias", embed.proj.bias)
    reader.copy("pos_embed", only_weight(layer_at(model, "pos_embed", nn.PositionalEmbedding)))
    reader.copy("cls_token", layer_at(model, "cls_token", nn.ClassToken).weight)


def _read_flopping_stem(reader: StateReader, model: nn.Classifier) -> None:
    """Kernels `[w, +-flip(w)] / sqrt(2)` from left halves, half-grid positions, one class token."""
    embed = layer_at(model, "patch_embed", nn.PatchEmbed)
    full = embed.kernel()
    half = (len(full) // 2, full.shape[1], full.shape[2], full.shape[3] // 2)
    parts = []
    for parity, sign in (("sym", 1), ("asym", -1)):
        left = reader.take(f"patch_embed.proj_{parity}.weight", half)
        if left is not None:
            parts.append(torch.cat([left, sign * left.flip(-1)], dim=-1) * 0.5**0.5)
    if len(parts) == 2:
        embed.load_kernel_(torch.cat(parts))
    bias = reader.take("patch_embed.proj_sym.bias", (half[0],))
    if bias is not None and embed.proj.bias is not None:
        with torch.no_grad():
            embed.proj.bias.copy_(bias * 0.5**0.5)
    position = layer_at(model, "pos_embed", nn.PositionalEmbedding)
    reader.drop("patch_embed.flatten_and_permute.permutation", _token_order(position.grid))
    for number, parity in enumerate(("sym", "asym")):
        reader.copy(f"pos_embed.{number}", position.get_parameter(f"weight_{parity}"))
    token = layer_at(model, "cls_token", nn.ClassToken).weight
    reader.copy("cls_token.0", token)
    reader.drop("cls_token.1", torch.zeros(1, dtype=token.dtype))


def _token_order(grid: tuple[int, int]) -> Tensor:
    """The published order: the left half row by row, then the right half mirrored."""
    tokens = torch.arange(grid[0] * grid[1]).view(grid)
    left, right = tokens.split(grid[1] // 2, dim=1)
    return torch.cat([left.flatten(), right.flip(1).flatten()])


def _read_typed_norm(reader: StateReader, norm: nn.IsotypicLayerNorm, key: str) -> None:
    for parity in ("sym", "asym"):
        reader.copy(f"{key}.scaling.alpha_{parity}", norm.get_parameter(f"weight_{parity}"))
    reader.copy(f"{key}.scaling.beta", norm.bias)


def _read_dense_norm(reader: StateReader, norm: nn.IsotypicLayerNorm, key: str) -> None:
    reader.copy(f"{key}.weight", only_weight(norm))
    reader.copy(f"{key}.bias", norm.bias)


#: Our layer inside a block, and the published one.
_LINEARS = (
    ("attention.qkv", "attn.qkv"),
    ("attention.proj", "attn.proj"),
    ("mlp.fc1", "mlp.fc1"),
    ("mlp.fc2", "mlp.fc2"),
)
_BRANCHES = (("attention", 1), ("mlp", 2))


def _read_typed_block(reader: StateReader, block: nn.Chain, key: str) -> None:
    for ours, theirs in _LINEARS:
        layer = layer_at(block, ours, nn.IsotypicLinear)
        for parity in ("sym", "asym"):
            weight = layer.get_parameter(f"weight_{parity}")
            reader.copy(f"{key}.{theirs}.linear_{parity}.weight", weight)
        if layer.bias is not None:
            reader.copy(f"{key}.{theirs}.linear_sym.bias", layer.bias)
    for branch, number in _BRANCHES:
        norm = layer_at(block, f"{branch}.norm", nn.IsotypicLayerNorm)
        _read_typed_norm(reader, norm, f"{key}.norm{number}")
        scale = layer_at(block, f"{branch}.scale", nn.LayerScale)
        for parity in ("sym", "asym"):
            weight = scale.get_parameter(f"weight_{parity}")
            reader.copy(f"{key}.gamma_{number}.alpha_{parity}", weight)


def _read_dense_block(reader: StateReader, block: nn.Chain, key: str) -> None:
    for ours, theirs in _LINEARS:
        layer = layer_at(block, ours, nn.IsotypicLinear)
        reader.copy(f"{key}.{theirs}.weight", only_weight(layer))
        if layer.bias is not None:
            reader.copy(f"{key}.{theirs}.bias", layer.bias)
    for branch, number in _BRANCHES:
        norm = layer_at(block, f"{branch}.norm", nn.IsotypicLayerNorm)
        _read_dense_norm(reader, norm, f"{key}.norm{number}")
        scale = layer_at(block, f"{branch}.scale", nn.LayerScale)
        reader.copy(f"{key}.gamma_{number}", only_weight(scale))
