"""Cyclotomic integers as sympy expressions that a person would write."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import sympy

from irrepnet.reps._cyclotomic_fields import conductor, galois_matrix, reduction


def number(counts: np.ndarray) -> sympy.Expr:
    """`sum_j counts[j] exp(2 pi i j / n)` in sympy, `n` the number of counts.

    Integers and quadratic irrationals in radicals, other real numbers as cosines, the rest as
    exponentials.

    Examples:
        >>> number([0, 0, -1, -1, 0]), number([0, 1, 1, 0, 1, 0, 0])
        (1/2 + sqrt(5)/2, -1/2 + sqrt(7)*I/2)
        >>> number([0, 1, 0, 0, 0, 0, 1]), number([0, 1, 0, 0, 0])
        (2*cos(2*pi/7), exp(2*I*pi/5))
    """
    return _number(tuple(int(c) for c in counts))


@lru_cache(maxsize=4096)
def _number(counts: tuple[int, ...]) -> sympy.Expr:
    order = len(counts)
    smallest, vector = conductor(order, np.array(counts, dtype=object) @ reduction(order))
    if smallest == 1:
        return sympy.Integer(int(vector[0]))
    radical = _quadratic(smallest, vector)
    if radical is not None:
        return radical
    spread = np.zeros(smallest, dtype=object)
    spread[: len(vector)] = vector
    shorter = min(
        (_without_zero_sums(c) for c in (np.array(counts, dtype=object), spread)), key=_weight
    )
    terms = [(c, sympy.Rational(2 * j, len(shorter))) for j, c in enumerate(shorter) if c]
    if (vector @ galois_matrix(smallest, smallest - 1) == vector).all():
        return sympy.Add(*(c * sympy.cos(sympy.pi * t) for c, t in terms))
    return sympy.Add(*(c * sympy.exp(sympy.I * sympy.pi * t) for c, t in terms))


def _weight(counts: np.ndarray) -> int:
    return sum(abs(int(c)) for c in counts)


def _without_zero_sums(counts: np.ndarray) -> np.ndarray:
    """Take out full sets of `p`-th roots of unity, whose sum is 0, as often as they occur."""
    n = len(counts)
    for p in sympy.primefactors(n):
        cosets = counts.reshape(int(p), -1)  # column: j, j + n/p, j + 2n/p, ...
        common = np.where((cosets > 0).all(axis=0), cosets.min(axis=0), 0)
        common = np.where((cosets < 0).all(axis=0), cosets.max(axis=0), common)
        counts = (cosets - common).ravel()
    return counts


def _quadratic(order: int, vector: np.ndarray) -> sympy.Expr | None:
    """`a + b sqrt(D)` if the number has exactly two Galois conjugates."""
    conjugates = {tuple(vector.tolist()): None}
    for a in range(2, order):
        if math.gcd(a, order) == 1:
            conjugates[tuple((vector @ galois_matrix(order, a)).tolist())] = None
            if len(conjugates) > 2:
                return None
    other = np.array(list(conjugates)[1], dtype=object)
    trace, difference = vector + other, vector - other
    square = 0  # of the difference: rational, so the product of the polynomials folds to it
    for i, x in enumerate(difference):
        for j, y in enumerate(difference):
            square += int(x) * int(y) * int(reduction(order)[(i + j) % order, 0])
    angles = 2 * np.pi * np.arange(len(vector)) / order
    imaginary = square < 0
    value = float(difference.astype(float) @ (np.sin(angles) if imaginary else np.cos(angles)))
    root = sympy.sqrt(square) if value > 0 else -sympy.sqrt(square)
    return sympy.Rational(int(trace[0]), 2) + root / 2
