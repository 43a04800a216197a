"""The common families: cyclic, dihedral, dicyclic, symmetric, alternating and small relatives."""

from __future__ import annotations

import math

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._closure import check_size
from irrepnet.groups._group import Group
from irrepnet.groups._image_lists import times_powers
from irrepnet.groups._recipes import constructor


@constructor
def trivial() -> Group:
    """The group of one element, on one point.

    Cost:
        O(1).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.1.

    Examples:
        >>> from irrepnet import groups
        >>> groups.trivial().order
        1
    """
    return Group(np.zeros((1, 1)), (), ("trivial",), "trivial")


@constructor
def flop() -> Group:
    """The flopping group: the identity and one mirror, on two points.

    Cost:
        O(1).

    References:
        Flopping for FLOPs (arXiv 2502.05169), which names it.

    Examples:
        >>> from irrepnet import groups
        >>> groups.flop().elements.tolist()
        [[0, 1], [1, 0]]
    """
    return Group(np.array([[0, 1], [1, 0]]), (1,), ("flop",), "flop")


@constructor
def cyclic(n: int) -> Group:
    """The cyclic group `C_n` on `n` points: element `k` maps `i` to `i + k` modulo `n`.

    Raises:
        GroupError: If `n` is not a positive integer, or too large.

    Cost:
        O(order * degree).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 5.1.

    Examples:
        >>> from irrepnet import groups
        >>> groups.cyclic(5).multiply(3, 4)
        2
    """
    n = positive("cyclic", n)
    check_size(n, n)
    points = np.arange(n)
    elements = times_powers(points[None], np.roll(points, -1), n)
    return Group(elements, (1,) if n > 1 else (), ("cyclic", n), f"C{n}")


@constructor
def dihedral(n: int) -> Group:
    """The dihedral group `D_n` of order `2n`: symmetries of the regular `n`-gon, on its corners.

    Element `k < n` is the rotation `r^k`, which maps corner `i` to `i + k` modulo `n`; element
    `n + k` is `s r^k`, where the mirror `s` maps `i` to `-i`, so it fixes corner 0. `D_1` and `D_2`
    are not faithful on one and two points: they act on two and on four (`r` maps `i` to `i + 2`,
    as in `D_4`).

    Args:
        n: Number of corners; not the order.

    Raises:
        GroupError: If `n` is not a positive integer, or too large.

    Cost:
        O(order * degree).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 5.3.

    Examples:
        >>> from irrepnet import groups
        >>> D4 = groups.dihedral(4)
        >>> r, s = D4.generators
        >>> D4.multiply(s, r), D4.permutation(s)
        (5, (0, 3, 2, 1))
    """
    n = positive("dihedral", n)
    check_size(2 * n, n)
    if n == 1:
        elements = np.array([[0, 1], [1, 0]])
    elif n == 2:
        elements = np.array([[0, 1, 2, 3], [2, 3, 0, 1], [0, 3, 2, 1], [2, 1, 0, 3]])
    else:
        corners = np.arange(n)
        elements = times_powers(np.stack([corners, -corners % n]), np.roll(corners, -1), n)
    return Group(elements, (1,) if n == 1 else (1, n), ("dihedral", n), f"D{n}")


def octic() -> Group:
    """The octic group: symmetries of the square; the same value as `dihedral(4)`.

    Cost:
        O(1).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 5.3.

    Examples:
        >>> from irrepnet import groups
        >>> groups.octic() == groups.dihedral(4)
        True
    """
    return dihedral(4)


@constructor
def klein_four() -> Group:
    """Klein's four-group on two pairs of points: 1 swaps one pair, 2 the other, 3 both.

    Cost:
        O(1).

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 2.1.

    Examples:
        >>> from irrepnet import groups
        >>> groups.klein_four().elements.tolist()
        [[0, 1, 2, 3], [1, 0, 2, 3], [0, 1, 3, 2], [1, 0, 3, 2]]
    """
    elements = np.array([[0, 1, 2, 3], [1, 0, 2, 3], [0, 1, 3, 2], [1, 0, 3, 2]])
    return Group(elements, (1, 2), ("klein_four",), "klein_four")


@constructor
def dicyclic(n: int) -> Group:
    """The dicyclic group `Dic_n` of order `4n`: `a^(2n) = 1`, `x^2 = a^n`, `x a x^-1 = a^-1`.

    Element `k < 2n` is `a^k` and element `2n + k` is `x a^k`; it acts on itself from the left.

    Raises:
        GroupError: If `n` is not a positive integer, or too large.

    Cost:
        O(order * degree).

    References:
        Coxeter and Moser, *Generators and Relations for Discrete Groups*, sec. 1.6.

    Examples:
        >>> from irrepnet import groups
        >>> [c.element_order for c in groups.dicyclic(3).conjugacy_classes]
        [1, 6, 3, 2, 4, 4]
    """
    n = positive("dicyclic", n)
    check_size(4 * n, 4 * n)
    k = np.arange(2 * n)
    # a a^k = a^(k+1) and a x a^k = x a^(k-1); x x a^k = a^(k+n).
    a = np.concatenate([np.roll(k, -1), 2 * n + np.roll(k, 1)])
    x = np.concatenate([2 * n + k, np.roll(k, -n)])
    elements = times_powers(np.stack([np.arange(4 * n), x]), a, 2 * n)
    return Group(elements, (1, 2 * n), ("dicyclic", n), f"Dic{n}")


@constructor
def quaternion() -> Group:
    """The quaternion group: elements `1, -1, i, -i, j, -j, k, -k`, acting on itself from the left.

    Cost:
        O(1).

    References:
        Coxeter and Moser, *Generators and Relations for Discrete Groups*, sec. 1.7.

    Examples:
        >>> from irrepnet import groups
        >>> Q8 = groups.quaternion()
        >>> i, j = Q8.generators
        >>> Q8.multiply(i, j), Q8.multiply(j, i), Q8.multiply(i, i)  # k, -k, -1
        (6, 7, 1)
    """
    # Products of the units 1, i, j, k as (unit, sign): i j = k and cyclically.
    unit = np.array([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]])
    sign = np.array([[0, 0, 0, 0], [0, 1, 0, 1], [0, 1, 1, 0], [0, 0, 1, 1]])
    a = np.arange(8)
    u, s = unit[a[:, None] // 2, a // 2], sign[a[:, None] // 2, a // 2]
    elements = 2 * u + (s + a[:, None] + a) % 2
    return Group(elements, (2, 4), ("quaternion",), "Q8")


@constructor
def symmetric(n: int) -> Group:
    """The symmetric group `S_n` on `n` points, elements sorted by image list.

    The generators are the transposition of points 0 and 1, and the cycle `i -> i + 1`.

    Raises:
        GroupError: If `n` is not a positive integer, or too large (`n <= 8`).

    Cost:
        O(order * degree).

    References:
        Dixon and Mortimer, *Permutation Groups*, sec. 1.2.

    Examples:
        >>> from irrepnet import groups
        >>> groups.symmetric(4).order
        24
    """
    n = positive("symmetric", n)
    elements = _all_permutations(n)
    swap, cycle = [1, 0, *range(2, n)][:n], [*range(1, n), 0]
    generators = [swap, cycle] if n > 2 else [swap] if n == 2 else []
    return _from_images(elements, generators, ("symmetric", n), f"S{n}")


@constructor
def alternating(n: int) -> Group:
    """The alternating group `A_n` on `n` points: the even permutations, sorted by image list.

    The generators are the 3-cycles `(0 1 k)`.

    Raises:
        GroupError: If `n` is not a positive integer, or too large (`n <= 8`).

    Cost:
        O(order * degree).

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 2.1.

    Examples:
        >>> from irrepnet import groups
        >>> groups.alternating(5).order
        60
    """
    n = positive("alternating", n)
    elements = _all_permutations(n)
    inversions = sum(
        (elements[:, i] > elements[:, j]).astype(int) for i in range(n) for j in range(i + 1, n)
    )
    even = elements[np.broadcast_to(inversions, len(elements)) % 2 == 0]
    generators = [[1, k, *range(2, k), 0, *range(k + 1, n)] for k in range(2, n)]
    return _from_images(even, generators, ("alternating", n), f"A{n}")


def _all_permutations(n: int) -> np.ndarray:
    """All image lists on `n` points, sorted."""
    check_size(math.factorial(min(n, 20)), n)
    rows = np.zeros((1, 1), dtype=np.int32)
    for degree in range(2, n + 1):
        first, rest = np.arange(degree), np.tile(rows, (degree, 1))
        first = np.repeat(first, len(rows))[:, None]
        rows = np.hstack([first, rest + (rest >= first)])
    return rows


def _from_images(
    elements: np.ndarray, generators: list[list[int]], recipe: tuple, name: str
) -> Group:
    images = np.array(generators, dtype=np.int32).reshape(-1, elements.shape[1])
    return Group.from_images(elements, images, recipe, name)


def positive(family: str, n: int) -> int:
    """The integer `n`, checked to be positive."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise GroupError(f"{family}({n!r}): expected a positive integer, such as {family}(4).")
    return int(n)
