"""Weights of the published dense and flopping ResMLPs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch

from irrepnet import nn
from irrepnet._errors import CheckpointError
from irrepnet.interop._state import StateReader, layer_at, only_weight, read_head
from irrepnet.models import ResMLPSize, build, resmlp

#: Kinds of published ResMLPs.
RESMLP_KINDS = ("deit.resmlp", "flopping.d2_resmlp")

#: Config keys of the published constructors, with the values that they default to.
DEFAULTS: dict[str, Any] = {
    "img_size": 224,
    "patch_size": 16,
    "in_chans": 3,
    "num_classes": 1000,
    "embed_dim": 768,
    "depth": 12,
    "drop_rate": 0.0,
    "drop_path_rate": 0.0,
    "init_scale": 1e-4,
    "use_symmetrized_asym_feats": False,
}

#: What a loaded flopping ResMLP says about itself.
UNUSED_BIASES = (
    "the checkpoint stores beta_sym and beta_asym of its affine layers, which the published "
    "network never uses; the affine biases of this network are zero, and training would move them"
)

_PARITIES = ("sym", "asym")
_LINEARS = ("fc1", "fc2")
_BRANCHES = (("mix", 1), ("mlp", 2))


def build_resmlp(config: Mapping[str, Any], kind: str, dtype: torch.dtype) -> nn.Classifier:
    """The network of a published ResMLP's config, weights not loaded yet.

    Raises:
        CheckpointError: If the config has keys that the published constructor does not know, or
            sizes that it refuses.
    """
    flopping = kind == "flopping.d2_resmlp"
    known = {k: v for k, v in DEFAULTS.items() if flopping or not k.startswith("use_")}
    unknown = sorted(set(config) - set(known))
    if unknown:
        raise CheckpointError(
            f"unknown config keys {', '.join(unknown)} for {kind}: expected some of "
            f"{', '.join(known)}."
        )
    c = {**DEFAULTS, **config}
    if flopping and (c["patch_size"] % 2 or c["embed_dim"] % 2 or _width(c) // c["patch_size"] % 2):
        raise CheckpointError(
            f"config img_size={c['img_size']!r}, patch_size={c['patch_size']!r}, "
            f"embed_dim={c['embed_dim']!r} of {kind}: expected an even patch, an even number of "
            f"patches in a row, which the published network pairs, and an even embed_dim."
        )
    spec = resmlp(
        kind,
        ResMLPSize(c["patch_size"], c["embed_dim"], c["depth"], c["init_scale"]),
        "flop" if flopping else "trivial",
        num_classes=c["num_classes"],
        img_size=c["img_size"],
        in_chans=c["in_chans"],
        drop_rate=c["drop_rate"],
        drop_path_rate=c["drop_path_rate"],
        invariants="norm" if c["use_symmetrized_asym_feats"] else "trivial",
        activation="quick_gelu" if flopping else "gelu",
    )
    return build(spec, dtype=dtype)


def _width(config: Mapping[str, Any]) -> int:
    size = config["img_size"]
    return size if isinstance(size, int) else size[1]


def read_resmlp(reader: StateReader, model: nn.Classifier, kind: str) -> None:
    """Copy a published ResMLP's weights into ours."""
    flopping = kind == "flopping.d2_resmlp"
    (_read_flopping_stem if flopping else _read_dense_stem)(reader, model)
    for name, block in layer_at(model, "blocks", nn.Chain).named_children():
        assert isinstance(block, nn.Chain)
        (_read_typed_block if flopping else _read_dense_block)(reader, block, f"blocks.{name}")
    _read_affine(reader, layer_at(model, "head.norm", nn.Affine), "norm")
    read_head(reader, model)
    if flopping:
        model.notes = (*model.notes, UNUSED_BIASES)
        logging.getLogger(__name__).info("%s: %s.", kind, UNUSED_BIASES)


def _read_dense_stem(reader: StateReader, model: nn.Classifier) -> None:
    embed = layer_at(model, "patch_embed", nn.PatchEmbed)
    kernel = reader.take("patch_embed.proj.weight", tuple(embed.kernel().shape))
    if kernel is not None:
        embed.load_kernel_(kernel)
    reader.copy("patch_embed.proj.bias", embed.proj.bias)


def _read_flopping_stem(reader: StateReader, model: nn.Classifier) -> None:
    """Kernels `[w, +-flip(w)]` from left halves; pairs of tokens are ours already."""
    embed = layer_at(model, "patch_embed", nn.PatchEmbed)
    full = embed.kernel()
    half = (len(full) // 2, full.shape[1], full.shape[2], full.shape[3] // 2)
    parts = []
    for parity, sign in (("sym", 1), ("asym", -1)):
        left = reader.take(f"patch_embed.proj_{parity}.weight", half)
        if left is not None:
            parts.append(torch.cat([left, sign * left.flip(-1)], dim=-1))
    if len(parts) == 2:
        embed.load_kernel_(torch.cat(parts))
    reader.copy("patch_embed.proj_sym.bias", embed.proj.bias)
    order = layer_at(model, "order", nn.OrbitOrder).get_buffer("order")
    for side, places in zip(("left", "right"), order.chunk(2), strict=True):
        reader.drop(f"patch_embed.flatten_and_permute_to_fourier.{side}_idx", places)


def _read_affine(reader: StateReader, norm: nn.Affine, key: str) -> None:
    assert isinstance(norm.bias, torch.nn.Parameter)
    reader.copy(f"{key}.alpha", only_weight(norm))
    reader.copy(f"{key}.beta", norm.bias)


def _read_dense_block(reader: StateReader, block: nn.Chain, key: str) -> None:
    for branch, number in _BRANCHES:
        _read_affine(reader, layer_at(block, f"{branch}.norm", nn.Affine), f"{key}.norm{number}")
        scale = layer_at(block, f"{branch}.scale", nn.LayerScale)
        reader.copy(f"{key}.gamma_{number}", only_weight(scale))
    tokens = layer_at(block, "mix.tokens", nn.TokenLinear)
    for parameter, theirs in zip(tokens.parameters(), ("weight", "bias"), strict=True):
        reader.copy(f"{key}.attn.{theirs}", parameter)
    for name in _LINEARS:
        layer = layer_at(block, f"mlp.{name}", nn.IsotypicLinear)
        reader.copy(f"{key}.mlp.{name}.weight", only_weight(layer))
        reader.copy(f"{key}.mlp.{name}.bias", layer.bias)


def _read_typed_block(reader: StateReader, block: nn.Chain, key: str) -> None:
    tokens = layer_at(block, "mix.tokens", nn.TokenLinear)
    for parity in _PARITIES:
        for branch, number in _BRANCHES:
            norm = layer_at(block, f"{branch}.norm", nn.Affine)
            scale = layer_at(block, f"{branch}.scale", nn.LayerScale)
            alpha = norm.get_parameter(f"weight_{parity}")
            reader.copy(f"{key}.norm{number}.alpha_{parity}", alpha)
            reader.take(f"{key}.norm{number}.beta_{parity}", tuple(alpha.shape))
            gamma = scale.get_parameter(f"weight_{parity}")
            reader.copy(f"{key}.gamma_{number}.alpha_{parity}", gamma)
        theirs = f"{key}.attn.lin_{parity}"
        reader.copy(f"{theirs}.weight", tokens.get_parameter(f"weight_{parity}"))
        reader.copy(f"{theirs}.bias", tokens.get_parameter(f"bias_{parity}"))
        for name in _LINEARS:
            linear = layer_at(block, f"mlp.{name}", nn.IsotypicLinear)
            bias = layer_at(block, f"mlp.{name}_bias", nn.TokenBias)
            theirs = f"{key}.mlp.{name}.lin_{parity}"
            reader.copy(f"{theirs}.weight", linear.get_parameter(f"weight_{parity}"))
            # Theirs is added to a pair's sum (or difference) over sqrt(2), ours to each token.
            ours = bias.get_parameter(f"weight_{parity}")
            reader.copy(f"{theirs}.bias", ours, scale=0.5**0.5)
