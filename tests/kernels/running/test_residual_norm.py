import copy

import pytest
import torch
from torch import Tensor

from irrepnet.nn.kernels import _triton_norm as kernel
from irrepnet.nn.kernels._norm_plan import NormPlan
from tests.kernels.cases import DEVICE, NORMS, assert_equals_twin, norm


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of every launch; few are held at a time, so that loops have turns."""
    rows: list[int] = []
    for name in ("launch", "launch_backward"):
        launch = getattr(kernel, name)

        def noting(*args, launch=launch):
            rows.append(len(args[0]))
            return launch(*args)

        monkeypatch.setattr(kernel, name, noting)
    monkeypatch.setattr(kernel, "HELD", 128)
    monkeypatch.setattr(kernel, "HELD_BACKWARD", 64)
    return rows


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("case", NORMS)
def test_every_group(case: str, scaled: bool, launched: list[int]) -> None:
    layer = norm(case, scaled).to(DEVICE)
    x, y = torch.randn(2, 3, 7, layer.norm.dim, device=DEVICE)
    assert_equals_twin(layer, x, y)
    assert launched == [21, 21]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("case", ["flop", "D4", "Q8", "A5"])
def test_half_precision(case: str, dtype: torch.dtype, launched: list[int]) -> None:
    layer = norm(case).to(DEVICE, dtype)
    x, y = torch.randn(2, 9, layer.norm.dim, device=DEVICE).to(dtype)
    assert_equals_twin(layer, x, y)
    assert launched == [9, 9]


def test_one_output_alone_sends_back(launched: list[int]) -> None:
    layer = norm("D4").to(DEVICE)
    x, y = torch.randn(2, 5, layer.norm.dim, requires_grad=True, device=DEVICE)
    for k in range(2):
        got = torch.autograd.grad(layer(x, y)[k].square().sum(), (x, y))
        expected = torch.autograd.grad(layer.twin(x, y)[k].square().sum(), (x, y))
        for a, b in zip(got, expected, strict=True):
            assert torch.allclose(a, b, atol=1e-4)
    assert launched == [5, 5, 5, 5]


def test_a_stream_in_float32_takes_what_autocast_made(launched: list[int]) -> None:
    layer = norm("flop").to(DEVICE)
    x, y = (
        torch.randn(4, 5, device=DEVICE),
        torch.randn(4, 5, device=DEVICE).bfloat16().requires_grad_(),
    )
    got, expected = layer(x, y), layer.twin(x, y)
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == b.dtype == torch.float32
        assert torch.allclose(a, b, atol=1e-5)
    (back,) = torch.autograd.grad(got[1].sum(), y)
    assert back.dtype == torch.bfloat16
    assert launched == [4, 4]


def test_what_the_kernel_does_not_take_the_layers_do(launched: list[int]) -> None:
    layer = norm("flop").to(DEVICE)
    x = torch.randn(4, 5, device=DEVICE)
    assert torch.equal(layer(x, x[0])[1], layer.twin(x, x[0])[1])  # not of one shape
    double = copy.deepcopy(layer).double()
    assert double(x.double(), x.double())[1].dtype == torch.float64
    assert not launched


def test_no_rows_and_no_variance(launched: list[int]) -> None:
    layer = norm("flop").to(DEVICE)
    x = torch.empty(0, 5, device=DEVICE, requires_grad=True)
    total, out = layer(x, x)
    (out + total).sum().backward()
    assert x.grad.shape == (0, 5)
    zeros = torch.zeros(3, 5, device=DEVICE, requires_grad=True)
    out = layer(zeros, zeros)[1]
    out.sum().backward()
    assert torch.isfinite(zeros.grad).all()
    assert torch.equal(out, layer.twin(zeros, zeros)[1])


@pytest.mark.compile
def test_the_operator_keeps_torchs_rules() -> None:
    layer = norm("D4").to(DEVICE)
    plan: str = layer._plan
    assert NormPlan.from_key(plan).key == plan
    x, y = (torch.randn(3, layer.norm.dim, requires_grad=True, device=DEVICE) for _ in range(2))
    weight, scale = layer.norm.channels().detach(), layer.scale.channels().detach()
    for given in (scale, None):
        operands: tuple[Tensor | str | None, ...] = (x, y, given, weight, None, plan)
        torch.library.opcheck(torch.ops.irrepnet.residual_norm, operands)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    assert torch.allclose(compiled(x, y)[1], layer.twin(x, y)[1], atol=1e-5)
