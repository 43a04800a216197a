"""The last resort: an irrep cut out of several copies of itself, in floating point."""

from __future__ import annotations

import numpy as np

from irrepnet._errors import NotExactError
from irrepnet.reps._clifford import Situation
from irrepnet.reps._commutants import END_DIM, commutant
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._gram_model import GramModel
from irrepnet.reps._linear import Linear
from irrepnet.reps._orthonormal import orthonormal
from irrepnet.reps._pairings import Pairings


class SeveralPairings(Pairings):
    """Inner products of the translates of one vector in several copies of the irrep.

    With `<chi|H, lambda> = m`, `1/|H| sum_h lambda(h^-1) chi(h g)` belongs to `m` copies.
    """

    is_exact = False

    def __init__(self, situation: Situation, theta: Linear, count: int) -> None:
        super().__init__(situation, theta)
        self.kind = "R" if situation.kind == "R" else "C"
        self.degree = count * situation.degree
        self.scale = 1.0 / count  # so that the vector has length 1


class NumericModel:
    """An irrep as an eigenspace of a symmetric matrix that commutes with `m` copies of it.

    The matrix is the average of a fixed one, its eigenspaces have the irrep's dimension, and the
    basis is made of projected standard basis vectors, so the result is deterministic.

    Args:
        situation: The irreducible character.
        theta: A linear character of a subgroup.
        count: How often the irrep contains it; this many copies are cut.

    Cost:
        O(order * (count * dim)^2) for the average.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.2 (Schur's lemma).
    """

    is_exact = False

    def __init__(self, situation: Situation, theta: Linear, count: int) -> None:
        self.kind = situation.kind
        self.dim = situation.degree * (1 if self.kind == "R" else 2)
        self.provenance = f"numeric: one of {count} copies, an eigenspace of their commutant"
        self._copies = GramModel(SeveralPairings(situation, theta, count))
        everything = self._copies.matrices(np.arange(situation.group.order))
        self._basis = self._cut(everything)
        if self.kind != "R":
            small = self._basis.T @ everything @ self._basis
            self._basis = self._basis @ _canonical(small, END_DIM[self.kind])

    def _cut(self, everything: np.ndarray) -> np.ndarray:
        size = everything.shape[-1]
        vectors = np.eye(size)
        for attempt in range(1, 9):
            mixed = _average(everything, _fixed_matrix(size, attempt, 1.0))
            values, vectors = np.linalg.eigh(mixed)
            if size == self.dim or values[self.dim] - values[self.dim - 1] > 1e-3 * np.ptp(values):
                break
        first = vectors[:, : self.dim]
        return orthonormal(first @ first.T, np.eye(size)[None], None, self.dim)

    def matrices(self, elements: np.ndarray) -> np.ndarray:
        """Float64 matrices, shape `(..., dim, dim)`."""
        return self._basis.T @ self._copies.matrices(elements) @ self._basis

    def modular(self, elements: np.ndarray, p: int, root: int) -> np.ndarray | None:
        """None: there are no exact matrices."""
        return None

    def modular_commutant(self, p: int, root: int) -> np.ndarray:
        """The canonical commutant."""
        return commutant(END_DIM[self.kind], self.dim).astype(np.int64)

    def field_form(self, elements: np.ndarray) -> Cyclotomic:
        """Not possible; `Irrep` refuses first."""
        raise NotExactError("got a numeric irrep: expected an exact one; see Irrep.is_exact.")

    def scales(self) -> Cyclotomic:
        """Not possible; `Irrep` refuses first."""
        return self.field_form(np.array([0]))

    def field_commutant(self) -> Cyclotomic:
        """Not possible; `Irrep` refuses first."""
        return self.field_form(np.array([0]))


def _fixed_matrix(size: int, attempt: int, symmetry: float) -> np.ndarray:
    """A symmetric or antisymmetric matrix without structure."""
    i, j = np.ogrid[1 : size + 1, 1 : size + 1]
    matrix = np.sin(attempt + i * np.sqrt(2.0) + j * j * np.sqrt(3.0) + i * j * np.sqrt(5.0))
    return matrix + symmetry * matrix.T


def _average(everything: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return (everything @ matrix @ everything.transpose(0, 2, 1)).mean(axis=0)


def _canonical(everything: np.ndarray, end_dim: int) -> np.ndarray:
    """Orthogonal change of basis to the canonical commutant.

    An averaged antisymmetric matrix has square a negative multiple of the identity; for type H a
    second one, made orthogonal to the first, completes the quaternions.
    """
    dim = everything.shape[-1]
    units = [np.eye(dim)]
    for attempt in range(1, end_dim):
        if len(units) == end_dim:
            break
        if len(units) == 2 and end_dim == 4:
            second = _skew(everything, attempt, units)
            units += [second, units[1] @ second]
        else:
            units.append(_skew(everything, attempt, units))
    vectors = orthonormal(np.eye(dim), np.stack(units), None, dim // end_dim)
    return np.concatenate([unit @ vectors for unit in units], axis=1)


def _skew(everything: np.ndarray, attempt: int, units: list[np.ndarray]) -> np.ndarray:
    """A complex structure in the commutant, orthogonal to the ones found."""
    mixed = _average(everything, _fixed_matrix(everything.shape[-1], attempt, -1.0))
    for unit in units:
        mixed = mixed - unit * (unit * mixed).sum() / len(mixed)
    return mixed * np.sqrt(len(mixed) / (mixed**2).sum())
