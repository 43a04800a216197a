"""Normal subgroups that every group has: centre, commutator subgroup, normal closures."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from irrepnet.groups._group import Group
from irrepnet.groups._subgroup import Subgroup, subgroup


def centre(group: Group) -> Subgroup:
    """The elements that commute with every element.

    Cost:
        O(order): they are the classes of size one.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 2.1.

    Examples:
        >>> from irrepnet import groups
        >>> groups.centre(groups.dihedral(4)).elements
        (0, 2)
    """
    labels = group.class_labels
    return Subgroup(group, tuple(np.flatnonzero(np.bincount(labels)[labels] == 1).tolist()))


def normal_closure(group: Group, elements: Iterable[int]) -> Subgroup:
    """The smallest normal subgroup that contains the given elements.

    Raises:
        GroupError: If one of them is not an element of the group.

    Cost:
        O(generators * order * degree) for each step of a chain of at most log2(order) subgroups.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 3.3.

    Examples:
        >>> from irrepnet import groups
        >>> groups.normal_closure(groups.symmetric(4), [7]).order  # a double transposition
        4
    """
    return _normal_closure(group, group.generators, list(elements))


def _normal_closure(group: Group, acting: tuple[int, ...], elements: list[int]) -> Subgroup:
    """The smallest subgroup that contains `elements` and is normalised by `acting`."""
    closed = subgroup(group, elements)
    by = np.array(acting, dtype=np.int64)[:, None]
    while True:
        kept = np.array(closed.generators, dtype=np.int64)
        conjugates = group.products(group.products(by, kept), group.inverses[by]).ravel()
        outside = conjugates[~closed.mask[conjugates]]
        if not len(outside):
            return closed
        closed = subgroup(group, [*closed.generators, int(outside[0])])


def commutator_subgroup(group: Group | Subgroup) -> Subgroup:
    """The subgroup that all commutators `a b a^-1 b^-1` generate; the quotient by it is abelian.

    Args:
        group: A group, or a subgroup; the result lies in the same parent.

    Cost:
        That of a normal closure.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 2.3 and 3.3.

    Examples:
        >>> from irrepnet import groups
        >>> groups.commutator_subgroup(groups.symmetric(4)).order
        12
    """
    whole = group.parent if isinstance(group, Subgroup) else group
    generators = np.array(group.generators, dtype=np.int64)
    a, b = generators[:, None], generators
    # a b = c b a, so the commutator is c = a b (b a)^-1.
    commutators = whole.products(whole.products(a, b), whole.inverses[whole.products(b, a)])
    found = np.unique(commutators[commutators != 0]).tolist()
    return _normal_closure(whole, group.generators, found)


def derived_series(group: Group) -> tuple[Subgroup, ...]:
    """The group, its commutator subgroup, and so on until it no longer shrinks.

    The group is solvable when the last term is trivial; otherwise the last term is its largest
    perfect subgroup.

    Cost:
        That of one normal closure per term; the orders at least halve.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 2.3.

    Examples:
        >>> from irrepnet import groups
        >>> [H.order for H in groups.derived_series(groups.symmetric(4))]
        [24, 12, 4, 1]
        >>> [H.order for H in groups.derived_series(groups.symmetric(5))]
        [120, 60]
    """
    series = [Subgroup(group, tuple(range(group.order)))]
    while True:
        series.append(commutator_subgroup(series[-1]))
        if series[-1].order == series[-2].order:
            return tuple(series[:-1])


def is_solvable(group: Group) -> bool:
    """Whether the derived series reaches the trivial subgroup.

    Cost:
        That of `derived_series`.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 2.3.

    Examples:
        >>> from irrepnet import groups
        >>> groups.is_solvable(groups.symmetric(4)), groups.is_solvable(groups.alternating(5))
        (True, False)
    """
    return derived_series(group)[-1].order == 1
