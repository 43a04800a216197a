"""Linear algebra over a prime field: what makes decisions exact without fractions."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from sympy import isprime, primitive_root

#: Largest modulus for which a product of residues stays exact in float64 with 128 terms or more.
MODULUS_LIMIT = 1 << 22


@lru_cache(maxsize=256)
def splitting_prime(exponent: int, bound: int) -> tuple[int, int]:
    """Smallest prime `p > bound` with `p = 1 (mod exponent)`, and its smallest primitive root.

    `GF(p)` then contains the `exponent`-th roots of unity, hence splits every group of that
    exponent, and `p` does not divide the group's order.

    References:
        Dixon, "High speed computation of group characters", Numer. Math. 10 (1967).

    Examples:
        >>> splitting_prime(12, 100)
        (109, 6)
    """
    p = bound - bound % exponent + 1
    while p <= bound or not isprime(p):
        p += exponent
    root = primitive_root(p)
    assert root is not None, "every prime has one"
    return p, int(root)


@lru_cache(maxsize=256)
def root_powers(p: int, root: int, order: int) -> np.ndarray:
    """Powers `0 .. order-1` of the `order`-th root of unity `root^((p-1)/order)`, int64.

    Examples:
        >>> root_powers(13, 2, 4).tolist()
        [1, 8, 12, 5]
    """
    step = pow(root, (p - 1) // order, p)
    powers = np.ones(order, dtype=np.int64)
    for i in range(1, order):
        powers[i] = powers[i - 1] * step % p
    powers.setflags(write=False)
    return powers


@lru_cache(maxsize=64)
def logarithms(p: int, root: int) -> np.ndarray:
    """Discrete logarithms to the base `root`: `table[root^i] = i`; `table[0] = -1`.

    Examples:
        >>> logarithms(5, 2).tolist()
        [-1, 0, 1, 3, 2]
    """
    table = np.full(p, -1, dtype=np.int64)
    table[root_powers(p, root, p - 1)] = np.arange(p - 1)
    table.setflags(write=False)
    return table


def multiply(a: np.ndarray, b: np.ndarray, p: int) -> np.ndarray:
    """The matrix product `a @ b` modulo `p`, exactly, by float64 BLAS.

    Cost:
        One float64 product, split along the inner axis where a sum could reach 2^53.

    Examples:
        >>> multiply(np.array([[2, 3]]), np.array([[4], [5]]), 7).tolist()
        [[2]]
    """
    terms = max(1, (1 << 53) // (p * p) - 1)
    total = 0
    for start in range(0, max(1, a.shape[-1]), terms):
        left = np.asarray(a[..., start : start + terms], dtype=np.float64)
        right = b[start : start + terms] if b.ndim == 1 else b[..., start : start + terms, :]
        total = total + np.mod(left @ np.asarray(right, dtype=np.float64), p)
    return np.mod(total, p).astype(np.int64)


def pivot_columns(a: np.ndarray, p: int, rank: int | None = None) -> list[int]:
    """The greedy basis of the column space: columns independent of all earlier ones, modulo `p`.

    Args:
        a: Residues, shape `(n, m)`.
        p: Prime below 2^31.
        rank: Stop after so many columns.

    Cost:
        O(n m rank).

    Examples:
        >>> pivot_columns(np.array([[0, 1, 2, 0], [0, 1, 2, 3]]), 5)
        [1, 3]
    """
    work = np.array(a, dtype=np.int64) % p
    pivots: list[int] = []
    limit = min(work.shape) if rank is None else rank
    for column in range(work.shape[1]):
        row = len(pivots)
        if row == limit:
            break
        below = work[row:, column] != 0
        if not below.any():
            continue
        pivot = row + int(below.argmax())
        if pivot != row:
            work[[row, pivot]] = work[[pivot, row]]
        inverse = pow(int(work[row, column]), -1, p)
        factors = work[row + 1 :, column] * inverse % p
        work[row + 1 :, column:] -= factors[:, None] * work[row, column:]
        work[row + 1 :, column:] %= p
        pivots.append(column)
    return pivots


def lcm(*numbers: int) -> int:
    """Least common multiple as a Python integer (numpy integers wrap around)."""
    return math.lcm(*(int(n) for n in numbers))
