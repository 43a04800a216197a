"""Real Clifford theory: irreps are induced from components on which a normal subgroup is isotypic.

Let `V` be a real irrep and `A` an abelian normal subgroup. The group permutes the components of `V`
over `R[A]` transitively; if `T` stabilises one, `W`, then `V` is induced from `W`, and `End_G V =
End_T W`: the type is kept. Everything is decided on characters modulo a prime.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from irrepnet.groups import Group, Homomorphism, Subgroup, quotient_map
from irrepnet.reps._linear import Linear, extend
from irrepnet.reps._modular import root_powers

#: Quotients up to this order are formed; above, their multiplication takes too much memory.
QUOTIENT_LIMIT = 3000


@dataclass(frozen=True, eq=False)
class Situation:
    """An irreducible character of a group, modulo a prime.

    Attributes:
        group: The group.
        values: The character modulo `p`, one per element.
        kind: Type R, C or H.
        p: A prime that splits the group.
        root: Its primitive root.
    """

    group: Group
    values: np.ndarray
    kind: str
    p: int
    root: int

    @property
    def degree(self) -> int:
        """Complex degree of the character."""
        return int(self.values[0])


def kernel(situation: Situation) -> Subgroup:
    """The elements that act as the identity.

    An element is in the kernel when its eigenvalue 1 has full multiplicity; that count is below
    `p`, so its residue is the count.
    """
    group, p = situation.group, situation.p
    classes = group.conjugacy_classes
    representatives = np.array([c.representative for c in classes])
    orders = np.array([c.element_order for c in classes])
    total, power = np.zeros(len(classes), dtype=np.int64), np.zeros(len(classes), dtype=np.int64)
    for exponent in range(int(orders.max())):
        total += np.where(exponent < orders, situation.values[power], 0)
        power = group.products(power, representatives)
    inside = (total - orders * situation.degree) % p == 0
    return Subgroup(group, tuple(np.flatnonzero(inside[group.class_labels]).tolist()))


@lru_cache(maxsize=256)
def _quotient(group: Group, elements: tuple[int, ...]) -> Homomorphism:
    return quotient_map(group, Subgroup(group, elements))


def modulo_kernel(situation: Situation) -> tuple[Situation, np.ndarray] | None:
    """The character on the group modulo its kernel, and the map there; None if it is faithful."""
    inside = kernel(situation)
    if inside.order == 1 or inside.index > QUOTIENT_LIMIT:
        return None
    onto = _quotient(situation.group, inside.elements)
    values = situation.values[list(inside.left_transversal)]
    smaller = Situation(onto.target, values, situation.kind, situation.p, situation.root)
    return smaller, np.array(onto.images)


def source_of(situation: Situation) -> tuple[Situation, Subgroup] | None:
    """A proper subgroup and the irrep of it that induces to this one, type and all.

    Components on which a real linear character acts are preferred: they lead to signs.

    Returns:
        None if every abelian normal subgroup acts isotypically.

    Cost:
        O(order * |A|) products per abelian normal subgroup `A`.

    References:
        Isaacs, *Character Theory of Finite Groups*, Thm. 6.11 (Clifford correspondence);
        Serre, *Linear Representations of Finite Groups*, sec. 8.1 and 13.2.
    """
    fallback = None
    for theta in constituents(situation):
        stable = stabiliser(situation, theta, with_conjugate=situation.kind != "C")
        if stable.index == 1:
            continue
        if theta.is_real or situation.kind == "C":
            return component(situation, theta, stable), stable
        fallback = fallback or (theta, stable)
    return (component(situation, *fallback), fallback[1]) if fallback else None


def component(
    situation: Situation, theta: Linear, stable: Subgroup, with_conjugate: bool = True
) -> Situation:
    """The component on which `theta` acts; with its conjugate, unless the type is C."""
    group, p = situation.group, situation.p
    roots = root_powers(p, situation.root, theta.modulus)
    exponents = theta.exponents[theta.elements]
    weights = roots[-exponents % theta.modulus]
    if with_conjugate and not theta.is_real and situation.kind != "C":
        weights = (weights + roots[exponents]) % p
    inside = np.array(stable.elements)
    moved = situation.values[group.products(theta.elements[:, None], inside)]
    values = (weights[:, None] * moved % p).sum(axis=0) % p * pow(len(exponents), -1, p) % p
    return Situation(stable.as_group(), values, situation.kind, p, situation.root)


def stabiliser(situation: Situation, theta: Linear, with_conjugate: bool) -> Subgroup:
    """Elements that fix `theta` under conjugation, or move it to its conjugate."""
    group, every = situation.group, np.arange(situation.group.order)
    generators = np.array(theta.generators, dtype=np.int64)
    moved = group.products(group.inverses[:, None], generators)
    images = theta.exponents[group.products(moved, every[:, None])]
    fixed = (images == theta.exponents[generators]).all(axis=1)
    if with_conjugate:
        fixed |= (images == -theta.exponents[generators] % theta.modulus).all(axis=1)
    return Subgroup(group, tuple(np.flatnonzero(fixed).tolist()))


def constituents(situation: Situation) -> Iterator[Linear]:
    """One linear constituent of the character on each of several abelian normal subgroups."""
    for generators in abelian_normal_subgroups(situation.group):
        theta = Linear.trivial(situation.group)
        for x in generators:
            if theta.exponents[x] < 0:
                theta = extend(
                    situation.group, situation.values, situation.p, situation.root, theta, x
                )[0]
        yield theta


@lru_cache(maxsize=256)
def abelian_normal_subgroups(group: Group) -> tuple[tuple[int, ...], ...]:
    """Generators of abelian normal subgroups: those of one class, and maximal ones grown from each.

    Cost:
        O(classes * order) products.

    Examples:
        >>> from irrepnet import groups
        >>> abelian_normal_subgroups(groups.symmetric(4))
        ((7, 16, 23),)
    """
    labels = group.class_labels
    count = len(group.conjugacy_classes)
    by_class = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[by_class], np.arange(count))
    members = np.split(by_class, starts[1:])
    commuting = np.empty((count, count), dtype=bool)
    for i, c in enumerate(group.conjugacy_classes):
        same = group.left_multiply(c.representative) == group.right_multiply(c.representative)
        commuting[i] = np.logical_and.reduceat(same[by_class], starts)
    abelian = [i for i in range(1, count) if commuting[i, i]]
    found: dict[tuple[int, ...], None] = {(i,): None for i in abelian}
    for start in abelian:
        grown, allowed = [start], commuting[start].copy()
        for i in abelian:
            if i != start and allowed[i]:
                grown.append(i)
                allowed &= commuting[i]
        found[tuple(sorted(grown))] = None
    return tuple(tuple(np.concatenate([members[i] for i in grown]).tolist()) for grown in found)
