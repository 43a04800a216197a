"""The published ConvNeXts written out as functions of a state dict, slowly and obviously."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

State = dict[str, Tensor]


def mirrored(left: Tensor, sign: int, width: int) -> Tensor:
    """Column `c` from the left half, or from its mirror image; the middle of odd ones is fixed."""
    kernel = torch.zeros(*left.shape[:-1], width, dtype=left.dtype)
    for c in range(left.shape[-1]):
        kernel[..., width - 1 - c] = sign * left[..., c]
        kernel[..., c] = left[..., c]
    return kernel


def norm(x: Tensor, state: State, key: str, typed: bool) -> Tensor:
    """Over the channels of a map."""
    if not typed:
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, x.shape[-1:], state[f"{key}.weight"], state[f"{key}.bias"], 1e-6)
        return x.permute(0, 3, 1, 2)
    halves = [h - h.mean(1, keepdim=True) for h in x.chunk(2, dim=1)]
    variance = (sum(h.square().mean(1, keepdim=True) for h in halves) + 1e-6) / 2
    sym, asym = (h / variance.sqrt() for h in halves)
    sym = sym * state[f"{key}.scaling.alpha_sym"].view(-1, 1, 1)
    sym = sym + state[f"{key}.scaling.beta"].view(-1, 1, 1)
    asym = asym * state[f"{key}.scaling.alpha_asym"].view(-1, 1, 1)
    return torch.cat([sym, asym], dim=1)


def stem(x: Tensor, state: State, key: str, patch: int, typed: bool) -> Tensor:
    if not typed:
        return F.conv2d(x, state[f"{key}.weight"], state[f"{key}.bias"], stride=patch)
    maps = []
    for parity, sign in (("sym", 1), ("asym", -1)):
        kernel = mirrored(state[f"{key}.proj_{parity}.weight"], sign, patch)
        maps.append(F.conv2d(x, kernel, state.get(f"{key}.proj_{parity}.bias"), stride=patch))
    return torch.cat(maps, dim=1) / 2**0.5


def windows(x: Tensor, state: State, key: str, typed: bool) -> Tensor:
    if not typed:
        return F.conv2d(x, state[f"{key}.weight"], state[f"{key}.bias"], stride=2)
    parts = dict(zip(("sym", "asym"), x.chunk(2, dim=1), strict=True))
    out = []
    for target in parts:
        total = torch.zeros(1, dtype=x.dtype)
        for source, part in parts.items():
            name = f"{key}.{source}_to_{target}"
            kernel = mirrored(state[f"{name}.weight"], 1 if source == target else -1, 2)
            total = total + F.conv2d(part, kernel, state.get(f"{name}.bias"), stride=2)
        out.append(total)
    return torch.cat(out, dim=1)


def depthwise(x: Tensor, state: State, key: str, typed: bool) -> Tensor:
    if not typed:
        weight, bias = state[f"{key}.weight"], state[f"{key}.bias"]
        return F.conv2d(x, weight, bias, padding=3, groups=len(weight))
    quarters = dict(zip(("ss", "sa", "as", "aa"), x.chunk(4, dim=1), strict=True))
    names = {"s": "sym", "a": "asym"}
    out = {}
    for pair, part in quarters.items():
        name = f"{key}.{names[pair[0]]}_to_{names[pair[1]]}"
        kernel = mirrored(state[f"{name}.weight"], 1 if pair[0] == pair[1] else -1, 7)
        bias = state.get(f"{name}.bias")
        out[pair] = F.conv2d(part, kernel, bias, padding=3, groups=len(kernel))
    return torch.cat([out["ss"], out["as"], out["sa"], out["aa"]], dim=1)


def pointwise(x: Tensor, state: State, key: str, typed: bool) -> Tensor:
    if not typed:
        return F.conv2d(x, state[f"{key}.weight"], state[f"{key}.bias"])
    sym, asym = x.chunk(2, dim=1)
    sym = F.conv2d(sym, state[f"{key}.linear_sym.weight"], state[f"{key}.linear_sym.bias"])
    return torch.cat([sym, F.conv2d(asym, state[f"{key}.linear_asym.weight"])], dim=1)


def gelu(x: Tensor, typed: bool) -> Tensor:
    if not typed:
        return F.gelu(x)
    s, a = x.chunk(2, dim=1)
    up, down = F.gelu((s + a) / 2**0.5), F.gelu((s - a) / 2**0.5)
    return torch.cat([up + down, up - down], dim=1) / 2**0.5


def block(x: Tensor, state: State, key: str, typed: bool) -> Tensor:
    y = norm(depthwise(x, state, f"{key}.dwconv", typed), state, f"{key}.norm", typed)
    y = gelu(pointwise(y, state, f"{key}.pwconv1", typed), typed)
    y = pointwise(y, state, f"{key}.pwconv2", typed)
    if f"{key}.gamma" in state:
        y = y * state[f"{key}.gamma"].view(-1, 1, 1)
    if f"{key}.gamma.alpha_sym" in state:
        gamma = [state[f"{key}.gamma.alpha_{parity}"] for parity in ("sym", "asym")]
        y = y * torch.cat(gamma).view(-1, 1, 1)
    return x + y


def forward(kind: str, config: dict[str, Any], state: State, x: Tensor) -> Tensor:
    """Logits of a published network."""
    typed = kind.startswith("flopping.")
    if kind.endswith("isotropic"):
        x = stem(x, state, "stem", 16, typed)
        for index in range(config["depth"]):
            x = block(x, state, f"blocks.{index}", typed)
    else:
        for stage, depth in enumerate(config["depths"]):
            key = f"downsample_layers.{stage}"
            if stage == 0:
                x = norm(stem(x, state, f"{key}.0", 4, typed), state, f"{key}.1", typed)
            else:
                x = windows(norm(x, state, f"{key}.0", typed), state, f"{key}.1", typed)
            for index in range(depth):
                x = block(x, state, f"stages.{stage}.{index}", typed)
    if typed:
        sym, asym = x.chunk(2, dim=1)
        both = config.get("use_symmetrized_asym_feats")
        x = torch.cat([sym, asym.abs()], dim=1) if both else sym
    x = x.mean((2, 3))
    x = F.layer_norm(x, x.shape[-1:], state["norm.weight"], state["norm.bias"], 1e-6)
    return F.linear(x, state["head.weight"], state["head.bias"])
