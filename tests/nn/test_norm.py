import numpy as np
import pytest
import torch
from torch import Tensor

from irrepnet import nn, specs, testing
from irrepnet._errors import FeatureTypeError, IrrepMismatchError, SpecError
from irrepnet.types import CENTRINGS, WEIGHTINGS, FeatureType
from tests.nn.contract import EXACT, GROUPS, LayerContract, relative, typed

CHOICES = [(c, w) for c in CENTRINGS for w in WEIGHTINGS]


def by_definition(
    x: np.ndarray, feature_type: FeatureType, centring: str, weighting: str, eps: float
) -> np.ndarray:
    """One feature vector: centre, then divide by the joint deviation."""
    order = feature_type.group.order
    centred, squares = x.copy(), []
    for block in feature_type.blocks:
        for component in range(block.irrep.dim):
            first = block.start + component * block.multiplicity
            last = first + block.multiplicity
            if centring == "every_irrep" or (
                centring == "invariant" and block.irrep is feature_type.group.irreps[0]
            ):
                centred[first:last] -= x[first:last].mean()
        squares.append(centred[block.start : block.stop] ** 2)
    if weighting == "share":
        variance = np.concatenate(squares).sum() / feature_type.dim
    else:
        variance = sum(part.mean() for part in squares) / order
    return centred / np.sqrt(variance + eps / order)


class TestIsotypicLayerNorm(LayerContract):
    CASES = (
        *GROUPS,
        *(f"{g} {c} {w}" for g in ("trivial", "flop", "C4", "D4") for c, w in CHOICES[1:]),
        "single copies",
        "no invariants",
        "without affine",
        "large eps",
    )
    TRACED = ("D4", "C4 invariant irrep")
    ANY_AXES = True

    def make(self, case: str) -> specs.LayerNorm:
        if case == "single copies":
            x = typed("D4", "2*A1 + B1 + 2*B2 + E")
            return specs.LayerNorm(x, centring="invariant", weighting="irrep")
        if case == "no invariants":
            return specs.LayerNorm(typed("D4", "2*B1 + 3*E"))
        if case == "without affine":
            return specs.LayerNorm(typed("C4"), affine=False)
        if case == "large eps":
            return specs.LayerNorm(typed("D4"), eps=3.0)
        name, *choice = case.split()
        return specs.LayerNorm(typed(name), *choice)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        spec = layer.plan.spec
        rows = [
            by_definition(row, spec.feature_type, spec.centring, spec.weighting, spec.eps)
            for row in x.reshape(-1, x.shape[-1]).numpy()
        ]
        out = torch.tensor(np.stack(rows)).view(x.shape)
        if spec.affine:
            for block in spec.feature_type.blocks:
                weight = getattr(layer, f"weight_{block.irrep.name}").detach()
                for component in range(block.irrep.dim):
                    out[..., block.component(component)] *= weight
            if layer.bias is not None:
                out[..., : len(layer.bias)] += layer.bias.detach()
        return out


def random(dim: int, rows: int = 64) -> Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("centring", ["every_irrep", "invariant"])
def test_the_trivial_group_gives_the_ordinary_norm(centring: str, weighting: str) -> None:
    ours = nn.IsotypicLayerNorm(typed("trivial"), centring, weighting, eps=0.1).double()
    stock = torch.nn.LayerNorm(5, eps=0.1).double()
    testing.randomise_(ours)
    stock.weight.data, stock.bias.data = ours.weight_chi0.data, ours.bias.data
    x = random(5)
    assert relative(ours(x), stock(x)) < EXACT


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_flop_is_the_published_formula(weighting: str) -> None:
    """`(x - mean) / sqrt((var s + var a + eps) / 2)`, biases on the symmetric half."""
    norm = nn.IsotypicLayerNorm(typed("flop", "6*sym + 6*asym"), weighting=weighting, eps=0.3)
    testing.randomise_(norm.double())
    x = random(12)
    s, a = x[:, :6], x[:, 6:]
    std = ((s.var(-1, correction=0) + a.var(-1, correction=0) + 0.3) / 2).sqrt()[:, None]
    expected = torch.cat(
        [
            (s - s.mean(-1, keepdim=True)) / std * norm.weight_sym + norm.bias,
            (a - a.mean(-1, keepdim=True)) / std * norm.weight_asym,
        ],
        dim=-1,
    )
    assert relative(norm(x), expected) < EXACT


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize(("centring", "weighting"), CHOICES)
@pytest.mark.parametrize("name", ["trivial", "flop", "D4"])
def test_large_offsets(name: str, centring: str, weighting: str, grad: bool) -> None:
    norm = nn.IsotypicLayerNorm(typed(name), centring, weighting)
    x = (random(norm.dim) + 1000).float()
    expected = np.stack(
        [by_definition(r, norm.feature_type, centring, weighting, 1e-6) for r in x.double().numpy()]
    )
    with torch.set_grad_enabled(grad):
        got = norm(x)
    assert (got.double() - torch.tensor(expected)).abs().max() < 1e-3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("centring", "weighting"), CHOICES)
def test_low_precision(centring: str, weighting: str, dtype: torch.dtype) -> None:
    feature_type = typed("D4")
    norm = nn.IsotypicLayerNorm(feature_type, centring, weighting, dtype=dtype)
    x = (300 * random(norm.dim)).to(dtype)  # squares overflow in float16
    expected = np.stack(
        [by_definition(r, feature_type, centring, weighting, 1e-6) for r in x.double().numpy()]
    )
    got = norm(x)
    assert got.dtype == dtype
    assert relative(got.double(), torch.tensor(expected)) < testing.TOLERANCES[dtype]


def test_constant_features_give_the_bias() -> None:
    norm = nn.IsotypicLayerNorm(typed("flop"), eps=1e-6)
    testing.randomise_(norm)
    x = torch.tensor([[7.0, 7, 7, -3, -3]])
    assert torch.allclose(norm(x)[0, :3], norm.bias)
    assert (norm(x)[0, 3:] == 0).all()


# -- errors -----------------------------------------------------------------------------------


def test_single_copies_cannot_be_centred() -> None:
    with pytest.raises(
        FeatureTypeError, match=r"would turn B1, E of 2\*A1 \+ 1\*B1 \+ 1\*E into zero"
    ) as caught:
        nn.IsotypicLayerNorm(typed("D4", "2*A1 + B1 + E"))
    assert "or centring='invariant' or 'none'." in str(caught.value)
    nn.IsotypicLayerNorm(typed("D4", "2*A1 + B1 + E"), "invariant")
    with pytest.raises(
        FeatureTypeError, match=r"^centring='invariant' would turn A1 of .* or centring='none'\.$"
    ):
        nn.IsotypicLayerNorm(typed("D4", "A1 + B1 + E"), "invariant")
    nn.IsotypicLayerNorm(typed("D4", "A1 + B1 + E"), "none")


def test_unknown_choices() -> None:
    with pytest.raises(SpecError, match="unknown centring 'both': expected one of every_irrep, in"):
        nn.IsotypicLayerNorm(typed("flop"), "both")
    with pytest.raises(SpecError, match="unknown weighting 'equal': expected one of share, irrep"):
        nn.IsotypicLayerNorm(typed("flop"), "none", "equal")


def test_other_width() -> None:
    with pytest.raises(IrrepMismatchError, match=r"expected 5 channels on the last axis, typed 3"):
        nn.IsotypicLayerNorm(typed("flop"))(torch.zeros(2, 4))
