"""Weights of the published dense, flopping and hybrid vision transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from irrepnet import nn
from irrepnet._errors import CheckpointError
from irrepnet.interop._state import StateReader, sub
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
    "qkv_bias": True,
    "drop_rate": 0.0,
    "drop_path_rate": 0.0,
    "init_scale": 1e-4,
    "norm_eps": 1e-6,
    "use_symmetrized_asym_feats": False,
}


def build_vit(config: Mapping[str, Any], kind: str, dtype: torch.dtype) -> nn.Classifier:
    """The network of a published ViT's config, weights not loaded yet.

    Raises:
        CheckpointError: If the config has keys that the published constructor does not know.
    """
    unknown = sorted(set(config) - set(DEFAULTS))
    if unknown:
        raise CheckpointError(
            f"unknown config keys {', '.join(unknown)} for {kind}: expected some of "
            f"{', '.join(DEFAULTS)}."
        )
    c = {**DEFAULTS, **config}
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


def read_vit(reader: StateReader, model: nn.Classifier, kind: str) -> None:
    """Copy a published ViT's weights into ours."""
    equivariant = kind != "deit3.vit"
    if equivariant:
        _read_flopping_stem(reader, model)
    else:
        _read_dense_stem(reader, model)
    for name, block in model.get_submodule("blocks").named_children():
        if not name.startswith("restrict"):
            typed = len(block.attention.norm.feature_type.group.irreps) > 1
            (_read_typed_block if typed else _read_dense_block)(reader, block, f"blocks.{name}")
    read_norm = _read_typed_norm if kind == "flopping.d2_vit" else _read_dense_norm
    read_norm(reader, sub(model, "norm"), "norm")
    head = sub(model, "head.fc")
    reader.copy("head.weight", next(p for n, p in head.named_parameters() if n != "bias"))
    reader.copy("head.bias", head.bias)


def _only_weight(layer: nn.Layer) -> Tensor:
    """The weight of a layer over the trivial group, which has one irrep."""
    return next(p for name, p in layer.named_parameters(recurse=False) if name != "bias")


def _read_dense_stem(reader: StateReader, model: nn.Classifier) -> None:
    embed = sub(model, "patch_embed")
    assert isinstance(embed, nn.PatchEmbed)
    kernel = reader.take("patch_embed.proj.weight", tuple(embed.kernel().shape))
    if kernel is not None:
        embed.load_kernel_(kernel)
    reader.copy("patch_embed.proj.bias", embed.proj.bias)
    reader.copy("pos_embed", _only_weight(sub(model, "pos_embed")))
    reader.copy("cls_token", sub(model, "cls_token").weight)


def _read_flopping_stem(reader: StateReader, model: nn.Classifier) -> None:
    """Kernels `[w, +-flip(w)] / sqrt(2)` from left halves, half-grid positions, one class token."""
    embed, position = sub(model, "patch_embed"), sub(model, "pos_embed")
    assert isinstance(embed, nn.PatchEmbed)
    full = embed.kernel()
    half = (len(full) // 2, full.shape[1], full.shape[2], full.shape[3] // 2)
    parts = []
    for parity, sign in (("sym", 1), ("asym", -1)):
        left = reader.take(f"patch_embed.proj_{parity}.weight", half)
        if left is not None:
            parts.append(torch.cat([left, sign * left.flip(-1)], dim=-1) * 0.5**0.5)
    if len(parts) == 2:
        embed.load_kernel_(torch.cat(parts))
    bias = reader.take("patch_embed.proj_sym.bias", tuple(embed.proj.bias.shape))
    if bias is not None:
        with torch.no_grad():
            embed.proj.bias.copy_(bias * 0.5**0.5)
    reader.drop("patch_embed.flatten_and_permute.permutation", _token_order(position.grid))
    reader.copy("pos_embed.0", position.weight_sym)
    reader.copy("pos_embed.1", position.weight_asym)
    token = sub(model, "cls_token").weight
    reader.copy("cls_token.0", token)
    reader.drop("cls_token.1", torch.zeros(1, dtype=token.dtype))


def _token_order(grid: tuple[int, int]) -> Tensor:
    """The published order: the left half row by row, then the right half mirrored."""
    tokens = torch.arange(grid[0] * grid[1]).view(grid)
    left, right = tokens.split(grid[1] // 2, dim=1)
    return torch.cat([left.flatten(), right.flip(1).flatten()])


def _read_typed_norm(reader: StateReader, norm: nn.Layer, key: str) -> None:
    reader.copy(f"{key}.scaling.alpha_sym", norm.weight_sym)
    reader.copy(f"{key}.scaling.alpha_asym", norm.weight_asym)
    reader.copy(f"{key}.scaling.beta", norm.bias)


def _read_dense_norm(reader: StateReader, norm: nn.Layer, key: str) -> None:
    reader.copy(f"{key}.weight", _only_weight(norm))
    reader.copy(f"{key}.bias", norm.bias)


#: Our layer inside a block, and the published one.
_LINEARS = (
    ("attention.qkv", "attn.qkv"),
    ("attention.proj", "attn.proj"),
    ("mlp.fc1", "mlp.fc1"),
    ("mlp.fc2", "mlp.fc2"),
)


def _read_typed_block(reader: StateReader, block: nn.Chain, key: str) -> None:
    for ours, theirs in _LINEARS:
        layer = sub(block, ours)
        for parity in ("sym", "asym"):
            weight = getattr(layer, f"weight_{parity}")
            reader.copy(f"{key}.{theirs}.linear_{parity}.weight", weight)
        if layer.bias is not None:
            reader.copy(f"{key}.{theirs}.linear_sym.bias", layer.bias)
    for number, branch in ((1, block.attention), (2, block.mlp)):
        _read_typed_norm(reader, branch.norm, f"{key}.norm{number}")
        for parity in ("sym", "asym"):
            weight = getattr(branch.scale, f"weight_{parity}")
            reader.copy(f"{key}.gamma_{number}.alpha_{parity}", weight)


def _read_dense_block(reader: StateReader, block: nn.Chain, key: str) -> None:
    for ours, theirs in _LINEARS:
        layer = sub(block, ours)
        reader.copy(f"{key}.{theirs}.weight", _only_weight(layer))
        if layer.bias is not None:
            reader.copy(f"{key}.{theirs}.bias", layer.bias)
    for number, branch in ((1, block.attention), (2, block.mlp)):
        _read_dense_norm(reader, branch.norm, f"{key}.norm{number}")
        reader.copy(f"{key}.gamma_{number}", _only_weight(branch.scale))
