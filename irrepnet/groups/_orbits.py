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
        O(maps * size) per pass; passes grow with the logarithm of the size in practice.

    References:
        Shiloach and Vishkin, "An O(log n) parallel connectivity algorithm", J. Algorithms 3 (1982):
        labels of points that are joined take the lower label of the two.

    Examples:
        >>> least_in_orbit([np.array([1, 0, 3, 2])], 4).tolist()
        [0, 0, 2, 2]
    """
    least, maps = np.arange(size), list(maps)
    while True:
        lower = least.copy()
        for images in maps:
            moved = least[images]
            np.minimum.at(lower, np.maximum(least, moved), np.minimum(least, moved))
        while ((label := lower[lower]) != lower).any():  # labels are points of the orbit too
            lower = label
        if (lower == least).all():
            return least
        least = lower
