import itertools

import pytest

from irrepnet import actions
from irrepnet._errors import GridError, SpecError
from irrepnet.types import FeatureType, check_points, check_preserves, convolved_grid, tiled_grid
from tests.types.groups import group


def windows(
    action: actions.ImageAction, size: tuple, kernel: tuple, stride: tuple, padding: tuple
) -> bool:
    """Whether every element maps the set of windows to itself, by brute force."""
    counts = [(n + 2 * p - k) // s + 1 for n, k, s, p in zip(size, kernel, stride, padding,
                                                             strict=True)]  # fmt: skip
    found = set()
    for cell in itertools.product(*map(range, counts)):
        first = [c * s - p for c, s, p in zip(cell, stride, padding, strict=True)]
        found.add(tuple((2 * f, 2 * (f + k)) for f, k in zip(first, kernel, strict=True)))
    for matrix in action.matrices:
        for window in found:
            moved = []
            for row in matrix:
                axis = 0 if row[0] else 1
                ends = [row[axis] * (end - size[axis]) for end in window[axis]]
                moved.append(tuple(sorted(ends)))
            out = tuple((a + n, b + n) for (a, b), n in zip(moved, size, strict=True))
            if out not in found:
                return False
    return True


@pytest.mark.parametrize("name", ["trivial", "flop", "vflip", "rot180", "C4", "D4", "transpose"])
def test_convolutions_against_brute_force(name: str) -> None:
    action = actions.image(name)
    legal = 0
    for n, k, s, p in itertools.product(range(3, 8), range(1, 4), range(1, 4), range(2)):
        for width in (n, n + 1):
            arguments = ((n, width), (k, k), (s, s), (p, p))
            if not action.preserves(n, width):
                continue
            if windows(action, *arguments):
                legal += 1
                rows, columns = convolved_grid(action, *arguments)
                assert (rows, columns) == (
                    (n + 2 * p - k) // s + 1,
                    (width + 2 * p - k) // s + 1,
                )
            else:
                with pytest.raises(GridError, match=r"reverses the (height|width) of \d+, but wi"):
                    convolved_grid(action, *arguments)
    assert legal > 20


def test_advice_is_legal() -> None:
    action = actions.image("flop")
    with pytest.raises(
        GridError, match=r"leave 1 over at one end: expected a width of 7 or 9, or a kernel of 4\."
    ):
        convolved_grid(action, (8, 8), (3, 3), (2, 2), (0, 0))
    for width, kernel in ((7, 3), (9, 3), (8, 4)):
        convolved_grid(action, (8, width), (3, kernel), (2, 2), (0, 0))


def test_tiles() -> None:
    assert tiled_grid(actions.image("flop"), (6, 9), (2, 3)) == (3, 3)
    assert tiled_grid(actions.image("D4"), (9, 9), (3, 3)) == (3, 3)


@pytest.mark.parametrize(
    ("size", "window", "advice"),
    [((5, 4), (2, 2), "4 x 4"), ((4, 7), (2, 3), "4 x 6"), ((2, 2), (4, 4), "4 x 4")],
)
def test_windows_that_do_not_tile(size: tuple, window: tuple, advice: str) -> None:
    with pytest.raises(GridError, match=f"windows of .* do not tile a grid of .* such as {advice}"):
        tiled_grid(actions.image("flop"), size, window)


def test_grids_that_are_not_preserved() -> None:
    with pytest.raises(
        GridError, match="'C4' exchanges rows and columns, so it does not preserve a"
    ):
        check_preserves(actions.image("C4"), "stride", (1, 2))
    with pytest.raises(GridError, match="not preserve a window of 1 x 2: expected a square window"):
        tiled_grid(actions.image("C4"), (4, 4), (1, 2))
    with pytest.raises(
        GridError, match="not preserve a token grid of 2 x 3: expected a square tok"
    ):
        tiled_grid(actions.image("D4"), (4, 6), (2, 2))
    for what, arguments in {
        "grid": ((4, 6), (3, 3), (1, 1), (1, 1)),
        "kernel": ((4, 4), (1, 3), (1, 1), (1, 1)),
        "stride": ((4, 4), (1, 1), (1, 3), (0, 0)),
        "padding": ((4, 4), (1, 1), (1, 1), (0, 1)),
    }.items():
        with pytest.raises(GridError, match=f"does not preserve a {what} of"):
            convolved_grid(actions.image("C4"), *arguments)


def test_sizes_that_are_none() -> None:
    action = actions.image("flop")
    for arguments in (
        ((0, 4), (1, 1), (1, 1), (0, 0)),
        ((4, 4), (0, 1), (1, 1), (0, 0)),
        ((4, 4), (1, 1), (1, 0), (0, 0)),
        ((4, 4), (1, 1), (1, 1), (-1, 0)),
    ):
        with pytest.raises(GridError, match="expected positive sizes and strides and padding >= 0"):
            convolved_grid(action, *arguments)
    with pytest.raises(
        GridError, match="a kernel of 7 x 7 does not fit on a grid of 4 x 4 with pa"
    ):
        convolved_grid(action, (4, 4), (7, 7), (1, 1), (1, 1))


def test_tokens_of_another_group() -> None:
    points = actions.image("flop").on_grid(2, 2)
    check_points(FeatureType(group("flop"), "sym"), points)
    with pytest.raises(
        SpecError, match=r"permuted by flop \('flop on 2 x 2'\), and the channels 1"
    ):
        check_points(FeatureType(group("D4"), "A1"), points)
