"""Published ResMLPs: stored outputs, slow networks of other sizes, errors."""

import json
import logging
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

import irrepnet as ir
from irrepnet import nn, testing
from irrepnet._errors import CheckpointError

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
EXACT = testing.TOLERANCES[torch.float64]
State = dict[str, Tensor]


def golden(name: str) -> tuple[State, dict, Tensor, Tensor]:
    with safe_open(GOLDEN / f"{name}.safetensors", "pt") as stored:
        meta = stored.metadata()
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}
    state = {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
    return state, meta, tensors["input"], tensors["output"]


def relative(got: Tensor, expected: Tensor) -> float:
    assert got.shape == expected.shape
    return ((got - expected).abs().max() / expected.abs().max()).item()


@pytest.mark.parametrize("name", ["resmlp", "d2_resmlp", "d2_resmlp_symfeats"])
def test_stored_outputs(name: str) -> None:
    state, meta, x, expected = golden(name)
    model = ir.interop.load_flopping(state, meta["kind"], json.loads(meta["config"]))
    assert not model.training
    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            assert relative(model(x), expected) < EXACT
    testing.assert_equivariant(model)
    assert sum(p.numel() for p in model.parameters()) == sum(
        v.numel() for k, v in state.items() if "_idx" not in k
    )


# -- the published networks, written out slowly for any size -----------------------------------


def random_state(shapes: dict[str, tuple[int, ...]], seed: int) -> State:
    generator = torch.Generator().manual_seed(seed)
    return {
        k: torch.randn(s, generator=generator, dtype=torch.float64) / max(1, s[-1]) ** 0.5
        for k, s in shapes.items()
    }


def dense_shapes(dim: int, depth: int, tokens: int, patch: int, chans: int, classes: int) -> dict:
    shapes = {
        "patch_embed.proj.weight": (dim, chans, patch, patch),
        "patch_embed.proj.bias": (dim,),
    }
    for i in range(depth):
        b = f"blocks.{i}"
        for n in (1, 2):
            shapes |= {f"{b}.norm{n}.{p}": (dim,) for p in ("alpha", "beta")}
            shapes |= {f"{b}.gamma_{n}": (dim,)}
        shapes |= {f"{b}.attn.weight": (tokens, tokens), f"{b}.attn.bias": (tokens,)}
        for name, (out, into) in {"fc1": (4 * dim, dim), "fc2": (dim, 4 * dim)}.items():
            shapes |= {f"{b}.mlp.{name}.weight": (out, into), f"{b}.mlp.{name}.bias": (out,)}
    last = {"norm.alpha": (dim,), "norm.beta": (dim,)}
    return shapes | last | {"head.weight": (classes, dim), "head.bias": (classes,)}


def dense_network(s: State, depth: int, patch: int, x: Tensor) -> Tensor:
    embed = "patch_embed.proj"
    x = F.conv2d(x, s[f"{embed}.weight"], s[f"{embed}.bias"], stride=patch).flatten(2).mT
    for i in range(depth):
        b = f"blocks.{i}"
        y = s[f"{b}.norm1.alpha"] * x + s[f"{b}.norm1.beta"]
        y = F.linear(y.mT, s[f"{b}.attn.weight"], s[f"{b}.attn.bias"]).mT
        x = x + s[f"{b}.gamma_1"] * y
        y = s[f"{b}.norm2.alpha"] * x + s[f"{b}.norm2.beta"]
        y = F.gelu(F.linear(y, s[f"{b}.mlp.fc1.weight"], s[f"{b}.mlp.fc1.bias"]))
        x = x + s[f"{b}.gamma_2"] * F.linear(y, s[f"{b}.mlp.fc2.weight"], s[f"{b}.mlp.fc2.bias"])
    x = (s["norm.alpha"] * x + s["norm.beta"]).mean(1)
    return F.linear(x, s["head.weight"], s["head.bias"])


def paired_shapes(dim: int, depth: int, rows: int, patch: int, chans: int, final: int) -> dict:
    half, pairs = dim // 2, rows * rows // 2
    stem = "patch_embed.proj"
    shapes = {f"{stem}_{p}.weight": (half, chans, patch, patch // 2) for p in ("sym", "asym")} | {
        f"{stem}_sym.bias": (half,)
    }
    for i in range(depth):
        b = f"blocks.{i}"
        for p in ("sym", "asym"):
            for n in (1, 2):
                shapes |= {f"{b}.norm{n}.{k}_{p}": (half,) for k in ("alpha", "beta")}
                shapes |= {f"{b}.gamma_{n}.alpha_{p}": (half,)}
            shapes |= {
                f"{b}.attn.lin_{p}.weight": (pairs, pairs),
                f"{b}.attn.lin_{p}.bias": (pairs,),
            }
            for name, (out, into) in {"fc1": (4 * half, half), "fc2": (half, 4 * half)}.items():
                shapes |= {f"{b}.mlp.{name}.lin_{p}.weight": (out, into)}
                shapes |= {f"{b}.mlp.{name}.lin_{p}.bias": (out,)}
    last = {"norm.alpha": (final,), "norm.beta": (final,)}
    return shapes | last | {"head.weight": (5, final), "head.bias": (5,)}


def paired_network(s: State, depth: int, rows: int, patch: int, norms: bool, x: Tensor) -> Tensor:
    """Four parts `[channel parity][token parity]`, as the paper writes them."""
    grid = torch.arange(rows * rows).view(rows, rows)
    left, right = grid[:, : rows // 2].flatten(), grid[:, rows // 2 :].flip(1).flatten()
    parts: dict[tuple[str, str], Tensor] = {}
    for p, sign in (("sym", 1), ("asym", -1)):
        w = s[f"patch_embed.proj_{p}.weight"]
        bias = s.get(f"patch_embed.proj_{p}.bias")
        y = F.conv2d(x, torch.cat([w, sign * w.flip(-1)], -1), bias, stride=patch).flatten(2).mT
        parts[p, "sym"] = (y[:, left] + y[:, right]) / 2**0.5
        parts[p, "asym"] = (y[:, left] - y[:, right]) / 2**0.5
    for i in range(depth):
        b = f"blocks.{i}"
        new = {}
        for (c, t), part in parts.items():
            y = s[f"{b}.norm1.alpha_{c}"] * part
            bias = s[f"{b}.attn.lin_{t}.bias"] if c == t else None
            y = F.linear(y.mT, s[f"{b}.attn.lin_{t}.weight"], bias).mT
            new[c, t] = part + s[f"{b}.gamma_1.alpha_{c}"] * y
        parts, hidden = new, {}
        for (c, t), part in parts.items():
            bias = s[f"{b}.mlp.fc1.lin_{c}.bias"] if c == t else None
            y = s[f"{b}.norm2.alpha_{c}"] * part
            hidden[c, t] = F.linear(y, s[f"{b}.mlp.fc1.lin_{c}.weight"], bias)
        back = {key: torch.zeros_like(part) for key, part in hidden.items()}
        for u in (1, -1):
            for v in (1, -1):
                signs = {(c, t): u ** (c == "asym") * v ** (t == "asym") for c, t in hidden}
                point = sum(signs[k] * part for k, part in hidden.items()) / 2
                point = point * torch.sigmoid(1.702 * point)
                back = {k: part + signs[k] * point / 2 for k, part in back.items()}
        for (c, t), part in back.items():
            bias = s[f"{b}.mlp.fc2.lin_{c}.bias"] if c == t else None
            y = F.linear(part, s[f"{b}.mlp.fc2.lin_{c}.weight"], bias)
            parts[c, t] = parts[c, t] + s[f"{b}.gamma_2.alpha_{c}"] * y
    seen = torch.cat([parts["sym", "sym"], parts["asym", "asym"]], 1)
    if norms:
        others = torch.cat([parts["sym", "asym"], parts["asym", "sym"]], 1).abs()
        seen = torch.cat([seen, others], -1)
    seen = (s["norm.alpha"] * seen + s["norm.beta"]).mean(1)
    return F.linear(seen, s["head.weight"], s["head.bias"])


def test_dense_networks_of_another_size() -> None:
    s = random_state(dense_shapes(10, 3, 9, 5, 2, 4), 1)
    config = {"img_size": 15, "patch_size": 5, "embed_dim": 10, "depth": 3, "in_chans": 2}
    model = ir.interop.load_flopping(s, "deit.resmlp", config | {"num_classes": 4})
    x = torch.randn(2, 2, 15, 15, dtype=torch.float64)
    assert relative(model(x), dense_network(s, 3, 5, x)) < EXACT


def paired_case(norms: bool) -> tuple[State, dict]:
    s = random_state(paired_shapes(12, 2, 6, 4, 3, 12 if norms else 6), 2)
    grid = torch.arange(36).view(6, 6)
    order = "patch_embed.flatten_and_permute_to_fourier"
    s |= {f"{order}.left_idx": grid[:, :3].flatten()}
    s |= {f"{order}.right_idx": grid[:, 3:].flip(1).flatten()}
    config = {"img_size": 24, "patch_size": 4, "embed_dim": 12, "depth": 2, "num_classes": 5}
    return s, config | {"use_symmetrized_asym_feats": norms}


@pytest.mark.parametrize("norms", [False, True])
def test_paired_networks_of_another_size(norms: bool) -> None:
    s, config = paired_case(norms)
    model = ir.interop.load_flopping(s, "flopping.d2_resmlp", config)
    x = torch.randn(2, 3, 24, 24, dtype=torch.float64)
    assert relative(model(x), paired_network(s, 2, 6, 4, norms, x)) < EXACT


def test_unused_biases_are_noted(caplog: pytest.LogCaptureFixture) -> None:
    s, config = paired_case(False)
    with caplog.at_level(logging.INFO, "irrepnet"):
        model = ir.interop.load_flopping(s, "flopping.d2_resmlp", config)
    assert len(caplog.records) == 1
    assert len(model.notes) == 1
    assert "beta_sym and beta_asym" in model.notes[0]
    found = [m for m in model.modules() if isinstance(m, nn.Affine) and m is not model.head.norm]
    assert len(found) == 4
    assert all((p == 0).all() for m in found for p in m.bias.parameters())


def test_what_is_refused() -> None:
    s, config = paired_case(False)
    kind = "flopping.d2_resmlp"

    def refused(message: str, state: State = s, kind: str = kind, **changes: object) -> None:
        with pytest.raises(CheckpointError, match=message):
            ir.interop.load_flopping(state, kind, config | changes)

    refused("unknown config keys heads for flopping.d2_resmlp: expected some of img_size", heads=3)
    refused("unknown config keys use_symmetrized_asym_feats for deit.resmlp", kind="deit.resmlp")
    refused("expected an even patch, an even number of patches in a row", img_size=20)
    refused("expected an even patch", patch_size=3)
    refused("an even embed_dim", embed_dim=13)
    refused("missing keys: blocks.2.norm1.alpha_sym, blocks.2.norm1.beta_sym", depth=3)
    refused(r"wrong tensors: .*head.weight: got shape \(5, 6\), expected \(4, 6\)", num_classes=4)
    missing = {k: v for k, v in s.items() if k != "blocks.0.norm2.beta_asym"}
    refused("missing keys: blocks.0.norm2.beta_asym", missing)
    refused("unknown keys: blocks.0.extra", s | {"blocks.0.extra": torch.ones(1)})
    order = "patch_embed.flatten_and_permute_to_fourier.left_idx"
    refused("left_idx: got values other than the only ones", s | {order: s[order].flip(0)})
