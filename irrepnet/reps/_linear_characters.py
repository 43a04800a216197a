"""All linear characters of an abelian section of a group, by coordinates instead of a table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from irrepnet.groups import Group
from irrepnet.groups._orbits import least_in_orbit


@dataclass(frozen=True, eq=False)
class LinearCharacters:
    """The dual of an abelian group `A = H / K`, `K` normal in a subgroup `H` of a group.

    Elements `a_1 < a_2 < ...` are chosen, each the least outside the subgroup of those before;
    every element of `A` is `a_1^y_1 a_2^y_2 ...` with digits `y_i < radices[i]`. A character is
    given by its exponents at the `a_i`; characters are numbered in lexicographic order of these.

    Attributes:
        modulus: Values are powers of `exp(2 pi i / modulus)`.
        basis: The elements `a_i`.
        radices: Order of each `a_i` modulo the ones before it.
        generators: Exponents of every character at the `a_i`, int64 `(characters, basis)`.
        position: Mixed-radix number of every element of the group, -1 outside `H`.

    Cost:
        O(order of H) products; the table itself is never made.

    References:
        Serre, *A Course in Arithmetic*, sec. VI.1.1, Prop. 1 (extension of characters).

    Examples:
        >>> from irrepnet import groups
        >>> dual = linear_characters(groups.cyclic(4))
        >>> dual.exponents(np.arange(4), np.arange(4)).tolist()
        [[0, 0, 0, 0], [0, 1, 2, 3], [0, 2, 0, 2], [0, 3, 2, 1]]
        >>> len(linear_characters(groups.quaternion()))
        4
    """

    modulus: int
    basis: np.ndarray
    radices: tuple[int, ...]
    generators: np.ndarray
    position: np.ndarray

    def __len__(self) -> int:
        return len(self.generators)

    @property
    def unit_indices(self) -> np.ndarray:
        """Numbers of characters that generate all."""
        return np.array([math.prod(self.radices[i + 1 :]) for i in range(len(self.radices))], int)

    def digits(self, elements: np.ndarray) -> np.ndarray:
        """Coordinates `y` of elements of `H`, int64 with one more axis."""
        positions = self.position[elements]
        if not self.radices:
            return np.zeros((*positions.shape, 0), dtype=np.int64)
        return np.stack(np.unravel_index(positions, self.radices), axis=-1).astype(np.int64)

    def exponents(self, characters: np.ndarray, elements: np.ndarray) -> np.ndarray:
        """`[chi, a]`: `chi(a) = exp(2 pi i exponents / modulus)`, int64."""
        # Sums stay below 2^53, so a float product is exact, and BLAS makes it.
        left, right = self.generators[characters], self.digits(elements)
        return (left.astype(float) @ right.T.astype(float)).astype(np.int64) % self.modulus

    def index(self, generators: np.ndarray) -> np.ndarray:
        """Numbers of the characters with the given exponents at the `a_i`."""
        radices = np.array(self.radices, dtype=np.int64)
        if not len(radices):
            return np.zeros(generators.shape[:-1], dtype=np.int64)
        # The choices for one exponent are an r-th of the modulus apart.
        choice = generators % self.modulus * radices // self.modulus
        return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(choice, -1, 0)), self.radices))


def linear_characters(group: Group, abelian: np.ndarray | None = None) -> LinearCharacters:
    """The linear characters of a group, or of an abelian subgroup.

    Args:
        group: The group.
        abelian: Elements of an abelian subgroup; the whole group modulo commutators if None.

    Cost:
        O(order) products and O(order of the abelian section) for its characters.

    References:
        Isaacs, *Character Theory of Finite Groups*, Cor. 2.23.

    Examples:
        >>> from irrepnet import groups
        >>> dual = linear_characters(groups.symmetric(4))
        >>> dual.modulus, dual.basis.tolist(), dual.radices
        (2, [1], (2,))
    """
    every = np.arange(group.order)
    least = every if abelian is not None or group.is_abelian else commutator_cosets(group)
    elements = every if abelian is None else np.sort(abelian)
    candidates = elements[least[elements] == elements]
    inside = np.full(group.order, -1)
    inside[0] = 0
    reached, tails, basis, radices, modulus = np.zeros(1, dtype=np.int64), [], [], [], 1
    for x in candidates:
        if inside[x] >= 0:
            continue
        powers = np.append(cyclic_powers(group, int(x)), 0)
        radix = 1 + int((inside[least[powers[1:]]] >= 0).argmax())
        turn = 1 + int((least[powers[1:]] == 0).argmax())
        tails.append(int(inside[least[powers[radix]]]))
        reached = least[group.products(reached[:, None], powers[:radix]).ravel()]
        inside[reached] = np.arange(len(reached))
        basis.append(int(x))
        radices.append(radix)
        modulus = math.lcm(modulus, turn)
        if len(reached) == len(candidates):
            break
    return LinearCharacters(
        modulus,
        np.array(basis, dtype=np.int64),
        tuple(radices),
        _extensions(tails, radices, modulus),
        inside[least],
    )


def _extensions(tails: list[int], radices: list[int], modulus: int) -> np.ndarray:
    """Exponents of all characters at the basis, extended from one basis element to the next."""
    found = np.zeros((1, 0), dtype=np.int64)
    for i, (tail, radix) in enumerate(zip(tails, radices, strict=True)):
        digits = np.array(np.unravel_index(tail, radices[:i]) if i else (), dtype=np.int64)
        # The value at a^r is an r-th power, as the section is abelian.
        first = found @ digits % modulus // radix
        choices = first[:, None] + modulus // radix * np.arange(radix)
        found = np.hstack([np.repeat(found, radix, axis=0), choices.reshape(-1, 1)])
    return found


def cyclic_powers(group: Group, x: int) -> np.ndarray:
    """Powers `x^0, ..., x^(o-1)` of an element of order `o`, by doubling."""
    order, powers = int(group.element_orders[x]), np.zeros(1, dtype=np.int64)
    step = np.int64(x)
    while len(powers) < order:
        powers = np.concatenate([powers, group.products(powers, step)])
        step = group.products(step, step)
    return powers[:order]


def commutator_cosets(group: Group) -> np.ndarray:
    """The least element of every element's coset of the commutator subgroup.

    Commutators of the generators generate it as a normal subgroup, so its cosets are the orbits of
    their multiplications together with conjugation.
    """
    a = np.array(group.generators, dtype=np.int64)
    ab, ba = group.products(a[:, None], a), group.products(a, a[:, None])
    commutators = np.unique(group.products(ab, group.inverses[ba]))
    maps = [group.right_multiply(int(c)) for c in commutators if c]
    maps += [group.left_multiply(g)[group.right_multiply(group.inverse(g))] for g in map(int, a)]
    return least_in_orbit(maps, group.order)
