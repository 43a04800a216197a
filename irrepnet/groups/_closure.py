"""All elements of a permutation group from its generators."""

from __future__ import annotations

import numpy as np

from irrepnet._errors import GroupError

#: Groups above this order are refused: every element is stored.
ORDER_LIMIT = 200_000

#: Most images (order times degree) that a group may store: 400 MB as int32.
IMAGE_LIMIT = 100_000_000

#: Images of temporary arrays (4 MB as int32).
IMAGES_AT_ONCE = 1 << 20

#: The orbit search squares its steps after this many levels, so that long cycles stay cheap.
LEVELS_BETWEEN_SQUARINGS = 16


def closure(generators: np.ndarray) -> np.ndarray:
    """All elements of the group that permutations generate, sorted by image list.

    A stabiliser chain without recursion: the orbit of a base (a tuple of points) has one
    transversal element per coset of its pointwise stabiliser. When every Schreier generator of that
    stabiliser is trivial, the transversal is the group; otherwise the first point that one of them
    moves joins the base. The base is then lexicographically first, so sorting by base images sorts
    the image lists.

    Args:
        generators: Image lists, shape `(count, degree)`.

    Returns:
        Image lists of all elements, int32, shape `(order, degree)`; the identity comes first.

    Raises:
        GroupError: As soon as the order exceeds `ORDER_LIMIT` or the storage `IMAGE_LIMIT`.

    Cost:
        O(count * order * degree): each stage at least doubles the orbit, so the last one dominates.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 4.1 and 4.4.

    Examples:
        >>> closure(np.array([[1, 2, 0]])).tolist()
        [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    """
    generators = np.ascontiguousarray(generators, dtype=np.int32)
    degree = generators.shape[1]
    elements = np.arange(degree, dtype=np.int32)[None]
    action = np.zeros((len(generators), 1), dtype=np.int64)  # generators on cosets, as indices
    while True:
        point = _first_moved(generators, elements, action)
        if point == degree:
            return elements
        elements, action = _refine(generators, action, point)


def _first_moved(generators: np.ndarray, elements: np.ndarray, action: np.ndarray) -> int:
    """The first point that a Schreier generator moves; the degree if all are trivial."""
    count, degree = elements.shape
    moved, rows = np.zeros(degree, dtype=bool), _rows_at_once(degree)
    for start in range(0, count, rows):
        some = elements[start : start + rows]
        for generator, images in zip(generators, action, strict=True):
            moved |= (generator.take(some) != elements[images[start : start + rows]]).any(axis=0)
    return int(moved.argmax()) if moved.any() else degree


def _rows_at_once(degree: int) -> int:
    """Image lists handled together: fresh memory costs more than the work on it."""
    return max(1, IMAGES_AT_ONCE // degree)


def _refine(
    generators: np.ndarray, action: np.ndarray, point: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cosets of the smaller stabiliser that also fixes `point`: transversal and action on it.

    A coset is known by the pair (larger coset, image of `point`), coded as one integer.
    """
    degree = generators.shape[1]
    steps, moves = generators, action
    keys = np.array([point])
    levels, links, count = [keys], [], 1
    position = np.full(action.shape[1] * degree, -1, dtype=np.int32)
    position[keys] = 0
    while len(keys):
        coset, image = np.divmod(keys, degree)
        reached = (moves[:, coset] * degree + steps[:, image]).ravel()
        fresh = np.flatnonzero(position[reached] < 0)
        position[reached[fresh]] = fresh  # of equal keys the last written wins
        fresh = fresh[position[reached[fresh]] == fresh]
        count += len(fresh)
        check_size(count, degree)
        links.append(np.divmod(fresh, len(keys)))
        keys = reached[fresh]
        levels.append(keys)
        if len(levels) % LEVELS_BETWEEN_SQUARINGS == 0:
            steps, moves = (_with_squares(p, len(generators)) for p in (steps, moves))
    sizes = [len(level) for level in levels]
    order = np.argsort(keys := np.concatenate(levels))
    keys = keys[order]
    position[keys] = np.arange(count)
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    places, rows = np.split(place, np.cumsum(sizes)[:-1]), _rows_at_once(degree)
    elements = np.empty((count, degree), dtype=np.int32)
    elements[places[0]] = np.arange(degree)
    for (step, parent), above, here in zip(links, places[:-1], places[1:], strict=True):
        for start in range(0, len(here), rows):
            chosen = step[start : start + rows]
            targets, sources = here[start : start + rows], above[parent[start : start + rows]]
            for one in np.unique(chosen):  # `take` from one list is five times as fast as from all
                rows_of_one = chosen == one
                elements[targets[rows_of_one]] = steps[one].take(elements[sources[rows_of_one]])
    coset, image = np.divmod(keys, degree)
    refined = position[action[:, coset] * degree + generators[:, image]].astype(np.int64)
    return elements, refined


def _with_squares(permutations: np.ndarray, last: int) -> np.ndarray:
    """The permutations, and the squares of the last ones."""
    newest = permutations[-last:]
    return np.concatenate([permutations, np.take_along_axis(newest, newest, axis=1)])


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
