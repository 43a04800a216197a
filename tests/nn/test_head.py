import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import actions, nn, specs
from irrepnet._errors import IrrepMismatchError, SpecError
from irrepnet.types import FeatureType
from tests.nn.contract import EXACT, GROUPS, LayerContract, relative, rho, typed


class TestTokenPool(LayerContract):
    CASES = ("D4 token", "D4 avg", "C4 token", "C4 avg")

    def make(self, case: str) -> specs.TokenPool:
        name, kind = case.split()
        return specs.TokenPool(typed(name), kind)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        if layer.plan.spec.kind == "token":
            return x[:, 0]
        return sum(x[:, k] for k in range(1, x.shape[1])) / (x.shape[1] - 1)

    def in_repr(self, layer: nn.Layer) -> list[str]:
        return [repr(layer.plan.spec.kind)]


class TestInvariantMap(LayerContract):
    CASES = (*(f"{name} norm" for name in GROUPS), "D4 trivial", "none norm")
    TRACED = ("D4 norm",)
    ANY_AXES = True

    def make(self, case: str) -> specs.InvariantMap:
        name, kind = case.split()
        if name == "none":
            return specs.InvariantMap(typed("D4", "2*B1 + 2*E"), kind)
        return specs.InvariantMap(typed(name), kind)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        spec, parts = layer.plan.spec, []
        for block in spec.feature_type.blocks:
            for copy in range(block.multiplicity):
                components = [
                    x[..., block.start + c * block.multiplicity + copy]
                    for c in range(block.irrep.dim)
                ]
                if block.irrep.index == 0:
                    parts += components
                elif spec.kind == "norm":
                    parts.append(sum(c**2 for c in components).sqrt())
        return torch.stack(parts, dim=-1)

    def in_repr(self, layer: nn.Layer) -> list[str]:
        spec = layer.plan.spec
        return [str(spec.feature_type), f"kind={spec.kind!r}"]


@pytest.mark.parametrize("name", list(GROUPS))
def test_invariants_do_not_move(name: str) -> None:
    x_type = typed(name)
    layer = nn.InvariantMap(x_type, "norm")
    x = torch.randn(3, x_type.dim, dtype=torch.float64)
    for a in range(x_type.group.order):
        assert relative(layer(x @ torch.tensor(rho(x_type, a)).t()), layer(x)) < EXACT


@pytest.mark.parametrize("name", ["flop", "D4", "Q8"])
def test_gradient_at_zero(name: str) -> None:
    layer = nn.InvariantMap(typed(name), "norm")
    x = torch.zeros(2, layer.feature_type.dim, requires_grad=True)
    layer(x).sum().backward()
    invariants = layer.feature_type.num_invariants
    assert (x.grad[:, :invariants] == 1).all()
    assert (x.grad[:, invariants:] == 0).all()


# -- errors -----------------------------------------------------------------------------------


def test_unknown_kinds() -> None:
    with pytest.raises(SpecError, match="unknown pooling 'max': expected one of token, avg"):
        nn.TokenPool("max", 0)
    with pytest.raises(SpecError, match="unknown invariant 'bispectrum': expected one of trivial,"):
        nn.InvariantMap(typed("flop"), "bispectrum")


def test_nothing_invariant() -> None:
    with pytest.raises(IrrepMismatchError, match=r"2\*E has no trivial copy, so kind='trivial'"):
        ir.compile(specs.InvariantMap(typed("D4", "2*E")))


def test_pooling_a_class_token_that_is_not_there() -> None:
    action = actions.image("flop")
    x = FeatureType(action.group, "2*sym")
    steps = (
        ("patch", specs.PatchEmbed(action, 1, (4, 4), (2, 2), x)),
        ("pool", specs.TokenPool(x, "token")),
    )
    with pytest.raises(SpecError, match=r"^pool \(TokenPool\): got pooling 'token' without a cl"):
        ir.compile(specs.Chain(steps))
