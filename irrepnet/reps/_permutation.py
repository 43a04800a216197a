"""Representations that permute the standard basis, possibly with signs."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from irrepnet._errors import RepresentationError
from irrepnet.groups import Group
from irrepnet.reps._coset_basis import coset_representatives
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._decomposition import Decomposition, OrbitBasis
from irrepnet.reps._fixed import subgroup_elements
from irrepnet.reps._orbits import OrbitType, orbit_types
from irrepnet.reps._representation import Representation


class PermutationRepresentation(Representation):
    """A group permuting the standard basis, possibly with signs.

    Args:
        group: The group.
        images: `images[a][i]` is where element `a` sends point `i`, int `(order, dim)`.
        signs: `a e_i = signs[a][i] e_(images[a][i])`, or None if all are 1.

    Cost:
        O(order * dim) memory; no matrix of size dim^2 is formed unless `matrix` is asked for.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.2, Example (c).

    Examples:
        >>> from irrepnet import groups, reps
        >>> V = reps.permutation(groups.flop(), [[1, 0, 2]])
        >>> V.dim, V.character.tolist(), V.multiplicities
        (3, [3.0, 1.0], (2, 1))
    """

    def __init__(self, group: Group, images: np.ndarray, signs: np.ndarray | None = None) -> None:
        self.group, self.signs, self.dim = group, signs, images.shape[1]
        self.images = images

    def matrix(self, a: int) -> np.ndarray:
        """Matrix of element `a`, float64 `(dim, dim)`."""
        self.group.inverse(a)
        matrix = np.zeros((self.dim, self.dim))
        matrix[self.images[a], np.arange(self.dim)] = 1.0 if self.signs is None else self.signs[a]
        return matrix

    def field_form(self, elements: np.ndarray) -> tuple[Cyclotomic, Cyclotomic]:
        """Exact matrices and scales: integers and ones."""
        matrices = np.stack([self.matrix(int(a)) for a in elements]).astype(np.int64)
        return Cyclotomic.integers(1, matrices), Cyclotomic.ones(1, (self.dim,))

    @cached_property
    def character(self) -> np.ndarray:
        """Trace of one element per class: its (signed) number of fixed points, float64."""
        rows = [c.representative for c in self.group.conjugacy_classes]
        fixed = (self.images[rows] == np.arange(self.dim)).astype(np.float64)
        return (fixed if self.signs is None else fixed * self.signs[rows]).sum(axis=1)

    def character_modulo(self, p: int, root: int) -> np.ndarray:
        """The character modulo a prime, one residue per class."""
        return self.character.astype(np.int64) % p

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


def sum_of_permutations(parts: list[PermutationRepresentation]) -> PermutationRepresentation:
    """The direct sum of permutation representations: points side by side."""
    starts = np.cumsum([0, *(part.dim for part in parts)])
    images = [part.images + start for part, start in zip(parts, starts[:-1], strict=True)]
    if all(part.signs is None for part in parts):
        return PermutationRepresentation(parts[0].group, np.hstack(images))
    signs = [signs_of(part) for part in parts]
    return PermutationRepresentation(parts[0].group, np.hstack(images), np.hstack(signs))


def signs_of(representation: PermutationRepresentation) -> np.ndarray:
    """Signs of all images, ones if there are none."""
    if representation.signs is None:
        return np.ones(representation.images.shape, dtype=np.int8)
    return representation.signs


class RegularRepresentation(PermutationRepresentation):
    """A group permuting itself from the left; one orbit, whose images are formed when asked."""

    def __init__(self, group: Group) -> None:
        self.group, self.signs, self.dim = group, None, group.order

    @cached_property
    def images(self) -> np.ndarray:  # type: ignore[override]
        """The Cayley table, int32 `(order, order)`."""
        return np.stack([self.group.left_multiply(a) for a in range(self.dim)])

    @cached_property
    def character(self) -> np.ndarray:
        """The order at the identity, else 0."""
        return np.eye(1, len(self.group.conjugacy_classes))[0] * self.dim

    @cached_property
    def orbit_types(self) -> tuple[OrbitType, ...]:
        """The one regular orbit."""
        elements = np.arange(self.dim)
        return (OrbitType(self.group, (0,), elements, elements[None]),)

    def __repr__(self) -> str:
        return f"<regular representation of {self.group.name}, dim {self.dim}>"


def regular(group: Group) -> PermutationRepresentation:
    """The regular representation: the group permuting itself from the left.

    Cost:
        O(order); images of all elements, when asked, take 4 * order^2 bytes.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.2 and 2.4.

    Examples:
        >>> from irrepnet import groups
        >>> regular(groups.dihedral(4)).decompose()
        <Decomposition over D4: 1*A1 + 1*A2 + 1*B1 + 1*B2 + 2*E>
    """
    return RegularRepresentation(group)


def quotient(group: Group, subgroup: object) -> PermutationRepresentation:
    """The coset representation `R[G/H]`: the group permuting left cosets, by smallest element.

    Args:
        group: The group.
        subgroup: A subgroup, or its elements.

    Raises:
        GroupError: If it is not a subgroup.

    Cost:
        O(order * index).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 3.3, Example 2.

    Examples:
        >>> from irrepnet import groups
        >>> quotient(groups.dihedral(4), [0, 4]).decompose()
        <Decomposition over D4: 1*A1 + 1*B1 + 1*E>
    """
    elements = subgroup_elements(group, subgroup)
    transversal = coset_representatives(group, elements)
    coset = np.zeros(group.order, dtype=np.int32)
    members = group.products(transversal[:, None], np.array(elements))
    coset[members] = np.arange(len(transversal))[:, None]
    columns = [coset[group.right_multiply(int(t))] for t in transversal]
    return PermutationRepresentation(group, np.stack(columns, axis=1))


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

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.2, Example (c).

    Examples:
        >>> from irrepnet import groups
        >>> permutation(groups.flop(), {1: [2, 1, 0]}).decompose()
        <Decomposition over flop: 2*sym + 1*asym>
    """
    return signed_permutation(group, images, None)


def signed_permutation(group: Group, images: Any, signs: Any) -> PermutationRepresentation:
    """A signed permutation representation: `a e_i = signs[a][i] e_(images[a][i])`.

    Args:
        group: The group.
        images: As for `permutation`.
        signs: 1 or -1, in the same form as `images`.

    Raises:
        RepresentationError: If images or signs are malformed, or do not multiply as the group.

    Cost:
        O(order * num_points * generators).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 3.3 (monomial representations).

    Examples:
        >>> from irrepnet import groups
        >>> signed_permutation(groups.flop(), [[1, 0]], [[-1, -1]]).decompose()
        <Decomposition over flop: 1*sym + 1*asym>
    """
    table = _rows(group, images, "images")
    if not (np.sort(table, axis=1) == np.arange(table.shape[1])).all():
        raise RepresentationError(
            f"got an image list that is not a permutation of 0..{table.shape[1] - 1}: expected "
            "each point exactly once."
        )
    flips = np.ones(table.shape, dtype=np.int8) if signs is None else _rows(group, signs, "signs")
    if flips.shape != table.shape or not (np.abs(flips) == 1).all():
        raise RepresentationError(
            f"got signs of shape {flips.shape} with values {np.unique(flips).tolist()[:4]}: "
            f"expected 1 or -1 for each of the images, shape {table.shape}."
        )
    full, full_signs = _expand(group, table, flips)
    for g in group.generators:
        product = group.left_multiply(g)
        good = full[g][full] == full[product]
        good &= full_signs[g][full] * full_signs == full_signs[product]
        if not good.all():
            what = "images" if signs is None else "images and signs"
            raise RepresentationError(
                f"got {what} that do not multiply as {group.name} does, at generator {g}: "
                "expected images[g][images[a]] == images[G.multiply(g, a)] for every element a "
                "(left action)."
            )
    return PermutationRepresentation(group, full, None if signs is None else full_signs)


def _rows(group: Group, given: Any, what: str) -> np.ndarray:
    """One row per element or per generator."""
    if isinstance(given, dict):
        missing = [g for g in group.generators if g not in given]
        if missing:
            raise RepresentationError(
                f"got {what} of {sorted(given)}: expected all generators, {missing} are missing."
            )
        given = [given[g] for g in group.generators]
    array = np.asarray(given)
    expected = (group.order, len(group.generators))
    if array.ndim != 2 or array.dtype.kind not in "iu" or len(array) not in expected:
        raise RepresentationError(
            f"got {what} of shape {array.shape} and type {array.dtype}: expected integers of shape "
            f"({group.order}, num_points), or one row for each generator {group.generators}."
        )
    return array


def _expand(group: Group, images: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(images) == group.order:
        return images.astype(np.int32), signs.astype(np.int8)
    points = np.arange(images.shape[1], dtype=np.int32)
    full = np.tile(points, (group.order, 1))
    full_signs = np.ones(full.shape, dtype=np.int8)
    for i, parents, children in spanning_tree(group):
        full[children] = images[i][full[parents]]
        full_signs[children] = signs[i][full[parents]] * full_signs[parents]
    return full, full_signs


def spanning_tree(group: Group) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Steps `(i, parents, children)` from the identity: child = generator i times parent.

    Cost:
        O(order * generators).

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 4.1 (Schreier trees).

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
        fresh = [np.array([], dtype=np.int64)]
        for i, product in enumerate(products):
            new = ~seen[product[level]]
            if new.any():
                steps.append((i, level[new], product[level[new]]))
                fresh.append(product[level[new]])
                seen[fresh[-1]] = True
        level = np.concatenate(fresh)
    return steps
