"""Inner products `<v, rho(g) v>` of one vector, from a character alone."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from sympy import factorint

from irrepnet.reps._class_algebra import power_classes
from irrepnet.reps._clifford import Situation
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._cyclotomic_fields import conductor, embedding, reduction
from irrepnet.reps._lifting import eigenvalue_multiplicities
from irrepnet.reps._linear import Linear


class Pairings:
    """Inner products of the translates of a vector `v` on which a subgroup acts by `lambda`.

    With `<chi|H, lambda> = 1` the projector on `v` is `1/|H| sum_h lambda(h^-1) rho(h)`, so
    `<v, rho(g) v> = 1/|H| sum_h lambda(h^-1) chi(h g)`. For type H let `u` be the projection of
    some `rho(x) v` on the `conj(lambda)`-vector: it is `j v` times `sqrt(<u, u>)`, a free choice of
    the quaternion `j` being fixed by it.

    Args:
        situation: An irreducible character of a subgroup.
        theta: `lambda`, with multiplicity one in it.

    References:
        Dixon, "Constructing representations of finite groups", DIMACS 11 (1993).
    """

    is_exact = True
    scale = 1.0

    def __init__(self, situation: Situation, theta: Linear) -> None:
        self.group, self.kind, self.degree = situation.group, situation.kind, situation.degree
        self.provenance = (
            f"Dixon's method from a linear character of a subgroup of order {len(theta.elements)}"
        )
        self._situation, self._theta = situation, theta

    @cached_property
    def translates(self) -> np.ndarray:
        """One element per left coset of `H`: `rho(g) v` up to a phase."""
        return self._cosets()

    def _cosets(self) -> np.ndarray:
        moved = self.group.products(np.arange(self.group.order)[:, None], self._theta.elements)
        return np.unique(moved.min(axis=1))

    @cached_property
    def exact(self) -> Cyclotomic:
        """All inner products, `[a, b, g] = <v_a, rho(g) v_b>` with `v_0 = v` and `v_1 = u`."""
        group, values = self.group, exact_values(self._situation, self._theta)
        first = self._average(values, -1, None)
        if self.kind != "H":
            return first[None, None]
        back = group.inverses
        x = next(int(x) for x in self.translates if not self._squared_length(first, x).is_zero())
        cross = self._average(first, 1, x)
        second = first.conjugate() * cross[back[x]]
        rows = [[first, cross], [cross[back].conjugate(), second]]
        scale = int(np.lcm.reduce([e.denominator for row in rows for e in row]))
        table = np.array([[e.numerators * (scale // e.denominator) for e in row] for row in rows])
        return Cyclotomic(first.order, table, scale)

    def _average(self, values: Cyclotomic, sign: int, shift: int | None) -> Cyclotomic:
        """`1/|H| sum_h lambda(h)^sign values(h g)`; with a shift, of `values(g h x)`."""
        group, theta, n = self.group, self._theta, values.order
        phi = values.numerators.shape[-1]
        # Powers of zeta_n are added up as n coefficients, and reduced to phi(n) once.
        total = np.zeros((group.order, n), dtype=values.numerators.dtype)
        for h in theta.elements:
            moved = group.left_multiply(int(h))
            if shift is not None:
                moved = group.right_multiply(group.multiply(int(h), shift))
            k = sign * int(theta.exponents[h]) * n // theta.modulus
            total[:, (np.arange(phi) + k) % n] += values.numerators[moved]
        denominator = values.denominator * len(theta.elements)
        return Cyclotomic.from_exponents(n, total, denominator).reduced()

    def _squared_length(self, first: Cyclotomic, x: int) -> Cyclotomic:
        """`<u, u>` for the projection `u` of `rho(x) v`."""
        group, theta, n = self.group, self._theta, first.order
        moved = group.products(group.products(group.inverse(x), theta.elements), x)
        phases = theta.exponents[theta.elements] * n // theta.modulus
        turns = Cyclotomic(n, reduction(n)[phases % n])
        terms = turns * first[moved]
        total = terms.numerators.sum(axis=0)
        return Cyclotomic(n, total, terms.denominator * len(phases)).reduced()

    @cached_property
    def floats(self) -> np.ndarray:
        """The table in complex128 (float64 for type R)."""
        values = self.exact.to_complex() * self.scale
        return values.real if self.kind == "R" else values

    def residues(self, p: int, root: int) -> np.ndarray:
        """The table modulo a prime."""
        return self.exact.residues(p, root)


def exact_values(situation: Situation, theta: Linear) -> Cyclotomic:
    """The character per element of the group, in the field that it and `theta` generate."""
    group, p, root = situation.group, situation.p, situation.root
    orders = np.array([c.element_order for c in group.conjugacy_classes])
    representatives = np.array([c.representative for c in group.conjugacy_classes])
    powers = power_classes(group)
    residues = situation.values[representatives]
    counts = eigenvalue_multiplicities(residues[None], powers, orders, p, root)
    fields = [conductor(c.shape[1], c[0] @ reduction(c.shape[1])) for c in counts]
    images = theta.exponents[theta.elements]
    linear = theta.modulus // int(np.gcd.reduce(images, initial=theta.modulus))
    order = int(np.lcm.reduce([linear, *(m for m, _ in fields)]))
    columns = np.stack([vector @ embedding(m, order) for m, vector in fields])
    return Cyclotomic(order, columns[group.class_labels])


class RealPairings(Pairings):
    """For type R and a complex `lambda`: the vector `v + j v`, real under the real structure `j`.

    `j v` is the `conj(lambda)`-vector `u` over its length, so `<v + jv, rho(g) (v + jv)> / 2 =
    Re <v, rho(g) v> + Re <v, rho(g) u> / sqrt(<u, u>)`. Its translates span the real form.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 13.2, Thm. 31.
    """

    @cached_property
    def translates(self) -> np.ndarray:
        """Every element: a real vector has no phase."""
        return np.arange(self.group.order)

    @cached_property
    def length(self) -> tuple[int, Cyclotomic] | None:
        """An `x` with rational `<u, u>`, and the inverse of its root; None if there is none."""
        first = self._average(exact_values(self._situation, self._theta), -1, None)
        for x in self._cosets():
            squared = self._squared_length(first, int(x))
            if not squared.is_zero() and not squared.numerators[1:].any():
                return int(x), rational_root(
                    int(squared.numerators[0]), squared.denominator
                ).inverse()
        return None

    @cached_property
    def exact(self) -> Cyclotomic:
        """The inner products `[0, 0, g]`."""
        assert self.length is not None, "asked only if there is a root"
        x, inverse = self.length
        first = self._average(exact_values(self._situation, self._theta), -1, None)
        cross = self._average(first, 1, x)
        order = int(np.lcm(first.order, inverse.order))
        cross = cross.embed(order) * inverse.embed(order)
        total = first.embed(order) + cross
        half = Cyclotomic(1, np.array([1]), 2).embed(order)
        return ((total + total.conjugate()) * half)[None, None]


def rational_root(top: int, bottom: int) -> Cyclotomic:
    """The positive square root of `top / bottom`, in a cyclotomic field, by Gauss sums.

    References:
        Ireland and Rosen, *A Classical Introduction to Modern Number Theory*, sec. 6.4.

    Examples:
        >>> rational_root(1, 2).to_sympy(), rational_root(3, 1).to_sympy()
        (sqrt(2)/2, sqrt(3))
    """
    outer, inner = 1, 1
    for prime, power in factorint(top * bottom).items():
        outer *= int(prime) ** (power // 2)
        inner *= int(prime) ** (power % 2)
    order = 4 * inner
    root = Cyclotomic(1, np.array([outer]), bottom).embed(order)
    for prime in factorint(inner):
        counts = np.zeros(order, dtype=np.int64)
        if prime == 2:
            counts[[order // 8, -order // 8]] = 1
        else:  # the Gauss sum is sqrt(p) or i sqrt(p)
            turn = 0 if prime % 4 == 1 else 3 * order // 4
            for k in range(1, prime):
                sign = 1 if pow(k, (prime - 1) // 2, prime) == 1 else -1
                counts[(k * (order // prime) + turn) % order] += sign
        root = root * Cyclotomic.from_exponents(order, counts)
    return root
