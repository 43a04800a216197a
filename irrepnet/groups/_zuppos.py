"""Cyclic subgroups of prime-power order: the atoms of which every subgroup is made."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from irrepnet.groups._arithmetic import prime_divisors
from irrepnet.groups._group import Group


class Zuppos:
    """The cyclic subgroups of prime-power order of a group, numbered by their least generators.

    Every element is a product of powers of itself that have prime-power order, so a subgroup is
    determined by the zuppos it contains: a row of bits.

    Attributes:
        group: The group.
        generators: Least generator of every zuppo, sorted.
        primes: The prime whose power is the order of the zuppo.
        pth_powers: Zuppo of the generator's power by that prime; `count` if it is the identity.
        of: Zuppo that an element generates; `count` for the identity, -1 without prime-power order.

    Cost:
        O(order * largest prime-power element order) gathers.

    References:
        Neubüser, "Untersuchungen des Untergruppenverbandes endlicher Gruppen auf einer
        programmgesteuerten elektronischen Dualmaschine", Numer. Math. 2 (1960); the name is short
        for *zyklische Untergruppe von Primzahlpotenzordnung*.

    Examples:
        >>> from irrepnet import groups
        >>> Zuppos(groups.cyclic(6)).generators.tolist()
        [2, 3]
    """

    def __init__(self, group: Group) -> None:
        self.group = group
        orders = group.element_orders
        prime = np.zeros(group.order, dtype=np.int64)
        for p in prime_divisors(group.order):
            prime[np.isin(orders, [p**k for k in range(1, group.order.bit_length())])] = p
        elements = np.flatnonzero(prime)
        least, power = elements.copy(), elements
        for exponent in range(2, int(orders[elements].max(initial=1))):
            power = group.products(power, elements)
            generates = exponent % prime[elements] != 0
            least[generates] = np.minimum(least, power)[generates]
        self.generators = np.unique(least)
        self.of = np.full(group.order, -1)
        self.of[elements] = np.searchsorted(self.generators, least)
        self.of[0] = self.count
        self.primes = prime[self.generators]
        self.pth_powers = self.of[group.powers(self.generators, self.primes)]

    @property
    def count(self) -> int:
        """Number of zuppos."""
        return len(self.generators)

    @cached_property
    def _parts(self) -> np.ndarray:
        """Zuppos of every element's prime-power parts, shape `(order, number of primes)`."""
        group = self.group
        columns = []
        for p in prime_divisors(group.order):
            # For an element of order q r, q a power of p, r prime to p: the power e with
            # e = 1 modulo q and e = 0 modulo r is its p-part.
            exponents = {1: 0}
            for order in {c.element_order for c in group.conjugacy_classes}:
                r = order
                while r % p == 0:
                    r //= p
                exponents[order] = r * pow(r, -1, order // r) if r < order else 0
            by_order = np.vectorize(exponents.__getitem__, otypes=[np.int64])
            columns.append(
                self.of[group.powers(np.arange(group.order), by_order(group.element_orders))]
            )
        return np.stack(columns, axis=1) if columns else np.full((1, 1), self.count)

    def elements(self, bits: np.ndarray) -> np.ndarray:
        """Which elements lie in the subgroup that contains exactly these zuppos, as a mask."""
        present = np.append(bits, True)[self._parts]
        return np.logical_and.reduce(present, axis=1)

    def bits(self, mask: np.ndarray) -> np.ndarray:
        """The zuppos in the subgroup with this mask of elements."""
        return mask[self.generators]

    def conjugate(self, zuppos: np.ndarray | int, by: np.ndarray | int) -> np.ndarray:
        """Zuppos `g z g^-1`, broadcast over zuppos `z` and elements `g`."""
        group = self.group
        moved = group.products(by, self.generators[zuppos])
        return self.of[group.products(moved, group.inverses[by])]
