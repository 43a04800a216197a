"""Representations: permutations, signed permutations and matrices of a group's elements."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from irrepnet._errors import RepresentationError
from irrepnet.groups import Group
from irrepnet.reps._averaging import averaged_basis
from irrepnet.reps._decomposition import Decomposition, DenseBasis, OrbitBasis
from irrepnet.reps._orbits import OrbitType, orbit_types


class Representation:
    """A real representation of a finite group; abstract.

    Sums `V + W`, multiples `3 * V` and tensor products `V @ W` are representations again.
    """

    group: Group
    dim: int

    def matrix(self, a: int) -> np.ndarray:
        """Matrix of element `a`, float64 `(dim, dim)`."""
        raise NotImplementedError

    @cached_property
    def character(self) -> np.ndarray:
        """Trace of one element per conjugacy class, float64."""
        return np.array(
            [np.trace(self.matrix(c.representative)) for c in self.group.conjugacy_classes]
        )

    @cached_property
    def multiplicities(self) -> tuple[int, ...]:
        """Copies of each of `group.irreps`, by characters.

        References:
            Serre, *Linear Representations of Finite Groups*, sec. 2.3, Thm. 4.
        """
        return multiplicities_of_character(self.group, self.character)

    def decompose(self) -> Decomposition:
        """Multiplicities and an orthonormal isotypic basis."""
        return self._decomposition

    @cached_property
    def _decomposition(self) -> Decomposition:
        basis = averaged_basis(self.group, self.matrix, self.dim, self.multiplicities)
        return Decomposition(self.group, self.multiplicities, DenseBasis(basis))


class PermutationRepresentation(Representation):
    """A group permuting the standard basis, possibly with signs.

    Args:
        group: The group.
        images: `images[a][i]` is where element `a` sends point `i`, int `(order, dim)`.
        signs: `a e_i = signs[a][i] e_(images[a][i])`, or None if all are 1.
    """

    def __init__(self, group: Group, images: np.ndarray, signs: np.ndarray | None = None) -> None:
        self.group, self.images, self.signs = group, images, signs
        self.dim = images.shape[1]

    def matrix(self, a: int) -> np.ndarray:
        """Matrix of element `a`, float64 `(dim, dim)`."""
        self.group.inverse(a)
        matrix = np.zeros((self.dim, self.dim))
        matrix[self.images[a], np.arange(self.dim)] = 1.0 if self.signs is None else self.signs[a]
        return matrix

    @cached_property
    def character(self) -> np.ndarray:
        """Trace of one element per conjugacy class: its (signed) number of fixed points, float64."""
        rows = [c.representative for c in self.group.conjugacy_classes]
        fixed = (self.images[rows] == np.arange(self.dim)).astype(np.float64)
        return (fixed if self.signs is None else fixed * self.signs[rows]).sum(axis=1)

    @cached_property
    def orbit_types(self) -> tuple[OrbitType, ...]:
        """Orbits, sorted by stabiliser."""
        return orbit_types(self.group, self.images, self.signs)

    @cached_property
    def multiplicities(self) -> tuple[int, ...]:
        """Copies of each irrep: fixed vectors of the stabilisers, counted orbit by orbit."""
        total = np.zeros(len(self.group.irreps), dtype=np.int64)
        for kind in self.orbit_types:
            total += kind.num_orbits * np.array(kind.multiplicities)
        return tuple(total.tolist())

    @cached_property
    def _decomposition(self) -> Decomposition:
        basis = OrbitBasis(self.orbit_types, self.group.irreps)
        return Decomposition(self.group, self.multiplicities, basis, self.orbit_types)

    def __repr__(self) -> str:
        signed = "" if self.signs is None else "signed "
        return f"<{signed}permutation representation of {self.group.name}, dim {self.dim}>"


class MatrixRepresentation(Representation):
    """A group acting by matrices, float64 `(order, dim, dim)`."""

    def __init__(self, group: Group, matrices: np.ndarray) -> None:
        self.group, self.matrices, self.dim = group, matrices, matrices.shape[-1]

    def matrix(self, a: int) -> np.ndarray:
        """Matrix of element `a`, float64 `(dim, dim)`."""
        self.group.inverse(a)
        return self.matrices[a]

    def __repr__(self) -> str:
        return f"<matrix representation of {self.group.name}, dim {self.dim}>"


def multiplicities_of_character(group: Group, character: np.ndarray) -> tuple[int, ...]:
    """Multiplicity of each real irrep in a representation with the given real character.

    Raises:
        RepresentationError: If some multiplicity is not a natural number.

    Examples:
        >>> from irrepnet import groups
        >>> multiplicities_of_character(groups.flop(), np.array([2.0, 0.0]))
        (1, 1)
    """
    sizes = np.array([c.size for c in group.conjugacy_classes])
    found = []
    for irrep in group.irreps:
        inner = (sizes * character * irrep.characters).sum() / (group.order * irrep.end_dim)
        count = round(float(inner))
        if count < 0 or abs(inner - count) > 1e-6 * max(1.0, abs(character[0])):
            raise RepresentationError(
                f"got a class function of {group.name} that contains {irrep.name} {inner:.6g} "
                "times: expected the character of a representation, with natural multiplicities. "
                "Check that the matrices multiply as the group does."
            )
        found.append(count)
    return tuple(found)


def regular(group: Group) -> PermutationRepresentation:
    """The regular representation: the group permuting itself from the left.

    Cost:
        4 * order^2 bytes.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.2 and 2.4.

    Examples:
        >>> from irrepnet import groups
        >>> regular(groups.dihedral(4)).decompose()
        <Decomposition over D4: 1*A1 + 1*A2 + 1*B1 + 1*B2 + 2*E>
    """
    elements = np.arange(group.order)
    return PermutationRepresentation(group, group.products(elements[:, None], elements))


def permutation(group: Group, images: Any) -> PermutationRepresentation:
    """A permutation representation from images of points.

    Args:
        group: The group.
        images: `images[a][i]`, where element `a` sends point `i`: for all elements, shape
            `(order, num_points)`; or for the generators only, as a dict from generator to image
            list or as a list in the order of `group.generators`.

    Raises:
        RepresentationError: If the images are not permutations, or do not multiply as the group.

    Cost:
        O(order * num_points * generators).

    Examples:
        >>> from irrepnet import groups
        >>> permutation(groups.flop(), {1: [2, 1, 0]}).decompose()
        <Decomposition over flop: 2*sym + 1*asym>
    """
    full = _all_images(group, images)
    for g in group.generators:
        if not (full[g][full] == full[group.left_multiply(g)]).all():
            raise RepresentationError(
                f"got images that do not multiply as {group.name} does, at generator {g}: expected "
                "images[g][images[a]] == images[G.multiply(g, a)] for every element a (left action)."
            )
    return PermutationRepresentation(group, full)


def _all_images(group: Group, images: Any) -> np.ndarray:
    if isinstance(images, dict):
        images = (
            [images[g] for g in group.generators] if set(images) >= set(group.generators) else []
        )
    array = np.asarray(images)
    if array.ndim != 2 or array.dtype.kind not in "iu":
        raise RepresentationError(
            f"got images of shape {array.shape} and type {array.dtype}: expected integers of shape "
            f"({group.order}, num_points), or one image list per generator {group.generators}."
        )
    if not (np.sort(array, axis=1) == np.arange(array.shape[1])).all():
        raise RepresentationError(
            f"got an image list that is not a permutation of 0..{array.shape[1] - 1}: expected "
            "each point exactly once."
        )
    if len(array) == group.order and not (len(group.generators) == group.order):
        return array.astype(np.int32)
    if len(array) != len(group.generators):
        raise RepresentationError(
            f"got {len(array)} image lists: expected {group.order}, one per element, or "
            f"{len(group.generators)}, one per generator {group.generators}."
        )
    full = np.tile(np.arange(array.shape[1], dtype=np.int32), (group.order, 1))
    for g, parents, children in spanning_tree(group):
        full[children] = array[g][full[parents]]
    return full


def spanning_tree(group: Group) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Build all elements from the identity: steps `(i, parents, children)`, child = generator_i parent.

    Cost:
        O(order * generators).

    Examples:
        >>> from irrepnet import groups
        >>> [(i, p.tolist(), c.tolist()) for i, p, c in spanning_tree(groups.cyclic(3))]
        [(0, [0], [1]), (0, [1], [2])]
    """
    seen = np.zeros(group.order, dtype=bool)
    seen[0] = True
    steps, level = [], np.array([0])
    products = [group.left_multiply(g) for g in group.generators]
    while len(level):
        fresh = []
        for i, product in enumerate(products):
            children = product[level]
            new = ~seen[children]
            if new.any():
                steps.append((i, level[new], children[new]))
                seen[children[new]] = True
                fresh.append(children[new])
        level = np.concatenate(fresh) if fresh else np.array([], dtype=np.int64)
    return steps


def quotient(group: Group, subgroup: object) -> PermutationRepresentation:
    """The coset representation `R[G/H]`: the group permuting left cosets, by smallest element.

    Args:
        group: The group.
        subgroup: A subgroup, or its elements.

    Raises:
        GroupError: If it is not a subgroup.

    Cost:
        O(order * index).

    Examples:
        >>> from irrepnet import groups
        >>> quotient(groups.dihedral(4), [0, 4]).decompose()
        <Decomposition over D4: 1*A1 + 1*B1 + 1*E>
    """
    from irrepnet.reps._fixed import subgroup_elements
    from irrepnet.reps._orbits import coset_representatives

    elements = subgroup_elements(group, subgroup)
    transversal = coset_representatives(group, elements)
    coset = np.zeros(group.order, dtype=np.int32)
    coset[group.products(transversal[:, None], np.array(elements))] = np.arange(len(transversal))[
        :, None
    ]
    moved = group.products(np.arange(group.order)[:, None], transversal)
    return PermutationRepresentation(group, coset[moved])


def from_matrices(group: Group, matrices: Any) -> MatrixRepresentation:
    """A representation from matrices of all elements, or of the generators only.

    Args:
        group: The group.
        matrices: Shape `(order, dim, dim)`; or a dict from generator to matrix, or a list in the
            order of `group.generators`.

    Raises:
        RepresentationError: If they do not multiply as the group does.

    Examples:
        >>> from irrepnet import groups
        >>> from_matrices(groups.flop(), {1: [[0, 1], [1, 0]]}).decompose()
        <Decomposition over flop: 1*sym + 1*asym>
    """
    if isinstance(matrices, dict):
        matrices = [matrices[g] for g in group.generators]
    array = np.asarray(matrices, dtype=np.float64)
    if (
        array.ndim != 3
        or array.shape[1] != array.shape[2]
        or len(array)
        not in (
            group.order,
            len(group.generators),
        )
    ):
        raise RepresentationError(
            f"got matrices of shape {array.shape}: expected ({group.order}, dim, dim), or one "
            f"matrix per generator {group.generators}."
        )
    if len(array) != group.order or len(group.generators) == group.order:
        full = np.tile(np.eye(array.shape[1]), (group.order, 1, 1))
        for i, parents, children in spanning_tree(group):
            full[children] = array[i] @ full[parents]
        array = full
    for g in group.generators:
        error = np.abs(array[g] @ array - array[group.left_multiply(g)]).max()
        if error > 1e-8 * max(1.0, np.abs(array).max() ** 2):
            raise RepresentationError(
                f"got matrices that do not multiply as {group.name} does: at generator {g} the "
                f"error is {error:.3g}; expected matrices[g] @ matrices[a] == "
                "matrices[G.multiply(g, a)] for every element a."
            )
    return MatrixRepresentation(group, array)
