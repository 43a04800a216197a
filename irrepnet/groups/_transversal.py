"""One element of every coset of a stabiliser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from irrepnet.groups._image_lists import ImageLists, inverted, is_stored

#: Translates of the baby steps that are compared before one is chosen.
TRANSLATES = 8


class Cosets(NamedTuple):
    """Cosets of the pointwise stabiliser of a base; coset 0 is the stabiliser.

    Attributes:
        action: Images of the cosets under each generator, int64 `(generators, cosets)`.
        words: Products that are used as further steps, numbers of earlier steps from left to right.
        tree: How steps reach the cosets from coset 0, level by level: step, parent and child of
            each edge of a spanning tree.
    """

    action: np.ndarray
    words: Sequence[Sequence[int]]
    tree: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]


def with_words(permutations: np.ndarray, words: Sequence[Sequence[int]]) -> np.ndarray:
    """Permutations, of points or of cosets, and products of them."""
    steps = list(permutations)
    for first, *rest in words:
        product = steps[first]
        for step in rest:
            product = product[steps[step]]
        steps.append(product)
    return np.array(steps)


def transversal(
    generators: np.ndarray, cosets: Cosets, base: Sequence[int], keys: Sequence[np.ndarray]
) -> ImageLists:
    """One element of every coset, the identity of the first.

    Args:
        generators: Image lists, shape `(count, degree)`.
        cosets: How the cosets are reached.
        base: The points that the stabiliser fixes.
        keys: For each of them the sorted keys `coset * degree + image` of the cosets.

    Cost:
        O(cosets * degree) up to `STORED_LIMIT` images, about O(sqrt(cosets) * degree) beyond.
    """
    (count, degree), tree = (cosets.action.shape[1], generators.shape[1]), cosets.tree
    steps = with_words(generators, cosets.words)
    if count > 1 and not is_stored(count, degree):
        step, parent, child = (np.concatenate(edges).tolist() for edges in zip(*tree, strict=True))
        return _factored(steps, step, parent, child, _Places(base, keys, degree))
    elements = np.empty((count, degree), dtype=np.int32)
    elements[0] = np.arange(degree)
    for step, parent, child in tree:
        elements[child] = steps[step[:, None], elements[parent]]
    return ImageLists(elements)


class _Places(NamedTuple):
    """Numbers of the cosets from images of the base."""

    base: Sequence[int]
    keys: Sequence[np.ndarray]
    degree: int

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Cosets of elements with the given images of the base (last axis)."""
        found = np.zeros(images.shape[:-1], dtype=np.int64)
        for j, known in enumerate(self.keys):
            found = np.searchsorted(known, found * self.degree + images[..., j])
        return found


def _factored(
    steps: np.ndarray, step: list[int], parent: list[int], child: list[int], places: _Places
) -> ImageLists:
    """Products of two lists, along a tree whose edges are `child = step parent`.

    Baby steps are the first elements of the tree, which are near each other. While a coset is not
    reached, its parent in the tree is, and so it is found; of the translates of the baby steps that
    contain it, one that reaches most new cosets is taken.
    """
    size, degree = math.isqrt(len(child)), steps.shape[1]
    number = {0: 0} | {coset: 1 + edge for edge, coset in enumerate(child[:size])}
    inner = np.empty((1 + size, degree), dtype=np.int32)
    inner[0] = np.arange(degree)
    for edge in range(size):
        inner[1 + edge] = steps[step[edge], inner[number[parent[edge]]]]
    shifts = inverted(inner[:: 1 + size // TRANSLATES])
    points = shifts[:, inner[:, places.base]]  # where a baby step, shifted back, moves the base
    outer: list[np.ndarray] = []
    found = np.full((2, 1 + len(child)), -1)

    def add(element: np.ndarray, translates: slice) -> None:
        reached = places(element[points[translates]])
        best = int((found[0, reached] < 0).sum(axis=1).argmax())
        fresh = np.flatnonzero(found[0, reached[best]] < 0)
        found[0, reached[best, fresh]], found[1, reached[best, fresh]] = len(outer), fresh
        outer.append(element[shifts[best]])

    add(inner[0], slice(1))
    for edge, coset in enumerate(child):
        if found[0, coset] < 0:
            i, j = found[:, parent[edge]]
            add(steps[step[edge], outer[i][inner[j]]], slice(None))
    return ImageLists(np.array(outer), inner, found)
