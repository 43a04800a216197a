"""`CharacterTable`: the complex irreducible characters of a group, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._class_algebra import dixon, eigenvalue_multiplicities, power_classes


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
        multiplicities: Per class, an int64 array `[irrep, j]`: how often `exp(2 pi i j / o)` is an
            eigenvalue of an element of that class, `o` its order. This is the exact table.
    """

    group: Group
    prime: int
    root: int
    residues: np.ndarray
    multiplicities: tuple[np.ndarray, ...]

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
        return tuple(int(d) for d in self.multiplicities[0][:, 0])

    @cached_property
    def values(self) -> np.ndarray:
        """The table in complex128, shape `(irreps, classes)`."""
        columns = []
        for counts in self.multiplicities:
            order = counts.shape[1]
            roots = np.exp(2j * np.pi * np.arange(order) / order)
            for j in range(order):  # exact where cosines and sines are
                quarter = 4 * j
                if quarter % order == 0:
                    roots[j] = (1, 1j, -1, -1j)[quarter // order]
            columns.append(counts @ roots)
        table = np.stack(columns, axis=1)
        table.setflags(write=False)
        return table

    @cached_property
    def frobenius_schur(self) -> tuple[int, ...]:
        """Frobenius-Schur indicators: 1 real, 0 complex, -1 quaternionic.

        References:
            Serre, *Linear Representations of Finite Groups*, sec. 13.2, Prop. 39.
        """
        p, two = self.prime, 2 % self.powers.shape[1]
        squares = self.powers[:, two] if self.powers.shape[1] > 1 else self.powers[:, 0]
        squares = np.where(self._orders == 2, 0, squares) if two == 0 else squares
        total = (self.residues[:, squares] * (self.class_sizes % p) % p).sum(axis=1)
        indicators = total * pow(self.group.order, -1, p) % p
        return tuple({0: 0, 1: 1, p - 1: -1}[int(i)] for i in indicators)

    @cached_property
    def _orders(self) -> np.ndarray:
        return np.array([c.element_order for c in self.group.conjugacy_classes])

    @cached_property
    def conjugates(self) -> tuple[int, ...]:
        """Row of the complex conjugate of each row."""
        rows = {row.tobytes(): i for i, row in enumerate(self.residues)}
        return tuple(rows[row.tobytes()] for row in self.residues[:, self.inverse_classes])


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
    p, root, residues = dixon(group)
    orders = np.array([c.element_order for c in group.conjugacy_classes])
    powers = power_classes(group)
    counts = eigenvalue_multiplicities(residues, powers, orders, p, root)
    keys = np.concatenate([-c for c in counts], axis=1)
    rows = np.lexsort((*keys.T[::-1], residues[:, 0]))
    counts = tuple(c[rows] for c in counts)
    residues = residues[rows]
    for array in (residues, *counts):
        array.setflags(write=False)
    return CharacterTable(group, p, root, residues, counts)
