"""The pointwise functions of `functions.h`, through the transform of a single point."""

from functools import cache

import pytest
import torch
from torch import Tensor

from irrepnet.nn._functions import Pointwise
from irrepnet.nn.native import Conjugation
from tests.native.oracles import SLOPES, VALUES

FUNCTIONS = ["gelu", "quick_gelu", "relu", "silu"]
COPIES = 16
INF, NAN = float("inf"), float("nan")


def applied(function: str, x: Tensor, slope: bool) -> Tensor:
    kernel = Conjugation(((1.0,),), ((1.0,),), COPIES, (0,), (0,))
    assert x.ndim == 1
    rows = torch.nn.functional.pad(x, (0, -len(x) % COPIES)).view(-1, COPIES)
    out = torch.empty_like(rows)
    inputs = (rows, torch.ones_like(rows)) if slope else (rows,)
    assert kernel.serves(function, out, *inputs)
    kernel.write(function, out, *inputs)
    return out.flatten()[: len(x)]


def torchs(function: str, x: Tensor, slope: bool) -> Tensor:
    f = Pointwise(function)
    return f.gradient(x, torch.ones_like(x)) if slope else f(x)


@cache
def numbers() -> Tensor:
    """All over [-20, 20], and close to where formulas change."""
    close = 1 + torch.linspace(-1e-4, 1e-4, 401)
    places = [5.5, 87.0, 87.7, 88.0, 88.4, 89.0]
    around = [
        sign * at / factor * close for at in places for sign in (1, -1) for factor in (1, 1.702)
    ]
    tiny = torch.tensor([0.0, -0.0, 1e-30, -1e-30, 1e-42, -1e-42])
    return torch.cat([torch.linspace(-20, 20, 400_001), *around, tiny])


@pytest.mark.parametrize("slope", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_as_close_as_torch(function: str, slope: bool) -> None:
    x = numbers()
    expected = (SLOPES if slope else VALUES)[function](x.double())
    error = (applied(function, x, slope).double() - expected).abs()
    torch_error = (torchs(function, x, slope).double() - expected).abs()
    assert error.max() <= min(1.1 * torch_error.max().item(), 1.3e-6)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_far_out(function: str) -> None:
    """Nothing, or the number itself, with slopes 0 and 1: large factors bring nothing back."""
    far = torch.tensor([100.0, 1e4, 1e6, 1e20, 1e38, 3.4e38])
    assert torch.equal(applied(function, far, slope=False), far)
    assert torch.equal(applied(function, -far, slope=False), torch.zeros(6))
    far = far[:-1]  # torch's slope of quick_gelu is not a number where 1.702 x is infinite
    assert torch.equal(applied(function, far, slope=True), torch.ones(5))
    assert torch.equal(applied(function, -far, slope=True), torch.zeros(5))


@pytest.mark.parametrize(
    ("function", "dtype"), [*((f, torch.float32) for f in FUNCTIONS), ("gelu", torch.bfloat16)]
)
def test_what_is_no_number(function: str, dtype: torch.dtype) -> None:
    x = torch.tensor([INF, -INF, NAN, -NAN, 1.0], dtype=dtype)
    # Minus infinity times 0, but for relu, as in torch.
    value = applied(function, x, slope=False)
    low = 0.0 if function == "relu" else NAN
    torch.testing.assert_close(value[:2].tolist(), [INF, low], equal_nan=True)
    assert value[2:4].isnan().all()
    assert value[4].isfinite()
    value, slope = torchs(function, x, slope=False), applied(function, x, slope=True)
    torch.testing.assert_close(slope, torchs(function, x, slope=True), equal_nan=True)
    assert torch.equal(value[1:].isnan(), applied(function, x, slope=False)[1:].isnan())


def test_bfloat16_is_float32_rounded_once() -> None:
    """Every number that bfloat16 has."""
    bits = torch.arange(-(1 << 15), 1 << 15).to(torch.int16)
    x = bits.view(torch.bfloat16)
    for function in ("none", "gelu"):
        got = applied(function, x, slope=False)
        expected = applied(function, x.float(), slope=False).bfloat16()
        assert torch.equal(got.isnan(), expected.isnan())
        assert torch.equal(got.nan_to_num(), expected.nan_to_num())
