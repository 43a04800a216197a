"""Weights of the published octic vision transformers (arXiv 2505.15441).

Their irreps are ours: with the image turned by a quarter and mirrored left to right, the published
E acts as `[[0, -1], [1, 0]]` and `diag(-1, 1)`, which is what our octic group's E does for the same
two elements, and the one-dimensional irreps have the same names. Two bases differ:

- on the points of the activation, an orthogonal map of the copies of each irrep, solved for when
  the network is loaded (`_change_of_copies`) and absorbed by the two layers around the activation;
- after the break, the order of the ordinary channels (`_channel_order`), absorbed by the dense
  blocks' weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from irrepnet import nn, specs
from irrepnet._errors import CheckpointError
from irrepnet.interop._state import StateReader, layer_at
from irrepnet.models import ViTSize, build, vit
from irrepnet.types import GSetType

#: Config keys of the published constructor, with the values that they default to.
DEFAULTS: dict[str, Any] = {
    "img_size": 224,
    "patch_size": 16,
    "in_chans": 3,
    "num_classes": 1000,
    "embed_dim": 768,
    "depth": 12,
    "num_heads": 12,
    "mlp_ratio": 4.0,
    "qkv_bias": False,
    "drop_rate": 0.0,
    "attn_drop_rate": 0.0,
    "drop_path_rate": 0.0,
    "init_scale": 1e-4,
    "num_register_tokens": 0,
    "global_pool": False,
    "invariant": False,
    "octic_equi_break_layer": None,
    "norm_eps_octic": 1e-5,
    "norm_eps_standard": 1e-6,
}

#: Config keys whose other values would change the network in a way that ours does not know.
_FIXED = ("attn_drop_rate", "num_register_tokens")

_ONE_DIMENSIONAL = ("A1", "A2", "B1", "B2")
_IRREPS = (*_ONE_DIMENSIONAL, "E")


def build_octic(config: Mapping[str, Any], kind: str, dtype: torch.dtype) -> nn.Classifier:
    """The network of a published octic ViT's config, weights not loaded yet.

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
    place = _break(c, kind)
    spec = vit(
        kind,
        ViTSize(c["patch_size"], c["embed_dim"], c["depth"], c["num_heads"]),
        "D4",
        num_classes=c["num_classes"],
        img_size=c["img_size"],
        in_chans=c["in_chans"],
        global_pool="avg" if c["global_pool"] else "token",
        drop_rate=c["drop_rate"],
        drop_path_rate=c["drop_path_rate"],
        break_at=None if c["invariant"] else [("trivial", place)],
        invariant_at=("norm", place) if c["invariant"] else None,
        mlp_ratio=c["mlp_ratio"],
        init_values=c["init_scale"],
        qkv_bias=c["qkv_bias"],
    )
    return build(spec.map(_published(c["norm_eps_octic"], c["norm_eps_standard"])), dtype=dtype)


def _break(c: Mapping[str, Any], kind: str) -> int:
    """The first dense block."""
    for key in _FIXED:
        if c[key] != DEFAULTS[key]:
            raise CheckpointError(
                f"{key}={c[key]!r} is no {kind} network that irrepnet can load: expected "
                f"{DEFAULTS[key]!r}."
            )
    place = c["octic_equi_break_layer"]
    if place is None:
        if c["depth"] % 2:
            raise CheckpointError(
                f"depth={c['depth']} has no middle to break the symmetry at: expected an even "
                f"depth, or octic_equi_break_layer."
            )
        return c["depth"] // 2
    if not 0 <= place < c["depth"]:
        raise CheckpointError(
            f"octic_equi_break_layer={place!r}: expected a block between 0 and {c['depth'] - 1}."
        )
    return place


def _published(eps_octic: float, eps_dense: float) -> Any:
    """What the published network does otherwise than ours by default."""

    def change(spec: specs.Spec) -> specs.Spec:
        if isinstance(spec, specs.LayerNorm):
            x = spec.feature_type
            if x.dim == x.num_invariants:  # an ordinary norm; ours divides eps by the group's order
                return replace(spec, eps=eps_dense * x.group.order)
            return replace(spec, eps=eps_octic, weighting="irrep")
        if isinstance(spec, specs.Restrict):
            return replace(spec, basis="irrep")
        return spec

    return change


def read_octic(reader: StateReader, model: nn.Classifier) -> None:
    """Copy a published octic ViT's weights into ours."""
    _read_stem(reader, model)
    order = None
    for name, block in layer_at(model, "blocks", nn.Chain).named_children():
        if isinstance(block, nn.Restrict):
            order = _channel_order(block.restriction.in_type.dim)
        elif name.startswith("invariants"):
            mix = layer_at(model, f"blocks.{name}.mix", nn.IsotypicLinear)
            _read_dense(reader, mix, "invariant_proj")
        else:
            assert isinstance(block, nn.Chain)
            norm = layer_at(block, "attention.norm", nn.IsotypicLayerNorm)
            if norm.weighting == "irrep":
                _read_octic_block(reader, block, f"blocks.{name}")
            else:
                _read_dense_block(reader, block, f"blocks.{name}", order)
    _read_dense(reader, layer_at(model, "norm", nn.IsotypicLayerNorm), "norm", rows=order)
    if model.num_classes:
        _read_dense(reader, layer_at(model, "head.fc", nn.IsotypicLinear), "head", columns=order)


def _channel_order(dim: int) -> Tensor:
    """Where each of our channels after the break is among the published ones.

    Ours: A1, A2, B1, B2, E[0], E[1]. Published: A1, A2, B1, B2, then the two components of E's
    first half of copies, then of its second half.
    """
    half = dim // 8
    e = torch.arange(4 * half).view(2, 2, half).transpose(0, 1).flatten()
    return torch.cat([torch.arange(4 * half), 4 * half + e])


# -- stem ---------------------------------------------------------------------------------------


def _read_stem(reader: StateReader, model: nn.Classifier) -> None:
    embed = layer_at(model, "patch_embed", nn.PatchEmbed)
    copies = embed.proj.out_dim // 8
    high, wide = embed.patch
    quarter = (copies, embed.channels, high // 2, wide // 2)
    names = (*_ONE_DIMENSIONAL, "E_left", "E_right")
    found = [reader.take(f"patch_embed.lift8.conv_{n}.weight", quarter) for n in names]
    kernels = [w for w in found if w is not None]
    if len(kernels) == len(names):
        scaled = [w * (0.125**0.5 if k < 4 else 0.5) for k, w in enumerate(kernels)]
        embed.load_kernel_(_unfolded(scaled))
    reader.copy("patch_embed.lift8.conv_A1.bias", embed.proj.bias)
    position = layer_at(model, "pos_embed", nn.PositionalEmbedding)
    rows, columns = position.grid
    grid = (rows // 2, columns // 2, copies)
    found = [reader.take(f"pos_embed.{k}", grid) for k in range(len(names))]
    grids = [p.permute(2, 0, 1) for p in found if p is not None]
    if len(grids) == len(names):
        position.load_embedding_(_unfolded(grids).flatten(1).t().contiguous())
    if "cls_token" in model.names:
        token = layer_at(model, "cls_token", nn.ClassToken).weight
        reader.copy("cls_token.0", token)
        for k in range(1, len(_IRREPS)):
            reader.drop(f"cls_token.{k}", torch.zeros(1, dtype=token.dtype))


def _unfolded(quarters: list[Tensor]) -> Tensor:
    """Full grids from quarters `(copies, ..., height, width)`, channels in our order.

    A one-dimensional irrep's grid is the quarter, turned into the other three with the irrep's sign
    of a quarter turn, plus the mirror image with its sign of the mirror.
    """
    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))  # of the quarter turn and the mirror
    parts = []
    for w, (turn, mirror) in zip(quarters[:4], signs, strict=True):
        left = torch.cat([w, turn * w.rot90(1, (-2, -1))], dim=-2)
        right = torch.cat([turn * w.rot90(3, (-2, -1)), w.rot90(2, (-2, -1))], dim=-2)
        full = torch.cat([left, right], dim=-1)
        parts.append(full + mirror * full.flip(-1))
    first = []
    for w in quarters[4:]:
        left = torch.cat([w, w.flip(-2)], dim=-2)
        first.append(torch.cat([left, -left.flip(-1)], dim=-1))
    return torch.cat([*parts, *first, *(w.rot90(1, (-2, -1)) for w in first)])


# -- blocks -------------------------------------------------------------------------------------

#: Our layer inside a block, the published one, and whether it reads and writes hidden features.
_LINEARS = (
    ("attention.qkv", "attn.qkv", False, False),
    ("attention.proj", "attn.proj", False, False),
    ("mlp.fc1", "mlp.fc1", False, True),
    ("mlp.fc2", "mlp.fc2", True, False),
)
_BRANCHES = (("attention", 1), ("mlp", 2))


def _read_octic_block(reader: StateReader, block: nn.Chain, key: str) -> None:
    changes = _change_of_copies(layer_at(block, "mlp.act", nn.GSetActivation).basis.gset)
    for ours, theirs, from_hidden, to_hidden in _LINEARS:
        layer = layer_at(block, ours, nn.IsotypicLinear)
        for irrep in _IRREPS:
            weight = layer.weight(irrep)
            value = reader.take(f"{key}.{theirs}.lin_{irrep}.weight", tuple(weight.shape))
            if value is None:
                continue
            value = _changed(value, changes[irrep]) if to_hidden else value
            value = _changed(value.t(), changes[irrep]).t() if from_hidden else value
            with torch.no_grad():
                weight.copy_(value)
        if layer.bias is not None:
            reader.copy(f"{key}.{theirs}.lin_A1.bias", layer.bias)
            if to_hidden:
                with torch.no_grad():
                    layer.bias.mul_(float(changes["A1"][0, 0]))
    for branch, number in _BRANCHES:
        norm = layer_at(block, f"{branch}.norm", nn.IsotypicLayerNorm)
        _read_copies(reader, norm, f"{key}.norm{number}.scaling")
        reader.copy(f"{key}.norm{number}.scaling.beta", norm.bias)
        scale = layer_at(block, f"{branch}.scale", nn.LayerScale)
        _read_copies(reader, scale, _scale_key(reader, key, number))


def _read_copies(reader: StateReader, layer: nn.Layer, key: str) -> None:
    for irrep in _IRREPS:
        reader.copy(f"{key}.alpha_{irrep}", layer.get_parameter(f"weight_{irrep}"))


def _scale_key(reader: StateReader, key: str, number: int) -> str:
    """LayerScale's key: `ls1` in the DINOv2 blocks, `gamma_1` in the DeiT III ones."""
    deit = f"{key}.gamma_{number}"
    return deit if any(k.startswith(deit) for k in reader.state) else f"{key}.ls{number}"


def _changed(weight: Tensor, change: np.ndarray) -> Tensor:
    """Apply a map of copies to the rows of a weight whose copies come in runs of equal length."""
    matrix = torch.as_tensor(change).to(weight)
    runs = weight.reshape(len(matrix), -1)
    return (matrix @ runs).view(weight.shape)


def _change_of_copies(gset: GSetType) -> dict[str, np.ndarray]:
    """For each irrep, the orthogonal map from the published copies to ours on the hidden features.

    Both activations act on the points of copies of the regular representation: the orbit of one
    vector, theirs `v`, ours `u`. An intertwiner that maps `v` to `u` maps one orbit to the other.
    On an irrep of dimension d with d copies, `v` and `u` are d x d matrices (component, copy), and
    an intertwiner multiplies them from the right.
    """
    published = {name: np.array([[1.0]]) for name in _ONE_DIMENSIONAL}
    published["E"] = np.array([[1.0, 1.0], [1.0, -1.0]])
    (orbits,) = gset.orbits
    point = orbits.matrix[:, 0] * 8**0.5
    changes, first = {}, 0
    for irrep in gset.group.irreps:
        d = irrep.dim
        ours = point[first : first + d * d].reshape(d, d)
        changes[irrep.name] = np.linalg.solve(published[irrep.name], ours).T
        first += d * d
    return changes


def _read_dense_block(reader: StateReader, block: nn.Chain, key: str, order: Tensor | None) -> None:
    for ours, theirs, from_hidden, to_hidden in _LINEARS:
        layer = layer_at(block, ours, nn.IsotypicLinear)
        # Query, key and value are one head's coordinates each, not channels of the stream.
        columns = None if from_hidden or ours == "attention.proj" else order
        rows = None if to_hidden or ours == "attention.qkv" else order
        _read_dense(reader, layer, f"{key}.{theirs}", rows, columns)
    for branch, number in _BRANCHES:
        norm = layer_at(block, f"{branch}.norm", nn.IsotypicLayerNorm)
        _read_dense(reader, norm, f"{key}.norm{number}", order)
        scale = layer_at(block, f"{branch}.scale", nn.LayerScale)
        name = _scale_key(reader, key, number)
        _read_vector(reader, name if "gamma_" in name else f"{name}.gamma", scale, order)


def _read_dense(
    reader: StateReader,
    layer: nn.IsotypicLinear | nn.IsotypicLayerNorm,
    key: str,
    rows: Tensor | None = None,
    columns: Tensor | None = None,
) -> None:
    """An ordinary layer's weight and bias, channels reordered."""
    _read_vector(reader, f"{key}.weight", layer, rows, columns)
    if layer.bias is not None:
        value = reader.take(f"{key}.bias", tuple(layer.bias.shape))
        if value is not None:
            with torch.no_grad():
                layer.bias.copy_(value if rows is None else value[rows])


def _read_vector(
    reader: StateReader,
    key: str,
    layer: nn.Layer,
    rows: Tensor | None,
    columns: Tensor | None = None,
) -> None:
    (weight,) = (p for n, p in layer.named_parameters(recurse=False) if n != "bias")
    value = reader.take(key, tuple(weight.shape))
    if value is None:
        return
    value = value if rows is None else value[rows]
    with torch.no_grad():
        weight.copy_(value if columns is None else value[:, columns])
