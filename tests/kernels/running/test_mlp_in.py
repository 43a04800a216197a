import pytest
import torch
from torch import Tensor

from irrepnet import groups, nn
from irrepnet.nn.kernels import FusedMLPIn, available
from irrepnet.nn.kernels import _triton_mlp_in as kernel
from irrepnet.nn.kernels._mlp_plan import FUNCTIONS, MLPPlan
from irrepnet.types import FeatureType, gset_for
from tests.kernels.cases import DEVICE, MLPS, assert_equals_twin, mlp, written_out

DTYPES = (torch.float32, torch.float16, torch.bfloat16)


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """What the kernel gave: without it, layers would be compared with themselves."""
    assert available()
    results: list[Tensor] = []
    launch = kernel.launch

    def noting(*args, **kwargs) -> Tensor:
        results.append(launch(*args, **kwargs))
        return results[-1]

    monkeypatch.setattr(kernel, "launch", noting)
    return results


@pytest.mark.parametrize("case", MLPS)
def test_every_group(case: str, launched: list[Tensor]) -> None:
    layer = mlp(case).to(DEVICE)
    assert_equals_twin(layer, torch.randn(5, 27, layer.linear.in_dim, device=DEVICE))
    assert len(launched) == 2


@pytest.mark.parametrize("dtype", DTYPES[1:])
@pytest.mark.parametrize("case", ["flop", "D4", "Q8"])
def test_half_precision(case: str, dtype: torch.dtype, launched: list[Tensor]) -> None:
    layer = mlp(case).to(DEVICE, dtype)
    assert_equals_twin(layer, torch.randn(7, layer.linear.in_dim, dtype=dtype, device=DEVICE))
    assert len(launched) == 2


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function(function: str, launched: list[Tensor]) -> None:
    layer = mlp("flop", function, normalised=False, bias=False).to(DEVICE)
    assert_equals_twin(layer, 3 * torch.randn(9, 5, device=DEVICE))
    assert len(launched) == 2


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("case", ["flop", "C4", "C3xD3"])
def test_small_tiles_and_strides(case: str, backward: bool) -> None:
    layer = mlp(case).to(DEVICE)
    plan = MLPPlan.from_key(layer._plan)
    x = torch.randn(37, 2 * layer.linear.in_dim, device=DEVICE)[:, : layer.linear.in_dim]
    gradient = torch.randn(plan.out_dim, 37, device=DEVICE).t() if backward else None
    arguments = (x, layer._pack().detach(), layer.linear.bias.detach(), gradient, plan)
    got = kernel.launch(*arguments, tile=kernel.Tile(16, 2, 2, 1))
    expected = written_out(*arguments)
    assert (got - expected).norm() < 1e-5 * expected.norm()


def test_no_rows_and_columns_that_lie_apart(launched: list[Tensor]) -> None:
    layer = mlp("D4").to(DEVICE)
    assert layer(torch.empty(0, 3, layer.linear.in_dim, device=DEVICE)).shape == (
        0,
        3,
        layer.linear.out_dim,
    )
    x = torch.randn(layer.linear.in_dim, 5, device=DEVICE).t()
    with torch.no_grad():
        assert torch.allclose(layer(x), layer.twin(x), atol=1e-5)
        assert torch.allclose(layer(x), layer.twin(x), atol=1e-5)  # with the weights kept
    assert len(launched) == 3


def test_what_the_kernel_does_not_take_the_layers_do(launched: list[Tensor]) -> None:
    layer = mlp("flop").to(DEVICE)
    x = torch.randn(3, 5, device=DEVICE)
    mapped = torch.func.vmap(layer)(x)
    assert torch.allclose(mapped, layer.twin(x), atol=1e-6)
    assert not launched
    with torch.autocast(DEVICE, dtype=torch.bfloat16):
        assert layer(x).dtype == layer.twin(x).dtype == torch.bfloat16
    assert len(launched) == 1
    with pytest.raises(RuntimeError):  # dtypes that differ: torch's own complaint
        layer(x.bfloat16())


def test_a_second_derivative_is_refused() -> None:
    layer = mlp("flop").to(DEVICE)
    x = torch.randn(3, 5, requires_grad=True, device=DEVICE)
    (first,) = torch.autograd.grad(layer(x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match=r"irrepnet.mlp_in_backward"):
        first.sum().backward()


@pytest.mark.compile
def test_a_compiled_network_calls_the_kernel(launched: list[Tensor]) -> None:
    layer = mlp("D4").to(DEVICE)
    x = torch.randn(6, layer.linear.in_dim, device=DEVICE)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    assert_equals_twin(layer, x)
    out = compiled(x)
    out.sum().backward()
    assert torch.allclose(out, layer.twin(x), atol=1e-5)
    assert len(launched) == 4


def test_too_many_points_fall_back(launched: list[Tensor]) -> None:
    X = FeatureType.regular(groups.alternating(5), 60)
    layer = FusedMLPIn(nn.IsotypicLinear(X, X), nn.GSetActivation(gset_for(X))).to(DEVICE)
    x = torch.randn(3, 60, device=DEVICE)
    assert torch.equal(layer(x), layer.twin(x))
    assert not launched
