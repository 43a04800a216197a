"""Direct, gated and norm activations: the contract, the theorem, the errors."""

import numpy as np
import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import nn, specs, testing
from irrepnet._errors import ActivationError, IrrepMismatchError
from irrepnet.types import PARITY, FeatureType, absolute_type, check_pointwise
from tests.nn.contract import GROUPS, LayerContract, group, rho, typed

SIGNED = ("trivial", "flop", "C4", "D4", "Q8")


def split(x: Tensor, feature_type: FeatureType) -> list[Tensor]:
    """For each irrep, `[..., component, copy]`."""
    parts, start = [], 0
    for irrep, copies in zip(feature_type.group.irreps, feature_type.multiplicities, strict=True):
        part = x[..., start : start + irrep.dim * copies]
        parts.append(part.unflatten(-1, (irrep.dim, copies)) if copies else part.unsqueeze(-1))
        start += irrep.dim * copies
    return parts


class TestOdd(LayerContract):
    CASES = SIGNED
    ANY_AXES = True

    def make(self, case: str) -> specs.Spec:
        return specs.DirectActivation(typed(case), "tanh")

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        return torch.tanh(x)


class TestEven(LayerContract):
    CASES = (*SIGNED, "sorted", "only E")
    ANY_AXES = True

    def make(self, case: str) -> specs.Spec:
        types = {"sorted": ("D4", "A1 + 2*A2 + 2*E"), "only E": ("D4", "3*E")}
        name, text = types.get(case, (case, None))
        return specs.DirectActivation(typed(name, text), "square")

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        """An intertwiner from `|rho|` to the output applied to `f(x)`, checked to be one."""
        assert isinstance(layer, nn.DirectActivation)
        if layer.basis is None:
            return x.square()
        matrix = layer.basis.gset.basis()[:, np.argsort(layer.order.numpy())]
        source, target = layer.plan.source.type, layer.plan.target.type
        for a in range(source.group.order):
            assert np.allclose(matrix @ np.abs(rho(source, a)), rho(target, a) @ matrix)
        assert np.allclose(matrix @ matrix.T, np.eye(len(matrix)))
        return x.square() @ torch.tensor(matrix).t()


class TestGated(LayerContract):
    CASES = (*GROUPS, "no trivial copy")
    ANY_AXES = True

    def make(self, case: str) -> specs.Spec:
        x = typed("D4", "2*A2 + E") if case == "no trivial copy" else typed(case)
        return specs.Gated(x, "gelu", "tanh")

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        target = layer.plan.target.type
        trivial, *others = split(x, layer.plan.source.type)
        trivial, first = trivial.flatten(-2), target.num_invariants
        parts = [torch.nn.functional.gelu(trivial[..., :first])]
        for part, copies in zip(others, target.multiplicities[1:], strict=True):
            gate = torch.tanh(trivial[..., first : first + copies])
            first += copies
            parts.append((part * gate.unsqueeze(-2)).flatten(-2) if copies else part.flatten(-2))
        return torch.cat(parts, -1)


class TestNorm(LayerContract):
    CASES = tuple(GROUPS)
    ANY_AXES = True

    def make(self, case: str) -> specs.Spec:
        return specs.NormActivation(typed(case))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.NormActivation)
        parts, first = [], 0
        copies = layer.plan.source.type.multiplicities
        for k, (part, m) in enumerate(zip(split(x, layer.plan.source.type), copies, strict=True)):
            bias = layer.bias[first : first + m]
            size = part.square().sum(-2).sqrt() if k else part.sum(-2)
            parts.append((part * torch.sigmoid(size + bias).unsqueeze(-2)).flatten(-2))
            first += m
        return torch.cat([p for p in parts if p.shape[-1]], -1)


# -- the theorem --------------------------------------------------------------------------------


@pytest.mark.parametrize("function", nn.FUNCTIONS)
def test_parities_are_true(function: str) -> None:
    x = torch.linspace(-3, 3, 61, dtype=torch.float64)
    f = nn.FUNCTIONS[function]
    odd, even = (bool(torch.allclose(f(-x), s * f(x), atol=1e-12)) for s in (-1, 1))
    assert PARITY.get(function) == ("odd" if odd else "even" if even else None)


@pytest.mark.parametrize("name", [n for n in GROUPS if n != "Q8xD3"])
@pytest.mark.parametrize("function", ["gelu", "tanh", "abs"])
def test_the_rule_is_the_theorem(name: str, function: str) -> None:
    """Legal exactly where `f(rho x)` is a matrix times `f(x)` for each irrep and element."""
    f = nn.FUNCTIONS[function]
    for irrep in group(name).irreps:
        x = FeatureType(group(name), {irrep.name: 1})
        points = torch.randn(200, irrep.dim, generator=torch.Generator().manual_seed(0)).double()
        lawful = True
        for a in range(group(name).order):
            moved = f(points @ torch.tensor(irrep.matrix(a)).t())
            fitted = f(points) @ torch.linalg.lstsq(f(points), moved).solution
            lawful &= bool(torch.allclose(fitted, moved, atol=1e-8))
        try:
            check_pointwise(x, function)
            assert lawful, irrep
        except ActivationError:
            assert not lawful, irrep


def test_a_wrong_parity_is_not_equivariant() -> None:
    x = typed("D4", "2*A1 + 2*E")
    layer = nn.DirectActivation(x, "tanh")
    layer.pointwise = nn.DirectActivation(FeatureType.trivial(x.group, 1), "gelu").pointwise
    layer.plan = ir.compile(specs.DirectActivation(x, "tanh")).plan
    assert ir.certify(layer).worst > 1e-2


def test_even_functions_change_the_type() -> None:
    assert str(absolute_type(typed("flop", "sym + 2*asym")).gset.feature_type) == "3*sym"
    net = ir.compile(specs.DirectActivation(typed("D4", "B2 + E"), "abs"))
    assert str(net.plan.target.type) == "2*A1 + 1*B1"
    assert "even, where the group permutes channels up to sign" in net.plan.explain()


@pytest.mark.parametrize(
    ("name", "text", "function", "message"),
    [
        (
            "flop",
            "sym + asym",
            "gelu",
            "flop changes signs of asym and gelu is neither odd nor even",
        ),
        (
            "flop",
            "sym + asym",
            "gelu",
            "Expected trivial copies only, one of tanh, sin, softshrink",
        ),
        ("D3", "A1 + E", "tanh", "D3 mixes those of E. Expected only irreps whose channels are"),
        ("D3", "A1 + E", "tanh", r"permuted up to sign \(A1, A2\), points of a G-set"),
        ("flop", "sym", "cube", "unknown pointwise function 'cube': expected one of gelu"),
    ],
)
def test_refusals_give_the_reason(name: str, text: str, function: str, message: str) -> None:
    with pytest.raises(ActivationError, match=message):
        ir.compile(specs.DirectActivation(typed(name, text), function))


def test_a_gate_for_each_copy() -> None:
    spec = specs.Gated(typed("D4", "2*A1 + B1 + 3*E"))
    assert (spec.gates, str(spec.in_type)) == (4, "6*A1 + 1*B1 + 3*E")
    linear = specs.Linear(spec.feature_type, spec.feature_type)
    with pytest.raises(IrrepMismatchError, match=r"act \(Gated\): got 2\*A1 \+ 1\*B1 \+ 3\*E"):
        ir.compile(specs.Chain((("fc", linear), ("act", spec))))
    with pytest.raises(ActivationError, match="unknown pointwise function 'step'"):
        ir.compile(specs.Gated(spec.feature_type, gate="step"))


def test_gradients_are_finite_at_zero() -> None:
    x = typed("D4")
    for spec in (
        specs.NormActivation(x),
        specs.InvariantMap(x, "norm"),
        specs.InvariantMap(x, "rms"),
    ):
        zero = torch.zeros(2, x.dim, requires_grad=True)
        ir.compile(spec)(zero).sum().backward()
        assert zero.grad is not None
        assert torch.isfinite(zero.grad).all()


# -- the rule of `Activation`: points where there are any, else stored channels, else a reason ---


@pytest.mark.parametrize(
    ("name", "text"), [("flop", "sym + 3*asym"), ("D4", "2*E"), ("D4", "A2 + B1 + 2*E")]
)
@pytest.mark.parametrize("function", ["tanh", "sin", "softshrink"])
def test_odd_functions_act_directly_where_there_are_no_points(
    name: str, text: str, function: str
) -> None:
    x = typed(name, text)
    net = ir.compile(specs.Activation(x, function), dtype=torch.float64)
    testing.assert_equivariant(net)
    testing.assert_flops(net, (5, x.dim), matmul_flops=0)
    value = torch.randn(4, x.dim, dtype=torch.float64)
    assert torch.equal(net(value), nn.FUNCTIONS[function](value))
    assert "on the stored channels: it is odd, the group permutes them up to sign" in (
        net.plan.explain()
    )
    assert specs.from_json(net.plan.spec.to_json()) == net.plan.spec == net.plan.root.spec


def test_points_are_preferred_and_may_be_declined() -> None:
    """On points an odd function mixes irreps; without, it cannot."""
    x = typed("flop", "2*sym + 2*asym")
    assert isinstance(ir.compile(specs.Activation(x, "tanh")), nn.GSetActivation)
    direct = ir.compile(specs.Activation(x, "tanh", gset=()))
    assert isinstance(direct, nn.DirectActivation)
    joined = ir.compile(specs.Linear(x, x) >> specs.Activation(x, "tanh", gset=()))
    assert isinstance(ir.freeze(joined.eval()).get_submodule("1"), nn.DirectActivation)


@pytest.mark.parametrize(
    ("name", "text", "function", "gset", "message"),
    [
        ("flop", "sym + 3*asym", "gelu", None, r"no permutation representation, .* Expected a fun"),
        ("flop", "sym + 3*asym", "abs", None, r"abs is even: .* another type, 4\*sym, where the s"),
        ("D3", "2*E", "tanh", None, r"2\*E over D3 is no permutation representation, .*such as"),
        ("flop", "sym + asym", "gelu", (), "changes signs of asym and gelu is neither odd nor eve"),
        ("flop", "sym + asym", "abs", (), "abs is even: .*; say so with specs.DirectActivation"),
        ("D3", "A1 + E", "tanh", (), "D3 mixes those of E. Expected only irreps whose channels"),
        ("Q8", "chi4", "gelu", None, r"legal on every type \(specs.NormActivation, specs.Gated\)"),
        ("A4", "chi1", "relu", None, r"a multiple of the regular representation such as 1\*chi0"),
    ],
)
def test_an_activation_that_is_refused_says_what_is_legal(
    name: str, text: str, function: str, gset: tuple | None, message: str
) -> None:
    with pytest.raises(ActivationError, match=message):
        ir.compile(specs.Activation(typed(name, text), function, gset=gset))
