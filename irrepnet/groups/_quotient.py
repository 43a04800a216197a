"""Quotients by normal subgroups."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._closure import check_size, closure
from irrepnet.groups._group import Group
from irrepnet.groups._homomorphism import Homomorphism
from irrepnet.groups._recipes import constructor
from irrepnet.groups._subgroup import Subgroup, subgroup


@constructor
def quotient(group: Group, normal: Subgroup | Iterable[int]) -> Group:
    """The quotient of a group by a normal subgroup, acting on the cosets.

    Element `i` is the coset of `N.left_transversal[i]`; the generators are those of the group
    without the ones inside `N`.

    Args:
        group: The group.
        normal: A normal subgroup `N`, or elements that generate it.

    Raises:
        GroupError: If the subgroup is not normal (the message shows a conjugate outside it), or
            lies in another group.

    Cost:
        O(order * generators), and that of `from_permutations`.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 8.1.

    Examples:
        >>> from irrepnet import groups
        >>> S4 = groups.symmetric(4)
        >>> groups.quotient(S4, groups.normal_closure(S4, [7])).order
        6
    """
    kernel = _normal(group, normal)
    cosets = kernel.left_cosets
    transversal = np.array(kernel.left_transversal)
    check_size(kernel.index, kernel.index)
    generators = dict.fromkeys(cosets[list(group.generators)].tolist())
    generators.pop(0, None)
    moves = [cosets[group.products(transversal[c], transversal)] for c in generators]
    # Coset c is the image of coset 0 under one element only, so sorted image lists are in order.
    elements = closure(np.array(moves or [np.arange(len(transversal))]))
    recipe = ("quotient", group.recipe, kernel.generators)
    name = f"{group.name}/<{','.join(map(str, kernel.generators))}>"
    return Group(elements, generators, recipe, name)


def quotient_map(group: Group, normal: Subgroup | Iterable[int]) -> Homomorphism:
    """The homomorphism from a group to its quotient by a normal subgroup, which is its kernel.

    Raises:
        GroupError: As `quotient`.

    Cost:
        As `quotient`.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 8.1.

    Examples:
        >>> from irrepnet import groups
        >>> groups.quotient_map(groups.quaternion(), [1]).images
        (0, 0, 1, 1, 2, 2, 3, 3)
    """
    kernel = _normal(group, normal)
    images = tuple(kernel.left_cosets.tolist())
    return Homomorphism(group, quotient(group, kernel), images)


def _normal(group: Group, normal: Subgroup | Iterable[int]) -> Subgroup:
    kernel = normal if isinstance(normal, Subgroup) else subgroup(group, normal)
    if kernel.parent != group:
        raise GroupError(
            f"cannot divide {group.name} by a subgroup of {kernel.parent.name}: expected a "
            f"subgroup of {group.name}."
        )
    for g in group.generators:
        for h in kernel.generators:
            moved = group.multiply(group.multiply(g, h), group.inverse(g))
            if not kernel.contains(moved):
                raise GroupError(
                    f"cannot divide {group.name} by a subgroup of order {kernel.order} that is not "
                    f"normal: {g} * {h} * {g}^-1 = {moved} lies outside it.\n"
                    "  groups.normal_closure(G, elements) gives the smallest normal subgroup."
                )
    return kernel
