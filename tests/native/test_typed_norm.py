from itertools import product

import pytest
import torch
from torch import Tensor

from irrepnet import groups, nn
from irrepnet._errors import FeatureTypeError
from irrepnet.nn.native import TypedNorm
from irrepnet.types import FeatureType
from tests.native.oracles import assert_rounded

WIDTHS = [(1,), (2,), (7,), (1, 1), (3, 4, 5, 11), (31, 1, 16, 17), (999,), (500, 501), (333,) * 3]
EPS = 1e-3


def norm(widths: tuple[int, ...], eps: float = EPS) -> TypedNorm:
    starts = tuple(sum(widths[:k]) for k in range(len(widths)))
    return TypedNorm(starts, widths, eps)


def by_definition(
    of: TypedNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Output and normed input of rows, in float64: each slot is centred, and all are divided."""
    slots = zip(of.starts, of.widths, strict=True)
    parts = {s: x[:, s : s + w] - x[:, s : s + w].mean(1, keepdim=True) for s, w in slots}
    centred = torch.cat([parts[s] for s in sorted(parts)], dim=1)
    normed = centred / torch.sqrt(centred.square().mean(1, keepdim=True) + of.eps)
    out = normed if weight is None else normed * weight
    return out if bias is None else out + bias, normed


def gradients(of: TypedNorm, x: Tensor, back: Tensor, weight: Tensor | None) -> list[Tensor]:
    """What goes back to input, factors and shifts, in float64, by autograd on the definition."""
    x = x.clone().requires_grad_()
    weight = torch.ones(of.dim).double() if weight is None else weight
    weight, bias = weight.clone().requires_grad_(), torch.zeros(of.dim).double().requires_grad_()
    out, _ = by_definition(of, x, weight, bias)
    return list(torch.autograd.grad(out, [x, weight, bias], back))


def check(
    of: TypedNorm, x: Tensor, back: Tensor, weight: Tensor | None, bias: Tensor | None
) -> None:
    assert of.serves(x)
    wide = [None if t is None else t.double() for t in (weight, bias)]
    rows = [t.reshape(-1, of.dim).double() for t in (x, back)]
    out = of.forward(x, weight, bias)
    assert (out.shape, out.dtype) == (x.shape, x.dtype)
    assert_rounded(out.reshape(-1, of.dim), by_definition(of, rows[0], *wide)[0])
    expected = gradients(of, *rows, wide[0])
    for wanted in product((True, False), repeat=2):
        into, *vectors = of.backward(x, back, weight, wanted)
        assert (into.shape, into.dtype) == (x.shape, x.dtype)
        # Of a few channels that hardly differ the deviation is small, and its inverse large.
        assert_rounded(into.reshape(-1, of.dim), expected[0], 2e-5)
        for got, right, wants in zip(vectors, expected[1:], wanted, strict=True):
            assert (got is not None) == wants
            if got is not None:
                assert got.dtype == torch.float32
                assert_rounded(got, right)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_any_slots(widths: tuple[int, ...], dtype: torch.dtype) -> None:
    of = norm(widths)
    x, back = (3 + torch.randn(2, 2, 5, of.dim)).to(dtype)
    weight, bias = torch.randn(2, of.dim)
    for factors, shifts in product((weight, None), (bias, None)):
        check(of, x, back, factors, shifts)


def test_vectors_of_other_dtypes() -> None:
    of = norm((5, 12))
    x, back, (weight, bias) = torch.randn(4, 17), torch.randn(4, 17), torch.randn(2, 17)
    for dtype in (torch.float64, torch.bfloat16, torch.float16):
        check(of, x, back, weight.to(dtype), bias.to(dtype))
    check(of, x.bfloat16(), back.bfloat16(), weight.bfloat16(), bias.bfloat16())


def test_slots_in_any_order() -> None:
    x, back, (weight, bias) = torch.randn(4, 17), torch.randn(4, 17), torch.randn(2, 17)
    check(TypedNorm((9, 0, 4), (8, 4, 5), EPS), x, back, weight, bias)


def test_rows_that_do_not_lie_next_to_each_other() -> None:
    of = norm((9, 8))
    x, back = torch.randn(17, 5).t(), torch.randn(1, 1).expand(5, 17)
    weight, bias = torch.randn(17, 2).unbind(1)
    check(of, x, back, weight, bias)
    check(of, torch.randn(9, 40)[::2, 3:20], torch.randn(5, 2, 17)[:, 1], weight, bias)


def test_a_lazily_negated_gradient_is_negated() -> None:
    """Autograd hands such gradients out behind complex numbers: the sign is a bit beside them."""
    of = norm((9, 8))
    x, back = torch.randn(2, 5, 17)
    assert not of.serves(torch._neg_view(x))
    for here, there in zip(
        of.backward(x, torch._neg_view(back), None, (True, True)),
        of.backward(x, -back, None, (True, True)),
        strict=True,
    ):
        assert torch.equal(here, there)


@pytest.mark.parametrize("shape", [(0, 17), (3, 0, 17), (17,), (1, 17)])
def test_few_rows(shape: tuple[int, ...]) -> None:
    of, weight = norm((9, 8)), torch.randn(17)
    x, back = torch.randn(shape), torch.randn(shape)
    if x.numel():
        return check(of, x, back, weight, weight)
    assert of.forward(x, weight, None).shape == shape
    into, *vectors = of.backward(x, back, weight, (True, True))
    assert into.shape == shape
    for vector in vectors:
        assert torch.equal(vector, torch.zeros(17))


def test_threads() -> None:
    """Rows are the same bit for bit; sums over them are, from call to call."""
    of = norm((501, 500))
    x, back = torch.randn(2, 900, 1001)
    weight, bias = torch.randn(2, 1001)
    one = of.forward(x, weight, bias), *of.backward(x, back, weight, (True, True))
    try:
        torch.set_num_threads(3)
        for _ in range(3):
            more = of.forward(x, weight, bias), *of.backward(x, back, weight, (True, True))
            again = of.backward(x, back, weight, (True, True))
            assert all(map(torch.equal, again, more[1:]))
            assert all(map(torch.equal, one[:2], more[:2]))
            for here, there in zip(one[2:], more[2:], strict=True):
                torch.testing.assert_close(here, there, rtol=1e-5, atol=1e-4)
        check(of, x, back, weight, bias)
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("default", [torch.float64, torch.bfloat16])
def test_defaults_of_torch_do_not_matter(default: torch.dtype) -> None:
    """Sums over rows are made in float32, on the CPU, whatever new tensors are elsewhere."""
    of = norm((9, 8))
    x, back, (weight, bias) = torch.randn(4, 17), torch.randn(4, 17), torch.randn(2, 17)
    expected = of.backward(x, back, weight, (True, True))
    torch.set_default_dtype(default)
    try:
        with torch.device("meta"):
            got = of.backward(x, back, weight, (True, True))
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(map(torch.equal, got, expected))
    check(of, x, back, weight, bias)


def test_slots_far_from_zero() -> None:
    """A slot's mean is taken away before anything is squared, as good as by torch's own norm."""
    of = norm((1000,), 1e-6)
    x = 300 + torch.randn(20, 1000)
    expected, _ = by_definition(of, x.double(), None, None)
    error = (of.forward(x, None, None) - expected).abs().max()
    torchs = (torch.nn.functional.layer_norm(x, (1000,), eps=1e-6) - expected).abs().max()
    assert error < 2 * torchs


def test_sums_over_many_rows() -> None:
    of = norm((8, 8))
    x, back = torch.randn(100_000, 16), 1 + torch.rand(100_000, 16)
    _, _, to_bias = of.backward(x, back, None, (False, True))
    assert to_bias is not None
    assert (to_bias / back.double().sum(0) - 1).abs().max() < 1e-4


def test_a_mirrored_input_gives_the_mirrored_output_bit_for_bit() -> None:
    of, sign = norm((101, 100)), torch.ones(201)
    sign[101:] = -1
    x, back, weight = torch.randn(50, 201), torch.randn(50, 201), torch.randn(201)
    assert torch.equal(of.forward(x * sign, weight, None), of.forward(x, weight, None) * sign)
    here = of.backward(x, back, weight, (True, True))
    there = of.backward(x * sign, back * sign, weight, (True, True))
    assert torch.equal(there[0], here[0] * sign)
    assert torch.equal(there[1], here[1])
    assert torch.equal(there[2], here[2] * sign)


def test_what_is_no_number_stays_in_its_row() -> None:
    of, x = norm((9, 8)), torch.randn(3, 17)
    x[1, 4] = torch.nan
    assert torch.equal(of.forward(x, None, None).isnan().any(1), torch.tensor([False, True, False]))
    assert torch.equal(of.forward(torch.full((1, 17), 5.0), None, None), torch.zeros(1, 17))


def test_a_type_without_channels_has_no_norm() -> None:
    with pytest.raises(FeatureTypeError, match="the type 0 over flop has no channels"):
        nn.IsotypicLayerNorm(FeatureType(groups.flop(), "0"))
