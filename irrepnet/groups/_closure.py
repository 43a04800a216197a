"""All elements of a permutation group from its generators."""

from __future__ import annotations

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._image_lists import IMAGES_AT_ONCE, ImageLists
from irrepnet.groups._orbits import least_in_orbit
from irrepnet.groups._transversal import Cosets, transversal, with_words

#: Groups above this order are refused: every element is numbered.
ORDER_LIMIT = 200_000

#: After so many levels the orbit search has a product of its last steps as a further step: long
#: cycles stay cheap.
WORD_LENGTH = 16

#: Most images (order times degree) that a group may have: 400 MB as int32.
IMAGE_LIMIT = 100_000_000


def closure(generators: np.ndarray) -> ImageLists:
    """All elements of the group that permutations generate, sorted by image list.

    A stabiliser chain without recursion: the orbit of a base (a tuple of points) has one
    transversal element per coset of its pointwise stabiliser. When that stabiliser is trivial, the
    transversal is the group; otherwise the first point that it moves joins the base. The base is
    then lexicographically first, so sorting by base images sorts the image lists.

    Args:
        generators: Image lists, shape `(count, degree)`.

    Returns:
        All elements; the identity comes first.

    Raises:
        GroupError: As soon as the order exceeds `ORDER_LIMIT` or the images `IMAGE_LIMIT`.

    Cost:
        O(order * count * (log(order) + orbits)), and O(order * degree) up to `STORED_LIMIT` images,
        about O(sqrt(order) * degree) beyond: each stage at least doubles the orbit, so the last one
        dominates.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 4.1 and 4.4.

    Examples:
        >>> closure(np.array([[1, 2, 0]])).stored().tolist()
        [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    """
    generators = np.ascontiguousarray(generators, dtype=np.int32)
    base: list[int] = []
    keys: list[np.ndarray] = []
    cosets = Cosets(np.zeros((len(generators), 1), dtype=np.int64), [], [])
    while True:
        elements = transversal(generators, cosets, base, keys)
        points = _candidates(generators, cosets, base)
        point = _first_moved(generators, elements, cosets.action, points)
        if point is None:
            return elements
        base.append(point)
        cosets, found = _refine(generators, cosets.action, point)
        keys.append(found)


def _candidates(generators: np.ndarray, cosets: Cosets, base: list[int]) -> np.ndarray:
    """Points of which the first that the stabiliser moves is one, if it moves any; sorted."""
    degree = generators.shape[1]
    # To test all points is quicker where they are few.
    if cosets.action.size * degree > IMAGES_AT_ONCE and _is_regular(cosets):
        # The stabiliser is normal, so it moves all points of an orbit or none.
        orbits = least_in_orbit(generators, degree)
        return np.setdiff1d(orbits, orbits[base])
    return np.arange(base[-1] + 1 if base else 0, degree)


def _is_regular(cosets: Cosets) -> bool:
    """Whether the stabiliser fixes all cosets.

    Then `t H -> t g H` is a map for every `g`, multiplication from the right. Conversely, let these
    maps exist for all generators `g` and commute with the group. Then they take coset 0 to all
    others, as `g c 0 = c g 0`; and what fixes coset 0 fixes its images under such maps.

    References:
        Dixon and Mortimer, *Permutation Groups*, Thm. 4.2A.
    """
    action, words, tree = cosets
    steps, count = with_words(action, words), action.shape[1]
    found, reached = [], np.arange(count)
    for first in action[:, 0].tolist():
        if reached[first]:
            right = np.empty(count, dtype=np.int64)
            right[0] = first
            for step, parent, child in tree:
                right[child] = steps[step, right[parent]]
            if any((right[image] != image[right]).any() for image in action):
                return False
            found.append(right)
            reached = least_in_orbit(found, count)
    return True


def _first_moved(
    generators: np.ndarray, elements: ImageLists, action: np.ndarray, points: np.ndarray
) -> int | None:
    """The first of some sorted points that a Schreier generator moves; None if it moves none."""
    first, start = None, 0
    while start < len(elements) and len(points):
        rows = max(1, IMAGES_AT_ONCE // len(points))
        some = np.arange(start, min(start + rows, len(elements)))
        start += len(some)
        for generator, images in zip(generators, action[:, some], strict=True):
            moved = generator[elements.at(some[:, None], points)]
            differs = (moved != elements.at(images[:, None], points)).any(axis=0)
            if differs.any():
                place = int(differs.argmax())
                first, points = int(points[place]), points[:place]
    return first


def _refine(generators: np.ndarray, action: np.ndarray, point: int) -> tuple[Cosets, np.ndarray]:
    """Cosets of the smaller stabiliser that also fixes `point`, and their sorted keys.

    A coset is known by its key, the pair (larger coset, image of `point`) as one integer.
    """
    degree = generators.shape[1]
    steps, moves = generators, action
    newest = np.array([point])
    levels, links, words, count = [newest], [], [], 1
    seen = np.zeros(action.shape[1] * degree, dtype=bool)
    seen[newest] = True
    while len(newest):
        coset, image = np.divmod(newest, degree)
        reached = (moves[:, coset] * degree + steps[:, image]).ravel()
        fresh = np.flatnonzero(~seen[reached])
        found, first = np.unique(reached[fresh], return_index=True)
        count += len(found)
        check_size(count, degree)
        links.append(np.divmod(fresh[first], len(newest)))
        newest = found
        seen[newest] = True
        levels.append(newest)
        if len(links) % WORD_LENGTH == 0 and len(newest):
            words.append(_last_word(links))
            steps, moves = (with_words(p, words) for p in (generators, action))
    keys = np.sort(np.concatenate(levels))
    places = [np.searchsorted(keys, level) for level in levels]
    tree = [
        (step, above[parent], here)
        for (step, parent), above, here in zip(links, places[:-1], places[1:], strict=True)
    ]
    coset, image = np.divmod(keys, degree)
    refined = np.searchsorted(keys, action[:, coset] * degree + generators[:, image])
    return Cosets(refined, words, tree), keys


def _last_word(links: list[tuple[np.ndarray, np.ndarray]]) -> list[int]:
    """The last steps on the way to an element that was reached by the newest step."""
    at, word = int(links[-1][0].argmax()), []
    for step, parent in links[: -1 - WORD_LENGTH : -1]:
        word.append(int(step[at]))
        at = parent[at]
    return word


def check_size(order: int, degree: int) -> None:
    """Refuse a group too large to store.

    Raises:
        GroupError: If the order exceeds `ORDER_LIMIT`, or order times degree `IMAGE_LIMIT`.
    """
    if order > ORDER_LIMIT:
        raise GroupError(
            f"the group has more than {ORDER_LIMIT} elements, the limit: every element is stored.\n"
            "  Use fewer generators or a smaller group."
        )
    if order * degree > IMAGE_LIMIT:
        raise GroupError(
            f"the group needs more than {IMAGE_LIMIT} stored images, the limit (at least {order} "
            f"elements on {degree} points).\n  Let it act on fewer points."
        )
