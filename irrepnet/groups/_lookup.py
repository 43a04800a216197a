"""From an image list to the element that has it."""

from __future__ import annotations

import math
from itertools import count

import numpy as np

from irrepnet.groups._image_lists import ImageLists

#: Direct tables are used up to this many slots per element; beyond, binary search.
SLOTS_PER_ELEMENT = 32

#: Below this many slots, keys are mixed-radix numbers without wrap-around.
KEY_LIMIT = 1 << 62


class Lookup:
    """Finds elements of a permutation group by their images of a base.

    A base is a list of points that only the identity fixes, so the images of the base name an
    element. They are packed into one integer key, which a table or a sorted list turns into the
    element's number.

    Args:
        elements: Image lists of all elements, the identity first.

    Cost:
        O(order * base length + degree) to build; O(base length), and log(order) if keys are sparse,
        per query.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 4.1 (bases).

    Examples:
        >>> elements = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]])
        >>> find = Lookup(ImageLists(elements))
        >>> find.base.tolist(), find.base_images.tolist(), find(elements[:, find.base]).tolist()
        ([0], [[0], [1], [2]], [0, 1, 2])
    """

    def __init__(self, elements: ImageLists) -> None:
        order, degree = len(elements), elements.degree
        self.base = _base(elements)
        #: Images of the base under all elements, int32, shape `(order, base length)`.
        self.base_images = images = elements.columns(self.base)
        self._codes = np.zeros((len(self.base), degree), dtype=np.int64)
        sizes = []
        for codes, column in zip(self._codes, images.T, strict=True):
            orbit = np.flatnonzero(np.bincount(column, minlength=degree))
            codes[orbit] = np.arange(len(orbit))
            sizes.append(len(orbit))
        self._table = None
        slots = math.prod(sizes)
        if slots < KEY_LIMIT:
            weights = [math.prod(sizes[j + 1 :]) for j in range(len(sizes))]
            self._codes *= np.array(weights, dtype=np.int64).reshape(-1, 1)
            if slots <= SLOTS_PER_ELEMENT * order + 1024:
                self._table = np.zeros(slots, dtype=np.int32)
                self._table[self._key(images)] = np.arange(order)
                return
        for seed in count():
            keys = self._key(images)
            self._order = np.argsort(keys).astype(np.int32)
            self._keys = keys[self._order]
            if (self._keys[1:] != self._keys[:-1]).all():
                return
            # Too many slots for 64 bits, so keys wrapped around and collided: other weights.
            odd = 2 * np.random.default_rng(seed).integers(1 << 61, size=len(sizes)) + 1
            self._codes *= odd[:, None]

    def _key(self, images: np.ndarray) -> np.ndarray:
        key = np.zeros(images.shape[:-1], dtype=np.int64)
        for j, codes in enumerate(self._codes):
            key += codes[images[..., j]]
        return key

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Elements with the given images of the base (last axis), int32; trusted to exist."""
        key = self._key(images)
        if self._table is not None:
            return self._table[key]
        position = np.searchsorted(self._keys, key)
        return self._order[np.minimum(position, len(self._keys) - 1)]


def _base(elements: ImageLists) -> np.ndarray:
    """The lexicographically first base: each next point is the first that the rest still move."""
    base, rest, point = [], np.arange(len(elements)), 0
    while len(rest) > 1:
        while (elements.at(rest, point) == point).all():
            point += 1
        base.append(point)
        rest = rest[elements.at(rest, point) == point]
    return np.array(base, dtype=np.int64)
