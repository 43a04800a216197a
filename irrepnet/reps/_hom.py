"""`hom(V, W)`: all linear maps that commute with the group, by Schur's lemma."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from irrepnet._errors import RepresentationError
from irrepnet.reps._permutation import PermutationRepresentation
from irrepnet.reps._representation import Representation, check_same_group


class Hom:
    """The space of intertwiners `V -> W`.

    Per irrep, an intertwiner is a `(m_W, m_V)` matrix over the division algebra: real parameters of
    shape `(end_dim, m_W, m_V)`. `parameters` are a list of such arrays, one per irrep, or one flat
    vector of length `dim` in the same order.

    Cost:
        Dimension and shapes from multiplicities; only `materialize` and `project` form matrices.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.2, Prop. 4 (Schur's lemma).

    Examples:
        >>> from irrepnet import groups, reps
        >>> V = reps.regular(groups.quaternion())
        >>> H = reps.hom(V, 2 * V)
        >>> H.dim, H.shapes[4]
        (16, (4, 2, 1))
    """

    def __init__(self, source: Representation, target: Representation) -> None:
        check_same_group(source, target)
        self.source, self.target, self.group = source, target, source.group

    @property
    def shapes(self) -> tuple[tuple[int, int, int], ...]:
        """Shape of the parameters of each irrep, `(end_dim, m_W, m_V)`."""
        return tuple(
            (irrep.end_dim, m_out, m_in)
            for irrep, m_out, m_in in zip(
                self.group.irreps,
                self.target.multiplicities,
                self.source.multiplicities,
                strict=True,
            )
        )

    @property
    def dim(self) -> int:
        """Real dimension: the sum of `end_dim * m_W * m_V`."""
        return sum(e * m_out * m_in for e, m_out, m_in in self.shapes)

    def materialize(
        self, parameters: Sequence[np.ndarray] | np.ndarray | None = None
    ) -> np.ndarray:
        """The matrix with the given parameters; without any, the whole basis.

        Returns:
            float64 `(dim W, dim V)`, or `(dim, dim W, dim V)` for the basis, in order of the flat
            parameters. Basis elements are orthogonal; their norms squared are the irreps' dims.
        """
        if parameters is None:
            basis = [self._matrix(p) for p in np.eye(self.dim)]
            return np.array(basis).reshape(self.dim, self.target.dim, self.source.dim)
        return self._matrix(parameters)

    def _matrix(self, parameters: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        arrays = self._split(parameters)
        source, target = self.source.decompose(), self.target.decompose()
        inner = np.zeros((self.target.dim, self.source.dim))
        for irrep, array in zip(self.group.irreps, arrays, strict=True):
            if array.size:
                block = np.einsum("qkl,qab->kalb", irrep.commutant, array)
                rows, columns = target.blocks[irrep.index], source.blocks[irrep.index]
                inner[rows, columns] = block.reshape(
                    irrep.dim * array.shape[1], irrep.dim * array.shape[2]
                )
        return target.basis.adjoint(source.basis.adjoint(inner).T).T

    def _split(self, parameters: Sequence[np.ndarray] | np.ndarray) -> list[np.ndarray]:
        if isinstance(parameters, np.ndarray) and parameters.shape == (self.dim,):
            ends = np.cumsum([e * a * b for e, a, b in self.shapes])[:-1]
            parts = np.split(parameters, ends)
            return [p.reshape(s) for p, s in zip(parts, self.shapes, strict=True)]
        arrays = [np.asarray(p, dtype=np.float64) for p in parameters]
        if tuple(a.shape for a in arrays) != self.shapes:
            raise RepresentationError(
                f"got parameters of shapes {[a.shape for a in arrays]}: expected "
                f"{list(self.shapes)}, one per irrep, or a flat vector of length {self.dim}."
            )
        return arrays

    def parameters(self, matrix: np.ndarray) -> list[np.ndarray]:
        """Parameters of the intertwiner nearest to a dense matrix, one array per irrep."""
        matrix = self._checked(matrix)
        source, target = self.source.decompose(), self.target.decompose()
        inner = target.basis.apply(source.basis.apply(matrix).T).T
        arrays = []
        for irrep, (_, m_out, m_in) in zip(self.group.irreps, self.shapes, strict=True):
            block = inner[target.blocks[irrep.index], source.blocks[irrep.index]]
            block = block.reshape(irrep.dim, m_out, irrep.dim, m_in)
            arrays.append(np.einsum("qkl,kalb->qab", irrep.commutant, block) / irrep.dim)
        return arrays

    def _checked(self, matrix: np.ndarray) -> np.ndarray:
        matrix = np.asarray(matrix, dtype=np.float64)
        if matrix.shape != (self.target.dim, self.source.dim):
            raise RepresentationError(
                f"got a matrix of shape {matrix.shape}: expected {self.target.dim} rows (target) "
                f"and {self.source.dim} columns (source)."
            )
        return matrix

    def project(self, matrix: np.ndarray) -> np.ndarray:
        """The intertwiner nearest to a dense matrix: its average over the group.

        Examples:
            >>> from irrepnet import groups, reps
            >>> V = reps.regular(groups.flop())
            >>> reps.hom(V, V).project(np.array([[1.0, 0.0], [0.0, 3.0]])).round(12).tolist()
            [[2.0, 0.0], [0.0, 2.0]]
        """
        return self._matrix(self.parameters(matrix))

    def contains(self, matrix: np.ndarray, tolerance: float = 1e-9) -> bool:
        """Whether a matrix is an intertwiner: `W(g) M = M V(g)` for the generators.

        Args:
            matrix: Shape `(dim W, dim V)`.
            tolerance: Largest error allowed, relative to the largest entry; 0 for exact equality
                (of integer matrices, say).

        Examples:
            >>> from irrepnet import groups, reps
            >>> V = reps.regular(groups.flop())
            >>> H = reps.hom(V, V)
            >>> H.contains(np.array([[1, 2], [2, 1]]), 0), H.contains(np.array([[1, 2], [1, 2]]))
            (True, False)
        """
        matrix = self._checked(matrix)
        size = np.abs(matrix).max(initial=0.0)
        return all(
            np.abs(self.target.matrix(g) @ matrix - matrix @ self.source.matrix(g)).max(initial=0.0)
            <= tolerance * size
            for g in self.group.generators
        )

    @cached_property
    def orbitals(self) -> np.ndarray:
        """For permutation representations: the orbit of each matrix entry, int64 `(dim W, dim V)`.

        The indicator matrices of the orbits are a basis of the intertwiners, numbered by their
        first entry.

        Raises:
            RepresentationError: If source or target does not permute its basis without signs.

        Cost:
            O(order * dim W * dim V).

        References:
            Cameron, *Permutation Groups*, sec. 1.11 (orbitals and the centraliser algebra).

        Examples:
            >>> from irrepnet import groups, reps
            >>> V = reps.regular(groups.cyclic(3))
            >>> reps.hom(V, V).orbitals.tolist()
            [[0, 1, 2], [2, 0, 1], [1, 2, 0]]
        """
        source, target = self.source, self.target
        for part in (source, target):
            if not isinstance(part, PermutationRepresentation) or part.signs is not None:
                raise RepresentationError(
                    f"got {part!r}: orbitals need permutation representations without signs. "
                    "Use materialize() for a basis of any Hom."
                )
        smallest = np.arange(target.dim * source.dim).reshape(target.dim, source.dim)
        for row, column in zip(target.images, source.images, strict=True):  # type: ignore[attr-defined]
            smallest = np.minimum(smallest, row[:, None].astype(np.int64) * source.dim + column)
        return np.unique(smallest, return_inverse=True)[1].reshape(smallest.shape)

    def __repr__(self) -> str:
        return f"<Hom({self.source!r}, {self.target!r}): dim {self.dim}>"


def hom(source: Representation, target: Representation) -> Hom:
    """The space of linear maps `source -> target` that commute with the group.

    Raises:
        RepresentationError: If the groups differ.

    Cost:
        None: the decompositions are made when first asked for.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.2, Prop. 4 (Schur's lemma).

    Examples:
        >>> from irrepnet import groups, reps
        >>> V = reps.regular(groups.cyclic(4))
        >>> reps.hom(V, V).dim
        4
    """
    return Hom(source, target)
