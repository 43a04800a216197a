"""Products of groups: direct, semidirect and wreath products."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._closure import check_size, closure
from irrepnet.groups._group import Group
from irrepnet.groups._homomorphism import homomorphism
from irrepnet.groups._image_lists import ImageLists, is_stored, side_by_side
from irrepnet.groups._orbits import least_in_orbit
from irrepnet.groups._recipes import constructor
from irrepnet.groups._words import word_levels


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
    elements = side_by_side(left._images, right._images)
    generators = (*(g * right.order for g in left.generators), *right.generators)
    recipe = ("direct_product", left.recipe, right.recipe)
    return Group(elements, generators, recipe, f"{left.name}x{factor_name(right)}")


@constructor
def semidirect_product(normal: Group, acting: Group, action: Sequence[Sequence[int]]) -> Group:
    """The semidirect product `N : H`, in which `H` acts on `N` by automorphisms.

    The pair `(n, h)` is element `n * H.order + h`, and `(n, h) (m, k) = (n h(m), h k)`. It permutes
    the elements of `N` by `m -> n h(m)` and, beside them, the points of `H`. The generators are
    those of `N`, then those of `H`.

    Args:
        normal: The normal factor `N`.
        acting: The acting factor `H`.
        action: `action[i][j]` is the element of `N` to which generator number `i` of `H` maps
            generator number `j` of `N`.

    Raises:
        GroupError: If a row of `action` is no automorphism of `N`, the automorphisms do not satisfy
            the relations of `H`, or the product is too large.

    Cost:
        O(order * (N.order + H.degree)).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 8.2.

    Examples:
        >>> from irrepnet import groups
        >>> C7, C3 = groups.cyclic(7), groups.cyclic(3)
        >>> G = groups.semidirect_product(C7, C3, [[2]])  # the Frobenius group of order 21
        >>> [c.size for c in G.conjugacy_classes]
        [1, 7, 7, 3, 3]
    """
    rows = tuple(tuple(int(a) for a in row) for row in action)
    check_size(normal.order * acting.order, normal.order + acting.degree)
    maps = _automorphisms(normal, acting, rows)
    elements = _semidirect_images(normal, acting, maps)
    generators = (*(g * acting.order for g in normal.generators), *acting.generators)
    recipe = ("semidirect_product", normal.recipe, acting.recipe, rows)
    name = f"{factor_name(normal)}:{factor_name(acting)}"
    return Group(elements, generators, recipe, name)


def _semidirect_images(normal: Group, acting: Group, maps: np.ndarray) -> ImageLists:
    """What pairs `(n, h)` do; `(n, 1) (m, h) = (n m, h)`, so `n` splits as `ImageLists` has it."""
    every = np.arange(acting.order)

    def rows(n: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Image lists of all `(n, h)`, `n` leading."""
        n, h = (i.ravel() for i in np.meshgrid(n, h, indexing="ij"))
        moved = normal.products(n[:, None], maps[h])
        return np.hstack([moved, acting._images.rows(h) + normal.order])

    if is_stored(normal.order * acting.order, normal.order + acting.degree):
        return ImageLists(rows(np.arange(normal.order), every))
    outer, inner, (i, j) = normal._images.factors()
    giant, baby = (normal._lookup(images) for images in (outer, inner))
    places = np.stack([np.repeat(i, len(every)), (j[:, None] * len(every) + every).ravel()])
    return ImageLists(rows(giant, every[:1]), rows(baby, every), places)


def _automorphisms(normal: Group, acting: Group, rows: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """The automorphism by which every element of `acting` acts, shape `(H.order, N.order)`."""
    if len(rows) != len(acting.generators):
        raise GroupError(
            f"the action has {len(rows)} rows: expected one for each of the "
            f"{len(acting.generators)} generators of {acting.name}."
        )
    steps = []
    for i, row in enumerate(rows):
        try:
            step = homomorphism(normal, normal, row)
        except GroupError as error:
            raise GroupError(f"row {i} of the action is not an automorphism: {error}") from None
        if not step.is_injective:
            raise GroupError(
                f"row {i} of the action is not an automorphism of {normal.name}: "
                f"{step.kernel.elements[1]} maps to the identity.\n"
                "  Expected images that generate the whole group."
            )
        steps.append(np.array(step.images))
    maps = np.tile(np.arange(normal.order), (acting.order, 1))
    for i, parents, children in word_levels(acting):
        maps[children] = steps[i][maps[parents]]
    for g, step in zip(acting.generators, steps, strict=True):
        failed = (maps[acting.left_multiply(g)] != step[maps]).any(axis=1)
        if failed.any():
            h = int(failed.argmax())
            raise GroupError(
                f"the action does not satisfy the relations of {acting.name}: element "
                f"{acting.multiply(g, h)} = {g} * {h} acts in two ways.\n"
                "  Expected automorphisms that multiply as the generators do."
            )
    return maps


@constructor
def wreath_product(bottom: Group, top: Group) -> Group:
    """The wreath product: copies of `bottom`, one per point of `top`, and `top` permuting them.

    Point `i` of copy `j` is point `j * bottom.degree + i`; elements are sorted by image list. The
    generators are those of `bottom` in the first copy of every orbit of `top`, then those of `top`.

    Raises:
        GroupError: If the product is too large.

    Cost:
        O(order * degree * generators).

    References:
        Dixon and Mortimer, *Permutation Groups*, sec. 2.6.

    Examples:
        >>> from irrepnet import groups
        >>> groups.wreath_product(groups.cyclic(2), groups.symmetric(3)).order
        48
    """
    copies, size = top.degree, bottom.degree
    check_size(top.order * bottom.order**copies, copies * size)
    points = np.arange(copies * size).reshape(copies, size)
    moves = top.elements[list(top.generators)]
    images = []
    for j in np.unique(least_in_orbit(list(moves), copies)):
        for g in bottom.generators:
            image = points.copy()
            image[j] = points[j][bottom.elements[g]]
            images.append(image.ravel())
    images += [points[move].ravel() for move in moves]
    # Without generators, the closure of the identity is the trivial group.
    rows = np.array(images or [points.ravel()], dtype=np.int32)
    recipe = ("wreath_product", bottom.recipe, top.recipe)
    name = f"{factor_name(bottom)}wr{factor_name(top)}"
    return Group.from_images(closure(rows), rows[: len(images)], recipe, name)


def factor_name(group: Group) -> str:
    """The group's name, in brackets if it is itself a product."""
    compound = any(sign in group.name for sign in ("x", "wr", ":", "/"))
    return f"({group.name})" if compound else group.name
