"""Orbits of a permutation representation, sorted by stabiliser, and the basis each type needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import sympy

from irrepnet.groups import Group
from irrepnet.reps._exact import exact_coset_basis
from irrepnet.reps._fixed import fixed_vectors, num_fixed


@dataclass(frozen=True, eq=False)
class OrbitType:
    """All orbits whose stabilisers are conjugate: copies of one coset representation `R[G/H]`.

    With signs, of one representation induced from a character `H -> {1, -1}`.

    Attributes:
        group: The group.
        stabiliser: `H`, sorted; of its conjugates, the lexicographically first.
        transversal: Smallest element of each left coset, `t_0 = 0` first, int64 `(index,)`.
        points: `points[o, j] = t_j . p_o`, where `H` is exactly the stabiliser of `p_o`; orbits in
            order of their smallest point. int64 `(num_orbits, index)`.
        character: Sign of each element of `H` on `e_(p_o)`, or None if all are 1.
        signs: `t_j e_(p_o) = signs[o, j] e_(points[o, j])`, or None if all are 1.
    """

    group: Group
    stabiliser: tuple[int, ...]
    transversal: np.ndarray
    points: np.ndarray
    character: tuple[int, ...] | None = None
    signs: np.ndarray | None = None

    @property
    def index(self) -> int:
        """Points per orbit."""
        return len(self.transversal)

    @property
    def num_orbits(self) -> int:
        """Number of orbits of this type."""
        return len(self.points)

    @cached_property
    def multiplicities(self) -> tuple[int, ...]:
        """Copies of each irrep in one orbit, exactly."""
        signs = None if self.character is None else np.array(self.character)
        return tuple(num_fixed(irrep, self.stabiliser, signs) for irrep in self.group.irreps)

    @cached_property
    def basis(self) -> np.ndarray:
        """Isotypic basis of one orbit, float64 `(index, index)`, orthogonal, read-only.

        Rows are in isotypic order (irrep, then component * copies + copy), columns in order of the
        transversal.
        """
        return coset_basis(self.group, self.stabiliser, self.character)

    @cached_property
    def exact_basis(self) -> tuple[sympy.ImmutableMatrix, tuple[sympy.Expr, ...]]:
        """`Q` and a positive diagonal `b` with `basis = diag(b)^(-1/2) Q` and `Q Q^T = diag(b)`.

        Raises:
            NotExactError: If an irrep that occurs has no exact matrices.
        """
        return exact_coset_basis(
            self.group, self.stabiliser, self.character, tuple(self.transversal.tolist())
        )


@lru_cache(maxsize=256)
def coset_basis(
    group: Group, stabiliser: tuple[int, ...], character: tuple[int, ...] | None = None
) -> np.ndarray:
    """Isotypic basis of `R[G/H]` by Frobenius reciprocity.

    A vector `v` that `H` fixes in an irrep `rho` gives the intertwiner `R[G/H] -> rho` that sends
    coset `t H` to `rho(t) v`; orthonormal `v` give orthogonal intertwiners by Schur's lemma.

    Returns:
        float64 `(index, index)`; columns are cosets by smallest element.

    Cost:
        O(index * sum of dim^2 * copies).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.7 and 7.2.

    Examples:
        >>> from irrepnet import groups
        >>> (coset_basis(groups.flop(), (0,)) * 2**0.5).round(12).tolist()
        [[1.0, 1.0], [1.0, -1.0]]
    """
    transversal = coset_representatives(group, stabiliser)
    signs = None if character is None else np.array(character)
    blocks = []
    for irrep in group.irreps:
        vectors = fixed_vectors(irrep, stabiliser, signs)
        if vectors.shape[1]:
            moved = irrep.matrices[transversal] @ vectors
            scaled = moved.transpose(1, 2, 0) * np.sqrt(irrep.dim / len(transversal))
            blocks.append(scaled.reshape(-1, len(transversal)))
    basis = np.concatenate(blocks)
    basis.setflags(write=False)
    return basis


def coset_representatives(group: Group, subgroup: tuple[int, ...]) -> np.ndarray:
    """Smallest element of each left coset, sorted."""
    smallest = np.full(group.order, group.order)
    for h in subgroup:
        smallest = np.minimum(smallest, group.right_multiply(h))
    return np.unique(smallest)


def orbit_types(
    group: Group, images: np.ndarray, signs: np.ndarray | None = None
) -> tuple[OrbitType, ...]:
    """Sort the points of a (signed) permutation representation into orbit types.

    Args:
        group: The group.
        images: Images of all points under all elements, int `(order, num_points)`.
        signs: Sign of each image, or None.

    Returns:
        Types by decreasing index, then by stabiliser.

    Cost:
        O(order * num_points).

    References:
        Kerber, *Applied Finite Group Actions*, sec. 1.1 and 1.3.
    """
    fixed = images == np.arange(images.shape[1])
    # Of two stabilisers of equal size, the lexicographically first has the larger bit mask.
    masks = [np.packbits(fixed, axis=0)]
    if signs is not None:
        masks.append(np.packbits(fixed & (signs > 0), axis=0))
    rank = np.unique(np.concatenate(masks).T, axis=0, return_inverse=True)[1].ravel()
    orbit = images.min(axis=0)
    best = np.zeros(images.shape[1], dtype=np.int64)
    np.maximum.at(best, orbit, rank)
    types = []
    starts = np.flatnonzero(orbit == np.arange(len(orbit)))
    candidates = np.flatnonzero(rank == best[orbit])
    base = dict(zip(orbit[candidates][::-1].tolist(), candidates[::-1].tolist(), strict=True))
    for kind in np.unique(best[starts]):
        points = np.array([base[int(o)] for o in starts[best[starts] == kind]])
        types.append(_orbit_type(group, images, signs, fixed, points))
    return tuple(sorted(types, key=lambda t: (-t.index, t.stabiliser, t.character or ())))


def _orbit_type(
    group: Group, images: np.ndarray, signs: np.ndarray | None, fixed: np.ndarray, base: np.ndarray
) -> OrbitType:
    stabiliser = np.flatnonzero(fixed[:, base[0]])
    transversal = np.sort(np.unique(images[:, base[0]], return_index=True)[1])
    points = images[transversal][:, base].T.astype(np.int64)
    points.setflags(write=False)
    elements = tuple(stabiliser.tolist())
    if signs is None:
        return OrbitType(group, elements, transversal, points)
    moved = signs[transversal][:, base].T.astype(np.int64)
    character = tuple(signs[stabiliser, base[0]].astype(int).tolist())
    trivial = all(sign == 1 for sign in character)
    return OrbitType(group, elements, transversal, points, None if trivial else character, moved)
