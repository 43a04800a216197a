"""Attention's kernel against softmax by definition, head by head, in float64."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from irrepnet.nn.native import Attention, _attention, _rows
from tests.native.oracles import assert_rounded
from tests.native.test_heads import CASES, heads

DTYPES = (torch.float32, torch.bfloat16)


@pytest.fixture(autouse=True)
def _without_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tested in bfloat16 also where something faster than this kernel serves."""
    monkeypatch.setattr(_attention, "_multiplies_tiles", lambda: False)


def attention(case: str) -> Attention:
    _, of = heads(case)
    return Attention(of.components, of.heads)


def simple(size: int, count: int = 1) -> Attention:
    """Heads of a size, of one component."""
    return Attention(((0, 0, size * count),), count)


def drawn(of: Attention, batch: int, tokens: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Query, key and value, and what comes back."""
    x, back = torch.randn(batch, tokens, 3 * of.dim), torch.randn(batch, tokens, of.dim)
    return x.to(dtype), back.to(dtype)


def channels(of: Attention, parts: int, part: int, head: int) -> list[int]:
    """Those of one head in one of the parts of a token."""
    found = []
    for start, _, copies in of.components:
        share = copies // of.heads
        first = parts * start + part * copies + head * share
        found += range(first, first + share)
    return found


def by_definition(of: Attention, x: Tensor) -> Tensor:
    out = x.new_zeros(*x.shape[:2], of.dim)
    for head in range(of.heads):
        q, k, v = (x[..., channels(of, 3, part, head)] for part in range(3))
        logits = q @ k.mT / math.sqrt(of.dim // of.heads)
        weights = torch.exp(logits - logits.detach().amax(-1, keepdim=True))
        out[..., channels(of, 1, 0, head)] = weights / weights.sum(-1, keepdim=True) @ v
    return out


def expected(of: Attention, x: Tensor, back: Tensor) -> tuple[Tensor, Tensor]:
    """Output and what goes back, in float64."""
    x = x.double().requires_grad_()
    out = by_definition(of, x)
    (into,) = torch.autograd.grad(out, x, back.double())
    return out.detach(), into


def found(of: Attention, x: Tensor, back: Tensor) -> tuple[Tensor, Tensor]:
    """The same by the kernel."""
    assert of.serves(x, back)
    return of.forward(x), of.backward(x, back)


def check(of: Attention, x: Tensor, back: Tensor) -> None:
    for got, right in zip(found(of, x, back), expected(of, x, back), strict=True):
        assert got.dtype == x.dtype
        assert_rounded(got, right)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_any_layout(case: str, dtype: torch.dtype) -> None:
    of = attention(case)
    check(of, *drawn(of, 2, 7, dtype))
    check(of, *drawn(of, 1, 150, dtype))


TOKENS = (1, 2, 5, 6, 7, 8, 9, 15, 16, 17, 18, 31, 32, 33, 48, 49, 50)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tokens_around_tiles(dtype: torch.dtype) -> None:
    of = attention("D4")
    for tokens in TOKENS:
        check(of, *drawn(of, 1, tokens, dtype))


@pytest.mark.parametrize("tokens", [126, 129, 300, 1100, 2100])
def test_several_blocks_of_queries(tokens: int) -> None:
    """The last blocks are shorter, or of one tile each."""
    of = simple(3)
    check(of, *drawn(of, 1, tokens, torch.float32))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 3, 5, 16, 17, 40, 64])
def test_any_size_of_a_head(size: int, dtype: torch.dtype) -> None:
    of = simple(size, 2)
    check(of, *drawn(of, 2, 19, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_samples_do_not_see_each_other(dtype: torch.dtype) -> None:
    """One scratch serves head after head; alone, each gives the same bits."""
    of = attention("Q8")
    x, back = drawn(of, 3, 140, dtype)
    together = found(of, x, back)
    for k in range(3):
        alone = found(of, x[k : k + 1], back[k : k + 1])
        for one, all_of_them in zip(alone, together, strict=True):
            assert torch.equal(one[0], all_of_them[k])
    for none, shape in zip(found(of, x[:0], back[:0]), (back.shape, x.shape), strict=True):
        assert none.shape == (0, *shape[1:])


@pytest.mark.parametrize("dtype", DTYPES)
def test_threads(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads of one sample fall to different threads, which change no bit."""
    monkeypatch.setattr(_rows, "_WORTH", 1)
    of = attention("C4")
    x, back = drawn(of, 2, 50, dtype)
    one = found(of, x, back)
    try:
        for threads in (2, 3, 3):
            torch.set_num_threads(threads)
            assert all(map(torch.equal, found(of, x, back), one))
    finally:
        torch.set_num_threads(1)


def between(values: Tensor, bands: list[Tensor]) -> Tensor:
    """A copy of values with bands of NaN on both sides."""
    around = values.new_full((values.numel() + 128,), torch.nan)
    bands.append(around)
    return around[64:-64].view(values.shape).copy_(values)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tokens", [5, 17, 150])
def test_nothing_around_is_read_or_written(tokens: int, dtype: torch.dtype) -> None:
    of = attention("D4")
    x, back = drawn(of, 2, tokens, dtype)
    right = found(of, x, back)
    bands: list[Tensor] = []
    x, back, out, into = (between(t, bands) for t in (x, back, *map(torch.zeros_like, right)))
    of._call("attention_forward", [x, out])
    of._call("attention_backward", [x, back, into])
    assert torch.equal(out, right[0])
    assert torch.equal(into, right[1])
    for band in bands:
        assert band.isnan().nonzero().flatten().tolist() == [
            *range(64),
            *range(len(band) - 64, len(band)),
        ]


def test_any_strides() -> None:
    of = attention("D4")
    x, back = drawn(of, 2, 7, torch.float32)
    right = found(of, x, back)
    turned = x.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    apart = torch.stack([back, back], -1)[..., 1]
    assert all(map(torch.equal, found(of, turned, apart), right))
    check(of, x[:1].expand(3, -1, -1), back[:1, :1, :1].expand(3, 7, of.dim))


@pytest.mark.parametrize("level", [-300, -41, -39, 0, 39, 41, 300])
def test_logits_near_and_far(level: int) -> None:
    """Below 40 no largest logit is subtracted; exp of the far ones is none of float32's numbers."""
    of = simple(16)
    x, back = drawn(of, 1, 37, torch.float32)
    x[..., :32] = 0
    x[..., 0] = 2 * abs(level) ** 0.5  # a query's first channel; a head's scale is 1/4
    x[..., 16] = math.copysign(1, level) * x[..., 0] * torch.linspace(0.9, 1, 37)
    x[..., 32:] *= 1e9
    for got, right in zip(found(of, x, back), expected(of, x, back), strict=True):
        assert_rounded(got, right, absolute=1e-6 * max(4, abs(level)))


@pytest.mark.parametrize("sign", [1, -1])
def test_large_logits(sign: int) -> None:
    """Whole numbers, so that logits of 1e5, and none near zero, are exact in float32."""
    of = simple(16)
    x, back = drawn(of, 2, 40, torch.float32)
    x[..., :32] = torch.randint(-40, 41, (2, 40, 32)).float()
    x[..., 0], x[..., 16] = 600 * sign, 600  # one term for all
    (out, into), (right_out, right_into) = found(of, x, back), expected(of, x, back)
    assert_rounded(out, right_out)
    assert_rounded(into, right_into, 600 * 4e-6)  # sums of keys and queries, which are large
    # A single key for each query, and the others are not even tiny.
    x[..., :32] = 0
    x[..., 0] = 1e4
    x[:, 3, 16] = sign
    weights = torch.zeros(40)
    weights[3 if sign > 0 else [k for k in range(40) if k != 3]] = 1
    value = (weights @ x[..., 32:]) / weights.sum()
    torch.testing.assert_close(of.forward(x), value[:, None].expand(2, 40, 16))


@pytest.mark.parametrize("number", [torch.nan, torch.inf])
@pytest.mark.parametrize("tokens", [9, 150])
def test_what_is_no_number_reaches_what_it_should(tokens: int, number: float) -> None:
    """As by definition, wherever it comes in; heads that follow in the same scratch are clean."""
    of = attention("D4")
    clean = drawn(of, 2, tokens, torch.float32)
    for place in (*((0, channels(of, 3, part, 1)[2]) for part in range(3)), (1, 7)):
        pair = [t.clone() for t in clean]
        pair[place[0]][0, tokens - 3, place[1]] = number
        for got, right in zip(found(of, *pair), expected(of, *pair), strict=True):
            finite = right.isfinite()
            assert finite[1].all()
            assert torch.equal(got.isfinite(), finite)
            assert_rounded(got[finite], right[finite])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mirrored_input_gives_the_mirrored_output_bit_for_bit(dtype: torch.dtype) -> None:
    of, (odd, *_) = attention("flop"), [start for start, *_ in attention("flop").components][1:]
    x, back = drawn(of, 2, 21, dtype)
    signs = torch.ones(of.dim, dtype=dtype), torch.ones(3 * of.dim, dtype=dtype)
    signs[0][odd:], signs[1][3 * odd :] = -1, -1
    here, there = found(of, x, back), found(of, x * signs[1], back * signs[0])
    for one, other, sign in zip(here, there, signs, strict=True):
        assert torch.equal(one * sign, other)


# -- what is not served ----------------------------------------------------------------------


def test_what_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    of = simple(2)
    x, back = drawn(of, 1, 4, torch.float32)
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    zeros = torch._efficientzerotensor  # has no memory
    assert of.serves(x, back)
    assert of.serves(torch.empty(1, _attention.TOKENS, 6))
    for other in (
        x.double(),
        x.half(),
        x.to("meta"),
        x[:, :0],
        torch.empty(1, _attention.TOKENS + 1, 6),
        torch._neg_view(x),
        fake.from_tensor(x),
        zeros(x.shape),
    ):
        assert not of.serves(other)
    for other in (back.bfloat16(), torch._neg_view(back), fake.from_tensor(back), zeros(x.shape)):
        assert not of.serves(x, other)
    with fake:
        assert not of.serves(x, back)
    assert of.serves(x.bfloat16())
    monkeypatch.setattr(_attention, "_multiplies_tiles", lambda: True)
    assert not of.serves(x.bfloat16())
    assert of.serves(x)


def test_memory_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    of, core = simple(2), _attention._core()
    assert core is not None
    for name, pointers in (("attention_forward", 4), ("attention_backward", 5)):
        assert getattr(core, name)(*[None] * pointers, 1 << 50, 1, 2, 0, 0) == 1
        assert getattr(core, name)(*[None] * pointers, 1 << 5, 1, 2, 0, 0) == 0
    full = SimpleNamespace(attention_forward=lambda *_: 1, attention_backward=lambda *_: 1)
    monkeypatch.setattr(_attention, "_core", lambda: full)
    x, back = drawn(of, 1, 4, torch.float32)
    with pytest.raises(MemoryError, match="no memory for attention between 4 tokens"):
        of.forward(x)
    with pytest.raises(MemoryError, match="no memory for attention between 4 tokens"):
        of.backward(x, back)
