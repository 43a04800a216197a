"""Groups of polyhedra: hyperoctahedral groups and the rotation groups of the Platonic solids."""

from __future__ import annotations

import math

import numpy as np

from irrepnet.groups._closure import check_size, closure
from irrepnet.groups._families import positive
from irrepnet.groups._group import Group
from irrepnet.groups._recipes import constructor


@constructor
def hyperoctahedral(n: int) -> Group:
    """The hyperoctahedral group `B_n` of order `2^n n!`: symmetries of the `n`-cube.

    It acts on the `2n` signed axes: point `i < n` is `+e_i` and point `n + i` is `-e_i`. Elements
    are sorted by image list. The generators are the swap of axes 0 and 1, the cycle of all axes,
    and the sign change of axis 0.

    Raises:
        GroupError: If `n` is not a positive integer, or too large (`n <= 6`).

    Cost:
        O(order * degree).

    References:
        Humphreys, *Reflection Groups and Coxeter Groups*, sec. 2.10.

    Examples:
        >>> from irrepnet import groups
        >>> groups.hyperoctahedral(3).order
        48
    """
    n = positive("hyperoctahedral", n)
    check_size(2 ** min(n, 20) * math.factorial(min(n, 20)), 2 * n)
    sign = [n, *range(1, n), 0, *range(n + 1, 2 * n)]
    axes = [[1, 0, *range(2, n)]] if n > 1 else []
    if n > 2:
        axes.append([*range(1, n), 0])
    generators = [*([*p, *(n + i for i in p)] for p in axes), sign]
    return _from_generators(generators, ("hyperoctahedral", n), f"B{n}")


@constructor
def tetrahedral() -> Group:
    """The rotation group of the tetrahedron, of order 12, on its vertices.

    The vertices are `(1,1,1), (1,-1,-1), (-1,1,-1), (-1,-1,1)`. The generators are the rotation
    `(x,y,z) -> (z,x,y)` and the half turn about the z axis. Elements are sorted by image list.

    Cost:
        O(1).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 5.7.

    Examples:
        >>> from irrepnet import groups
        >>> groups.tetrahedral().order
        12
    """
    return _from_generators([[0, 2, 3, 1], [3, 2, 1, 0]], ("tetrahedral",), "T")


@constructor
def octahedral() -> Group:
    """The rotation group of the octahedron and the cube, of order 24, on the octahedron's vertices.

    The vertices are `+x, -x, +y, -y, +z, -z`. The generators are the rotation
    `(x,y,z) -> (z,x,y)` and the quarter turn about the z axis, `(x,y,z) -> (-y,x,z)`. Elements are
    sorted by image list.

    Cost:
        O(1).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 5.8 (isomorphic to `S_4`).

    Examples:
        >>> from irrepnet import groups
        >>> groups.octahedral().order
        24
    """
    generators = [[2, 3, 4, 5, 0, 1], [2, 3, 1, 0, 4, 5]]
    return _from_generators(generators, ("octahedral",), "O")


@constructor
def icosahedral() -> Group:
    """The rotation group of the icosahedron, of order 60, on its vertices.

    With `t` the golden ratio, vertices 0 to 3 are `(0, 1, t), (0, 1, -t), (0, -1, t), (0, -1, -t)`;
    4 to 7 and 8 to 11 are the same moved to `(y, z, x)` and to `(z, x, y)`. The generators are the
    rotation `(x,y,z) -> (z,x,y)`, the half turn about the z axis, and the fifth of a turn about
    vertex 0. Elements are sorted by image list.

    Cost:
        O(1).

    References:
        Coxeter, *Regular Polytopes*, sec. 3.5 to 3.7.

    Examples:
        >>> from irrepnet import groups
        >>> groups.icosahedral().order
        60
    """
    generators = [
        [8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7],
        [2, 3, 0, 1, 7, 6, 5, 4, 9, 8, 11, 10],
        [0, 11, 8, 3, 6, 10, 9, 5, 4, 2, 1, 7],
    ]
    return _from_generators(generators, ("icosahedral",), "I")


def _from_generators(generators: list[list[int]], recipe: tuple, name: str) -> Group:
    images = np.array(generators, dtype=np.int32)
    return Group.from_images(closure(images), images, recipe, name)
