"""`Run`: copies of one small representation, and where their channels lie in two bases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from irrepnet.groups import Group
from irrepnet.types._feature_type import FeatureType


@dataclass(frozen=True, eq=False)
class Run:
    """`count` copies of a small representation, in a natural basis and in irreps.

    On either side the channels of one coordinate of all copies are adjacent.

    Attributes:
        count: Number of copies.
        matrix: Orthogonal, float64 of shape `(size, size)`: rows are slots, columns points.
        slots: First channel of each isotypic coordinate (irrep, component and copy inside the
            small representation).
        points: First channel of each natural coordinate.
    """

    count: int
    matrix: np.ndarray
    slots: tuple[int, ...]
    points: tuple[int, ...]

    @property
    def size(self) -> int:
        """Dimension of the small representation."""
        return len(self.slots)

    @property
    def width(self) -> int:
        """Number of channels."""
        return self.size * self.count

    @cached_property
    def signed_permutation(self) -> tuple[tuple[int, int], ...] | None:
        """Column and sign of each row if the matrix only permutes and negates, else `None`."""
        rounded = np.rint(self.matrix)
        if np.abs(self.matrix - rounded).max() > 1e-12 or (np.abs(rounded).sum(axis=1) != 1).any():
            return None
        columns = np.abs(rounded).argmax(axis=1)
        return tuple((int(c), int(rounded[r, c])) for r, c in enumerate(columns))


@dataclass(frozen=True, eq=False)
class Part:
    """`count` copies of a small representation, before the isotypic side is laid out.

    Attributes:
        count: Number of copies.
        multiplicities: Copies of each of the group's irreps in one of them.
        matrix: Its isotypic basis, float64 `(size, size)`.
        points: First channel of each natural coordinate.
    """

    count: int
    multiplicities: tuple[int, ...]
    matrix: np.ndarray
    points: tuple[int, ...]


def lay_out(group: Group, parts: Sequence[Part]) -> tuple[FeatureType, tuple[Run, ...]]:
    """The sum of the parts as a feature type: copies in order of the parts."""
    feature_type = FeatureType(group, _total(group, parts))
    blocks = {b.irrep.index: b for b in feature_type.blocks}
    used = dict.fromkeys(blocks, 0)
    runs = []
    for part in parts:
        slots: list[int] = []
        for index, copies in enumerate(part.multiplicities):
            for component in range(group.irreps[index].dim if copies else 0):
                first = blocks[index].component(component).start + used[index]
                slots += [first + c * part.count for c in range(copies)]
            if copies:
                used[index] += copies * part.count
        runs.append(Run(part.count, part.matrix, tuple(slots), part.points))
    return feature_type, tuple(runs)


def _total(group: Group, parts: Iterable[Part]) -> list[int]:
    total = [0] * len(group.irreps)
    for part in parts:
        total = [n + part.count * m for n, m in zip(total, part.multiplicities, strict=True)]
    return total
