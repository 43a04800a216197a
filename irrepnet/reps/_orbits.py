"""Orbits of a permutation representation, sorted by stabiliser, and the basis each type needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from irrepnet.groups import Group
from irrepnet.reps._coset_basis import coset_basis
from irrepnet.reps._exact import exact_coset_basis
from irrepnet.reps._fast import FastTransform, fast_transform
from irrepnet.reps._fixed import num_fixed

#: Orbits with more points are changed by dense matrices: factors would take long to find.
FAST_LIMIT = 512

#: Orbits with fewer points are changed by dense products even where factors need fewer FLOPs.
FACTORS_FROM = 64


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

    Cost:
        One basis of `index^2` numbers for all orbits of the type, built when first used.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 3.3 and 7.2.

    Examples:
        >>> from irrepnet import groups, reps
        >>> kinds = reps.permutation(groups.flop(), [[1, 0, 2]]).orbit_types
        >>> [(kind.index, kind.stabiliser, kind.points.tolist()) for kind in kinds]
        [(2, (0,), [[0, 1]]), (1, (0, 1), [[2]])]
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
    def transform(self) -> FastTransform | None:
        """The basis as a product of sparse factors along a subgroup chain, where that is cheaper.

        None for signed orbits, for large ones (above `FAST_LIMIT` points), and where the chain
        saves nothing.
        """
        if self.character is not None or not 1 < self.index <= FAST_LIMIT:
            return None
        found = fast_transform(self.group, self.stabiliser)
        return found if found.flops < 2 * self.index**2 else None

    @property
    def flops(self) -> int:
        """FLOPs of one orbit's change of basis: by sparse factors, else as a dense matrix.

        Examples:
            >>> from irrepnet import groups, reps
            >>> reps.regular(groups.dihedral(4)).orbit_types[0].flops
            88
        """
        return 2 * self.index**2 if self.transform is None else self.transform.flops

    def to_isotypic(self, x: np.ndarray) -> np.ndarray:
        """Apply the basis to orbits, points on the last axis in order of the transversal."""
        if self._use_factors:
            return self.transform.apply(x)  # type: ignore[union-attr]
        return x @ self.basis.T

    def to_natural(self, y: np.ndarray) -> np.ndarray:
        """Apply the transpose of the basis on the last axis."""
        if self._use_factors:
            return self.transform.adjoint(y)  # type: ignore[union-attr]
        return y @ self.basis

    @cached_property
    def _use_factors(self) -> bool:
        # On small orbits a dense product is faster in practice, whatever the count says.
        return self.index >= FACTORS_FROM and 8 * self.flops <= 2 * self.index**2

    @cached_property
    def exact_basis(self) -> tuple[sympy.ImmutableMatrix, tuple[sympy.Expr, ...]]:
        """`Q` and a positive diagonal `b` with `basis = diag(b)^(-1/2) Q` and `Q Q^T = diag(b)`.

        Raises:
            NotExactError: If an irrep that occurs has no exact matrices.
        """
        return exact_coset_basis(
            self.group, self.stabiliser, self.character, tuple(self.transversal.tolist())
        )


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
