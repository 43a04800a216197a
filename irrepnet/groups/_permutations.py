"""Groups from permutation generators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._closure import closure
from irrepnet.groups._group import Group
from irrepnet.groups._recipes import constructor


@constructor
def from_permutations(generators: Iterable[Sequence[int]], name: str = "") -> Group:
    """The group that permutations generate.

    Elements are numbered by sorting their image lists, so the numbering does not depend on the
    generators. `G.generators` lists the given generators in the given order.

    Args:
        generators: 0-based image lists, all on the same points; at least one.
        name: What to call the group; `<N generators on D points>` if empty.

    Raises:
        GroupError: If a generator is not a permutation, or the group is too large.

    Cost:
        O(count * order * degree).

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 4.1 and 4.4.

    Examples:
        >>> from irrepnet import groups
        >>> groups.from_permutations([(1, 0, 2), (1, 2, 0)]).order
        6
    """
    images = _image_lists(generators)
    elements = closure(images)
    recipe = ("from_permutations", tuple(map(tuple, images.tolist())))
    count, degree = images.shape
    plural = "s" if count != 1 else ""
    shown = name or f"<{count} generator{plural} on {degree} points>"
    return Group.from_images(elements, images, recipe if not name else (*recipe, name), shown)


def _image_lists(generators: Iterable[Sequence[int]]) -> np.ndarray:
    """The generators as rows, each checked to be a permutation."""
    rows = [np.asarray(g) for g in generators]
    if not rows:
        raise GroupError(
            "no generators were given: expected at least one image list, such as [(1, 0)].\n"
            "  The identity (0,) generates the trivial group."
        )
    degree = rows[0].size
    for row in rows:
        valid = row.dtype.kind in "iu" and row.shape == (degree,) and degree > 0
        if not valid or not np.array_equal(np.sort(row), np.arange(degree)):
            raise GroupError(
                f"{row.tolist()} is not a permutation of 0..{degree - 1}: expected an image list "
                f"with each of these {degree} points once.\n"
                "  Points are counted from 0, and all generators move the same points."
            )
    return np.array(rows, dtype=np.int32)
