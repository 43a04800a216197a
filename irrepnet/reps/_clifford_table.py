"""Characters modulo a prime by Clifford theory over an abelian normal subgroup.

For groups with many classes: the class algebra falls into small pieces, one for each orbit of the
group on the characters of the subgroup, and pieces that differ by a linear character of the group
or by a Galois automorphism need to be split only once.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from irrepnet.groups import Group, quotient
from irrepnet.groups._orbits import least_in_orbit
from irrepnet.reps._class_algebra import split_algebra
from irrepnet.reps._linear_characters import LinearCharacters, cyclic_powers, linear_characters
from irrepnet.reps._modular import multiply, root_powers

#: Pieces with more classes belong to a quotient group that is treated as a group of its own.
PIECE_LIMIT = 160

#: Classes that are tried when the abelian normal subgroup is enlarged.
CANDIDATES = 400


def clifford_characters(
    group: Group, linear: LinearCharacters, units: list[int], p: int, root: int
) -> np.ndarray | None:
    """At least one irreducible character for each orbit under linear and Galois twists.

    Let `A` be an abelian normal subgroup, `lambda` a character of it and `T` its stabiliser.
    Irreducible characters of `T` over `lambda` induce to irreducible characters of the group, each
    exactly once for every orbit of characters of `A`.

    Args:
        group: The group.
        linear: Its linear characters.
        units: Generators of the units modulo the exponent: Galois automorphisms.
        p: A prime that splits the group and exceeds twice every degree.
        root: The primitive root of `p` for the roots of unity.

    Returns:
        Residues, int64 `(characters, classes)`, the trivial character first; None if `p` is too
        small to split a piece.

    Cost:
        O(order) for each orbit of the group, with twists, on the characters of `A`, and a class
        algebra of at most `|T : A|` classes.

    References:
        Isaacs, *Character Theory of Finite Groups*, Thm. 6.11 (Clifford correspondence);
        Conlon, "Calculating characters of p-groups", J. Symbolic Comput. 9 (1990).
    """
    over = _Section(group, p, root)
    found = [np.ones((1, len(group.conjugacy_classes)), dtype=np.int64)]
    for character in over.orbit_representatives(linear, units):
        if character == 0:
            commutators = linear.position[over.normal] == 0
            if commutators.sum() * len(linear) == group.order:
                continue  # A contains all commutators, so these characters are linear
            piece = over.inflated()
        else:
            piece = over.induced(character)
        if piece is None:
            return None
        found.append(piece)
    return np.concatenate(found)


class _Section:
    """A group `G` over its abelian normal subgroup `A`, and the characters of `A`."""

    def __init__(self, group: Group, p: int, root: int) -> None:
        self.group, self.p, self.root = group, p, root
        self.normal = abelian_normal_subgroup(group)
        self.dual = linear_characters(group, self.normal)
        self.roots = root_powers(p, root, self.dual.modulus)
        right = [group.right_multiply(int(a)) for a in self.dual.basis]
        self.transversal, self.cosets = np.unique(
            least_in_orbit(right, group.order), return_inverse=True
        )
        #: `[q, a]`: class of `transversal[q] a`
        self.classes = group.class_labels[group.products(self.transversal[:, None], self.normal)]
        self.sizes = np.array([c.size for c in group.conjugacy_classes])
        self._parts: dict[bytes, _Stabiliser] = {}

    @cached_property
    def conjugates(self) -> np.ndarray:
        """Digits of `x^-1 a_i x` for all `x` in the transversal, shape `(index, basis, basis)`."""
        group, x = self.group, self.transversal[:, None]
        moved = group.products(group.products(group.inverses[x], self.dual.basis), x)
        return self.dual.digits(moved)

    def moved(self, characters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Numbers of `a -> lambda(x^-1 a x)` for coset representatives `x`, by their places."""
        exponents = self.conjugates[x] @ self.dual.generators[characters].T
        return self.dual.index(np.moveaxis(exponents, 1, -1))

    def orbit_representatives(self, linear: LinearCharacters, units: list[int]) -> list[int]:
        """One character of `A` per orbit under the group, linear and Galois twists; 0 first."""
        group, dual = self.group, self.dual
        every = np.arange(len(dual))
        cosets = self.cosets[list(group.generators)]
        maps = list(self.moved(every, np.unique(cosets)))
        maps += [dual.index(dual.generators * a) for a in units]
        twists = linear.exponents(linear.unit_indices, dual.basis)
        # Values on A have an order that divides both moduli.
        scaled = twists * dual.modulus // linear.modulus
        maps += [dual.index(dual.generators + twist) for twist in scaled]
        least = least_in_orbit(maps, len(dual))
        return np.flatnonzero(least == every).tolist()

    def inflated(self) -> np.ndarray | None:
        """The characters with `A` in their kernel."""
        whole = self._part(np.arange(len(self.transversal)))
        if whole.num_classes(0) <= PIECE_LIMIT:
            return self.induced(0)
        table = quotient(self.group, self.normal.tolist()).character_table
        cosets = self.cosets[[c.representative for c in self.group.conjugacy_classes]]
        columns = table.group.class_labels[cosets]
        return table.modulo(self.p, self.root)[:, columns]

    def induced(self, character: int) -> np.ndarray | None:
        """The irreducible characters of the group over a character of `A`."""
        p, group = self.p, self.group
        inside = np.flatnonzero(
            self.moved(np.array([character]), np.arange(len(self.transversal)))[:, 0] == character
        )
        part = self._part(inside)
        labels, phases = part.good_classes(character)
        values = part.split(character, labels, phases)
        if values is None:
            return None
        theta = self.roots[self.dual.exponents(np.array([character]), self.normal)[0]]
        good = labels >= 0
        num_classes = len(self.sizes)
        # The sum of each basis function over each class of the group.
        places = labels[good][:, None] * num_classes + self.classes[inside[good]]
        weights = phases[good][:, None] * theta % p
        sums = np.bincount(places.ravel(), weights.ravel().astype(float), len(values) * num_classes)
        sums = np.mod(sums, p).astype(np.int64).reshape(len(values), num_classes)
        order = len(inside) * len(self.normal)
        scale = np.array([group.order // int(s) * pow(order, -1, p) % p for s in self.sizes])
        return multiply(values, sums * scale % p, p)

    def _part(self, inside: np.ndarray) -> _Stabiliser:
        key = inside.tobytes()
        if key not in self._parts:
            self._parts[key] = _Stabiliser(self, inside)
        return self._parts[key]


class _Stabiliser:
    """A subgroup `T` with `A <= T`, by the places of its cosets in the transversal."""

    def __init__(self, over: _Section, inside: np.ndarray) -> None:
        self.over, self.inside = over, inside
        self.elements = over.transversal[inside]
        self._place = np.full(len(over.transversal), -1)
        self._place[inside] = np.arange(len(inside))

    def split_products(self, products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Elements of `T` as a coset representative's place in `T` and digits of the rest in A."""
        group, over = self.over.group, self.over
        cosets = over.cosets[products]
        rest = group.products(group.inverses[over.transversal[cosets]], products)
        return self._place[cosets], over.dual.digits(rest)

    @cached_property
    def conjugations(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Conjugation of the cosets by generators of `T / A`: places, and digits of the rest."""
        group, found, maps = self.over.group, [], []
        reached = np.zeros(len(self.inside), dtype=bool)
        reached[0] = True
        while not reached.all():
            g = self.elements[int((~reached).argmax())]
            left = group.products(g, self.elements)
            maps.append(self._place[self.over.cosets[left]])
            least = least_in_orbit(maps, len(reached))
            reached = least == least[0]
            found.append(self.split_products(group.products(left, group.inverses[g])))
        return found

    def good_classes(self, character: int) -> tuple[np.ndarray, np.ndarray]:
        """Classes of cosets on which class functions over `lambda` need not vanish.

        Conjugation moves `x` to `y lambda(a)`; a class of cosets is good when no coset of it meets
        itself with another value of `lambda`.

        Returns:
            Number of the class of every coset, -1 if it is not good; and the residue of the
            function of that class on the coset's representative, 1 on the class's first.
        """
        over, dual = self.over, self.over.dual
        exponents = dual.generators[character]
        step = int(np.gcd.reduce(exponents, initial=dual.modulus))
        turns, size = dual.modulus // step, len(self.inside)
        points = np.arange(turns)
        maps = []
        for places, rest in self.conjugations:
            shift = rest @ exponents % dual.modulus // step
            maps.append((places[:, None] * turns + (points + shift[:, None]) % turns).ravel())
        least = least_in_orbit(maps, size * turns).reshape(size, turns)
        good = (least[:, 1:] != least[:, :1]).all(axis=1)
        firsts = np.unique(least[good, :].min(axis=1, initial=size * turns) // turns)
        # x zeta^s is conjugate to the class's first representative, so f(x) = zeta^-s.
        at_first = least[firsts, 0]
        labels = np.full(size, -1)
        phases = np.zeros(size, dtype=np.int64)
        numbers = np.full(size * turns, -1)
        numbers[at_first] = np.arange(len(firsts))
        rows, shifts = np.nonzero((numbers[least] >= 0) & good[:, None])
        labels[rows] = numbers[least[rows, shifts]]
        phases[rows] = over.roots[-shifts * step % dual.modulus]
        return labels, phases

    def num_classes(self, character: int) -> int:
        """How many irreducible characters of `T` lie over `lambda`."""
        return int(self.good_classes(character)[0].max()) + 1

    def split(self, character: int, labels: np.ndarray, phases: np.ndarray) -> np.ndarray | None:
        """Characters of `T` over `lambda` on the first coset of each good class."""
        over, group = self.over, self.over.group
        size = int(labels.max()) + 1
        if size == 1:
            return np.array([[math.isqrt(len(self.inside))]])
        firsts = np.array([int((labels == c).argmax()) for c in range(size)])
        products = group.products(group.inverses[self.elements[:, None]], self.elements[firsts])
        places, rest = self.split_products(products)
        exponents = rest @ over.dual.generators[character] % over.dual.modulus
        turned = phases[places] * over.roots[exponents] % over.p
        return split_algebra(labels, labels[places], over.p, (phases, turned))


def abelian_normal_subgroup(group: Group) -> np.ndarray:
    """Elements of a large abelian normal subgroup: the centre, and classes that commute with it.

    Small classes come first, of them those of large order: their centralisers leave most room.

    Cost:
        O(order) per class that joins, and a test of at most `CANDIDATES` classes in between.
    """
    labels, sizes = group.class_labels, np.bincount(group.class_labels)
    orders = group.element_orders
    inside = sizes[labels] == 1
    allowed = np.ones(group.order, dtype=bool)
    while True:
        firsts = np.array([c.representative for c in group.conjugacy_classes])
        firsts = firsts[allowed[firsts] & ~inside[firsts]]
        firsts = firsts[np.lexsort((-orders[firsts], sizes[labels[firsts]]))]
        for x in firsts[:CANDIDATES].tolist():
            members = np.flatnonzero(labels == labels[x])
            if (group.products(x, members) == group.products(members, x)).all():
                break
        else:
            return np.flatnonzero(inside)
        for y in members.tolist():
            if not inside[y]:
                inside = _with_powers(group, inside, y)
                allowed &= group.left_multiply(y) == group.right_multiply(y)


def _with_powers(group: Group, inside: np.ndarray, y: int) -> np.ndarray:
    """The elements of the abelian group that some elements and one that commutes with them make."""
    powers = cyclic_powers(group, y)
    powers = powers[: 1 + int(inside[np.append(powers[1:], 0)].argmax())]
    larger = np.zeros_like(inside)
    larger[group.products(np.flatnonzero(inside)[:, None], powers)] = True
    return larger
