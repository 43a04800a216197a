"""`CharacterTable`: the complex irreducible characters of a group, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from irrepnet.groups import Group, from_recipe
from irrepnet.reps._class_algebra import dixon, eigenvalue_multiplicities, power_classes
from irrepnet.reps._closed_tables import (
    abelian_exponents,
    product_characters,
    symmetric_characters,
    table_prime,
)
from irrepnet.reps._eigenvalues import Counted, Eigenvalues, Linear
from irrepnet.reps._table_text import latex, text

#: From this many points on, combinatorics beats the class algebra.
SYMMETRIC_FROM = 6


@dataclass(frozen=True, eq=False)
class CharacterTable:
    """Complex irreducible characters (rows) on conjugacy classes (columns).

    Rows: the trivial character first, then by degree, then by eigenvalue multiplicities, largest
    first. Columns: `group.conjugacy_classes`.

    Attributes:
        group: The group.
        prime: A prime `p = 1 (mod exponent)`; all decisions are made modulo it.
        root: The primitive root of `prime` whose powers stand for the roots of unity.
        residues: Characters modulo `prime`, int64 of shape `(irreps, classes)`.
        eigenvalues: The exact table, as eigenvalues of one element per class.

    Cost:
        That of `character_table`; `values` and `exact` are made when first asked.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.3 to 2.5.

    Examples:
        >>> from irrepnet import groups
        >>> print(groups.quaternion().character_table)
        Q8: 8 elements, 5 classes
        ...
    """

    group: Group
    prime: int
    root: int
    residues: np.ndarray
    eigenvalues: Eigenvalues

    @cached_property
    def multiplicities(self) -> Sequence[np.ndarray]:
        """Per class, `[irrep, j]`: how often `exp(2 pi i j / o)` is an eigenvalue, int64."""
        return self.eigenvalues.counts

    def modulo(self, p: int, root: int) -> np.ndarray:
        """The table modulo another prime `p = 1 (mod exponent)`, int64 `(irreps, classes)`."""
        return self.eigenvalues.modulo(p, root)

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
        return tuple(self.residues[:, 0].tolist())

    @cached_property
    def values(self) -> np.ndarray:
        """The table in complex128, shape `(irreps, classes)`; rational values are exact."""
        table = self.eigenvalues.values()
        table.setflags(write=False)
        return table

    @cached_property
    def exact(self) -> sympy.ImmutableMatrix:
        """The table in sympy: integers, radicals of quadratic numbers, cosines, exponentials.

        Examples:
            >>> from irrepnet import groups
            >>> groups.alternating(5).character_table.exact[1, 3]
            1/2 + sqrt(5)/2
        """
        return sympy.ImmutableMatrix(self.eigenvalues.numbers())

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
        p, powers = self.prime, self.powers
        squares = powers[:, 2] if powers.shape[1] > 2 else np.zeros(len(powers), dtype=np.int64)
        total = (self.residues[:, squares] * (self.class_sizes % p) % p).sum(axis=1)
        indicators = total * pow(self.group.order, -1, p) % p
        return tuple({0: 0, 1: 1, p - 1: -1}[int(i)] for i in indicators)

    @cached_property
    def conjugates(self) -> tuple[int, ...]:
        """Row of the complex conjugate of each row."""
        rows = {row.tobytes(): i for i, row in enumerate(self.residues)}
        return tuple(rows[row.tobytes()] for row in self.residues[:, self.inverse_classes])

    def to_latex(self) -> str:
        """The table as a LaTeX array."""
        return latex(self)

    def _repr_latex_(self) -> str:
        return f"${self.to_latex()}$"

    def __str__(self) -> str:
        return text(self)

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
    orders = np.array([c.element_order for c in group.conjugacy_classes])
    if len(orders) == group.order:
        p, root = table_prime(group)
        linear = Linear(abelian_exponents(group), orders)
        return _table(group, p, root, linear.modulo(p, root), linear)
    p, root, residues = _residues(group)
    counts = eigenvalue_multiplicities(residues, power_classes(group), orders, p, root)
    rows = _sorted_rows(counts)
    return _table(group, p, root, residues[rows], Counted(tuple(c[rows] for c in counts)))


def _sorted_rows(counts: list[np.ndarray]) -> np.ndarray:
    """Rows by degree, then by multiplicities class by class, largest first."""
    degrees = counts[0][:, 0]
    place = np.searchsorted(np.sort(degrees), degrees)  # how many rows come before
    for column in counts:
        tied = np.flatnonzero(np.bincount(place)[place] > 1)
        if not tied.size:
            break
        for first in np.unique(place[tied]):
            rows = tied[place[tied] == first]
            ranks = np.unique(-column[rows], axis=0, return_inverse=True)[1].ravel()
            place[rows] += np.searchsorted(np.sort(ranks), ranks)
    return np.argsort(place)


def _table(
    group: Group, p: int, root: int, residues: np.ndarray, eigenvalues: Eigenvalues
) -> CharacterTable:
    residues.setflags(write=False)
    return CharacterTable(group, p, root, residues, eigenvalues)


def _residues(group: Group) -> tuple[int, int, np.ndarray]:
    """Characters modulo a prime, by a closed form where the group's family has one."""
    name, *arguments = group.recipe
    if name == "direct_product":
        left, right = (from_recipe(a) for a in arguments)
        return product_characters(left, right, group)
    if name == "symmetric" and arguments[0] >= SYMMETRIC_FROM:
        return symmetric_characters(group, arguments[0])
    return dixon(group)
