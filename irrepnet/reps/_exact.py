"""Exact isotypic bases: rows in a cyclotomic field, square roots kept aside in a diagonal."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from irrepnet.groups import Group
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._field_matrices import without_scales
from irrepnet.reps._fixed import chosen_columns, num_fixed
from irrepnet.reps._irrep import Irrep


def exact_fixed_vectors(
    irrep: Irrep, subgroup: tuple[int, ...], signs: np.ndarray | None = None
) -> tuple[Cyclotomic, Cyclotomic]:
    """The vectors of `fixed_vectors` before they are normalised, in scaled coordinates.

    With `D` the irrep's scales, the orthonormal coordinates of column `c` are `D^(-1/2) f_c /
    sqrt(n_c)`.

    Returns:
        `f`, shape `(dim, r)`, and the squared lengths `n`, shape `(r,)`.

    Raises:
        NotExactError: If the irrep has no exact matrices.

    Cost:
        O(|H| dim^2 + dim^2 r) operations in the field.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.6.
    """
    form, scales, units = irrep.field_form(np.array(subgroup))
    rank = num_fixed(irrep, subgroup, signs)
    weights = np.ones(len(subgroup), dtype=np.int64) if signs is None else signs
    total = np.tensordot(weights, form.numerators, axes=1)
    projector = Cyclotomic(form.order, total, form.denominator * len(subgroup)).reduced()
    chosen = chosen_columns(irrep, subgroup, signs, rank) or []
    vectors = [projector[:, column] for column in chosen]
    return orthogonal(vectors, list(units), scales)


def orthogonal(
    vectors: list[Cyclotomic], units: list[Cyclotomic], scales: Cyclotomic
) -> tuple[Cyclotomic, Cyclotomic]:
    """Gram-Schmidt over a division algebra without normalising, for `<x, y> = sum x y / D`.

    Args:
        vectors: Real vectors, independent over the algebra.
        units: Its basis as matrices, each up to a factor.
        scales: The diagonal `D`.

    Returns:
        Orthogonal vectors as columns, and their squared lengths.
    """
    inverse_scales = scales.inverse()

    def dot(x: Cyclotomic, y: Cyclotomic) -> Cyclotomic:
        return ((x * inverse_scales)[None, :] @ y[:, None])[0, 0]

    found: list[Cyclotomic] = []
    lengths: list[Cyclotomic] = []
    spanned: list[tuple[Cyclotomic, Cyclotomic]] = []  # vectors with inverse squared lengths
    for vector in vectors:
        for other, inverse in spanned:
            vector = vector - (dot(other, vector) * inverse)[None] * other
        found.append(vector)
        lengths.append(dot(vector, vector))
        for unit in units:
            turned = (unit @ vector[:, None])[:, 0]
            spanned.append((turned, dot(turned, turned).inverse()))
    return Cyclotomic.stack(found).transpose(), Cyclotomic.stack(lengths)


@lru_cache(maxsize=64)
def exact_coset_basis(
    group: Group,
    stabiliser: tuple[int, ...],
    character: tuple[int, ...] | None,
    transversal: tuple[int, ...],
) -> tuple[sympy.ImmutableMatrix, tuple[sympy.Expr, ...]]:
    """The isotypic basis of one orbit, exactly: `U = diag(b)^(-1/2) Q`, `Q Q^T = diag(b)`.

    Returns:
        `Q` and `b`.

    Raises:
        NotExactError: If an irrep that occurs has no exact matrices.
    """
    signs = None if character is None else np.array(character)
    rows: list[list[Any]] = []
    squares: list[Any] = []
    for irrep in group.irreps:
        if num_fixed(irrep, stabiliser, signs) == 0:
            continue
        vectors, lengths = exact_fixed_vectors(irrep, stabiliser, signs)
        form, scales, _ = irrep.field_form(np.array(transversal))
        moved = [(matrix @ vectors).to_sympy() for matrix in form]
        share = sympy.Rational(len(transversal), irrep.dim)
        for k in range(irrep.dim):
            for c in range(vectors.shape[1]):
                rows.append([block[k, c] for block in moved])
                squares.append(sympy.expand((scales[k] * lengths[c]).to_sympy() * share))
    return sympy.ImmutableMatrix(rows), tuple(squares)


def exact_matrix(irrep: Irrep, element: int) -> sympy.Matrix:
    """The orthogonal matrix of one element: `D^(-1/2) R D^(1/2)` with `R` in the field.

    Raises:
        NotExactError: If the matrices exist only numerically.
    """
    form, scales, _ = irrep.field_form(np.array([element]))
    return without_scales(form[0], scales)
