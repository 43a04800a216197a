"""Integer arithmetic in cyclotomic fields."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from sympy import Poly, cyclotomic_poly, symbols


@lru_cache(maxsize=256)
def reduction(n: int) -> np.ndarray:
    """Powers of `zeta_n` in the basis `1, zeta, ..., zeta^(phi(n)-1)`, int64 `(n, phi(n))`.

    References:
        Washington, *Introduction to Cyclotomic Fields*, Thm. 2.5.

    Examples:
        >>> reduction(3).tolist()
        [[1, 0], [0, 1], [-1, -1]]
    """
    polynomial = Poly(cyclotomic_poly(n, symbols("x")), symbols("x")).all_coeffs()[::-1]
    tail = -np.array([int(c) for c in polynomial[:-1]], dtype=np.int64)
    degree = len(tail)
    table = np.zeros((n, degree), dtype=np.int64)
    table[0, 0] = 1
    for k in range(1, n):
        table[k, 1:] = table[k - 1, :-1]
        table[k] += table[k - 1, -1] * tail
    table.setflags(write=False)
    return table
