"""Irreducible characters as linear and Galois twists of a few of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sympy import factorint, primitive_root

from irrepnet.groups import Group
from irrepnet.reps._linear_characters import LinearCharacters
from irrepnet.reps._modular import root_powers

#: Rows of a table that are made at once: temporary arrays stay small.
CHUNK = 128


@dataclass(frozen=True, eq=False)
class Twists:
    """How every row of a table comes from a few base rows.

    First base rows get Galois conjugates, step by step: `rows = [rows, rows[parents][:, columns]]`.
    Then row `i` of the table is row `rep[i]` of these times the linear character `twist[i]`.

    Attributes:
        steps: Pairs `(parents, columns)`; `columns` is the power map of a Galois automorphism.
        linear: The linear characters of the group.
        rep: Row among bases and conjugates, per row of the table.
        twist: Number of the linear character, per row of the table.
    """

    steps: tuple[tuple[np.ndarray, np.ndarray], ...]
    linear: LinearCharacters
    rep: np.ndarray
    twist: np.ndarray

    def conjugated(self, table: np.ndarray) -> np.ndarray:
        """Base rows, followed by their Galois conjugates."""
        for parents, columns in self.steps:
            table = np.concatenate([table, table[parents[:, None], columns]])
        return table

    def origin(self, rows: np.ndarray, column: int) -> tuple[np.ndarray, np.ndarray]:
        """Base row and column that have the value of conjugated rows at a column."""
        rows, columns = rows.copy(), np.full(len(rows), column)
        sizes = np.cumsum([len(parents) for parents, _ in self.steps][::-1])
        end = self.num_conjugated
        for (parents, power), size in zip(self.steps[::-1], sizes, strict=True):
            above = rows >= end - size
            rows[above] = parents[rows[above] - (end - size)]
            columns[above] = power[columns[above]]
        return rows, columns

    @property
    def num_conjugated(self) -> int:
        """Number of base rows and conjugates."""
        return int(self.rep.max()) + 1

    def permuted(self, order: np.ndarray) -> Twists:
        """The same, with the rows of the table in another order."""
        return Twists(self.steps, self.linear, self.rep[order], self.twist[order])


def expand(
    group: Group, bases: np.ndarray, linear: LinearCharacters, units: list[int], p: int, root: int
) -> tuple[np.ndarray, np.ndarray, Twists]:
    """All twists of some characters, each once.

    Sets closed under a few generators of an abelian group grow by doubling: after the twists by
    `s^0 .. s^(m-1)` come those by `s^m`, until nothing is new.

    Args:
        group: The group.
        bases: Residues, int64 `(bases, classes)`, perhaps some of them more than once.
        linear: The linear characters.
        units: Generators of the units modulo the exponent: Galois automorphisms.
        p: The prime.
        root: Its primitive root.

    Returns:
        Different bases; residues of all rows, as small integers; how they come from the bases.

    Cost:
        O(rows * classes) per doubling.

    References:
        Isaacs, *Character Theory of Finite Groups*, Lemma 9.16 and Cor. 6.17 (twists of irreducible
        characters are irreducible).
    """
    count = len(group.conjugacy_classes)
    keys, size, steps = _Keys(count), 0, []
    rows = np.empty((count, count), dtype=compact(p))

    def add(new: np.ndarray) -> None:
        nonlocal size
        assert size + len(new) <= count, "there are as many irreps as classes"
        rows[size : size + len(new)] = new
        size += len(new)

    bases = bases[keys.new(bases)]
    add(bases)
    identity = np.arange(count)
    for unit in units:
        columns = group.power_map(unit)
        while (columns != identity).any():
            parents = keys.new(rows[:size], columns)
            if not len(parents):
                break
            for start in range(0, len(parents), CHUNK):
                add(rows[parents[start : start + CHUNK, None], columns])
            steps.append((parents, columns))
            columns = columns[columns]
    representatives = np.array([c.representative for c in group.conjugacy_classes])
    rep, twist = np.arange(size), np.zeros(size, dtype=np.int64)
    roots = root_powers(p, root, linear.modulus)
    for unit in linear.unit_indices:
        generator = linear.generators[unit]
        while generator.any():
            number = linear.index(generator[None])
            values = roots[linear.exponents(number, representatives)[0]]
            before = size
            for start in range(0, before, CHUNK):
                turned = rows[start : min(start + CHUNK, before)] * values  # int64
                turned %= p
                fresh = keys.new(turned)
                add(turned[fresh])
                moved = linear.index(linear.generators[twist[start + fresh]] + generator)
                rep, twist = np.append(rep, rep[start + fresh]), np.append(twist, moved)
            if size == before:
                break
            generator = 2 * generator % linear.modulus
    return bases, rows[:size], Twists(tuple(steps), linear, rep, twist)


class _Keys:
    """Recognises rows of residues by 64-bit keys.

    A false match would leave a row out, and the table's sum of squared degrees would show it.
    """

    def __init__(self, size: int) -> None:
        self._weights = key_weights(size)
        self._known = np.empty(0, dtype=np.uint64)

    def new(self, rows: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
        """Which rows were not seen before, each once; from now on they are known.

        With `columns`, a permutation, the rows `rows[:, columns]`.
        """
        weights = self._weights if columns is None else self._weights[np.argsort(columns)]
        keys = row_keys(rows, weights)
        first = np.sort(np.unique(np.append(self._known, keys), return_index=True)[1])
        fresh = first[first >= len(self._known)] - len(self._known)
        self._known = np.append(self._known, keys[fresh])
        return fresh


def key_weights(size: int) -> np.ndarray:
    """Odd random weights: rows of integers are known by their sums modulo 2^64."""
    weights = np.random.default_rng(0).integers(1 << 63, size=size, dtype=np.int64)
    return 2 * weights.astype(np.uint64) + np.uint64(1)


def row_keys(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Keys of rows, a few at a time."""
    keys = np.empty((len(rows), *weights.shape[1:]), dtype=np.uint64)
    for start in range(0, len(rows), CHUNK):
        keys[start : start + CHUNK] = rows[start : start + CHUNK].astype(np.uint64) @ weights
    return keys


def compact(bound: int) -> np.dtype:
    """The smallest integers below a bound: large tables cost memory traffic more than arithmetic.

    Examples:
        >>> compact(10007), compact(70001)
        (dtype('uint16'), dtype('uint32'))
    """
    return np.min_scalar_type(bound)


def unit_generators(n: int) -> list[int]:
    """Generators of the units modulo `n`.

    References:
        Ireland and Rosen, *A Classical Introduction to Modern Number Theory*, sec. 4.1.

    Examples:
        >>> unit_generators(12), unit_generators(7), unit_generators(1)
        ([7, 5], [3], [])
    """
    found = []
    for prime, power in factorint(n).items():
        q = int(prime) ** int(power)
        local = [q - 1, 5] if prime == 2 else [int(primitive_root(q) or 1)]
        rest = n // q
        for g in local[: 1 if q == 4 else 2]:
            # g modulo q, and 1 modulo the rest
            unit = (g * rest * pow(rest, -1, q) + q * pow(q, -1, rest)) % n if rest > 1 else g
            if q > 2:
                found.append(unit)
    return found


def without_twists(linear: LinearCharacters, count: int) -> Twists:
    """Every row a base row."""
    return Twists((), linear, np.arange(count), np.zeros(count, dtype=np.int64))


def only_linear(linear: LinearCharacters) -> Twists:
    """The trivial character as base, and all linear characters."""
    count = len(linear)
    return Twists((), linear, np.zeros(count, dtype=np.int64), np.arange(count))


def exponent_of(group: Group) -> int:
    """The group's exponent, a multiple of 4: the order of the roots of unity that tables use."""
    return math.lcm(4, *(c.element_order for c in group.conjugacy_classes))
