"""The published octic ViT, step by step from its state dict: slow, obvious, five tensors."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

State = dict[str, Tensor]
Features = list[Tensor]  # A1, A2, B1, B2 of [B, N, C/8] and E of [B, N, 2, C/4]
ONE = ("A1", "A2", "B1", "B2")


def random_state(config: dict[str, Any], seed: int) -> State:
    """Weights of order one for a config, under the published names."""
    gen = torch.Generator().manual_seed(seed)
    c, depth, classes = config["embed_dim"], config["depth"], config["num_classes"]
    hidden = int(c * config["mlp_ratio"])
    place = config.get("octic_equi_break_layer", depth // 2)
    half, grid = config["patch_size"] // 2, config["img_size"] // config["patch_size"] // 2
    shapes: dict[str, tuple[int, ...]] = {"patch_embed.lift8.conv_A1.bias": (c // 8,)}
    for n in (*ONE, "E_left", "E_right"):
        shapes[f"patch_embed.lift8.conv_{n}.weight"] = (c // 8, config["in_chans"], half, half)
    shapes |= {f"pos_embed.{k}": (grid, grid, c // 8) for k in range(6)}
    if not config.get("global_pool"):
        shapes["cls_token.0"] = (1, 1, c // 8)
    if config.get("invariant"):
        shapes |= {"invariant_proj.weight": (c, 6 * c // 8), "invariant_proj.bias": (c,)}
    sizes = {"attn.qkv": (3 * c, c), "attn.proj": (c, c)}
    sizes |= {"mlp.fc1": (hidden, c), "mlp.fc2": (c, hidden)}
    for k in range(depth):
        key = f"blocks.{k}"
        for name, (o, i) in sizes.items():
            bias = name != "attn.qkv" or config["qkv_bias"]
            if k >= place:
                shapes[f"{key}.{name}.weight"] = (o, i)
                shapes |= {f"{key}.{name}.bias": (o,)} if bias else {}
                continue
            shapes |= {f"{key}.{name}.lin_{n}.weight": (o // 8, i // 8) for n in ONE}
            shapes[f"{key}.{name}.lin_E.weight"] = (o // 4, i // 4)
            shapes |= {f"{key}.{name}.lin_A1.bias": (o // 8,)} if bias else {}
        for j in (1, 2):
            if k >= place:
                shapes |= {f"{key}.norm{j}.{w}": (c,) for w in ("weight", "bias")}
                shapes[f"{key}.ls{j}.gamma"] = (c,)
                continue
            for part in (f"norm{j}.scaling", f"ls{j}"):
                shapes |= {f"{key}.{part}.alpha_{n}": (c // 8,) for n in ONE}
                shapes[f"{key}.{part}.alpha_E"] = (c // 4,)
            shapes[f"{key}.norm{j}.scaling.beta"] = (c // 8,)
    shapes |= {"norm.weight": (c,), "norm.bias": (c,)}
    shapes |= {"head.weight": (classes, c), "head.bias": (classes,)}
    state = {
        name: torch.randn(shape, generator=gen, dtype=torch.float64) / shape[-1] ** 0.5
        for name, shape in shapes.items()
    }
    if not config.get("global_pool"):
        state |= {f"cls_token.{k}": torch.zeros(1, 1, c // 8).double() for k in (1, 2, 3)}
        state["cls_token.4"] = torch.zeros(1, 1, 2, c // 4).double()
    return state


def run(state: State, config: dict[str, Any], images: Tensor) -> Tensor:
    """Logits."""
    xs = stem(state, config, images)
    depth, heads = config["depth"], config["num_heads"]
    place = config.get("octic_equi_break_layer", depth // 2)
    for k in range(place):
        xs = octic_block(state, f"blocks.{k}", xs, heads, config["norm_eps_octic"])
    e = xs[4]
    if config.get("invariant"):
        x = torch.cat([xs[0], *(x.abs() for x in xs[1:4]), e.square().sum(-2).sqrt()], -1)
        x = F.linear(x, state["invariant_proj.weight"], state["invariant_proj.bias"])
    else:
        half = e.shape[-1] // 2
        parts = (e[:, :, c, h : h + half] for h in (0, half) for c in (0, 1))
        x = torch.cat([*xs[:4], *parts], -1)
    for k in range(place, depth):
        x = dense_block(state, f"blocks.{k}", x, heads, config["norm_eps_standard"])
    x = dense_norm(state, "norm", x, config["norm_eps_standard"])
    x = x.mean(1) if config.get("global_pool") else x[:, 0]
    return F.linear(x, state["head.weight"], state["head.bias"])


def unfold(w: Tensor, turn: int, mirror: int) -> Tensor:
    """The sum over the group of a quarter grid put into its corner and moved, with signs."""
    full = F.pad(w, (0, w.shape[-1], 0, w.shape[-2]))
    turned = sum(turn**k * full.rot90(k, (-2, -1)) for k in range(4))
    return turned + mirror * turned.flip(-1)


def unfold_e(w: Tensor) -> Tensor:
    """A grid even under the up-down mirror and odd under the left-right one."""
    full = F.pad(w, (0, w.shape[-1], 0, w.shape[-2]))
    full = full + full.flip(-2)
    return full - full.flip(-1)


def stem(state: State, config: dict[str, Any], images: Tensor) -> Features:
    patch = config["patch_size"]

    def conv(kernel: Tensor, bias: Tensor | None = None) -> Tensor:
        return F.conv2d(images, kernel, bias, stride=patch).flatten(2).transpose(1, 2)

    def grids(key: str, scale: float, e_scale: float) -> tuple[list[Tensor], list[Tensor]]:
        signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
        get = (lambda n: state[f"pos_embed.{n}"].permute(2, 0, 1)) if key == "pos" else None
        names = (*ONE, "E_left", "E_right")
        found = [
            get(k) if get else state[f"patch_embed.lift8.conv_{n}.weight"]
            for k, n in enumerate(names)
        ]
        one = [scale * unfold(w, *s) for w, s in zip(found[:4], signs, strict=True)]
        return one, [e_scale * unfold_e(w) for w in found[4:]]

    one, two = grids("patch", 8**-0.5, 0.5)
    bias = state["patch_embed.lift8.conv_A1.bias"]
    xs = [conv(w, bias if k == 0 else None) for k, w in enumerate(one)]
    columns = [torch.stack([conv(w), conv(w.rot90(1, (-2, -1)))], -2) for w in two]
    xs.append(torch.cat(columns, -1))
    one, two = grids("pos", 1.0, 1.0)
    xs = [x + p.flatten(1).t() for x, p in zip(xs[:4], one, strict=True)] + xs[4:]
    columns = [
        torch.stack([w.flatten(1).t(), w.rot90(1, (-2, -1)).flatten(1).t()], -2) for w in two
    ]
    xs[4] = xs[4] + torch.cat(columns, -1)
    if not config.get("global_pool"):
        tokens = [state[f"cls_token.{k}"] for k in range(5)]
        xs = [
            torch.cat([t.expand(len(x), *t.shape[1:]), x], 1)
            for t, x in zip(tokens, xs, strict=True)
        ]
    return xs


def octic_norm(state: State, key: str, xs: Features, eps: float) -> Features:
    variance = sum(x.var(-1, unbiased=False, keepdim=True) for x in xs[:4])
    variance = variance + xs[4].var(-1, unbiased=False, keepdim=True).mean(-2)
    std = ((variance + eps) / 8).sqrt()
    centred = [x - x.mean(-1, keepdim=True) for x in xs]
    out = [x / (std if k < 4 else std.unsqueeze(-1)) for k, x in enumerate(centred)]
    out = octic_scale(state, f"{key}.scaling", out)
    out[0] = out[0] + state[f"{key}.scaling.beta"]
    return out


def octic_scale(state: State, key: str, xs: Features) -> Features:
    return [x * state[f"{key}.alpha_{n}"] for x, n in zip(xs, (*ONE, "E"), strict=True)]


def octic_linear(state: State, key: str, xs: Features) -> Features:
    return [
        F.linear(x, state[f"{key}.lin_{n}.weight"], state.get(f"{key}.lin_{n}.bias"))
        for x, n in zip(xs, (*ONE, "E"), strict=True)
    ]


def octic_gelu(xs: Features) -> Features:
    """GELU on the orbit of one vector under the eight elements, written out as matrices."""
    e = torch.stack(xs[4].chunk(2, -1), -2)  # [B, N, component, copy, C/8]
    x = torch.stack([*xs[:4], e[:, :, 0, 0], e[:, :, 1, 0], e[:, :, 0, 1], e[:, :, 1, 1]], -2)
    turn, mirror = torch.tensor([[0.0, -1], [1, 0]]), torch.diag(torch.tensor([-1.0, 1]))
    vectors = []
    for power in range(4):
        for flipped in (0, 1):
            two = torch.linalg.matrix_power(turn, power) @ torch.linalg.matrix_power(
                mirror, flipped
            )
            signs = torch.tensor([1, (-1) ** flipped, (-1) ** power, (-1) ** (power + flipped)])
            matrix = torch.block_diag(torch.diag(signs.float()), two, two).double()
            vectors.append(matrix @ torch.tensor([1.0, 1, 1, 1, 1, 1, 1, -1]).double() / 8**0.5)
    points = torch.stack(vectors)  # orthonormal rows
    y = torch.einsum("pk,pc...->kc...", points, F.gelu(torch.einsum("pk,bnkc->pcbn", points, x)))
    y = y.permute(2, 3, 0, 1)
    e = torch.cat([torch.stack([y[:, :, k], y[:, :, k + 1]], -2) for k in (4, 6)], -1)
    return [*y[:, :, :4].unbind(2), e]


def octic_attention(state: State, key: str, xs: Features, heads: int) -> Features:
    qkv = octic_linear(state, f"{key}.qkv", xs)
    flat = [*qkv[:4], qkv[4][:, :, 0], qkv[4][:, :, 1]]
    thirds = [
        [t.unflatten(-1, (heads, -1)) for t in part.chunk(3, -1)] for part in flat
    ]  # channel, then q, k, v
    q, k, v = (torch.cat([part[i] for part in thirds], -1).transpose(1, 2) for i in range(3))
    out = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1) @ v
    widths = [part[0].shape[-1] for part in thirds]
    ys = [y.transpose(1, 2).flatten(2) for y in out.split(widths, -1)]
    return octic_linear(state, f"{key}.proj", [*ys[:4], torch.stack(ys[4:], 2)])


def octic_block(state: State, key: str, xs: Features, heads: int, eps: float) -> Features:
    y = octic_attention(state, f"{key}.attn", octic_norm(state, f"{key}.norm1", xs, eps), heads)
    xs = [a + b for a, b in zip(xs, octic_scale(state, f"{key}.ls1", y), strict=True)]
    y = octic_linear(state, f"{key}.mlp.fc1", octic_norm(state, f"{key}.norm2", xs, eps))
    y = octic_linear(state, f"{key}.mlp.fc2", octic_gelu(y))
    return [a + b for a, b in zip(xs, octic_scale(state, f"{key}.ls2", y), strict=True)]


def dense_norm(state: State, key: str, x: Tensor, eps: float) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], state[f"{key}.weight"], state[f"{key}.bias"], eps)


def dense_block(state: State, key: str, x: Tensor, heads: int, eps: float) -> Tensor:
    def linear(name: str, x: Tensor) -> Tensor:
        return F.linear(x, state[f"{key}.{name}.weight"], state.get(f"{key}.{name}.bias"))

    qkv = linear("attn.qkv", dense_norm(state, f"{key}.norm1", x, eps))
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in qkv.chunk(3, -1))
    out = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1) @ v
    x = x + state[f"{key}.ls1.gamma"] * linear("attn.proj", out.transpose(1, 2).flatten(2))
    y = F.gelu(linear("mlp.fc1", dense_norm(state, f"{key}.norm2", x, eps)))
    return x + state[f"{key}.ls2.gamma"] * linear("mlp.fc2", y)
