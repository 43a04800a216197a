"""Irreps as representations, tensor products, squares and duals."""

from __future__ import annotations

import numpy as np

from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._field_matrices import kronecker, one_field
from irrepnet.reps._irrep import Irrep
from irrepnet.reps._permutation import PermutationRepresentation, signs_of
from irrepnet.reps._representation import (
    MatrixRepresentation,
    Representation,
    check_same_group,
)


def of_irrep(irrep: Irrep) -> MatrixRepresentation:
    """An irrep as a representation, by its own matrices.

    Cost:
        8 * order * dim^2 bytes.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 13.2.

    Examples:
        >>> from irrepnet import groups, reps
        >>> E = reps.of_irrep(groups.dihedral(4).irrep("E"))
        >>> (E @ E).decompose()
        <Decomposition over D4: 1*A1 + 1*A2 + 1*B1 + 1*B2>
    """

    def character(p: int, root: int) -> np.ndarray:
        table = irrep.group.character_table.modulo(p, root)[list(irrep.rows)]
        return table.sum(axis=0) * (2 if irrep.kind == "H" else 1) % p

    def field(elements: np.ndarray) -> tuple[Cyclotomic, Cyclotomic]:
        return irrep.field_form(elements)[:2]

    return MatrixRepresentation(irrep.group, irrep.matrices, character, field)


def tensor(first: Representation, second: Representation) -> Representation:
    """The tensor product, coordinates `i * dim(second) + j`; of permutations, again one.

    Raises:
        RepresentationError: If the groups differ.

    Cost:
        O(order * dim) for permutations, O(order * dim^2) for matrices, `dim` of the product.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.5.

    Examples:
        >>> from irrepnet import groups, reps
        >>> V = reps.regular(groups.flop())
        >>> V @ V
        <permutation representation of flop, dim 4>
    """
    check_same_group(first, second)
    group, dim = first.group, first.dim * second.dim
    if isinstance(first, PermutationRepresentation) and isinstance(
        second, PermutationRepresentation
    ):
        images = first.images[:, :, None] * second.dim + second.images[:, None, :]
        images = images.reshape(group.order, dim)
        if first.signs is None and second.signs is None:
            return PermutationRepresentation(group, images)
        signs = signs_of(first)[:, :, None] * signs_of(second)[:, None, :]
        return PermutationRepresentation(group, images, signs.reshape(group.order, dim))
    matrices = np.einsum("aik,ajl->aijkl", first.matrices, second.matrices)

    def character(p: int, root: int) -> np.ndarray | None:
        x, y = first.character_modulo(p, root), second.character_modulo(p, root)
        return None if x is None or y is None else x * y % p

    def field(elements: np.ndarray) -> tuple[Cyclotomic, Cyclotomic]:
        (x, s), (y, t) = first.field_form(elements), second.field_form(elements)
        diagonal = kronecker(s[None, None], t[None, None])[0, 0]
        return one_field(kronecker(x, y), diagonal)  # type: ignore[return-value]

    return MatrixRepresentation(group, matrices.reshape(group.order, dim, dim), character, field)


def symmetric_square(representation: Representation) -> Representation:
    """The symmetric square, basis `e_i e_i` and `(e_i e_j + e_j e_i) / sqrt 2` for `i <= j`.

    Cost:
        O(order * dim^2) for permutations, O(order * dim^4) for matrices.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.6 and 2.1, Prop. 3.

    Examples:
        >>> from irrepnet import groups, reps
        >>> reps.symmetric_square(reps.of_irrep(groups.dihedral(4).irrep("E"))).decompose()
        <Decomposition over D4: 1*A1 + 1*B1 + 1*B2>
    """
    return _square(representation, 1)


def exterior_square(representation: Representation) -> Representation:
    """The exterior square, basis `(e_i e_j - e_j e_i) / sqrt 2` for `i < j`.

    Cost:
        O(order * dim^2) for permutations, O(order * dim^4) for matrices.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.6 and 2.1, Prop. 3.

    Examples:
        >>> from irrepnet import groups, reps
        >>> reps.exterior_square(reps.of_irrep(groups.dihedral(4).irrep("E"))).decompose()
        <Decomposition over D4: 1*A2>
    """
    return _square(representation, -1)


def _square(representation: Representation, symmetry: int) -> Representation:
    group, n = representation.group, representation.dim
    i, j = np.triu_indices(n, 0 if symmetry == 1 else 1)
    if isinstance(representation, PermutationRepresentation):
        number = np.zeros((n, n), dtype=np.int32)
        number[i, j] = number[j, i] = np.arange(len(i))
        x, y = representation.images[:, i], representation.images[:, j]
        signs = signs_of(representation)[:, i] * signs_of(representation)[:, j]
        if symmetry == -1:
            signs = signs * np.where(x > y, -1, 1)
        plain = symmetry == 1 and representation.signs is None
        return PermutationRepresentation(group, number[x, y], None if plain else signs)
    m = representation.matrices
    weight = np.where(i == j, np.sqrt(0.5), 1.0)
    columns = m[:, :, i], m[:, :, j]
    direct = columns[0][:, i] * columns[1][:, j] + symmetry * columns[0][:, j] * columns[1][:, i]
    squares = group.character_table.powers

    def character(p: int, root: int) -> np.ndarray | None:
        x = representation.character_modulo(p, root)
        if x is None:
            return None
        doubled = squares[:, 2] if squares.shape[1] > 2 else np.zeros(len(squares), dtype=int)
        return (x * x + symmetry * x[doubled]) % p * ((p + 1) // 2) % p

    def field(elements: np.ndarray) -> tuple[Cyclotomic, Cyclotomic]:
        x, s = representation.field_form(elements)
        one, two = x[:, :, i], x[:, :, j]
        sign = Cyclotomic.integers(x.order, np.array(symmetry))
        total = one[:, i] * two[:, j] + sign * (one[:, j] * two[:, i])
        # e_i e_i has half the norm of the rest: its root goes into the scales.
        half = Cyclotomic(
            x.order, Cyclotomic.ones(x.order).numerators * np.where(i == j, 1, 2)[:, None], 2
        )
        return total * half, s[i] * s[j] * half.inverse()

    return MatrixRepresentation(group, direct * weight[:, None] * weight, character, field)


def dual(representation: Representation) -> Representation:
    """The dual representation: inverse transposes. Orthogonal matrices are their own.

    Cost:
        O(order * dim^2) for matrices that a user gave, else none.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.1, Exercise 2.3.

    Examples:
        >>> from irrepnet import groups, reps
        >>> V = reps.regular(groups.cyclic(3))
        >>> reps.dual(V) is V
        True
    """
    if not isinstance(representation, MatrixRepresentation):
        return representation
    inverses = representation.group.inverses
    matrices = representation.matrices[inverses].transpose(0, 2, 1)
    return MatrixRepresentation(  # a real character is that of the dual, too
        representation.group, matrices, representation.character_modulo
    )
