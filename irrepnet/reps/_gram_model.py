"""Irreps spanned by the orbit of one vector, from inner products alone."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._commutants import END_DIM, left_regular
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._elimination import BadPrimeError, ldl, ldl_modulo
from irrepnet.reps._modular import lcm, multiply, root_powers
from irrepnet.reps._pairings import Pairings

#: A base vector is taken when its residue exceeds this share of the largest residue. Residues are
#: algebraic numbers and the share is not, so no tie hangs on rounding.
PIVOT_SHARE = np.pi / 7


class GramModel:
    """The irrep spanned by `rho(g) v`, where `v` is known through `<v, rho(g) v>`.

    Over the complex numbers, `R(g) = Gamma^-1 A(g)` with `A(g)_ij = <b_i, rho(g) b_j>` and `Gamma =
    A(1)`, for base vectors `b_i = rho(g_i) v`; for type H every `b_i` is followed by the same
    translate of a second vector, its image under the quaternion `j` up to length. With `Gamma = L D
    L*`, the matrices `D^(-1/2) L^-1 A(g) L^-* D^(-1/2)` are unitary, and the square roots stay
    outside: `L^-1 A(g) L^-* D^-1` has entries in the field, `D` is positive.

    Args:
        pairings: The inner products.

    References:
        Dixon, "Constructing representations of finite groups", DIMACS 11 (1993).
    """

    def __init__(self, pairings: Pairings) -> None:
        self.pairings, self.kind = pairings, pairings.kind
        self.degree, self.is_exact = pairings.degree, pairings.is_exact
        self.provenance = pairings.provenance
        self.dim = self.degree * (1 if self.kind == "R" else 2)
        self._num_vectors = 2 if self.kind == "H" else 1

    @cached_property
    def base(self) -> np.ndarray:
        """Elements `g_i` of the base vectors, found when matrices are first asked for."""
        return _pivots(self.pairings, self.degree // self._num_vectors)

    @property
    def _group(self) -> Group:
        return self.pairings.group

    def _quotients(self, elements: np.ndarray) -> np.ndarray:
        """`g_i^-1 g g_j` for all base elements, shape `(..., num_base, num_base)`."""
        group = self._group
        left = group.products(group.inverses[self.base], np.asarray(elements)[..., None])
        return group.products(left[..., :, None], self.base)

    def _pair(self, table: np.ndarray, elements: np.ndarray) -> np.ndarray:
        """Matrices `A(g)`: base vectors in order, `v` and `u` alternating."""
        quotients = self._quotients(elements)
        size, count = len(self.base), self._num_vectors
        blocks = table[:, :, quotients]  # [vector, vector, ..., base, base]
        moved = np.moveaxis(blocks, (0, 1), (-3, -1))
        return moved.reshape(*quotients.shape[:-2], size * count, size * count)

    @cached_property
    def _float_data(self) -> tuple[np.ndarray, np.ndarray]:
        table = self.pairings.floats
        gram = self._pair(table, np.array(0))
        return table, np.linalg.inv(np.linalg.cholesky(gram))

    def matrices(self, elements: np.ndarray) -> np.ndarray:
        """Float64 matrices, shape `(..., dim, dim)`."""
        table, lower = self._float_data
        unitary = lower @ self._pair(table, elements) @ lower.conj().T
        return self._realify(np.real(unitary), np.imag(unitary))

    def _realify(self, real: np.ndarray, imaginary: np.ndarray) -> np.ndarray:
        """Real coordinates, component of the division algebra outermost."""
        if self.kind == "R":
            return real
        vectors, base = self._num_vectors, len(self.base)
        stacked = np.stack([np.stack([real, -imaginary]), np.stack([imaginary, real])])
        lead = real.shape[:-2]  # [re/im row, re/im column, ..., (base, vector), (base, vector)]
        split = stacked.reshape(2, 2, *lead, base, vectors, base, vectors)
        n = len(lead)
        order = (*range(2, n + 2), n + 3, 0, n + 2, n + 5, 1, n + 4)
        return split.transpose(order).reshape(*lead, self.dim, self.dim)

    # -- modulo a prime ------------------------------------------------------------------------

    def modular(self, elements: np.ndarray, p: int, root: int) -> np.ndarray | None:
        """Matrices modulo `p`, up to a diagonal similarity, int64; None at a bad prime."""
        try:
            plain = self._modular(elements, p, root)
            barred = self._modular(elements, p, pow(root, -1, p))
        except BadPrimeError:
            return None
        half, imaginary = (p + 1) // 2, int(root_powers(p, root, 4)[1])
        real = (plain + barred) * half % p
        return self._realify(real, (barred - plain) * half % p * imaginary % p) % p

    def _modular(self, elements: np.ndarray, p: int, root: int) -> np.ndarray:
        table = self.pairings.residues(p, root)
        bar = self.pairings.residues(p, pow(root, -1, p))
        lower, diagonal = ldl_modulo(self._pair(table, np.array(0)), p)
        lower_bar, _ = ldl_modulo(self._pair(bar, np.array(0)), p)
        inverse = np.array([pow(int(d), -1, p) for d in diagonal])
        pairs = self._pair(table, elements)
        return multiply(multiply(lower, pairs, p), lower_bar.T * inverse % p, p)

    def modular_commutant(self, p: int, root: int) -> np.ndarray:
        """The commutant in the coordinates of `modular`, each matrix up to a factor."""
        units = left_regular(END_DIM[self.kind])
        if self.kind == "H":
            # Coordinates are sqrt(D) times orthonormal ones, and D is c = <u, u> times larger on
            # u than on v: there sqrt(c) j is e_v -> c e_u, e_u -> -e_v.
            length = int(self.pairings.residues(p, root)[1, 1, 0])
            units[2:, 2:, :2] *= length
        identity = np.eye(self.dim // len(units), dtype=np.int64)
        return np.stack([np.kron(unit, identity) for unit in units]) % p

    # -- exactly ---------------------------------------------------------------------------

    @cached_property
    def _exact_data(self) -> tuple[Cyclotomic, Cyclotomic]:
        return ldl(self._exact_pair(0))

    def _exact_pair(self, element: int) -> Cyclotomic:
        table = self.pairings.exact
        layers = np.moveaxis(table.numerators, -1, 0)
        pairs = [self._pair(layer, np.array(element)) for layer in layers]
        return Cyclotomic(table.order, np.stack(pairs, axis=-1), table.denominator)

    def _field_matrices(self, elements: np.ndarray) -> Cyclotomic:
        """Complex matrices `L^-1 A(g) L^-* D^-1`, shape `(n, degree, degree)`."""
        lower, diagonal = self._exact_data
        right = lower.conjugate().transpose() * diagonal.inverse()
        return Cyclotomic.stack([lower @ self._exact_pair(int(g)) @ right for g in elements])

    def field_form(self, elements: np.ndarray) -> Cyclotomic:
        """Real matrices in a cyclotomic field, shape `(n, dim, dim)`."""
        matrices = self._field_matrices(elements)
        if self.kind == "R":
            return matrices
        order = lcm(4, matrices.order)
        big = matrices.embed(order)
        half_i = Cyclotomic(4, np.array([0, 1]), 2).embed(order)
        half = Cyclotomic(4, np.array([1, 0]), 2).embed(order)
        real = (big + big.conjugate()) * half
        imag = (big.conjugate() - big) * half_i
        both = Cyclotomic.stack([real, imag])
        layers = np.moveaxis(both.numerators, -1, 0)
        spread = [self._realify(*layer) for layer in layers]
        return Cyclotomic(order, np.stack(spread, axis=-1), both.denominator)

    def scales(self) -> Cyclotomic:
        """The positive diagonal `D`, in the field of `field_form`."""
        diagonal = self._exact_data[1]
        if self.kind == "R":
            return diagonal
        diagonal = diagonal.embed(lcm(4, diagonal.order))
        phi = diagonal.numerators.shape[-1]
        by_vector = diagonal.numerators.reshape(len(self.base), self._num_vectors, phi)
        twice = by_vector.transpose(1, 0, 2).repeat(2, axis=0)  # real and imaginary parts
        return Cyclotomic(diagonal.order, twice.reshape(-1, phi), diagonal.denominator)

    def field_commutant(self) -> Cyclotomic:
        """The canonical commutant in the coordinates of `field_form`, each up to a factor."""
        order = self.pairings.exact.order if self.kind == "R" else lcm(4, self.pairings.exact.order)
        end_dim = END_DIM[self.kind]
        identity = np.eye(self.dim // end_dim, dtype=np.int64)
        units = np.stack([np.kron(unit, identity) for unit in left_regular(end_dim)])
        plain = Cyclotomic.integers(order, units)
        if self.kind != "H":
            return plain
        mask = np.zeros_like(units)
        mask[2:, self.dim // 2 :, : self.dim // 2] = 1  # as in modular_commutant
        length = self.pairings.exact[1, 1, 0].embed(order)
        return plain * Cyclotomic.integers(order, 1 - mask) + (
            plain * Cyclotomic.integers(order, mask) * length
        )


def _pivots(pairings: Pairings, count: int) -> np.ndarray:
    """Base elements, by Cholesky with thresholded pivoting: well conditioned, first come first."""
    table, group = pairings.floats, pairings.group
    candidates, size = pairings.translates, len(pairings.floats)
    columns = np.zeros((size, len(candidates), 0), dtype=table.dtype)
    rest = np.full(len(candidates), 1.0)
    found: list[int] = []
    for _ in range(count):
        pivot = int((rest > PIVOT_SHARE * rest.max()).argmax())
        found.append(int(candidates[pivot]))
        quotients = group.products(group.inverses[candidates], found[-1])
        for vector in range(size):
            column = table[:, vector, quotients] - columns @ columns[vector, pivot].conj()
            column = column / np.sqrt(column[vector, pivot].real)
            columns = np.concatenate([columns, column[..., None]], axis=-1)
            rest = rest - np.abs(column[0]) ** 2
    return np.array(found)
