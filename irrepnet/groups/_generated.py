"""A subgroup as a group of its own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from irrepnet.groups._group import Group
from irrepnet.groups._recipes import constructor
from irrepnet.groups._subgroup import subgroup


@constructor
def generated(group: Group, generators: Iterable[int]) -> Group:
    """The group that elements of another group generate, on the same points.

    Elements keep their order: element `i` is the `i`-th smallest of
    `subgroup(group, generators).elements`.

    Raises:
        GroupError: If a generator is not an element of the group.

    Cost:
        That of `subgroup`.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 4.1.

    Examples:
        >>> from irrepnet import groups
        >>> groups.generated(groups.dihedral(4), [2, 4])
        groups.generated(groups.dihedral(4), (2, 4))
    """
    chosen = tuple(int(g) for g in generators)
    elements = np.array(subgroup(group, chosen).elements)
    positions = np.searchsorted(elements, chosen).tolist()
    name = f"{group.name}<{','.join(map(str, chosen))}>"
    recipe = ("generated", group.recipe, chosen)
    return Group(group._images.chosen(elements), positions, recipe, name)
