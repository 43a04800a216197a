"""The exact content of a character table: eigenvalues of one element per class, made when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from irrepnet.groups import Group
from irrepnet.groups._orbits import least_in_orbit
from irrepnet.reps._circle import circle
from irrepnet.reps._lifting import lift
from irrepnet.reps._linear_characters import cyclic_powers
from irrepnet.reps._modular import root_powers
from irrepnet.reps._twists import CHUNK, Twists, compact, exponent_of, unit_generators

#: Tables of values at powers: from multiplicities `[row, j]` and exponents `[j, column]`.
Evaluate = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Eigenvalues:
    """How often each root of unity is an eigenvalue, for every row of a table and every class.

    Only the base rows are lifted from residues, and only one class of each class of cyclic
    subgroups; the rest are twists.

    Attributes:
        group: The group.
        p: A prime that splits the group and exceeds four times every degree.
        root: The primitive root behind the residues.
        bases: Residues of the base rows, int64 `(bases, classes)`.
        twists: How the rows of the table come from them.
    """

    group: Group
    p: int
    root: int
    bases: np.ndarray
    twists: Twists

    # -- classes ----------------------------------------------------------------------------

    @cached_property
    def representatives(self) -> np.ndarray:
        """One element per class."""
        return np.array([c.representative for c in self.group.conjugacy_classes])

    @cached_property
    def orders(self) -> np.ndarray:
        """Element order of each class."""
        return self.group.element_orders[self.representatives]

    @cached_property
    def cyclic_class(self) -> tuple[np.ndarray, np.ndarray]:
        """First class `f` with the same cyclic subgroups as class `t`, and `u` with `z_f^u ~ z_t`.

        Classes of one set are the Galois conjugates of each other.
        """
        exponent = exponent_of(self.group)
        generators = unit_generators(exponent)
        maps = [self.group.power_map(a) for a in generators]
        firsts = least_in_orbit(maps, len(self.orders))
        units = (firsts == np.arange(len(firsts))).astype(np.int64)
        for unit, power in zip(generators, maps, strict=True):  # by doubling, as in `expand`
            while len(fresh := np.flatnonzero((units > 0) & (units[power] == 0))):
                units[power[fresh]] = units[fresh] * unit % exponent
                unit, power = unit * unit % exponent, power[power]
        return firsts, units

    @cached_property
    def cyclic_members(self) -> list[np.ndarray]:
        """The classes of every class of cyclic subgroups, the first one first."""
        firsts = self.cyclic_class[0]
        order = np.argsort(firsts, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(firsts[order], prepend=-1))[1:])

    @cached_property
    def cyclic_place(self) -> np.ndarray:
        """Per class, where `cyclic_members` has it."""
        place = np.empty(len(self.orders), dtype=np.int64)
        for i, members in enumerate(self.cyclic_members):
            place[members] = i
        return place

    def _lifted(self, f: int) -> np.ndarray:
        """Multiplicities of the base rows at a first class, kept."""
        kept = self._kept
        if f not in kept:
            powers = cyclic_powers(self.group, int(self.representatives[f]))
            counts = lift(self.bases[:, self.group.class_labels[powers]], self.p, self.root)
            kept[f] = counts.astype(compact(int(counts.max())))
        return kept[f]

    @cached_property
    def _kept(self) -> dict[int, np.ndarray]:
        return {}

    def counts(self, t: int, rows: np.ndarray | None = None) -> np.ndarray:
        """Multiplicities at class `t`, as small integers: `[row, j]` counts `exp(2 pi i j / o)`.

        Cost:
            One `lift` of the base rows, once per class of cyclic subgroups; O(rows * o).
        """
        rows = np.arange(len(self.twists.rep)) if rows is None else rows
        order, (firsts, units) = int(self.orders[t]), self.cyclic_class
        bases, columns = self.twists.origin(self.twists.rep[rows], t)
        distinct, which = np.unique(units[columns], return_inverse=True)
        inverse = np.array([pow(u, -1, order) for u in distinct.tolist()], dtype=np.int64)[
            which.ravel()
        ]
        linear, twist = self.twists.linear, self.twists.twist[rows]
        shift = linear.exponents(twist, self.representatives[[t]])[:, 0] * order // linear.modulus
        # z_t = z_f^u has the eigenvalue zeta^(u j) where z_f has zeta^j; a twist turns by `shift`.
        lifted = self._lifted(int(firsts[t]))
        counts = np.empty((len(rows), order), dtype=lifted.dtype)
        for start in range(0, len(rows), CHUNK):
            some = slice(start, start + CHUNK)
            j = (np.arange(order) - shift[some, None]) * inverse[some, None] % order
            counts[some] = lifted[bases[some, None], j]
        return counts

    # -- tables -----------------------------------------------------------------------------

    def residues(self, rows: np.ndarray) -> np.ndarray:
        """Rows of the table modulo `p`, int64 `(n, classes)`."""
        return self._spread(self._conjugated_bases, rows, self.p, self.root)

    @cached_property
    def _conjugated_bases(self) -> np.ndarray:
        return self.twists.conjugated(self.bases)

    def modulo(self, p: int, root: int) -> np.ndarray:
        """The table modulo another prime, int64 `(irreps, classes)`."""
        table = np.empty((len(self.twists.rep), len(self.orders)), dtype=np.int64)
        conjugated = self.conjugated_modulo(p, root)
        for rows in self.chunks():
            table[rows] = self._spread(conjugated, rows, p, root)
        return table

    def chunks(self) -> Iterator[np.ndarray]:
        """All rows, a few at a time."""
        count = len(self.twists.rep)
        for start in range(0, count, CHUNK):
            yield np.arange(start, min(start + CHUNK, count))

    def conjugated_modulo(self, p: int, root: int) -> np.ndarray:
        """Base rows and their Galois conjugates modulo another prime."""
        return self.twists.conjugated(self.bases_modulo(p, root))

    def bases_modulo(self, p: int, root: int) -> np.ndarray:
        """Base rows modulo another prime."""

        def evaluate(counts: np.ndarray, exponents: np.ndarray) -> np.ndarray:
            powers = root_powers(p, root, counts.shape[1])[exponents]
            # Sums of at most chi(1) residues: exact in floats below 2^53.
            return (counts.astype(float) @ powers.astype(float)).astype(np.int64) % p

        return self._evaluated(evaluate, np.dtype(np.int64))

    def _spread(self, conjugated: np.ndarray, rows: np.ndarray, p: int, root: int) -> np.ndarray:
        """Rows of the table from base rows with their conjugates, modulo a prime."""
        linear, twist = self.twists.linear, self.twists.twist[rows]
        result = conjugated[self.twists.rep[rows]]
        turned = np.flatnonzero(twist)
        if len(turned):
            roots = root_powers(p, root, linear.modulus)
            result[turned] *= roots[linear.exponents(twist[turned], self.representatives)]
            result %= p
        return result

    def _evaluated(self, evaluate: Evaluate, dtype: np.dtype) -> np.ndarray:
        """A table of the base rows from their multiplicities."""
        units = self.cyclic_class[1]
        table = np.empty(self.bases.shape, dtype=dtype)
        for columns in self.cyclic_members:
            counts = self._lifted(int(columns[0]))
            order = counts.shape[1]
            exponents = np.arange(order)[:, None] * (units[columns] % order) % order
            table[:, columns] = evaluate(counts, exponents)
        return table

    @cached_property
    def _conjugated_values(self) -> np.ndarray:
        """Base rows and their Galois conjugates in complex128."""

        def evaluate(counts: np.ndarray, exponents: np.ndarray) -> np.ndarray:
            cos, sin = circle(counts.shape[1])
            floats = counts.astype(float)
            return floats @ cos[exponents] + 1j * (floats @ sin[exponents])

        return self.twists.conjugated(self._evaluated(evaluate, np.dtype(np.complex128)))

    def values(self, rows: np.ndarray, residues: np.ndarray | None) -> np.ndarray:
        """Rows of the table in complex128; rational values are exact.

        Args:
            rows: Which rows, shape `(n,)`.
            residues: These rows modulo `p`; None if all are linear characters.
        """
        linear, twist = self.twists.linear, self.twists.twist[rows]
        cos, sin = circle(linear.modulus)
        if residues is None:  # roots of unity: rational ones are exact
            exponents = linear.exponents(twist, self.representatives)
            values = np.empty(exponents.shape, dtype=np.complex128)
            values.real, values.imag = cos[exponents], sin[exponents]
            return values
        values = self._conjugated_values[self.twists.rep[rows]]
        turned = np.flatnonzero(twist)
        exponents = linear.exponents(twist[turned], self.representatives)
        values[turned] *= cos[exponents] + 1j * sin[exponents]
        integers, rational = self._rational(residues)
        values[rational] = integers[rational]
        return values

    def _rational(self, residues: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Integers in the residues' classes, and which values equal them.

        `p` splits completely, so a value is congruent to `m` modulo `p` if and only if all its
        Galois conjugates have the residue `m`. If `|m| <= chi(1)` then all conjugates of the
        difference are below `p`, and only 0 is divisible by `p`.
        """
        firsts = self.cyclic_class[0]
        order = np.concatenate(self.cyclic_members)
        starts = np.cumsum([0, *(len(m) for m in self.cyclic_members[:-1])])
        same = (residues == residues[:, firsts])[:, order]
        constant = np.logical_and.reduceat(same, starts, axis=1)[:, self.cyclic_place]
        integers = np.where(residues > self.p // 2, residues - self.p, residues)
        return integers, constant & (np.abs(integers) <= residues[:, :1])
