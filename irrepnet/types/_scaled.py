"""Types and grids whose sizes are sympy expressions: what cost formulas are evaluated at.

A formula of a layer's cost adds and multiplies sizes. At a type of `D/2` copies it gives the same
polynomial that it evaluates at 192 copies, so nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Expr, sympify

from irrepnet import reps
from irrepnet.actions import ImageAction
from irrepnet.groups import Group
from irrepnet.types._feature_type import FeatureType


class ScaledType(FeatureType):
    """A feature type with every multiplicity times an expression.

    Args:
        origin: The type in numbers, whose choice of a G-set or pairing is scaled with it.
        scale: The factor.

    Examples:
        >>> from irrepnet import groups
        >>> from sympy import Symbol
        >>> X = FeatureType(groups.flop(), "192*sym + 192*asym")
        >>> ScaledType(X, Symbol("D") / 384).dim
        D
    """

    origin: FeatureType
    scale: Expr

    def __init__(self, origin: FeatureType, scale: Expr) -> None:
        super().__init__(origin.group, [m * scale for m in origin.multiplicities])  # type: ignore[misc]
        object.__setattr__(self, "origin", origin)
        object.__setattr__(self, "scale", scale)


class SymbolicGrid(tuple[Any, Any]):
    """Height and width as expressions, and the numbers that they stand for.

    Which kinds of orbits a grid has depends on whether its sides are odd; how many of each, on the
    sides themselves.
    """

    origin: tuple[int, int]

    def __new__(cls, sides: tuple[Any, Any], origin: tuple[int, int]) -> SymbolicGrid:
        """Keep the numbers beside the tuple."""
        grid = super().__new__(cls, sides)
        grid.origin = origin
        return grid


@dataclass(frozen=True, eq=False)
class CountedOrbits(reps.OrbitType):
    """Orbits of one kind, as many as an expression says."""

    count: Any = 0

    @property
    def num_orbits(self) -> int:
        """Number of orbits of this type."""
        return self.count


@dataclass(frozen=True)
class CountedPoints:
    """Points known by their kinds of orbits alone; stands for a `PointAction` in cost formulas.

    Attributes:
        name: As in `PointAction`.
        group: As in `PointAction`.
        orbit_types: The kinds of orbits.
    """

    name: str
    group: Group
    orbit_types: tuple[CountedOrbits, ...]

    @property
    def num_points(self) -> int:
        """Number of points."""
        return sum((t.num_orbits * t.index for t in self.orbit_types), 0)


def counted_orbits(
    action: ImageAction, grid: SymbolicGrid, kinds: tuple[reps.OrbitType, ...]
) -> tuple[CountedOrbits, ...]:
    """How many orbits of each kind a grid has, as expressions in its sides.

    The points that a subgroup `H` fixes are counted twice: geometrically, and as
    `sum_K n_K |(G/K)^H|` over the kinds of orbits; largest stabilisers first, this is a triangular
    system (the table of marks).

    Args:
        action: How the group moves the grid.
        grid: The grid.
        kinds: The kinds of orbits that it has.
    """
    found: dict[tuple[int, ...], Any] = {}
    for kind in sorted(kinds, key=lambda t: -len(t.stabiliser)):
        h = kind.stabiliser
        rest = sympify(_fixed_points(action, grid, h))
        for k, count in found.items():
            rest -= count * _mark(action.group, k, h)
        found[h] = rest / _mark(action.group, h, h)
    return with_counts(kinds, [found[t.stabiliser] for t in kinds])


def with_counts(
    kinds: Sequence[reps.OrbitType], counts: Sequence[Any]
) -> tuple[CountedOrbits, ...]:
    """The same kinds of orbits, as many of each as expressions say."""
    return tuple(
        CountedOrbits(t.group, t.stabiliser, t.transversal, t.points, t.character, t.signs, n)
        for t, n in zip(kinds, counts, strict=True)
    )


def _mark(group: Group, stabiliser: tuple[int, ...], h: tuple[int, ...]) -> int:
    """How many cosets of `K` the subgroup `H` fixes: `#{a K : a^-1 H a <= K}`."""
    inside = set(stabiliser)
    fixing = sum(
        all(group.multiply(group.inverse(a), group.multiply(b, a)) in inside for b in h)
        for a in range(group.order)
    )
    return fixing // len(stabiliser)


def _fixed_points(action: ImageAction, grid: SymbolicGrid, h: tuple[int, ...]) -> Any:
    """Cells that every element of a subgroup leaves in place."""
    moves = np.concatenate([np.array(action.matrices[a]) - np.eye(2, dtype=int) for a in h])
    (height, width), (odd_height, odd_width) = grid, (side % 2 for side in grid.origin)
    if not moves.any():
        return height * width
    if not moves[:, 0].any():  # along the rows' axis, through the middle column
        return height * odd_width
    if not moves[:, 1].any():
        return width * odd_height
    diagonal = np.array([[1, 1], [1, -1]])
    if not (moves @ diagonal).any(axis=0).all():  # on a diagonal of a square
        return height
    return odd_height * odd_width
