"""`CharacterTable`: the complex irreducible characters of a group, exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from irrepnet.groups import Group, from_recipe
from irrepnet.reps._class_algebra import dixon, power_classes
from irrepnet.reps._clifford_table import clifford_characters
from irrepnet.reps._closed_tables import product_characters, symmetric_characters, table_prime
from irrepnet.reps._eigenvalues import Eigenvalues
from irrepnet.reps._linear_characters import LinearCharacters, linear_characters
from irrepnet.reps._modular import multiply, splitting_prime
from irrepnet.reps._numbers import number
from irrepnet.reps._row_order import row_order
from irrepnet.reps._table_text import LIMIT, latex, text
from irrepnet.reps._twists import (
    CHUNK,
    expand,
    exponent_of,
    key_weights,
    only_linear,
    row_keys,
    unit_generators,
    without_twists,
)

#: From this many points on, combinatorics beats the class algebra.
SYMMETRIC_FROM = 6

#: From this many classes on, Clifford theory beats the class algebra of the whole group.
CLIFFORD_FROM = 80

#: The least prime for pieces of the class algebra: their eigenvalues then seldom coincide.
PIECE_PRIME = 1 << 13


@dataclass(frozen=True, eq=False)
class CharacterTable:
    """Complex irreducible characters (rows) on conjugacy classes (columns).

    Rows: the trivial character first, then by degree, then by eigenvalue multiplicities, largest
    first. Columns: `group.conjugacy_classes`.

    The table is an exact object from the start: any value, row or column can be asked for alone.
    Dense arrays (`values`, `exact`, `residues` of an abelian group) are made when first asked.

    Attributes:
        group: The group.
        eigenvalues: The exact content: eigenvalues of one element per class.

    Cost:
        That of `character_table`; 16 bytes per entry for `values`.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.3 to 2.5.

    Examples:
        >>> from irrepnet import groups
        >>> print(groups.quaternion().character_table)
        Q8: 8 elements, 5 classes
        ...
    """

    group: Group
    eigenvalues: Eigenvalues

    @property
    def prime(self) -> int:
        """A prime `p = 1 (mod exponent)`, more than four times every degree."""
        return self.eigenvalues.p

    @property
    def root(self) -> int:
        """The primitive root of `prime` whose powers stand for the roots of unity."""
        return self.eigenvalues.root

    @cached_property
    def residues(self) -> np.ndarray:
        """The table modulo `prime`, int64 `(irreps, classes)`; decisions are made on it."""
        count = len(self.degrees)
        residues = np.empty((count, count), dtype=np.int64)
        for rows in self.eigenvalues.chunks():
            residues[rows] = self.eigenvalues.residues(rows)
        residues.setflags(write=False)
        return residues

    @property
    def multiplicities(self) -> Sequence[np.ndarray]:
        """Per class, `[irrep, j]`: how often `exp(2 pi i j / o)` is an eigenvalue, int64.

        Made class by class, when asked for one: together they can be far larger than the table.
        """
        return _Multiplicities(self.eigenvalues, len(self.group.conjugacy_classes))

    def modulo(self, p: int, root: int) -> np.ndarray:
        """The table modulo another prime `p = 1 (mod exponent)`, int64 `(irreps, classes)`."""
        return (
            self.residues
            if (p, root) == (self.prime, self.root)
            else (self.eigenvalues.modulo(p, root))
        )

    @cached_property
    def powers(self) -> np.ndarray:
        """Power maps: `[t, l]` is the class of the `l`-th power of class `t`."""
        return power_classes(self.group)

    @cached_property
    def class_sizes(self) -> np.ndarray:
        """Sizes of the classes, int64."""
        return np.array([c.size for c in self.group.conjugacy_classes])

    @cached_property
    def inverse_classes(self) -> np.ndarray:
        """Class of the inverses of each class, int64."""
        classes = self.group.conjugacy_classes
        inverses = self.group.inverses[[c.representative for c in classes]]
        return self.group.class_labels[inverses]

    @cached_property
    def degrees(self) -> tuple[int, ...]:
        """Degrees `chi(1)`."""
        degrees = self.eigenvalues.bases[:, 0]
        for parents, _ in self.eigenvalues.twists.steps:
            degrees = np.append(degrees, degrees[parents])
        return tuple(degrees[self.eigenvalues.twists.rep].tolist())

    @cached_property
    def values(self) -> np.ndarray:
        """The table in complex128, shape `(irreps, classes)`; rational values are exact."""
        count = len(self.degrees)
        table = np.empty((count, count), dtype=np.complex128)
        for rows in self.eigenvalues.chunks():
            table[rows] = self._values(rows)
        table.setflags(write=False)
        return table

    def row(self, i: int) -> np.ndarray:
        """One character in complex128, shape `(classes,)`, without making `values`.

        Examples:
            >>> from irrepnet import groups
            >>> groups.cyclic(1000).character_table.row(500).real.astype(int)[:4].tolist()
            [1, -1, 1, -1]
        """
        return self.values[i] if "values" in self.__dict__ else self._values(np.array([i]))[0]

    def _values(self, rows: np.ndarray) -> np.ndarray:
        return self.eigenvalues.values(
            rows, None if self.is_linear else self.eigenvalues.residues(rows)
        )

    def value(self, i: int, t: int) -> sympy.Expr:
        """One character at one class, in sympy.

        Examples:
            >>> from irrepnet import groups
            >>> groups.alternating(5).character_table.value(1, 3)
            1/2 + sqrt(5)/2
        """
        return number(self.eigenvalues.counts(t, np.array([i]))[0])

    @cached_property
    def exact(self) -> sympy.ImmutableMatrix:
        """The table in sympy: integers, radicals of quadratic numbers, cosines, exponentials.

        Cost:
            One sympy expression per entry: for reading small tables. See `value` for one entry.

        Examples:
            >>> from irrepnet import groups
            >>> groups.alternating(5).character_table.exact[1, 3]
            1/2 + sqrt(5)/2
        """
        columns = [[number(row) for row in counts] for counts in self.multiplicities]
        return sympy.ImmutableMatrix([list(row) for row in zip(*columns, strict=True)])

    @property
    def is_linear(self) -> bool:
        """Whether all rows are linear characters: the group is abelian."""
        return len(self.eigenvalues.bases) == 1

    def power_map(self, exponent: int) -> tuple[int, ...]:
        """Class of the given power of each class.

        Examples:
            >>> from irrepnet import groups
            >>> groups.cyclic(4).character_table.power_map(2)
            (0, 2, 0, 2)
        """
        orders = [c.element_order for c in self.group.conjugacy_classes]
        return tuple(int(self.powers[t, exponent % o]) for t, o in enumerate(orders))

    @cached_property
    def frobenius_schur(self) -> tuple[int, ...]:
        """Frobenius-Schur indicators: 1 real, 0 complex, -1 quaternionic.

        References:
            Serre, *Linear Representations of Finite Groups*, sec. 13.2, Prop. 39.
        """
        twists = self.eigenvalues.twists
        if self.is_linear:
            square = 2 * twists.linear.generators % twists.linear.modulus
            return tuple((~square.any(axis=1)).astype(int).tolist())
        doubled = twists.linear.index(2 * twists.linear.generators)[twists.twist]
        # A twist by a linear character mu changes values at squares by those of mu^2.
        _, rows, which = np.unique(
            twists.rep * len(twists.linear) + doubled, return_index=True, return_inverse=True
        )
        p, squares = self.prime, self.group.power_map(2)
        roots = np.bincount(squares, self.class_sizes, len(squares)).astype(np.int64)
        parts = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
        total = [multiply(self.eigenvalues.residues(part), roots % p, p) for part in parts]
        indicators = np.concatenate(total) * pow(self.group.order, -1, p) % p
        return tuple({0: 0, 1: 1, p - 1: -1}[i] for i in indicators[which.ravel()].tolist())

    @cached_property
    def conjugates(self) -> tuple[int, ...]:
        """Row of the complex conjugate of each row."""
        if self.is_linear:
            linear = self.eigenvalues.twists.linear
            return tuple(linear.index(-linear.generators).tolist())
        weights = key_weights(len(self.degrees))
        both = np.stack([weights, weights[self.inverse_classes]], axis=1)
        chunks = map(self.eigenvalues.residues, self.eigenvalues.chunks())
        keys, moved = np.concatenate([row_keys(chunk, both) for chunk in chunks]).T
        order = np.argsort(keys)
        assert (keys[order][1:] != keys[order][:-1]).all(), "keys tell the rows apart"
        return tuple(order[np.searchsorted(keys[order], moved)].tolist())

    def to_text(self, limit: int | None = LIMIT) -> str:
        """The table in columns, as `print` shows it.

        Args:
            limit: Rows and columns that are shown; of larger tables the first and the last ones,
                with a note. None for all.

        Examples:
            >>> from irrepnet import groups
            >>> print(groups.cyclic(50).character_table.to_text(limit=4))
            C50: 50 elements, 50 classes
            size          1    1  ...    1    1
            order         1   50  ...   25   50
            chi0     +    1    1  ...    1    1
            chi2     o    1    A  ...    B   A*
            ...    ...  ...  ...  ...  ...  ...
            chi3*    o    1    B  ...    C   B*
            chi2*    o    1   A*  ...   B*    A
            A = exp(I*pi/25)
            B = exp(-2*I*pi/25)
            C = exp(4*I*pi/25)
            46 of 50 rows and columns are left out: ...
        """
        return text(self, limit)

    def to_latex(self) -> str:
        """The whole table as a LaTeX array."""
        return latex(self)

    def _repr_latex_(self) -> str | None:
        """What a notebook shows; None, for the text instead, where the table is elided."""
        return f"${self.to_latex()}$" if len(self.degrees) <= LIMIT else None

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<CharacterTable of {self.group.name}: {len(self.degrees)} irreps>"


def character_table(group: Group) -> CharacterTable:
    """The character table of a group; also `group.character_table`, which keeps it.

    Cost:
        O(order * classes + classes^3).

    References:
        Dixon, "High speed computation of group characters", Numer. Math. 10 (1967).

    Examples:
        >>> from irrepnet import groups
        >>> character_table(groups.symmetric(3)).values.real.astype(int).tolist()
        [[1, 1, 1], [1, -1, 1], [2, 0, -1]]
    """
    linear, count = linear_characters(group), len(group.conjugacy_classes)
    if len(linear) == count:
        p, root = table_prime(group)
        trivial = np.ones((1, count), dtype=np.int64)
        # Already in order: the basis of the dual is made of the first elements that matter.
        return CharacterTable(group, Eigenvalues(group, p, root, trivial, only_linear(linear)))
    p, root, bases = _residues(group, linear)
    if count < CLIFFORD_FROM:
        residues, twists = bases, without_twists(linear, count)
    else:
        bases, residues, twists = expand(
            group, bases, linear, unit_generators(exponent_of(group)), p, root
        )
    degrees = residues[:, 0].astype(np.int64)
    assert degrees @ degrees == group.order, "the table is complete"
    order = row_order(Eigenvalues(group, p, root, bases, twists), residues)
    return CharacterTable(group, Eigenvalues(group, p, root, bases, twists.permuted(order)))


class _Multiplicities(Sequence[np.ndarray]):
    """Eigenvalue multiplicities, class by class."""

    def __init__(self, eigenvalues: Eigenvalues, num_classes: int) -> None:
        self._eigenvalues, self._num_classes = eigenvalues, num_classes

    def __len__(self) -> int:
        return self._num_classes

    def __getitem__(self, t: int) -> np.ndarray:  # type: ignore[override]
        return self._eigenvalues.counts(range(self._num_classes)[t]).astype(np.int64)


def _residues(group: Group, linear: LinearCharacters) -> tuple[int, int, np.ndarray]:
    """Characters modulo a prime; of large tables, one at least for each orbit of twists."""
    name, *arguments = group.recipe
    if name == "symmetric" and arguments[0] >= SYMMETRIC_FROM:
        return symmetric_characters(group, arguments[0])
    if name == "direct_product":
        left, right = (from_recipe(a) for a in arguments)
        return product_characters(left, right, group, len(group.conjugacy_classes) >= CLIFFORD_FROM)
    if len(group.conjugacy_classes) < CLIFFORD_FROM:
        return dixon(group)
    exponent, bound = exponent_of(group), max(4 * math.isqrt(group.order), PIECE_PRIME)
    while True:
        p, root = splitting_prime(exponent, bound)
        found = clifford_characters(group, linear, unit_generators(exponent), p, root)
        if found is not None:
            return p, root, found
        bound = 4 * p
