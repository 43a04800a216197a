import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import nn, specs
from irrepnet._errors import FeatureTypeError, SpecError
from tests.nn.contract import EXACT, GROUPS, LayerContract, relative, rho, typed


class TestLayerScale(LayerContract):
    CASES = tuple(GROUPS)
    TRACED = ("D4",)
    ANY_AXES = True

    def make(self, case: str) -> specs.LayerScale:
        return specs.LayerScale(typed(case), init=0.5)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        out = x.clone()
        for block in layer.plan.spec.feature_type.blocks:
            for component in range(block.irrep.dim):
                for copy in range(block.multiplicity):
                    channel = block.start + component * block.multiplicity + copy
                    factor = layer.state_dict()[f"weight_{block.irrep.name}"][copy]
                    out[..., channel] = factor * x[..., channel]
        return out


def test_initial_value() -> None:
    x = torch.randn(2, 5)
    assert torch.equal(nn.LayerScale(typed("flop"), 0.5)(x), x / 2)
    assert torch.equal(nn.LayerScale(typed("flop"))(x), x * 1e-6)


class TestDropPath(LayerContract):
    CASES = ("flop", "Q8", "never")
    ANY_AXES = True

    def make(self, case: str) -> specs.DropPath:
        if case == "never":
            return specs.DropPath(typed("flop"), 0.0)
        return specs.DropPath(typed(case), 0.5)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        return x

    def in_repr(self, layer: nn.Layer) -> list[str]:
        return [f"rate={layer.plan.spec.rate:g}"]


@pytest.mark.parametrize("name", list(GROUPS))
def test_every_draw_commutes(name: str) -> None:
    x_type = typed(name)
    layer = ir.compile(specs.DropPath(x_type, 0.4)).train()
    x = torch.randn(16, 5, x_type.dim, dtype=torch.float64)
    torch.manual_seed(3)
    before = layer(x)
    dropped = (before == 0).flatten(1).all(dim=1)
    assert 0 < dropped.sum() < 16
    assert relative(before[~dropped], x[~dropped] / 0.6) < EXACT
    for a in range(x_type.group.order):
        matrix = torch.tensor(rho(x_type, a)).t()
        torch.manual_seed(3)
        assert relative(layer(x @ matrix), before @ matrix) < EXACT


def test_the_mean_is_kept() -> None:
    torch.manual_seed(0)
    out = nn.DropPath(0.25).train()(torch.ones(20_000, 1))
    assert out.mean().item() == pytest.approx(1, abs=0.02)
    assert nn.DropPath(0.25).train()(torch.ones(4, 1, dtype=torch.bfloat16)).dtype == torch.bfloat16


class TestInvariantDropout(LayerContract):
    CASES = ("flop", "trivial")
    ANY_AXES = True

    def make(self, case: str) -> specs.InvariantDropout:
        return specs.InvariantDropout(ir.FeatureType.trivial(typed(case).group, 4), 0.5)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        return x

    def in_repr(self, layer: nn.Layer) -> list[str]:
        return ["rate=0.5"]


def test_dropout_drops_in_training() -> None:
    torch.manual_seed(0)
    out = nn.InvariantDropout(0.5).train()(torch.ones(1000))
    assert set(out.tolist()) == {0.0, 2.0}


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_rates(rate: float) -> None:
    x = typed("flop", "2*sym")
    for kind in (specs.DropPath, specs.InvariantDropout):
        with pytest.raises(SpecError, match=rf"got a dropping rate of {rate}: expected 0 <= rate"):
            ir.compile(kind(x, rate))


def test_dropout_of_single_components() -> None:
    with pytest.raises(FeatureTypeError, match=r"single channels of 3\*sym \+ 2\*asym is not equ"):
        ir.compile(specs.InvariantDropout(typed("flop"), 0.1))
