"""Products of groups."""

from __future__ import annotations

import numpy as np

from irrepnet.groups._closure import check_size
from irrepnet.groups._group import Group, constructor


@constructor
def direct_product(left: Group, right: Group) -> Group:
    """The direct product, on the points of both factors side by side.

    The pair `(a, b)` is element `a * right.order + b`; the generators are those of `left`, then
    those of `right`.

    Raises:
        GroupError: If the product is too large.

    Cost:
        O(order * degree).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 3.2.

    Examples:
        >>> from irrepnet import groups
        >>> groups.direct_product(groups.cyclic(2), groups.cyclic(3)).element_orders.tolist()
        [1, 3, 3, 2, 6, 6]
    """
    check_size(left.order * right.order, left.degree + right.degree)
    elements = np.hstack(
        [
            np.repeat(left.elements, right.order, axis=0),
            np.tile(right.elements + left.degree, (left.order, 1)),
        ]
    )
    generators = (*(g * right.order for g in left.generators), *right.generators)
    recipe = ("direct_product", left.recipe, right.recipe)
    return Group(elements, generators, recipe, f"{left.name}x{_factor(right)}")


def _factor(group: Group) -> str:
    return f"({group.name})" if "x" in group.name else group.name
