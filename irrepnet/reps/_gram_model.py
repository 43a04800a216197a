"""Irreps spanned by the orbit of one vector, from inner products alone."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import sympy

from irrepnet.groups import Group
from irrepnet.reps._commutants import left_regular
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._elimination import BadPrimeError, ldl, ldl_modulo
from irrepnet.reps._modular import multiply, root_powers
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
        self.base = _pivots(pairings, self.degree // self._num_vectors)

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
        return self._realify(unitary.real, unitary.imag)

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
        units = left_regular({"R": 1, "C": 2, "H": 4}[self.kind])
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

    def rational_form(self, element: int) -> tuple[Cyclotomic, Cyclotomic]:
        """`(M, D)`: the complex matrix is `D^(-1/2) M D^(1/2)`-similar, entries in one field.

        Returns:
            `M = L^-1 A(g) L^-* D^-1` and the positive diagonal `D`.
        """
        lower, diagonal = self._exact_data
        pairs = lower @ self._exact_pair(element) @ lower.conjugate().transpose()
        return pairs * diagonal.inverse(), diagonal

    def exact(self, element: int) -> sympy.Matrix:
        """The orthogonal matrix of one element, in sympy."""
        matrix, diagonal = self.rational_form(element)
        imaginary = Cyclotomic.from_exponents(4, np.array([0, 1, 0, 0]))
        order = int(np.lcm(4, matrix.order))
        big = matrix.embed(order)
        half = Cyclotomic.from_exponents(order, np.eye(1, order, dtype=np.int64)[0], 2)
        real = (big + big.conjugate()) * half
        imag = (big.conjugate() - big) * half * imaginary.embed(order)
        roots = [sympy.sqrt(sympy.nsimplify(d)) for d in diagonal.to_sympy()]
        scale = np.array([[b / a for b in roots] for a in roots], dtype=object)

        def scaled(part: Cyclotomic) -> np.ndarray:
            entries = np.array(part.to_sympy().tolist(), dtype=object)
            return entries * scale

        entries = self._realify(scaled(real), scaled(imag))
        return sympy.Matrix(entries.tolist()).applyfunc(sympy.sympify)


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
