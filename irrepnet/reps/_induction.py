"""Restriction to a subgroup and induction from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from irrepnet._errors import RepresentationError
from irrepnet.groups import Group, Subgroup
from irrepnet.reps._composite import SumRepresentation
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._permutation import PermutationRepresentation
from irrepnet.reps._representation import MatrixRepresentation, Representation

ExactCharacter = Callable[[int, int], "np.ndarray | None"]


def restrict(representation: Representation, subgroup: Subgroup) -> Representation:
    """The representation as one of `subgroup.as_group()`.

    Raises:
        RepresentationError: If it is not a subgroup of the representation's group.

    Cost:
        `O(|H| * dim)` for permutations, `O(|H| * dim^2)` for matrices.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 7.2.

    Examples:
        >>> from irrepnet import groups, reps
        >>> D4 = groups.dihedral(4)
        >>> E = reps.of_irrep(D4.irrep("E"))
        >>> reps.restrict(E, D4.subgroup([4])).decompose().multiplicities
        (1, 1)
    """
    if not isinstance(subgroup, Subgroup) or subgroup.parent != representation.group:
        raise RepresentationError(
            f"got {subgroup!r}: expected a subgroup of {representation.group.name}, made by "
            "G.subgroup(generators)."
        )
    smaller, elements = subgroup.as_group(), list(subgroup.elements)
    if isinstance(representation, SumRepresentation):
        parts = tuple(restrict(part, subgroup) for part in representation.parts)
        return SumRepresentation(smaller, parts)
    if isinstance(representation, PermutationRepresentation):
        signs = None if representation.signs is None else representation.signs[elements]
        return PermutationRepresentation(smaller, representation.images[elements], signs)
    classes = [subgroup.elements[c.representative] for c in smaller.conjugacy_classes]
    labels = representation.group.class_labels[classes]

    def character(p: int, root: int) -> np.ndarray | None:
        x = representation.character_modulo(p, root)
        return None if x is None else x[labels]

    def field(chosen: np.ndarray) -> tuple[Cyclotomic, Cyclotomic]:
        return representation.field_form(np.array(elements)[chosen])

    return MatrixRepresentation(smaller, representation.matrices[elements], character, field)


def induce(representation: Representation, subgroup: Subgroup) -> Representation:
    """The representation of the parent group induced from one of `subgroup.as_group()`.

    Coordinates: cosets outermost, in order of `subgroup.left_transversal`.

    Raises:
        RepresentationError: If the representation is not one of the subgroup.

    Cost:
        O(order * index * dim^2) for matrices, without dim for permutations.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 3.3 and 7.1.

    Examples:
        >>> from irrepnet import groups, reps
        >>> D4 = groups.dihedral(4)
        >>> H = D4.subgroup([4])
        >>> reps.induce(reps.isotypic(H.as_group(), (0, 1)), H).decompose()
        <Decomposition over D4: 1*A2 + 1*B2 + 1*E>
    """
    if not isinstance(subgroup, Subgroup) or representation.group != subgroup.as_group():
        raise RepresentationError(
            f"got a representation of {representation.group.name}: expected one of "
            f"H.as_group() for the subgroup H to induce from, got {subgroup!r}."
        )
    parent, rows, inner = subgroup.parent, *_coset_blocks(subgroup)
    index, dim = subgroup.index, representation.dim
    if isinstance(representation, PermutationRepresentation):
        images = rows[:, :, None] * dim + representation.images[inner]
        images = images.reshape(parent.order, -1)
        if representation.signs is None:
            return PermutationRepresentation(parent, images)
        signs = representation.signs[inner].reshape(parent.order, -1)
        return PermutationRepresentation(parent, images, signs)
    blocks = np.zeros((parent.order, index, dim, index, dim))
    element, column = np.ogrid[: parent.order, :index]
    blocks[element, rows, :, column, :] = representation.matrices[inner]
    matrices = blocks.reshape(parent.order, index * dim, index * dim)

    def field(elements: np.ndarray) -> tuple[Cyclotomic, Cyclotomic]:
        base, scales = representation.field_form(inner[elements].ravel())
        phi = base.numerators.shape[-1]
        split = base.numerators.reshape(len(elements), index, dim, dim, phi)
        full = np.zeros((len(elements), index, dim, index, dim, phi), dtype=split.dtype)
        n, column = np.ogrid[: len(elements), :index]
        full[n, rows[elements], :, column] = split
        size = index * dim
        form = full.reshape(len(elements), size, size, phi)
        return Cyclotomic(base.order, form, base.denominator), scales[
            np.tile(np.arange(dim), index)
        ]

    character = _induced_character(representation, subgroup)
    return MatrixRepresentation(parent, matrices, character, field)


def _coset_blocks(subgroup: Subgroup) -> tuple[np.ndarray, np.ndarray]:
    """Per element and column coset: the row coset, and the number of the subgroup element there."""
    group: Group = subgroup.parent
    transversal = np.array(subgroup.left_transversal)
    number = np.zeros(group.order, dtype=np.int64)
    number[list(subgroup.elements)] = np.arange(subgroup.order)
    moved = group.products(np.arange(group.order)[:, None], transversal)
    rows = subgroup.left_cosets[moved]
    return rows, number[group.products(group.inverses[transversal[rows]], moved)]


def _induced_character(representation: Representation, subgroup: Subgroup) -> ExactCharacter:
    group, smaller = subgroup.parent, subgroup.as_group()
    labels = group.class_labels[list(subgroup.elements)]
    sizes = np.array([c.size for c in group.conjugacy_classes])

    def character(p: int, root: int) -> np.ndarray | None:
        x = representation.character_modulo(p, root)
        if x is None:
            return None
        sums = np.zeros(len(sizes), dtype=np.int64)
        np.add.at(sums, labels, x[smaller.class_labels])
        inverse = np.array([pow(int(s) * subgroup.order, -1, p) for s in sizes])
        return sums % p * (group.order % p) % p * inverse % p

    return character
