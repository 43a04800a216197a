"""Inner products `<v, rho(g) v>` of one vector, from a character alone."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from irrepnet.reps._class_algebra import eigenvalue_multiplicities
from irrepnet.reps._clifford import Linear, Situation, classes_of
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._cyclotomic_fields import conductor, embedding, reduction


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

    def __init__(self, situation: Situation, theta: Linear) -> None:
        self.group, self.kind, self.degree = situation.group, situation.kind, situation.degree
        self.provenance = (
            f"Dixon's method from a linear character of a subgroup of order {len(theta.elements)}"
        )
        self._situation, self._theta = situation, theta

    @cached_property
    def translates(self) -> np.ndarray:
        """One element per left coset of `H` in the subgroup: `rho(g) v` up to a phase."""
        moved = self.group.products(self._situation.subgroup[:, None], self._theta.elements)
        return np.unique(moved.min(axis=1))

    @cached_property
    def exact(self) -> Cyclotomic:
        """All inner products, `[a, b, g] = <v_a, rho(g) v_b>` with `v_0 = v` and `v_1 = u`."""
        group, values = self.group, exact_values(self._situation, self._theta)
        first = self._average(values, -1, None)
        if self.kind != "H":
            return first[None, None]
        back = group.inverses
        for x in self.translates:
            cross = self._average(first, 1, int(x))
            if not cross[back[x]].is_zero():
                break
        second = first.conjugate() * cross[back[x]]
        rows = [[first, cross], [cross[back].conjugate(), second]]
        scale = int(np.lcm.reduce([e.denominator for row in rows for e in row]))
        table = np.array([[e.numerators * (scale // e.denominator) for e in row] for row in rows])
        return Cyclotomic(first.order, table, scale)

    def _average(self, values: Cyclotomic, sign: int, shift: int | None) -> Cyclotomic:
        """`1/|H| sum_h lambda(h)^sign values(h g)`; with a shift, of `values(g h x)`."""
        group, theta, n = self.group, self._theta, values.order
        inside = self._situation.subgroup
        phi, total = values.numerators.shape[-1], np.zeros_like(values.numerators)
        for h in theta.elements:
            moved = group.products(h, inside)
            if shift is not None:
                moved = group.products(inside, group.multiply(int(h), shift))
            k = sign * int(theta.exponents[h]) * n // theta.modulus
            turn = reduction(n)[(np.arange(phi) + k) % n]
            total[inside] += values.numerators[moved] @ turn
        return Cyclotomic(n, total, values.denominator * len(theta.elements)).reduced()

    @cached_property
    def floats(self) -> np.ndarray:
        """The table in complex128 (float64 for type R)."""
        values = self.exact.to_complex()
        return values.real if self.kind == "R" else values

    def residues(self, p: int, root: int) -> np.ndarray:
        """The table modulo a prime."""
        return self.exact.residues(p, root)


def exact_values(situation: Situation, theta: Linear) -> Cyclotomic:
    """The character per element of the group, in the field that it and `theta` generate."""
    group, p, root = situation.group, situation.p, situation.root
    classes = classes_of(situation)
    representatives = np.array([members[0] for members in classes])
    orders = group.element_orders[representatives]
    powers = np.zeros((len(classes), int(orders.max())), dtype=np.int64)
    for exponent in range(1, powers.shape[1]):
        powers[:, exponent] = group.products(powers[:, exponent - 1], representatives)
    counts = eigenvalue_multiplicities(situation.values[None], powers, orders, p, root)
    fields = [conductor(c.shape[1], c[0] @ reduction(c.shape[1])) for c in counts]
    images = theta.exponents[theta.elements]
    linear = theta.modulus // int(np.gcd.reduce(images, initial=theta.modulus))
    order = int(np.lcm.reduce([linear, *(m for m, _ in fields)]))
    values = np.zeros((group.order, reduction(order).shape[1]), dtype=np.int64)
    for members, (m, vector) in zip(classes, fields, strict=True):
        values[members] = vector @ embedding(m, order)
    return Cyclotomic(order, values)
