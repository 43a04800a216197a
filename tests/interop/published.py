"""The published vision transformers, written out slowly: symmetric and antisymmetric halves apart.

Written from the papers' formulas (arXiv 2502.05169, 2204.07118); names are the published ones.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]
ROOT = 0.5**0.5


# -- states -----------------------------------------------------------------------------------


def shapes(kind: str, config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Name and shape of every float tensor of a published state."""
    c, dense = config, kind == "deit3.vit"
    height, width = _size(c)
    patch, dim, channels = c["patch_size"], c["embed_dim"], c["in_chans"]
    tokens = (height // patch) * (width // patch)
    found: dict[str, tuple[int, ...]] = {}
    if dense:
        found["patch_embed.proj.weight"] = (dim, channels, patch, patch)
        found["patch_embed.proj.bias"] = (dim,)
        found["pos_embed"] = (1, tokens, dim)
        found["cls_token"] = (1, 1, dim)
    else:
        for parity in ("sym", "asym"):
            found[f"patch_embed.proj_{parity}.weight"] = (dim // 2, channels, patch, patch // 2)
        found["patch_embed.proj_sym.bias"] = (dim // 2,)
        for number in "01":
            found[f"pos_embed.{number}"] = (1, tokens // 2, dim // 2)
            found[f"cls_token.{number}"] = (1, 1, dim // 2)
    for number in range(c["depth"]):
        typed = kind == "flopping.d2_vit" or (not dense and number < c["depth"] // 2)
        _block_shapes(found, f"blocks.{number}", c, typed)
    _norm_shapes(found, "norm", dim, kind == "flopping.d2_vit")
    seen = dim
    if kind == "flopping.d2_vit" and not c["use_symmetrized_asym_feats"]:
        seen = dim // 2
    found["head.weight"], found["head.bias"] = (c["num_classes"], seen), (c["num_classes"],)
    return found


def _block_shapes(found: dict, key: str, c: Mapping[str, Any], typed: bool) -> None:
    dim, hidden = c["embed_dim"], int(c["embed_dim"] * c["mlp_ratio"])
    linears = (
        ("attn.qkv", 3 * dim, dim, c["qkv_bias"]),
        ("attn.proj", dim, dim, True),
        ("mlp.fc1", hidden, dim, True),
        ("mlp.fc2", dim, hidden, True),
    )
    for name, rows, columns, bias in linears:
        if typed:
            for parity in ("sym", "asym"):
                found[f"{key}.{name}.linear_{parity}.weight"] = (rows // 2, columns // 2)
            if bias:
                found[f"{key}.{name}.linear_sym.bias"] = (rows // 2,)
        else:
            found[f"{key}.{name}.weight"] = (rows, columns)
            if bias:
                found[f"{key}.{name}.bias"] = (rows,)
    for number in "12":
        _norm_shapes(found, f"{key}.norm{number}", dim, typed)
        if typed:
            for parity in ("sym", "asym"):
                found[f"{key}.gamma_{number}.alpha_{parity}"] = (dim // 2,)
        else:
            found[f"{key}.gamma_{number}"] = (dim,)


def _norm_shapes(found: dict, key: str, dim: int, typed: bool) -> None:
    if typed:
        for name in ("alpha_sym", "alpha_asym", "beta"):
            found[f"{key}.scaling.{name}"] = (dim // 2,)
    else:
        found[f"{key}.weight"] = found[f"{key}.bias"] = (dim,)


def _size(c: Mapping[str, Any]) -> tuple[int, int]:
    size = c["img_size"]
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def random_state(kind: str, config: Mapping[str, Any], seed: int) -> dict[str, Tensor]:
    """A published state with every number at order one."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes(kind, config).items():
        value = torch.randn(shape, generator=generator, dtype=torch.float64)
        fan_in = value[0].numel() if name.endswith("weight") and value.ndim > 1 else 1
        state[name] = value / fan_in**0.5
    if kind != "deit3.vit":
        state["cls_token.1"] = torch.zeros_like(state["cls_token.1"])
        state["patch_embed.flatten_and_permute.permutation"] = token_order(config)
    return state


def token_order(config: Mapping[str, Any]) -> Tensor:
    """Left half row by row, then each mirror image in the same order."""
    height, width = (s // config["patch_size"] for s in _size(config))
    left = [r * width + c for r in range(height) for c in range(width // 2)]
    right = [r * width + width - 1 - c for r in range(height) for c in range(width // 2)]
    return torch.tensor(left + right)


# -- forward ----------------------------------------------------------------------------------


def forward(kind: str, config: Mapping[str, Any], state: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Logits."""
    if kind == "deit3.vit":
        tokens = _dense_stem(state, config, x)
        for number in range(config["depth"]):
            tokens = _dense_block(state, f"blocks.{number}", config, tokens)
        seen = _dense_norm(state, "norm", config, tokens)[:, 0]
        return seen @ state["head.weight"].T + state["head.bias"]
    pair = _typed_stem(state, config, x)
    half = config["depth"] // 2 if kind == "flopping.hybrid_vit" else config["depth"]
    for number in range(half):
        pair = _typed_block(state, f"blocks.{number}", config, pair)
    if kind == "flopping.hybrid_vit":
        tokens = torch.cat([ROOT * (pair[0] + pair[1]), ROOT * (pair[0] - pair[1])], dim=-1)
        for number in range(half, config["depth"]):
            tokens = _dense_block(state, f"blocks.{number}", config, tokens)
        seen = _dense_norm(state, "norm", config, tokens)[:, 0]
    else:
        sym, asym = (part[:, 0] for part in _typed_norm(state, "norm", config, pair))
        symmetrised = config["use_symmetrized_asym_feats"]
        seen = torch.cat([sym, asym.abs()], dim=-1) if symmetrised else sym
    return seen @ state["head.weight"].T + state["head.bias"]


def gelu(x: Tensor) -> Tensor:
    """The exact GELU."""
    return 0.5 * x * (1 + torch.erf(x * ROOT))


def _conv(x: Tensor, kernel: Tensor) -> Tensor:
    """Strided convolution, patch by patch: `(batch, tokens, dim)`."""
    size = kernel.shape[-1]
    rows = []
    for r in range(0, x.shape[2], size):
        for c in range(0, x.shape[3], size):
            patch = x[:, :, r : r + size, c : c + size]
            rows.append(torch.einsum("bihw,oihw->bo", patch, kernel))
    return torch.stack(rows, dim=1)


def _dense_stem(state: Mapping[str, Tensor], c: Mapping[str, Any], x: Tensor) -> Tensor:
    tokens = _conv(x, state["patch_embed.proj.weight"]) + state["patch_embed.proj.bias"]
    tokens = tokens + state["pos_embed"]
    return torch.cat([state["cls_token"].expand(len(x), -1, -1), tokens], dim=1)


def _typed_stem(state: Mapping[str, Tensor], c: Mapping[str, Any], x: Tensor) -> Pair:
    parts = []
    for number, (parity, sign) in enumerate((("sym", 1), ("asym", -1))):
        left = state[f"patch_embed.proj_{parity}.weight"]
        tokens = _conv(x, torch.cat([left, sign * left.flip(-1)], dim=-1))
        if parity == "sym":
            tokens = tokens + state["patch_embed.proj_sym.bias"]
        tokens = ROOT * tokens[:, state["patch_embed.flatten_and_permute.permutation"]]
        position = state[f"pos_embed.{number}"]
        tokens = tokens + torch.cat([position, sign * position], dim=1)
        token = state[f"cls_token.{number}"].expand(len(x), -1, -1)
        parts.append(torch.cat([token, tokens], dim=1))
    return parts[0], parts[1]


def _dense_norm(state: Mapping[str, Tensor], key: str, c: Mapping[str, Any], x: Tensor) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    normed = centred / (variance + c["norm_eps"]).sqrt()
    return normed * state[f"{key}.weight"] + state[f"{key}.bias"]


def _typed_norm(state: Mapping[str, Tensor], key: str, c: Mapping[str, Any], x: Pair) -> Pair:
    centred = [part - part.mean(-1, keepdim=True) for part in x]
    variances = [part.square().mean(-1, keepdim=True) for part in centred]
    deviation = ((variances[0] + variances[1] + c["norm_eps"]) / 2).sqrt()
    key = f"{key}.scaling"
    sym = centred[0] / deviation * state[f"{key}.alpha_sym"] + state[f"{key}.beta"]
    return sym, centred[1] / deviation * state[f"{key}.alpha_asym"]


def _attention(c: Mapping[str, Any], parts: list[Tensor]) -> list[Tensor]:
    """Each part is `(batch, tokens, 3 * width)`; logits are summed over the parts."""
    heads, dim = c["num_heads"], c["embed_dim"]
    batch, tokens = parts[0].shape[:2]
    split = [p.view(batch, tokens, 3, heads, -1).permute(2, 0, 3, 1, 4) for p in parts]
    logits = sum(q @ k.transpose(-1, -2) for q, k, _ in split) * (dim // heads) ** -0.5
    weights = torch.softmax(torch.as_tensor(logits), dim=-1)
    return [(weights @ v).transpose(1, 2).reshape(batch, tokens, -1) for _, _, v in split]


def _dense_linear(state: Mapping[str, Tensor], key: str, x: Tensor) -> Tensor:
    return x @ state[f"{key}.weight"].T + state.get(f"{key}.bias", torch.zeros(()))


def _typed_linear(state: Mapping[str, Tensor], key: str, x: Pair) -> Pair:
    sym = x[0] @ state[f"{key}.linear_sym.weight"].T
    sym = sym + state.get(f"{key}.linear_sym.bias", torch.zeros(()))
    return sym, x[1] @ state[f"{key}.linear_asym.weight"].T


def _dense_block(state: Mapping[str, Tensor], key: str, c: Mapping[str, Any], x: Tensor) -> Tensor:
    y = _dense_linear(state, f"{key}.attn.qkv", _dense_norm(state, f"{key}.norm1", c, x))
    (y,) = _attention(c, [y])
    x = x + state[f"{key}.gamma_1"] * _dense_linear(state, f"{key}.attn.proj", y)
    y = gelu(_dense_linear(state, f"{key}.mlp.fc1", _dense_norm(state, f"{key}.norm2", c, x)))
    return x + state[f"{key}.gamma_2"] * _dense_linear(state, f"{key}.mlp.fc2", y)


def _typed_block(state: Mapping[str, Tensor], key: str, c: Mapping[str, Any], x: Pair) -> Pair:
    y = _typed_linear(state, f"{key}.attn.qkv", _typed_norm(state, f"{key}.norm1", c, x))
    sym, asym = _attention(c, list(y))
    x = _add(state, f"{key}.gamma_1", x, _typed_linear(state, f"{key}.attn.proj", (sym, asym)))
    sym, asym = _typed_linear(state, f"{key}.mlp.fc1", _typed_norm(state, f"{key}.norm2", c, x))
    plus, minus = gelu(ROOT * (sym + asym)), gelu(ROOT * (sym - asym))
    y = _typed_linear(state, f"{key}.mlp.fc2", (ROOT * (plus + minus), ROOT * (plus - minus)))
    return _add(state, f"{key}.gamma_2", x, y)


def _add(state: Mapping[str, Tensor], key: str, x: Pair, y: Pair) -> Pair:
    return x[0] + state[f"{key}.alpha_sym"] * y[0], x[1] + state[f"{key}.alpha_asym"] * y[1]
