"""Linear characters of subgroups, as exponents of one root of unity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._modular import logarithms, root_powers


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear character `h -> zeta^exponents[h]` of a subgroup.

    Attributes:
        elements: The subgroup's elements.
        exponents: Exponent per element of the group, -1 outside the subgroup.
        modulus: Order of `zeta`.
        generators: Generators of the subgroup.
    """

    elements: np.ndarray
    exponents: np.ndarray
    modulus: int
    generators: tuple[int, ...]

    @staticmethod
    def trivial(group: Group) -> Linear:
        """The character of the trivial subgroup, ready to be extended."""
        exponents = np.full(group.order, -1, dtype=np.int64)
        exponents[0] = 0
        modulus = int(np.lcm.reduce([c.element_order for c in group.conjugacy_classes]))
        return Linear(np.array([0]), exponents, modulus, ())

    @property
    def is_real(self) -> bool:
        """Whether all values are 1 or -1."""
        return bool((2 * self.exponents[list(self.generators)] % self.modulus == 0).all())

    def in_lowest_terms(self) -> tuple[np.ndarray, int]:
        """Exponents (0 outside the subgroup) and modulus, without a common factor."""
        inside = np.where(self.exponents >= 0, self.exponents, 0)
        factor = int(np.gcd.reduce(inside, initial=self.modulus))
        return inside // factor, self.modulus // factor


def extend(
    group: Group, values: np.ndarray, p: int, root: int, theta: Linear, x: int
) -> list[Linear]:
    """All constituents of a character that extend `theta` to the subgroup generated with `x`.

    `x` must normalise the subgroup of `theta` and fix `theta`; then an extension is a choice of an
    `r`-th root of `theta(x^r)`, with `r` the order of `x` modulo the subgroup.

    Args:
        group: The group.
        values: A character modulo `p`, one value per element.
        p: A prime above the character's degree that splits the group.
        root: Its primitive root.
        theta: A constituent of the character on a subgroup.
        x: An element.

    References:
        Isaacs, *Character Theory of Finite Groups*, Cor. 11.22.
    """
    powers, n = [0], theta.modulus
    following = x
    while theta.exponents[following] < 0:
        powers.append(following)
        following = group.multiply(following, x)
    r, target = len(powers), int(theta.exponents[following])
    elements = group.products(theta.elements[:, None], np.array(powers))
    if target % r:  # theta(x^r) is a power of zeta with exponent divisible by r, up to n
        target += n * next(k for k in range(r) if (target + n * k) % r == 0)
    # Multiplicities of all r extensions: sums over each coset, then a small Fourier transform.
    weights = root_powers(p, root, n)[-theta.exponents[theta.elements] % n]
    sums = (values[elements] * weights[:, None] % p).sum(axis=0) % p
    choices = (target // r + n // r * np.arange(r)) % n
    turns = root_powers(p, root, n)[-np.outer(choices, np.arange(r)) % n]
    totals = (turns * sums % p).sum(axis=1) % p
    found = []
    for k in choices[totals != 0]:
        exponents = np.full(group.order, -1, dtype=np.int64)
        exponents[elements] = (theta.exponents[theta.elements][:, None] + k * np.arange(r)) % n
        found.append(Linear(elements.ravel(), exponents, n, (*theta.generators, x)))
    return found


def degree_one(group: Group, values: np.ndarray, p: int, root: int) -> Linear:
    """A character of degree 1, given modulo `p`, by discrete logarithms."""
    n = int(np.lcm.reduce([c.element_order for c in group.conjugacy_classes]))
    exponents = logarithms(p, root)[values] // ((p - 1) // n)
    return Linear(np.arange(group.order), exponents, n, tuple(group.generators))
