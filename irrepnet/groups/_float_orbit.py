"""The finite orbit of vectors under float matrices, matched up to rounding."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._closure import ORDER_LIMIT

#: Vectors closer than this are the same point of an orbit.
SAME = 1e-5

#: Different points of an orbit are at least this far apart.
DIFFERENT = 1e-4


def check_orthogonal(matrices: np.ndarray) -> None:
    """Refuse float matrices that are not orthogonal up to rounding.

    Raises:
        GroupError: If a matrix has entries that are not finite or is not orthogonal.
    """
    for number, matrix in enumerate(matrices):
        if not np.isfinite(matrix).all():
            raise GroupError(f"matrix {number} has entries that are not finite numbers.")
        error = np.abs(matrix.T @ matrix - np.eye(len(matrix))).max()
        if error > SAME:
            raise GroupError(
                f"float matrix {number} is not orthogonal: its columns' inner products are off by "
                f"{error:.1e}, more than {SAME}.\n"
                "  Give integers or fractions for matrices that are not orthogonal."
            )


def float_orbit(matrices: np.ndarray) -> np.ndarray:
    """Orthogonal matrices as permutations of the orbits of the standard basis vectors.

    Args:
        matrices: Shape `(count, dim, dim)`.

    Returns:
        Image lists, int32, shape `(count, points)`; points are numbered as they are met.

    Raises:
        GroupError: If the orbits grow too large, or points come so close that rounding might have
            moved them.

    Cost:
        O(count * points * (dim^2 + log points)).

    Examples:
        >>> float_orbit(np.array([[[0.0, -1.0], [1.0, 0.0]]])).tolist()
        [[1, 2, 3, 0]]
    """
    dim = matrices.shape[1]
    points = _Points(dim)
    for vector in np.eye(dim):
        points.number(vector)
    images: list[list[int]] = []
    while len(images) < len(points.vectors):
        moved = matrices @ points.vectors[len(images)]
        images.append([points.number(vector) for vector in moved])
        if len(points.vectors) > ORDER_LIMIT:
            raise GroupError(
                f"the float matrices move the basis vectors to more than {ORDER_LIMIT} points, the "
                "limit: they generate an infinite group or too large a one."
            )
    permutations = np.array(images, dtype=np.int32).T
    for number, row in enumerate(permutations):
        if len(np.unique(row)) < len(row):
            raise GroupError(
                f"float matrix {number} does not permute its orbit: rounding merged two points.\n"
                "  Give its entries to more digits, or exactly."
            )
    return permutations


class _Points:
    """Vectors found so far, kept sorted along a fixed direction for look-up."""

    def __init__(self, dim: int) -> None:
        self.vectors: list[np.ndarray] = []
        # Irrational and of different sizes, so that few vectors share a key.
        direction = np.sqrt(np.arange(2.0, dim + 2)) % 1 + 0.1
        self._direction = direction / np.abs(direction).sum()
        self._keys: list[float] = []
        self._numbers: list[int] = []

    def number(self, vector: np.ndarray) -> int:
        """Number of the point at this vector; a new one if there is none."""
        key = float(self._direction @ vector)
        start = bisect_left(self._keys, key - DIFFERENT)
        stop = bisect_left(self._keys, key + DIFFERENT, lo=start)
        for number in self._numbers[start:stop]:
            distance = np.abs(self.vectors[number] - vector).max()
            if distance <= SAME:
                return number
            if distance < DIFFERENT:
                raise GroupError(
                    f"the float matrices do not generate a finite group that floats can tell: two "
                    f"points of an orbit are only {distance:.1e} apart.\n"
                    "  Give the entries to more digits, or exactly."
                )
        at = bisect_left(self._keys, key)
        self._keys.insert(at, key)
        self._numbers.insert(at, len(self.vectors))
        self.vectors.append(vector)
        return len(self.vectors) - 1
