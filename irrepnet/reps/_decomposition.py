"""`Decomposition`: multiplicities and an orthonormal isotypic basis, applied without a matrix."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import sympy

from irrepnet._errors import RepresentationError
from irrepnet.groups import Group
from irrepnet.reps._irrep import Irrep
from irrepnet.reps._orbits import OrbitType


class IsotypicBasis:
    """The orthogonal map from natural to isotypic coordinates; this one is the identity.

    `U rho(g) U^T = (+)_i rho_i(g) (x) I_(m_i)`: irreps in order, and inside a block row
    `component * m_i + copy`.

    Cost:
        `flops` for each vector.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.6 and 2.7.

    Examples:
        >>> from irrepnet import groups, reps
        >>> basis = reps.regular(groups.flop()).decompose().basis
        >>> basis.apply(np.array([1.0, 1.0])).round(6).tolist()
        [1.414214, 0.0]
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Natural coordinates to isotypic ones, on the last axis."""
        return self._check(x)

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """Isotypic coordinates to natural ones, on the last axis; the inverse of `apply`."""
        return self._check(y)

    def to_dense(self) -> np.ndarray:
        """The matrix `U`, float64 `(dim, dim)`; rows are isotypic."""
        return self.apply(np.eye(self.dim)).T.copy()

    @property
    def flops(self) -> int:
        """FLOPs to apply it to one vector (1 MAC = 2 FLOPs)."""
        return 0

    def exact(self) -> tuple[Any, list[Any]]:
        """`Q` and `b` with `U = diag(b)^(-1/2) Q`; see `Decomposition.exact_basis`."""
        return sympy.SparseMatrix(sympy.SparseMatrix.eye(self.dim)), [sympy.Integer(1)] * self.dim

    def _check(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        if x.shape[-1:] != (self.dim,):
            raise RepresentationError(
                f"cannot change the basis of an array of shape {x.shape}: expected {self.dim} "
                "coordinates on the last axis."
            )
        return x


class DenseBasis(IsotypicBasis):
    """An isotypic basis stored as a matrix; abstract (`AveragedBasis` is its one kind)."""

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix, self.dim = matrix, len(matrix)
        matrix.setflags(write=False)

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Natural coordinates to isotypic ones, on the last axis."""
        return self._check(x) @ self.matrix.T

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """Isotypic coordinates to natural ones, on the last axis."""
        return self._check(y) @ self.matrix

    @property
    def flops(self) -> int:
        """FLOPs to apply it to one vector: a dense product."""
        return 2 * self.dim**2


class OrbitBasis(IsotypicBasis):
    """An isotypic basis made of one small matrix per orbit type.

    Cost:
        O(sum over orbits of index^2) to apply; O(dim) memory beside the small matrices.
    """

    def __init__(self, orbit_types: tuple[OrbitType, ...], irreps: tuple[Irrep, ...]) -> None:
        self.orbit_types = orbit_types
        self.dim = sum(t.points.size for t in orbit_types)
        self.rows = _rows(orbit_types, irreps)

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Natural coordinates to isotypic ones, on the last axis."""
        x = self._check(x)
        y = np.empty(x.shape, np.result_type(x, np.float64))
        for kind, rows in zip(self.orbit_types, self.rows, strict=True):
            natural = x[..., kind.points]
            if kind.signs is not None:
                natural = natural * kind.signs
            y[..., rows] = kind.to_isotypic(natural)
        return y

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """Isotypic coordinates to natural ones, on the last axis."""
        y = self._check(y)
        x = np.empty(y.shape, np.result_type(y, np.float64))
        for kind, rows in zip(self.orbit_types, self.rows, strict=True):
            natural = kind.to_natural(y[..., rows])
            if kind.signs is not None:
                natural = natural * kind.signs
            x[..., kind.points] = natural
        return x

    @property
    def flops(self) -> int:
        """FLOPs to apply it to one vector: the orbits' transforms, fast where a chain gives one."""
        return sum(kind.num_orbits * kind.flops for kind in self.orbit_types)

    def exact(self) -> tuple[Any, list[Any]]:
        """`Q` and `b`, from the exact bases of the orbit types."""
        entries: dict[tuple[int, int], Any] = {}
        squares: list[Any] = [sympy.Integer(1)] * self.dim
        for kind, rows in zip(self.orbit_types, self.rows, strict=True):
            matrix, diagonal = kind.exact_basis
            for orbit, points in enumerate(kind.points):
                signs = None if kind.signs is None else kind.signs[orbit]
                for i, row in enumerate(rows[orbit]):
                    squares[row] = diagonal[i]
                    for j, point in enumerate(points):
                        if matrix[i, j] != 0:
                            sign = 1 if signs is None else int(signs[j])
                            entries[int(row), int(point)] = sign * matrix[i, j]
        return sympy.SparseMatrix(self.dim, self.dim, entries), squares


class SumBasis(IsotypicBasis):
    """The isotypic basis of a direct sum: copies of an irrep part by part."""

    def __init__(self, irreps: tuple[Irrep, ...], parts: list[Decomposition]) -> None:
        self.dim = sum(part.basis.dim for part in parts)
        self._parts = [part.basis for part in parts]
        self._rows = [np.empty(part.basis.dim, dtype=np.int64) for part in parts]
        start = 0
        for irrep in irreps:
            copies = [part.multiplicities[irrep.index] for part in parts]
            before = 0
            for part, rows, c in zip(parts, self._rows, copies, strict=True):
                component, copy = np.ogrid[: irrep.dim, :c]
                block = start + component * sum(copies) + before + copy
                rows[part.blocks[irrep.index]] = block.ravel()
                before += c
            start += irrep.dim * sum(copies)

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Natural coordinates to isotypic ones, on the last axis."""
        x = self._check(x)
        y, start = np.empty(x.shape, np.result_type(x, np.float64)), 0
        for basis, rows in zip(self._parts, self._rows, strict=True):
            y[..., rows] = basis.apply(x[..., start : start + basis.dim])
            start += basis.dim
        return y

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """Isotypic coordinates to natural ones, on the last axis."""
        y = self._check(y)
        parts = zip(self._parts, self._rows, strict=True)
        pieces = [basis.adjoint(y[..., rows]) for basis, rows in parts]
        return np.concatenate(pieces, axis=-1) if pieces else y

    @property
    def flops(self) -> int:
        """FLOPs to apply it to one vector: the sum over the parts."""
        return sum(basis.flops for basis in self._parts)

    def exact(self) -> tuple[Any, list[Any]]:
        """`Q` and `b`, from those of the parts."""
        entries: dict[tuple[int, int], Any] = {}
        squares: list[Any] = [sympy.Integer(1)] * self.dim
        start = 0
        for basis, rows in zip(self._parts, self._rows, strict=True):
            matrix, diagonal = basis.exact()
            for (i, j), value in matrix.todok().items():
                entries[int(rows[i]), start + j] = value
            for i, value in enumerate(diagonal):
                squares[rows[i]] = value
            start += basis.dim
        return sympy.SparseMatrix(self.dim, self.dim, entries), squares


def _rows(orbit_types: tuple[OrbitType, ...], irreps: tuple[Irrep, ...]) -> list[np.ndarray]:
    """Isotypic row of each row of each orbit: arrays `(num_orbits, index)`, one per type.

    Copies are ordered by orbit type, then by copy in the coset representation, then by orbit.
    """
    rows = [np.empty(t.points.shape, dtype=np.int64) for t in orbit_types]
    start, local = 0, [0] * len(orbit_types)
    for irrep in irreps:
        copies = [t.multiplicities[irrep.index] for t in orbit_types]
        total = sum(c * t.num_orbits for c, t in zip(copies, orbit_types, strict=True))
        before = 0
        for k, (kind, c) in enumerate(zip(orbit_types, copies, strict=True)):
            component, copy, orbit = np.ogrid[: irrep.dim, :c, : kind.num_orbits]
            row = start + component * total + before + copy * kind.num_orbits + orbit
            block = row.reshape(irrep.dim * c, kind.num_orbits).T
            rows[k][:, local[k] : local[k] + irrep.dim * c] = block
            local[k] += irrep.dim * c
            before += c * kind.num_orbits
        start += irrep.dim * total
    return rows


class Decomposition:
    """A representation as a sum of irreps.

    Attributes:
        group: The group.
        multiplicities: Copies of each of `group.irreps`.
        basis: The change of basis.
        orbit_types: For permutation representations, how the basis is built; otherwise empty.

    Cost:
        Multiplicities by characters; the basis is built when it is first applied.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.6, Thm. 8.

    Examples:
        >>> from irrepnet import groups, reps
        >>> d = reps.regular(groups.quaternion()).decompose()
        >>> d.multiplicities, d.blocks[4]
        ((1, 1, 1, 1, 1), slice(4, 8, None))
    """

    def __init__(
        self,
        group: Group,
        multiplicities: tuple[int, ...],
        basis: IsotypicBasis,
        orbit_types: tuple[OrbitType, ...] = (),
    ) -> None:
        self.group, self.multiplicities = group, multiplicities
        self.basis, self.orbit_types = basis, orbit_types

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Rows of each irrep's block, one slice per irrep."""
        sizes = [i.dim * m for i, m in zip(self.group.irreps, self.multiplicities, strict=True)]
        ends = np.cumsum(sizes)
        return tuple(slice(int(e - s), int(e)) for s, e in zip(sizes, ends, strict=True))

    def part(self, x: np.ndarray, irrep: Irrep) -> np.ndarray:
        """The part of `x` that lies in the copies of one irrep, in natural coordinates.

        The parts of all irreps are orthogonal and add up to `x`.

        Args:
            x: Natural coordinates on the last axis.
            irrep: One of `group.irreps`.

        Cost:
            Two changes of basis.

        References:
            Serre, *Linear Representations of Finite Groups*, sec. 2.6, Thm. 8.

        Examples:
            >>> from irrepnet import groups, reps
            >>> sym, asym = groups.flop().irreps
            >>> d = reps.regular(groups.flop()).decompose()
            >>> d.part(np.array([3.0, 1.0]), sym).round(6).tolist()
            [2.0, 2.0]
            >>> d.part(np.array([3.0, 1.0]), asym).round(6).tolist()
            [1.0, -1.0]
        """
        if irrep.group != self.group:
            raise RepresentationError(
                f"got irrep {irrep} of {irrep.group.name}: expected one of {self.group.name}."
            )
        coordinates, rows = self.basis.apply(x), self.blocks[irrep.index]
        kept = np.zeros_like(coordinates)
        kept[..., rows] = coordinates[..., rows]
        return self.basis.adjoint(kept)

    @cached_property
    def exact_basis(self) -> tuple[Any, tuple[Any, ...]]:
        """`Q` and a positive diagonal `b`: the basis is `diag(b)^(-1/2) Q`, `Q Q^T = diag(b)`.

        The entries of `Q` lie in a cyclotomic field; all square roots are in `b`.

        Raises:
            NotExactError: If an irrep that occurs, or the representation, is known in floats only.

        Cost:
            Sympy numbers for each nonzero entry; meant for small representations.

        Examples:
            >>> from irrepnet import groups, reps
            >>> Q, b = reps.regular(groups.flop()).decompose().exact_basis
            >>> Q.tolist(), b
            ([[1, 1], [1, -1]], (2, 2))
        """
        matrix, squares = self.basis.exact()
        return matrix, tuple(squares)

    def __str__(self) -> str:
        terms = [
            f"{m}*{irrep.name}"
            for irrep, m in zip(self.group.irreps, self.multiplicities, strict=True)
            if m
        ]
        return " + ".join(terms) or "0"

    def __repr__(self) -> str:
        return f"<Decomposition over {self.group.name}: {self}>"
