"""Plan, operator and autograd formula, with the kernel written out in torch."""

import copy
import pickle
import subprocess
import sys
import types

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from irrepnet import groups, nn
from irrepnet._errors import IrrepMismatchError
from irrepnet.nn.kernels import FusedMLPIn, ResidualNorm, available
from irrepnet.nn.kernels import _flops as _flops  # without a GPU it is left out
from irrepnet.nn.kernels import _mlp_in as module
from irrepnet.nn.kernels._mlp_plan import MLPPlan
from irrepnet.types import FeatureType, gset_for
from tests.kernels.cases import MLPS, mlp, outputs_and_gradients, written_out


@pytest.fixture
def _kernel_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's place is taken by its meaning; everything around it stays."""
    kernel = types.ModuleType("kernel")
    kernel.launch = written_out  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "irrepnet.nn.kernels._triton_mlp_in", kernel)
    monkeypatch.setattr(module, "DTYPES", (torch.float64,))
    monkeypatch.setattr(module, "serves", lambda x: True)


@pytest.mark.usefixtures("_kernel_written_out")
@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("case", [case for case in MLPS if case != "wide"])
def test_the_plan_says_what_the_layers_do(case: str, normalised: bool) -> None:
    layer = mlp(case, normalised=normalised).double()
    x = torch.randn(4, 3, layer.linear.in_dim, dtype=torch.float64)
    got = outputs_and_gradients(layer, [x])
    for a, b in zip(got, outputs_and_gradients(layer, [x], twin=True), strict=True):
        assert (a - b).norm() < 1e-10 * b.norm()


@pytest.mark.usefixtures("_kernel_written_out")
def test_the_operator_keeps_torchs_rules() -> None:
    layer = mlp("D4", "silu").double()
    weight, bias = layer._pack().detach().requires_grad_(), layer.linear.bias
    x = torch.randn(3, layer.linear.in_dim, dtype=torch.float64, requires_grad=True)
    torch.library.opcheck(torch.ops.irrepnet.mlp_in, (x, weight, bias, layer._plan))
    assert torch.autograd.gradcheck(
        lambda *t: torch.ops.irrepnet.mlp_in(*t, layer._plan), (x, weight, bias)
    )


@pytest.mark.usefixtures("_kernel_written_out")
def test_autocast_multiplies_in_its_dtype(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DTYPES", (torch.bfloat16,))
    layer = mlp("flop")
    with torch.autocast("cpu"):
        assert layer(torch.randn(2, 5)).dtype == torch.bfloat16


@pytest.mark.parametrize("case", MLPS)
def test_a_plan_travels_as_text(case: str) -> None:
    key = mlp(case)._plan
    assert key is not None
    assert MLPPlan.from_key(key).key == key
    assert hash(MLPPlan.from_key(key)) == hash(MLPPlan.from_key(str(key)))


@pytest.mark.parametrize("case", MLPS)
def test_the_operator_counts_what_the_layers_count(case: str) -> None:
    layer = mlp(case).to("meta")
    x = torch.empty(6, layer.linear.in_dim, device="meta")
    with FlopCounterMode(display=False) as expected:
        layer(x)
    with FlopCounterMode(display=False) as counted:
        torch.ops.irrepnet.mlp_in(x, layer._pack(), layer.linear.bias, layer._plan)
    assert counted.get_total_flops() == expected.get_total_flops() > 0


def test_the_backward_pass_counts_the_product_again() -> None:
    layer = mlp("Q8").to("meta")
    x = torch.empty(6, layer.linear.in_dim, device="meta", requires_grad=True)
    plan = MLPPlan.from_key(layer._plan)
    with FlopCounterMode(display=False) as counted:
        y = torch.ops.irrepnet.mlp_in(x, layer._pack(), layer.linear.bias, layer._plan)
        y.sum().backward()
    # Forward, again, to the input, to the weights; points twice forward, three times back.
    expected = 4 * plan.product_flops + plan.basis_flops * 5 // 2
    assert counted.get_total_flops() == 6 * expected


def test_without_a_kernel_the_layers_run() -> None:
    layer = mlp("D4")
    x = torch.randn(2, layer.linear.in_dim, dtype=torch.float64)
    double = copy.deepcopy(layer).double()
    assert torch.equal(double(x), double.activation(double.linear(x)))
    assert torch.equal(pickle.loads(pickle.dumps(double))(x), double(x))
    dense = layer.to_dense()
    x = x.float()
    assert (dense(x) - layer.twin(x)).norm() < 1e-5 * layer.twin(x).norm()


def test_what_no_kernel_serves_says_why() -> None:
    A = groups.alternating(5)
    X = FeatureType.regular(A, 60)
    F = FeatureType.regular(groups.flop(), 4)
    to_points = nn.GSetActivation(gset_for(F), enter="points")
    many = FusedMLPIn(nn.IsotypicLinear(X, X), nn.GSetActivation(gset_for(X)))
    reasons = {
        "an orbit has 60 points, more than 16": many,
        "the linear map has blocks that are lowered to a dense product": FusedMLPIn(
            nn.IsotypicLinear(F, F, lowering="dense"), nn.GSetActivation(gset_for(F))
        ),
        "its function is sin, not gelu, quick_gelu, relu, silu": mlp("flop", "sin"),
        "the activation does not go from irreps to irreps": FusedMLPIn(
            nn.IsotypicLinear(F, F), to_points
        ),
    }
    for reason, layer in reasons.items():
        assert layer.why_not == reason
        assert f"no kernel: {reason}" in repr(layer)
    x = torch.randn(2, 60)
    assert torch.equal(many(x), many.twin(x))


def test_types_that_do_not_meet_are_refused() -> None:
    X = FeatureType.regular(groups.flop(), 4)
    with pytest.raises(
        IrrepMismatchError, match=r"gives 2\*sym \+ 2\*asym over flop, the activation takes"
    ):
        FusedMLPIn(nn.IsotypicLinear(X, X), nn.GSetActivation(gset_for(2 * X)))
    with pytest.raises(IrrepMismatchError, match=r"LayerScale is for 4\*sym \+ 4\*asym over flop"):
        ResidualNorm(nn.IsotypicLayerNorm(X), nn.LayerScale(2 * X))


LOADED = """
import sys, torch
from irrepnet import FeatureType, groups, nn
from irrepnet.nn import kernels
from irrepnet.types import gset_for
X = FeatureType.regular(groups.flop(), 4)
x, activation = torch.randn(2, 4), nn.GSetActivation(gset_for(X))
kernels.FusedMLPIn(nn.IsotypicLinear(X, X), activation)(x)
kernels.ResidualNorm(nn.IsotypicLayerNorm(X))(x, x)
print(kernels.available(), "triton" in sys.modules)
"""


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_triton_is_not_imported_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert not available()
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr
