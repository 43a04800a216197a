"""Image lists of many permutations, kept as products of few."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

#: Up to this many images all lists are stored (16 MB); beyond, two short lists of factors.
STORED_LIMIT = 1 << 22

#: Lists of at most this many points are stored in any case: to look for factors takes longer.
FEW_POINTS = 512

#: Images of temporary arrays (0.5 MB as int32).
IMAGES_AT_ONCE = 1 << 17


def is_stored(count: int, degree: int) -> bool:
    """Whether so many image lists are all stored."""
    return degree <= FEW_POINTS or count * degree <= STORED_LIMIT


class ImageLists:
    """Permutations `a = outer[i] inner[j]`, known by the pair `(i, j)`: baby and giant steps.

    Ten thousand permutations of ten thousand points are products of a few hundred: memory that is
    not touched costs no time.

    Args:
        outer: Image lists, int32, shape `(m, degree)`; all permutations if there is no `inner`.
        inner: Image lists, int32, shape `(k, degree)`; None for the identity alone.
        places: Numbers `i` and `j` of each permutation, shape `(2, count)`, if there is `inner`.

    Cost:
        O((m + k) * degree + count) memory; two gathers per image.

    References:
        Shanks, "Class number, a theory of factorization, and genera", Proc. Symp. Pure Math. 20
        (1971): the elements of a group as products of baby and giant steps.

    Examples:
        >>> shifts = np.array([[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1]])
        >>> turns = ImageLists(shifts[[0, 2]], shifts[:2], np.divmod(np.arange(4), 2))
        >>> turns.at(3, np.arange(4)).tolist(), turns.inverses_at(np.array([0])).ravel().tolist()
        ([3, 0, 1, 2], [0, 3, 2, 1])
    """

    def __init__(
        self,
        outer: np.ndarray,
        inner: np.ndarray | None = None,
        places: np.ndarray | tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        self._outer, self._inner = np.asarray(outer, dtype=np.int32), None
        if inner is not None:
            self._inner = np.asarray(inner, dtype=np.int32)
            self._places = np.asarray(places, dtype=np.intp)

    def __len__(self) -> int:
        return len(self._outer) if self._inner is None else self._places.shape[1]

    @property
    def degree(self) -> int:
        """Number of points."""
        return self._outer.shape[1]

    def at(self, a: np.ndarray | int, points: np.ndarray | int) -> np.ndarray:
        """Images of points under permutations, both by their numbers and broadcast together."""
        if self._inner is None:
            return self._outer[a, points]
        i, j = self._places
        return self._outer[i[a], self._inner[j[a], points]]

    def columns(self, points: np.ndarray) -> np.ndarray:
        """Images of points under all permutations, int32, shape `(count, points)`."""
        if self._inner is None:
            return self._outer[:, points]
        return self.at(np.arange(len(self))[:, None], points)

    def inverses_at(self, points: np.ndarray) -> np.ndarray:
        """Images of points under the inverses of all permutations, shape `(count, points)`."""
        if self._inner is not None:
            i, j = self._places[:, :, None]
            return inverted(self._inner)[j, inverted(self._outer)[i, points]]
        images = np.empty((len(self), len(points)), dtype=np.int32)
        for some in self._parts():
            for column, point in enumerate(points):
                images[some, column] = (self._outer[some] == point).argmax(axis=1)
        return images

    def rows(self, a: np.ndarray | int | slice) -> np.ndarray:
        """Image lists of some permutations, int32, with the points as last axis."""
        if self._inner is None:
            return self._outer[a]
        i, j = self._places[:, a]
        return np.take_along_axis(self._outer[i], self._inner[j], axis=-1)

    def stored(self) -> np.ndarray:
        """All image lists, int32, shape `(count, degree)`."""
        if self._inner is None:
            return self._outer
        every = np.empty((len(self), self.degree), dtype=np.int32)
        for some in self._parts():
            every[some] = self.rows(some)
        return every

    def _parts(self) -> Iterator[slice]:
        """All permutations, a few at a time."""
        size = max(1, IMAGES_AT_ONCE // self.degree)
        for start in range(0, len(self), size):
            yield slice(start, start + size)

    def chosen(self, a: np.ndarray) -> ImageLists:
        """Some of the permutations, in the given order."""
        if self._inner is None or is_stored(len(a), self.degree):
            return ImageLists(self.rows(a))
        return ImageLists(self._outer, self._inner, self._places[:, a])

    def factors(self, stored_inside: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The arguments of `ImageLists`; lists that are all stored stand on the side asked for."""
        if self._inner is not None:
            return self._outer, self._inner, self._places
        identity, every = np.arange(self.degree, dtype=np.int32)[None], np.arange(len(self))
        zeros = np.zeros_like(every)
        if stored_inside:
            return identity, self._outer, np.stack([zeros, every])
        return self._outer, identity, np.stack([every, zeros])


def inverted(rows: np.ndarray) -> np.ndarray:
    """Inverses of image lists."""
    inverses = np.empty_like(rows)
    np.put_along_axis(inverses, rows, np.arange(rows.shape[1], dtype=np.int32)[None], axis=1)
    return inverses


def side_by_side(left: ImageLists, right: ImageLists) -> ImageLists:
    """Pairs `(a, b)`, number `a * len(right) + b`, on the points of `left` and then of `right`."""
    if is_stored(len(left) * len(right), left.degree + right.degree):
        return ImageLists(_pairs(left.stored(), right.stored()))
    first, second = left.factors(), right.factors(stored_inside=True)
    outer, inner = (_pairs(x, y) for x, y in zip(first[:2], second[:2], strict=True))
    numbers = np.array([len(second[0]), len(second[1])])[:, None, None]
    places = first[2][:, :, None] * numbers + second[2][:, None, :]
    return ImageLists(outer, inner, places.reshape(2, -1))


def _pairs(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """All image lists of one array beside all of another, the left one leading."""
    degree = left.shape[1]
    pairs = np.empty((len(left), len(right), degree + right.shape[1]), dtype=np.int32)
    pairs[..., :degree], pairs[..., degree:] = left[:, None], right + degree
    return pairs.reshape(-1, pairs.shape[2])


def times_powers(transversal: np.ndarray, r: np.ndarray, order: int) -> ImageLists:
    """The permutations `t_e r^k`, `k < order`, numbered `e * order + k`.

    Args:
        transversal: Image lists of the `t_e`, shape `(count, degree)`.
        r: An image list.
        order: How many powers of it.
    """
    count, degree = order * len(transversal), len(r)
    if is_stored(count, degree):
        every = transversal.astype(np.int32).take(_powers(r, order), axis=1)
        return ImageLists(every.reshape(count, degree))
    baby = _powers(r, math.isqrt(count))
    giant = _powers(baby[-1][r], -(-order // len(baby)))
    e, k = np.divmod(np.arange(count), order)
    q, j = np.divmod(k, len(baby))
    outer = transversal[:, giant].reshape(-1, degree)
    return ImageLists(outer, baby, np.stack([e * len(giant) + q, j]))


def _powers(r: np.ndarray, count: int) -> np.ndarray:
    """Image lists of `r^0, r^1, ...`, by doubling."""
    powers, done = np.empty((count, len(r)), dtype=np.int32), 1
    powers[0] = np.arange(len(r))
    while done < count:
        powers[done : 2 * done] = powers[: count - done][:done, r]
        r, done = r[r], 2 * done
    return powers
