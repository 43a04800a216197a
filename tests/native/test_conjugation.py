from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from irrepnet import groups
from irrepnet.groups import Group
from irrepnet.nn._straight_line import StraightLine, straight_line
from irrepnet.nn.native import Conjugation, Shift, _conjugation, _conjugation_text
from irrepnet.types import GSetType
from tests.native.oracles import assert_rounded, between_irreps, conjugated, rows_of

#: For each group pairs of a stabiliser's order and a number of orbits. The dtypes: every kernel
#: takes a moment to compile, and what differs between dtypes is how numbers are read and written.
CASES: dict[str, tuple[tuple[tuple[int, int], ...], tuple[torch.dtype, ...]]] = {
    "trivial": (((1, 33),), (torch.float32, torch.bfloat16)),
    "flop": (((1, 17), (2, 31)), (torch.float32, torch.bfloat16)),
    "C4": (((1, 16), (2, 17), (4, 19)), (torch.float32,)),
    "D4": (((1, 31), (2, 16), (8, 20)), (torch.float32, torch.bfloat16)),
    "Q8": (((1, 100), (2, 16)), (torch.float32, torch.bfloat16)),
    "C3xD3": (((2, 16), (3, 21)), (torch.float32,)),
    "C2xC2xC2xC2": (((1, 18),), (torch.float32,)),
    "A5": (((12, 16), (10, 17)), (torch.float32,)),
}
WITH_DTYPES = [(name, dtype) for name, (_, dtypes) in CASES.items() for dtype in dtypes]


def subgroup(G: Group, order: int) -> tuple[int, ...]:
    return next(H.elements for H in G.subgroup_classes if H.order == order)


@cache
def kernels(name: str) -> tuple[int, tuple[Conjugation, ...]]:
    """Number of channels and one kernel for each kind of orbit."""
    G = groups.parse(name)
    gset = GSetType(G, tuple((subgroup(G, order), count) for order, count in CASES[name][0]))
    return gset.feature_type.dim, tuple(map(between_irreps, gset.runs))


def flop(copies: int) -> Conjugation:
    (run, _) = kernels("flop")[1]
    return replace(run, copies=copies, sources=(0, copies), targets=(0, copies))


def written(
    pieces: tuple[Conjugation, ...], function: str, out: Tensor, *inputs: Tensor
) -> tuple[Tensor, Tensor]:
    """What kernels leave in `out`, and what loops in float64 do."""
    expected = out
    for kernel in pieces:
        expected = conjugated(kernel, function, expected, *inputs)
    for kernel in pieces:
        assert kernel.serves(function, out, *inputs)
        kernel.write(function, out, *inputs)
    return out, expected


@pytest.mark.parametrize(("name", "dtype"), WITH_DTYPES)
def test_every_group(name: str, dtype: torch.dtype) -> None:
    """Types R, C and H, several kinds of orbits, up to 16 points."""
    dim, pieces = kernels(name)
    x, back = (2 * torch.randn(2, 7, dim)).to(dtype)
    for inputs in ((x,), (x, back)):
        out = torch.full_like(x, torch.nan)  # every channel is written
        assert_rounded(*written(pieces, "gelu", out, *inputs))
        own = [t.clone() for t in inputs]  # over the last input
        expected = conjugated_all(pieces, own)
        for kernel in pieces:
            kernel.write("gelu", own[-1], *own)
        assert torch.equal(own[-1], out)
        assert_rounded(own[-1], expected)


def conjugated_all(pieces: tuple[Conjugation, ...], inputs: list[Tensor]) -> Tensor:
    out = inputs[-1].double()
    for kernel in pieces:
        out = conjugated(kernel, "gelu", out, *[t.clone() for t in inputs])
    return out


@pytest.mark.parametrize(("vectors", "repeat"), [(1, 1), (2, 3), (3, 2), (6, 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_vectors_added_to_rows(vectors: int, repeat: int, dtype: torch.dtype) -> None:
    """Each to `repeat` rows, from the first again, whichever thread has the row."""
    dim, pieces = kernels("flop")
    x = torch.randn(12 * 200, dim).to(dtype)
    added = torch.randn(vectors, dim).to(dtype)
    places = [row // repeat % vectors for row in range(len(x))]
    expected = conjugated_all(pieces, [x.double() + added.double()[places]])
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            out, own = torch.full_like(x, torch.nan), x.clone()
            for kernel in pieces:
                kernel.write("gelu", out, x, shift=Shift(added, repeat))
                kernel.write("gelu", own, own, shift=Shift(added, repeat))
            assert_rounded(out, expected)
            assert torch.equal(own, out)
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("function", _conjugation.FUNCTIONS[1:])
def test_every_function_between_transforms(function: str) -> None:
    x, back = torch.randn(2, 5, 62)
    for inputs in ((x,), (x, back)):
        assert_rounded(*written((flop(31),), function, torch.empty_like(x), *inputs))


@pytest.mark.parametrize(
    ("name", "dtype"), [("flop", torch.float32), ("Q8", torch.bfloat16), ("C3xD3", torch.float32)]
)
def test_plain_transforms(name: str, dtype: torch.dtype) -> None:
    """One way only, to other channels, and the inverse of it."""
    dim, pieces = kernels(name)
    x = torch.randn(6, dim).to(dtype)
    points, again = torch.full_like(x, torch.nan), torch.full_like(x, torch.nan)
    start, ways = 0, []
    for kernel in pieces:
        size = len(kernel.sources)
        places = tuple(start + k * kernel.copies for k in range(size))
        same = rows_of(np.eye(size))
        ways.append(
            (
                replace(kernel, leave=same, targets=places),
                replace(kernel, enter=kernel.leave, leave=same, sources=places),
            )
        )
        start += size * kernel.copies
    assert_rounded(*written(tuple(down for down, _ in ways), "none", points, x))
    written(tuple(up for _, up in ways), "none", again, points)
    assert (again - x).abs().max() < {torch.float32: 1e-5, torch.bfloat16: 0.1}[dtype]


@pytest.mark.parametrize("rows", [0, 1, 2, 65])
@pytest.mark.parametrize("copies", [16, 17, 31, 100])
def test_any_number_of_rows_and_copies(rows: int, copies: int) -> None:
    x, back = torch.randn(2, rows, 2 * copies)
    for inputs in ((x,), (x, back)):
        assert_rounded(*written((flop(copies),), "gelu", torch.empty_like(x), *inputs))


def test_rows_of_wider_tensors() -> None:
    """Channels and rows around those of the kernel are neither read nor written."""
    wide = [torch.full((9, n), torch.nan) for n in (40, 53, 77)]
    x, back, out = wide[0][1:5, 5:39], wide[1][:8:2, 9:43], wide[2][2:6, 40:74]
    for t in (x, back):
        t.normal_()
    for inputs in ((x,), (x, back)):
        out.fill_(torch.nan)
        assert_rounded(*written((flop(17),), "gelu", out, *inputs))
        assert wide[2].isnan().sum() == wide[2].numel() - out.numel()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_threads_change_nothing(dtype: torch.dtype) -> None:
    kernel = flop(100)
    x, back = torch.randn(2, 1501, 200).to(dtype)
    results = []
    try:
        for threads in (1, 2, 3, 2):
            torch.set_num_threads(threads)
            for inputs in ((x,), (x, back)):
                out = torch.full_like(x, torch.nan)
                kernel.write("gelu", out, *inputs)
                results.append(out)
    finally:
        torch.set_num_threads(1)
    for k, out in enumerate(results):
        assert torch.equal(out, results[k % 2])
    assert_rounded(results[0], conjugated(kernel, "gelu", x, x))


@pytest.mark.parametrize(
    ("function", "dtype"),
    [*((f, torch.float32) for f in _conjugation.FUNCTIONS[1:]), ("gelu", torch.bfloat16)],
)
def test_a_mirrored_input_gives_the_mirrored_output_bit_for_bit(
    function: str, dtype: torch.dtype
) -> None:
    """The two points change places; no rounding tells them apart."""
    sign = torch.ones(200).index_fill(0, torch.arange(100, 200), -1).to(dtype)
    x, back = (3 * torch.randn(2, 500, 200)).to(dtype)
    for inputs in ((x,), (x, back)):
        here, there = torch.empty_like(x), torch.empty_like(x)
        flop(100).write(function, here, *inputs)
        flop(100).write(function, there, *(t * sign for t in inputs))
        assert torch.equal(there, here * sign)


def test_what_is_not_served() -> None:
    kernel, x = flop(16), torch.randn(3, 32)
    assert kernel.serves("gelu", x)
    assert not flop(15).serves("gelu", torch.randn(3, 30))  # vectors would not be filled
    assert not kernel.serves("tanh", x)
    assert not kernel.serves("gelu", x.double())
    assert not kernel.serves("gelu", x.half())
    assert not kernel.serves("gelu", x, x.bfloat16())
    assert not kernel.serves("gelu", torch.randn(32, 3).t())
    assert not kernel.serves("gelu", torch.randn(1).expand(3, 32))
    assert not kernel.serves("gelu", x.to("meta"))
    assert not kernel.serves("gelu", torch._neg_view(x))
    same = rows_of(np.eye(17))
    places = tuple(range(0, 17 * 16, 16))
    assert not Conjugation(same, same, 16, places, places).serves("gelu", torch.randn(3, 272))


def test_a_wrong_sign_in_the_text_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of all of the above."""

    def wrong(matrix: np.ndarray) -> StraightLine:
        found = straight_line(matrix)
        *before, (i, j, factor) = found.steps
        return replace(found, steps=(*before, (i, j, -factor)))

    monkeypatch.setattr(_conjugation_text, "straight_line", wrong)
    _conjugation._kernel.cache_clear()
    try:
        x = torch.randn(4, 62)
        got, expected = written((flop(31),), "silu", torch.empty_like(x), x)
    finally:
        _conjugation._kernel.cache_clear()
    with pytest.raises(AssertionError, match="off by"):
        assert_rounded(got, expected)
