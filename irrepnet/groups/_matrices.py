"""Groups from generating matrices: integer and rational ones exactly, orthogonal ones by floats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._arithmetic import largest_finite_order, minkowski_bound
from irrepnet.groups._closure import ORDER_LIMIT, closure
from irrepnet.groups._float_orbit import check_orthogonal, float_orbit
from irrepnet.groups._group import Group
from irrepnet.groups._recipes import constructor

Vector = tuple[Any, ...]


@constructor
def from_matrices(generators: Iterable[Any], denominator: int = 1) -> Group:
    """The group that invertible matrices generate.

    It acts on the orbits of the standard basis vectors, which is faithful and finite if the group
    is. Integer and rational matrices (`int`, `Fraction`, sympy rationals) are treated exactly, and
    their points are sorted, so the numbering of elements does not depend on the generators. Float
    matrices must be orthogonal; vectors closer than 1e-5 are one point, and the points are numbered
    as they are met.

    Args:
        generators: Square matrices of one size, at least one.
        denominator: All entries are divided by it; `repr` writes rational matrices this way.

    Raises:
        GroupError: If the matrices are not square of one size, a matrix is not invertible, a float
            matrix is not orthogonal, the group is infinite or too large, or floats do not decide.

    Cost:
        O(points * generators * dim^2) arithmetic operations, then that of `from_permutations`.

    References:
        Minkowski's bound and the orders of rational matrices: Kuzmanovich and Pavlichenkov, "Finite
        groups of matrices whose entries are integers", Amer. Math. Monthly 109 (2002).

    Examples:
        >>> from irrepnet import groups
        >>> groups.from_matrices([[[0, -1], [1, -1]], [[0, 1], [1, 0]]]).order
        6
    """
    matrices = _square(generators)
    if denominator != 1:
        matrices = [m / Fraction(denominator) for m in matrices]
    exact = all(isinstance(x, Rational) for m in matrices for x in m.flat)
    if exact:
        matrices = [_simplified(m) for m in matrices]
        images, recipe = _exact_images(matrices), _exact_recipe(matrices)
    else:
        floats = _floats(matrices)
        check_orthogonal(floats)
        images = float_orbit(floats)
        recipe = ("from_matrices", tuple(tuple(map(tuple, m)) for m in floats.tolist()))
    count, dim = len(matrices), len(matrices[0])
    name = f"<{count} {'matrix' if count == 1 else 'matrices'} of size {dim}>"
    return Group.from_images(closure(images), images, recipe, name)


def _square(generators: Iterable[Any]) -> list[np.ndarray]:
    lists = [g.tolist() if hasattr(g, "tolist") else g for g in generators]
    matrices = [np.array(rows, dtype=object) for rows in lists]
    if not matrices:
        raise GroupError(
            "no matrices were given: expected at least one.\n"
            "  The identity generates the trivial group."
        )
    for m in matrices:
        if m.ndim != 2 or m.shape != (len(matrices[0]),) * 2 or not m.size:
            raise GroupError(
                f"a matrix of shape {m.shape}: expected square matrices of one size, as the first "
                f"of {len(matrices[0])} rows."
            )
    return matrices


def _floats(matrices: list[np.ndarray]) -> np.ndarray:
    try:
        return np.array([[[float(x) for x in row] for row in m] for m in matrices])
    except (TypeError, ValueError):
        raise GroupError(
            "a matrix has entries that are not real numbers: expected integers, fractions or "
            "floats."
        ) from None


def _simplified(matrix: np.ndarray) -> np.ndarray:
    """Integers where possible (they are faster), fractions elsewhere."""
    fractions = [Fraction(int(x.numerator), int(x.denominator)) for x in matrix.flat]
    entries = [int(x) if x.denominator == 1 else x for x in fractions]
    return np.array(entries, dtype=object).reshape(matrix.shape)


def _exact_recipe(matrices: list[np.ndarray]) -> tuple:
    common = math.lcm(*(x.denominator for m in matrices for x in m.flat))
    entries = tuple(tuple(tuple(int(x * common) for x in row) for row in m) for m in matrices)
    return ("from_matrices", entries) if common == 1 else ("from_matrices", entries, common)


def _exact_images(matrices: list[np.ndarray]) -> np.ndarray:
    """The generators as permutations of the orbits of the basis vectors, sorted."""
    dim = len(matrices[0])
    basis = [tuple(int(i == j) for i in range(dim)) for j in range(dim)]
    steps = [_step(m) for m in matrices]
    for number, step in enumerate(steps):
        _check_order(number, step, basis)
    moved: dict[Vector, list[Vector]] = {}
    for start in basis:
        _add_orbit(moved, steps, start)
    points = sorted(moved, reverse=True)
    number_of = {vector: i for i, vector in enumerate(points)}
    return np.array([[number_of[w] for w in moved[v]] for v in points], dtype=np.int32).T


def _add_orbit(
    moved: dict[Vector, list[Vector]], steps: list[Callable[[Vector], Vector]], start: Vector
) -> None:
    """Record where every step moves every vector of an orbit."""
    limit = min(ORDER_LIMIT, minkowski_bound(len(start)))
    pending, count = [start], 0
    while pending:
        vector = pending.pop()
        if vector not in moved:
            moved[vector] = [step(vector) for step in steps]
            pending += moved[vector]
            count += 1
            if count > limit:  # an orbit is no larger than its group
                raise GroupError(_infinite(len(start), limit))


def _step(matrix: np.ndarray) -> Callable[[Vector], Vector]:
    rows = [[(j, x) for j, x in enumerate(row) if x] for row in matrix.tolist()]

    def step(vector: Vector) -> Vector:
        return tuple(sum(x * vector[j] for j, x in row) for row in rows)

    return step


def _check_order(number: int, step: Callable[[Vector], Vector], basis: Sequence[Vector]) -> None:
    """Refuse a matrix that does not permute the basis vectors' images in short cycles."""
    longest = largest_finite_order(len(basis))
    for start in basis:
        vector = step(start)
        for _ in range(longest):
            if vector == start:
                break
            vector = step(vector)
        else:
            raise GroupError(
                f"matrix {number} is not invertible or has infinite order: no power up to "
                f"{longest}, the largest finite order of a rational matrix of size {len(basis)}, "
                "is the identity.\n  Expected generators of a finite group."
            )


def _infinite(dim: int, limit: int) -> str:
    if limit < ORDER_LIMIT:
        return (
            f"the matrices generate an infinite group: a finite group of rational matrices of size "
            f"{dim} has at most {limit} elements (Minkowski), and this one has more.\n"
            "  Expected generators of a finite group."
        )
    return (
        f"the matrices generate an infinite group, or one of more than {limit} elements, the limit."
        "\n  Expected generators of a finite group."
    )
