"""Weights of the published dense and flopping ConvNeXts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from irrepnet import nn
from irrepnet._errors import CheckpointError
from irrepnet.interop._state import StateReader, layer_at, only_weight, read_head
from irrepnet.models import ConvNeXtSize, build, convnext

CONVNEXT_KINDS = (
    "convnext",
    "convnext_isotropic",
    "flopping.d2_convnext",
    "flopping.d2_convnext_isotropic",
)

#: Config keys of all published constructors, with the values that they default to.
_COMMON: dict[str, Any] = {
    "img_size": 224,
    "in_chans": 3,
    "num_classes": 1000,
    "drop_path_rate": 0.0,
    "head_init_scale": 1.0,
    "use_symmetrized_asym_feats": False,
    "use_invariant_downsampling": False,
}
_STAGED = {
    **_COMMON,
    "depths": (3, 3, 9, 3),
    "dims": (96, 192, 384, 768),
    "layer_scale_init_value": 1e-6,
}
_ISOTROPIC = {**_COMMON, "depth": 18, "dim": 384, "layer_scale_init_value": 0.0}


def build_convnext(config: Mapping[str, Any], kind: str, dtype: torch.dtype) -> nn.Classifier:
    """The network of a published ConvNeXt's config, weights not loaded yet.

    Raises:
        CheckpointError: If the config has keys that the published constructor does not know, or
            values that ours does not.
    """
    isotropic = kind.endswith("isotropic")
    defaults = _ISOTROPIC if isotropic else _STAGED
    unknown = sorted(set(config) - set(defaults))
    if unknown:
        raise CheckpointError(
            f"unknown config keys {', '.join(unknown)} for {kind}: expected some of "
            f"{', '.join(defaults)}."
        )
    c = {**defaults, **config}
    if c["use_invariant_downsampling"]:
        raise CheckpointError(
            f"config use_invariant_downsampling=True of {kind} is not supported: expected False."
        )
    widths, depths = ((c["dim"],), (c["depth"],)) if isotropic else (c["dims"], c["depths"])
    scale = c["layer_scale_init_value"]
    flopping = kind.startswith("flopping.")
    spec = convnext(
        kind,
        ConvNeXtSize(
            16 if isotropic else 4, tuple(widths), tuple(depths), scale if scale > 0 else None
        ),
        "flop" if flopping else "trivial",
        num_classes=c["num_classes"],
        img_size=c["img_size"],
        in_chans=c["in_chans"],
        drop_path_rate=c["drop_path_rate"],
        invariants="norm" if flopping and c["use_symmetrized_asym_feats"] else "trivial",
    )
    return build(spec, dtype=dtype)


def read_convnext(reader: StateReader, model: nn.Classifier, kind: str) -> None:
    """Copy a published ConvNeXt's weights into ours."""
    isotropic, typed = kind.endswith("isotropic"), kind.startswith("flopping.")
    stem = layer_at(model, "patch_embed", nn.PatchEmbed)
    key = "stem" if isotropic else "downsample_layers.0.0"
    (_read_typed_stem if typed else _read_dense_window)(reader, stem, key)
    if not isotropic:
        norm = layer_at(model, "norm", nn.IsotypicLayerNorm)
        _read_norm(reader, norm, "downsample_layers.0.1", typed)
    for layer, key in _published_places(layer_at(model, "blocks", nn.Chain), isotropic):
        if isinstance(layer, nn.Residual):
            _read_block(reader, layer, key, typed)
            continue
        norm = layer_at(layer, "norm", nn.IsotypicLayerNorm)
        _read_norm(reader, norm, f"{key}.0", typed)
        reduce = layer_at(layer, "reduce", nn.WindowMap)
        (_read_typed_window if typed else _read_dense_window)(reader, reduce, f"{key}.1")
    _read_norm(reader, layer_at(model, "head.norm", nn.IsotypicLayerNorm), "norm", False)
    read_head(reader, model)


def _published_places(blocks: nn.Chain, isotropic: bool) -> Iterator[tuple[nn.Chain, str]]:
    """Each block or downsampling with the published prefix of its keys."""
    stage = place = 0
    for layer in blocks.children():
        assert isinstance(layer, nn.Chain)
        if isinstance(layer, nn.Residual):
            yield layer, f"blocks.{place}" if isotropic else f"stages.{stage}.{place}"
            place += 1
        else:
            stage, place = stage + 1, 0
            yield layer, f"downsample_layers.{stage}"


def _mirrored(left: Tensor, sign: int, width: int) -> Tensor:
    """The kernel whose left part is given; an odd one's middle is zero if it changes sign."""
    if width % 2 == 0:
        return torch.cat([left, sign * left.flip(-1)], dim=-1)
    if sign > 0:
        return torch.cat([left, left[..., :-1].flip(-1)], dim=-1)
    return torch.cat([left, torch.zeros_like(left[..., :1]), -left.flip(-1)], dim=-1)


def _read_dense_window(reader: StateReader, layer: nn.WindowMap, key: str) -> None:
    kernel = reader.take(f"{key}.weight", tuple(layer.kernel().shape))
    if kernel is not None:
        layer.load_kernel_(kernel)
    reader.copy(f"{key}.bias", layer.proj.bias)


def _read_typed_stem(reader: StateReader, layer: nn.WindowMap, key: str) -> None:
    """Mirrored kernels, the output scaled by `1 / sqrt(2)`."""
    dim, channels, high, wide = layer.kernel().shape
    shape = (dim // 2, channels, high, wide // 2)
    halves = [reader.take(f"{key}.proj_{parity}.weight", shape) for parity in ("sym", "asym")]
    parts = [_mirrored(h, s, wide) for h, s in zip(halves, (1, -1), strict=True) if h is not None]
    if len(parts) == 2:
        layer.load_kernel_(torch.cat(parts) * 0.5**0.5)
    bias = reader.take(f"{key}.proj_sym.bias", (dim // 2,))
    if bias is not None and layer.proj.bias is not None:
        with torch.no_grad():
            layer.proj.bias.copy_(bias * 0.5**0.5)


def _read_typed_window(reader: StateReader, layer: nn.WindowMap, key: str) -> None:
    """Four mirrored kernels; the sign is that of the two parities' product."""
    out_dim, in_dim, high, wide = layer.kernel().shape
    shape = (out_dim // 2, in_dim // 2, high, wide // 2)
    rows = []
    for target in ("sym", "asym"):
        row = []
        for source in ("sym", "asym"):
            left = reader.take(f"{key}.{source}_to_{target}.weight", shape)
            left = torch.zeros(shape) if left is None else left
            row.append(_mirrored(left, 1 if source == target else -1, wide))
        rows.append(torch.cat(row, dim=1))
    layer.load_kernel_(torch.cat(rows).to(layer.kernel()))
    reader.copy(f"{key}.sym_to_sym.bias", layer.proj.bias)


def _read_norm(reader: StateReader, norm: nn.IsotypicLayerNorm, key: str, typed: bool) -> None:
    if typed:
        for parity in ("sym", "asym"):
            weight = norm.get_parameter(f"weight_{parity}")
            reader.copy(f"{key}.scaling.alpha_{parity}", weight)
        reader.copy(f"{key}.scaling.beta", norm.bias)
    else:
        reader.copy(f"{key}.weight", only_weight(norm))
        reader.copy(f"{key}.bias", norm.bias)


def _read_block(reader: StateReader, block: nn.Chain, key: str, typed: bool) -> None:
    conv = layer_at(block, "dwconv", nn.PairedDepthwiseConv)
    (_read_typed_depthwise if typed else _read_dense_depthwise)(reader, conv, f"{key}.dwconv")
    _read_norm(reader, layer_at(block, "norm", nn.IsotypicLayerNorm), f"{key}.norm", typed)
    parities = ("sym", "asym") if typed else ()
    for ours, theirs in (("fc1", "pwconv1"), ("fc2", "pwconv2")):
        linear = layer_at(block, ours, nn.IsotypicLinear)
        for parity in parities:
            name = f"{key}.{theirs}.linear_{parity}.weight"
            reader.copy(name, linear.get_parameter(f"weight_{parity}"))
        if not typed:
            reader.copy(f"{key}.{theirs}.weight", only_weight(linear))
        reader.copy(f"{key}.{theirs}{'.linear_sym' if typed else ''}.bias", linear.bias)
    if "scale" in block.names:
        scale = layer_at(block, "scale", nn.LayerScale)
        for parity in parities:
            weight = scale.get_parameter(f"weight_{parity}")
            reader.copy(f"{key}.gamma.alpha_{parity}", weight)
        if not typed:
            reader.copy(f"{key}.gamma", only_weight(scale))


def _read_dense_depthwise(reader: StateReader, conv: nn.PairedDepthwiseConv, key: str) -> None:
    filters = reader.take(f"{key}.weight", (conv.dim, 1, *conv.kernel_size))
    if filters is not None:
        conv.load_filters_(filters)
    reader.copy(f"{key}.bias", conv.bias)


def _read_typed_depthwise(reader: StateReader, conv: nn.PairedDepthwiseConv, key: str) -> None:
    """Quarters of mirrored kernels; the stored middle columns of odd ones are zero."""
    high, wide = conv.kernel_size
    quarter, parts, biases = conv.dim // 4, [], []
    for target in ("sym", "asym"):
        for source in ("sym", "asym"):
            name = f"{key}.{source}_to_{target}"
            same = source == target
            shape = (quarter, 1, high, wide // 2 + same)
            left = reader.take(f"{name}.weight", shape)
            left = torch.zeros(shape) if left is None else left
            parts.append(_mirrored(left, 1 if same else -1, wide))
            if not same:
                reader.drop(f"{name}.zero_center", torch.zeros(1, dtype=left.dtype))
            if target == "sym":
                biases.append(reader.take(f"{name}.bias", (quarter,)))
    conv.load_filters_(torch.cat([part.to(conv.filters()) for part in parts]))
    if conv.bias is not None and all(bias is not None for bias in biases):
        with torch.no_grad():
            conv.bias.copy_(torch.cat([bias for bias in biases if bias is not None]))
