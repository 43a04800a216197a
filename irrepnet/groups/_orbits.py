"""Orbits of permutations of `0 .. n-1`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def least_in_orbit(maps: Iterable[np.ndarray], size: int) -> np.ndarray:
    """Least point in the orbit of every point under the group that the permutations generate.

    Args:
        maps: Permutations as image arrays of length `size`.
        size: Number of points.

    Returns:
        Integer array of shape `(size,)`.

    Cost:
        O(maps * size) per pass; passes grow with the logarithm of the longest path in practice.

    Examples:
        >>> least_in_orbit([np.array([1, 0, 3, 2])], 4).tolist()
        [0, 0, 2, 2]
    """
    least, maps = np.arange(size), list(maps)
    while True:
        spread = least
        for images in maps:
            lower = np.minimum(spread, spread[images])
            spread = lower.copy()
            spread[images] = np.minimum(lower[images], lower)
        spread = spread[spread]  # a label lies in the same orbit, so its own label does too
        if (spread == least).all():
            return least
        least = spread
