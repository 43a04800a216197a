"""Groups of matrices over prime fields, and the Mathieu group on 11 points."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._arithmetic import prime_divisors
from irrepnet.groups._closure import check_size, closure
from irrepnet.groups._families import positive
from irrepnet.groups._group import Group
from irrepnet.groups._recipes import constructor


@constructor
def general_linear(n: int, p: int) -> Group:
    """The invertible `n x n` matrices over the field of `p` elements, on the nonzero vectors.

    The generators are those of `special_linear`, then the first diagonal entry times a primitive
    root. Vectors are numbered as integers in base `p`, the first coordinate leading, less one.

    Raises:
        GroupError: If `n` is not positive, `p` is no prime, or the group is too large.

    Cost:
        O(order * p^n * n).

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 2.1.

    Examples:
        >>> from irrepnet import groups
        >>> groups.general_linear(2, 3).order
        48
    """
    n, p = _checked("general_linear", n, p)
    scaling = np.eye(n, dtype=np.int64)
    scaling[0, 0] = _primitive_root(p)
    matrices = [*_transvections(n), scaling]
    return _on_vectors(matrices, p, ("general_linear", n, p), f"GL({n},{p})")


@constructor
def special_linear(n: int, p: int) -> Group:
    """The `n x n` matrices of determinant 1 over the field of `p` elements, on nonzero vectors.

    The generators are the transvections that add a coordinate to the one before or after it.

    Raises:
        GroupError: If `n` is not positive, `p` is no prime, or the group is too large.

    Cost:
        O(order * p^n * n).

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 2.1.

    Examples:
        >>> from irrepnet import groups
        >>> SL23 = groups.special_linear(2, 3)
        >>> SL23.order, [irrep.kind for irrep in SL23.irreps]
        (24, ['R', 'C', 'R', 'C', 'H'])
    """
    n, p = _checked("special_linear", n, p)
    return _on_vectors(_transvections(n), p, ("special_linear", n, p), f"SL({n},{p})")


@constructor
def projective_special_linear(n: int, p: int) -> Group:
    """`SL(n, p)` modulo its scalars, on the lines through zero.

    Raises:
        GroupError: If `n` is not positive, `p` is no prime, or the group is too large.

    Cost:
        O(order * p^(n-1) * n).

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 2.1.

    Examples:
        >>> from irrepnet import groups
        >>> groups.projective_special_linear(2, 7).order
        168
    """
    n, p = _checked("projective_special_linear", n, p)
    vectors = _vectors(n, p)
    leading = np.take_along_axis(vectors, (vectors != 0).argmax(axis=1)[:, None], axis=1)
    inverses = np.array([pow(a, -1, p) for a in range(1, p)])
    firsts = vectors * inverses[leading - 1] % p  # the vector of each line that begins with 1
    lines, line = np.unique(_numbers(firsts, p), return_inverse=True)
    images = [line.ravel()[m][lines] for m in _moves(_transvections(n), p)]
    recipe = ("projective_special_linear", n, p)
    return _generated(images, len(lines), recipe, f"PSL({n},{p})")


@constructor
def mathieu_11() -> Group:
    """The Mathieu group on 11 points, sharply 4-transitive and simple, of order 7920.

    Cost:
        O(order * degree).

    References:
        Dixon and Mortimer, *Permutation Groups*, ch. 6.

    Examples:
        >>> from irrepnet import groups
        >>> groups.mathieu_11().character_table.degrees
        (1, 10, 10, 10, 11, 16, 16, 44, 45, 55)
    """
    images = np.array([[*range(1, 11), 0], [0, 1, 6, 9, 5, 3, 10, 2, 8, 4, 7]])
    return _generated(list(images), 11, ("mathieu_11",), "M11")


def _checked(family: str, n: int, p: int) -> tuple[int, int]:
    n, p = positive(family, n), positive(family, p)
    if prime_divisors(p) != [p]:
        raise GroupError(f"{family}({n}, {p}): expected a prime p, such as {family}({n}, 5).")
    order = math.prod(p**n - p**i for i in range(min(n, 20)))
    scalars = {"general_linear": 1, "special_linear": p - 1}
    divisor = scalars.get(family, (p - 1) * math.gcd(n, p - 1))
    check_size(order // divisor, p**n if family in scalars else p ** (n - 1))
    return n, p


def _primitive_root(p: int) -> int:
    primes = prime_divisors(p - 1)
    return next(a for a in range(1, p) if all(pow(a, (p - 1) // q, p) != 1 for q in primes))


def _transvections(n: int) -> list[np.ndarray]:
    pairs = [(i, i + 1) for i in range(n - 1)] + [(i + 1, i) for i in range(n - 1)]
    matrices = []
    for i, j in pairs:
        matrix = np.eye(n, dtype=np.int64)
        matrix[i, j] = 1
        matrices.append(matrix)
    return matrices


def _vectors(n: int, p: int) -> np.ndarray:
    """Nonzero vectors, the first coordinate leading."""
    return np.stack(np.unravel_index(np.arange(1, p**n), (p,) * n), axis=1)


def _numbers(vectors: np.ndarray, p: int) -> np.ndarray:
    return np.asarray(np.ravel_multi_index(tuple(vectors.T), (p,) * vectors.shape[1])) - 1


def _moves(matrices: Sequence[np.ndarray], p: int) -> list[np.ndarray]:
    """What matrices do to the numbers of nonzero vectors."""
    return [_numbers(_vectors(len(m), p) @ m.T % p, p) for m in matrices]


def _on_vectors(matrices: Sequence[np.ndarray], p: int, recipe: tuple, name: str) -> Group:
    return _generated(_moves(matrices, p), p ** recipe[1] - 1, recipe, name)


def _generated(images: list[np.ndarray], degree: int, recipe: tuple, name: str) -> Group:
    rows = np.array(images or [np.arange(degree)], dtype=np.int32)
    return Group.from_images(closure(rows), rows[: len(images)], recipe, name)
