"""The runtime's own steps of autograd against the same layers out of torch's operations."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import nn
from irrepnet.types import FeatureType, GSetType, canonical_stabiliser
from tests.nn.contract import EXACT, relative

GROUPS = ("flop", "C4", "D4", "Q8", "A5", "C3", "trivial")
MODULES = ("_block_product", "_activation", "_norm")


def uneven(group: str) -> FeatureType:
    """Two to four copies of each irrep, so that no two blocks fit together by accident."""
    G = ir.groups.parse(group)
    return FeatureType(G, [2 + k % 3 for k in range(len(G.irreps))])


def linear(group: str, lowering: str) -> nn.Layer:
    """A map that leaves an irrep unread and another one unreached, where there are enough."""
    X = uneven(group)
    last = len(X.multiplicities) - 1
    source = [0 if 0 < k == last - 1 else m for k, m in enumerate(X.multiplicities)]
    target = [0 if k == last > 1 else m + 1 for k, m in enumerate(X.multiplicities)]
    return nn.IsotypicLinear(
        FeatureType(X.group, source), FeatureType(X.group, target), lowering=lowering
    )


def activation(group: str) -> nn.Layer:
    G = ir.groups.parse(group)
    kinds = ((0,), tuple(G.subgroup(G.generators[:1]).elements))
    counts = {canonical_stabiliser(G, h): n for h, n in zip(kinds, (3, 2), strict=True)}
    return nn.GSetActivation(GSetType(G, tuple(counts.items())), "silu")


LAYERS: dict[str, Callable[[str], nn.Layer]] = {
    "linear": lambda group: linear(group, "separate"),
    "batched linear": lambda group: linear(group, "batched"),
    "dense linear": lambda group: linear(group, "dense"),
    "activation": activation,
    "norm": lambda group: nn.IsotypicLayerNorm(uneven(group)),
    "plain norm": lambda group: nn.IsotypicLayerNorm(uneven(group), affine=False),
}


def built(kind: str, group: str) -> tuple[nn.Layer, Tensor]:
    torch.manual_seed(0)
    layer = LAYERS[kind](group).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    width = layer.in_dim if isinstance(layer, nn.IsotypicLinear) else getattr(layer, "dim", None)
    return layer, torch.randn(3, 5, width or layer.basis.dim, dtype=torch.float64)


def gradients(layer: nn.Layer, x: Tensor) -> list[Tensor]:
    """The output, what goes back to the input and parameters, and a second derivative."""
    x = x.clone().requires_grad_()
    inputs = [x, *layer.parameters()]
    out = layer(x)
    probe = torch.linspace(-1, 1, out.numel(), dtype=x.dtype).view(out.shape)
    found = torch.autograd.grad(out, inputs, probe, retain_graph=True)
    again = torch.autograd.grad(out, inputs, probe, create_graph=True)
    twice = torch.autograd.grad(sum(t.square().sum() for t in again), inputs, allow_unused=True)
    return [out, *found, *again, *(t for t in twice if t is not None)]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("kind", LAYERS)
def test_steps_are_what_autograd_does(
    kind: str, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, x = built(kind, group)
    got = gradients(layer, x)
    for module in MODULES:
        monkeypatch.setattr(f"irrepnet.nn.{module}.is_plain", lambda _: False)
    expected = gradients(layer, x)
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert relative(a, b) < EXACT or (a - b).abs().max() < EXACT


@pytest.mark.parametrize("kind", LAYERS)
def test_rows_in_parts(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches smaller than a row, and of a number of rows that does not divide them."""
    layer, x = built(kind, "D4")
    expected = gradients(layer, x)
    for size in (1, 4 * 8 * x.shape[-1]):
        monkeypatch.setattr("irrepnet.nn._eager.CACHED_BYTES", size)
        for a, b in zip(gradients(layer, x), expected, strict=True):
            assert relative(a, b) < EXACT


@pytest.mark.parametrize("kind", LAYERS)
def test_no_more_is_kept_than_the_input(kind: str) -> None:
    layer, x = built(kind, "D4")
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        layer(x.requires_grad_())
    own = {p.data_ptr() for p in layer.parameters()} | {x.data_ptr()}
    assert sum(t.numel() for t in kept if t.data_ptr() not in own) < x.numel()


@pytest.mark.parametrize("kind", LAYERS)
def test_autocast_computes_in_its_dtype(kind: str) -> None:
    layer, x = built(kind, "D4")
    layer, x = layer.float(), x.float().requires_grad_()
    exact = layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    assert relative(out.float(), exact) < 0.05
    out.float().square().sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
    assert x.grad.dtype == torch.float32


@pytest.mark.parametrize("function", list(nn.FUNCTIONS))
def test_slopes_of_functions(function: str) -> None:
    G = ir.groups.parse("D4")
    layer = nn.GSetActivation(GSetType(G, (((0,), 2),)), function).double()
    x = torch.randn(7, 16, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x) or function in ("relu", "abs", "softshrink")
