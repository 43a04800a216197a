"""Cosines and sines of rational angles, in floats and modulo a prime."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._cyclotomic_fields import conductor, reduction
from irrepnet.reps._modular import lcm, root_powers


@lru_cache(maxsize=256)
def circle(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of `2 pi k / order`; 0, 1/2 and 1 exactly, symmetric to the last bit.

    Examples:
        >>> circle(4)[0].tolist(), circle(12)[1][1]
        ([1.0, 0.0, -1.0, 0.0], np.float64(0.5))
    """
    quarter, rest = np.divmod(4 * np.arange(order), order)
    low = np.minimum(rest, order - rest)  # angle (pi/2) low / order in the first octant
    cos, sin = np.cos(np.pi / 2 * low / order), np.sin(np.pi / 2 * low / order)
    sin[3 * low == order] = 0.5
    sin[2 * low == order] = cos[2 * low == order]
    cos, sin = np.where(rest == low, cos, sin), np.where(rest == low, sin, cos)
    turned_cos = np.choose(quarter, [cos, -sin, -cos, sin]) + 0.0
    turned_sin = np.choose(quarter, [sin, cos, -sin, -cos]) + 0.0
    turned_cos.setflags(write=False)
    turned_sin.setflags(write=False)
    return turned_cos, turned_sin


def circle_modulo(order: int, p: int, root: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of `2 pi k / order` modulo a prime `p = 1 (mod lcm(4, order))`."""
    powers = root_powers(p, root, order)
    inverses, half = powers[-np.arange(order) % order], (p + 1) // 2
    imaginary = int(root_powers(p, root, 4)[1])
    return (powers + inverses) * half % p, (inverses - powers) * half % p * imaginary % p


@lru_cache(maxsize=256)
def circle_exactly(order: int) -> tuple[Cyclotomic, Cyclotomic]:
    """Cosines and sines of `2 pi k / order` in the smallest cyclotomic field that holds them all.

    Examples:
        >>> cos, sin = circle_exactly(3)
        >>> cos.order, cos[1].to_sympy(), sin[1].to_sympy()
        (12, -1/2, sqrt(3)/2)
    """
    big = lcm(4, order)
    k, quarter = np.arange(order) * (big // order), big // 4
    counts = np.zeros((2, order, big), dtype=np.int64)
    rows = np.arange(order)
    for sign in (1, -1):  # 2 cos = z + 1/z, 2 sin = (z - 1/z) / i
        np.add.at(counts[0], (rows, sign * k % big), 1)
        np.add.at(counts[1], (rows, (sign * k - quarter) % big), sign)
    smallest, vectors = conductor(big, counts @ reduction(big))
    both = Cyclotomic(smallest, vectors, 2)
    return both[0], both[1]
