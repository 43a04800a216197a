"""`StraightLine`: a small matrix times a vector, written out in few additions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Entries and ratios closer than this are one number; bases are exact to about 1e-15.
_DIGITS = 12

#: A pair of registers and the second one's factor.
Step = tuple[int, int, float]


@dataclass(frozen=True)
class StraightLine:
    """`y = M x` as a list of additions of two registers: a butterfly, where `M` has one.

    The registers are first the inputs; every step appends `register[i] + factor * register[j]`.

    Attributes:
        steps: Triples `(i, j, factor)`.
        outputs: For each coordinate of `y` a register and its factor.
    """

    steps: tuple[Step, ...]
    outputs: tuple[tuple[int, float], ...]


def straight_line(matrix: np.ndarray) -> StraightLine:
    """Write a product with a fixed matrix out, sums that several rows hold being made once.

    Greedy: the pair of registers that stands in most rows, up to a factor, is added first. On a
    group's Fourier transform this finds the butterflies: 20 additions for D4's eight points and 64
    for the sixteen of C2^4, where the products written out have 56 and 240.

    Args:
        matrix: Of shape `(rows, columns)`, without empty rows.

    Cost:
        At most `rows * (columns - 1)` additions come out. Finding them takes
        `O(additions * rows * columns^2)` operations.

    References:
        Paar, *Optimized arithmetic for Reed-Solomon encoders*, ISIT 1997 (the greedy choice).

    Examples:
        >>> straight_line(np.array([[0.5, 0.5], [0.5, -0.5]]))
        StraightLine(steps=((0, 1, 1.0), (0, 1, -1.0)), outputs=((2, 0.5), (3, 0.5)))
    """
    rows = [{j: float(v) for j, v in enumerate(row) if abs(v) > 1e-12} for row in matrix]
    assert all(rows), "expected no empty row"
    steps: list[Step] = []
    while any(len(row) > 1 for row in rows):
        step = _most_common(rows)
        register = matrix.shape[1] + len(steps)
        steps.append(step)
        for row in rows:
            if _holds(row, step):
                row[register] = row.pop(step[0])
                del row[step[1]]
    return StraightLine(tuple(steps), tuple(next(iter(row.items())) for row in rows))


def _most_common(rows: list[dict[int, float]]) -> Step:
    """The pair, up to a factor, that stands in most rows; the first of them."""
    counts: dict[Step, int] = {}
    for row in rows:
        for step in _pairs(row):
            counts[step] = counts.get(step, 0) + 1
    return max(counts, key=lambda step: counts[step])


def _pairs(row: dict[int, float]) -> list[Step]:
    """Every pair of a row's registers; the one with the larger entry comes first."""
    found = []
    for i in row:
        for j in row:
            ratio = row[j] / row[i]
            # Of two entries of one size the earlier register leads, so that each pair counts once.
            leads = abs(ratio) < 1 - 1e-12 or (abs(ratio) < 1 + 1e-12 and i < j)
            if i != j and leads:
                found.append((i, j, round(ratio, _DIGITS)))
    return found


def _holds(row: dict[int, float], step: Step) -> bool:
    i, j, ratio = step
    return i in row and j in row and round(row[j] / row[i], _DIGITS) == ratio
