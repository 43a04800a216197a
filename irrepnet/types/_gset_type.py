"""`GSetType`: the same features on points that the group permutes, where any function may act."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from sympy import Expr

from irrepnet import reps
from irrepnet._errors import ActivationError, GroupError
from irrepnet.groups import Group
from irrepnet.types._feature_type import FeatureType
from irrepnet.types._slots import Run


@dataclass(frozen=True, eq=False)
class Orbits:
    """`count` copies of the coset representation `R[G/H]` inside a `GSetType`.

    In the isotypic layout its channels are runs ("slots") of `count` channels, one for each irrep,
    component and copy inside the coset representation; on points they are one run for each coset.

    Attributes:
        stabiliser: Elements of `H`.
        count: Number of copies.
        matrix: Orthogonal, float64 of shape `(index, index)`: rows are slots, columns cosets.
        slots: First channel of each slot in the isotypic layout.
        start: First channel on points; coset `p` has channels `start + p * count ...`.
    """

    stabiliser: tuple[int, ...]
    count: int
    matrix: np.ndarray
    slots: tuple[int, ...]
    start: int

    @property
    def index(self) -> int:
        """Number of cosets, the points of one orbit."""
        return len(self.slots)

    @property
    def width(self) -> int:
        """Number of channels, `index * count`."""
        return self.index * self.count


@dataclass(frozen=True, repr=False)
class GSetType:
    """Features indexed by points of a G-set: `(+)_H counts[H] * R[G/H]`.

    The group permutes the channels, so any pointwise function commutes with it.

    Args:
        group: The group.
        counts: Pairs of a subgroup (its elements, sorted) and how many orbits `G/H` there are.

    Raises:
        ActivationError: If a number of orbits is no whole number above zero, or a stabiliser is not
            the subgroup that stands for its conjugacy class (see `canonical_stabiliser`).

    References:
        Pacini, Dong, Lepri, Santin, *A Characterization Theorem for Equivariant Networks with
        Point-wise Activations*, ICLR 2024, Theorem 2 and Corollary 1.

    Examples:
        >>> from irrepnet import groups
        >>> G = groups.flop()
        >>> str(GSetType(G, (((0,), 3), ((0, 1), 2))).feature_type)
        '5*sym + 3*asym'
    """

    group: Group
    counts: tuple[tuple[tuple[int, ...], int], ...]

    def __post_init__(self) -> None:
        for stabiliser, count in self.counts:
            _check_stabiliser(self.group, stabiliser)
            if isinstance(count, Expr):  # where only costs are asked for
                continue
            if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
                raise ActivationError(
                    f"got {count!r} orbits G/H with H = {stabiliser}: expected a whole number >= 1 "
                    f"for each kind of orbit; leave out those that do not occur."
                )

    @cached_property
    def feature_type(self) -> FeatureType:
        """The same representation in irreps."""
        total = [0] * len(self.group.irreps)
        for stabiliser, count in self.counts:
            copies = coset_representation(self.group, stabiliser)[0]
            total = [n + count * m for n, m in zip(total, copies, strict=True)]
        return FeatureType(self.group, total)

    @cached_property
    def orbits(self) -> tuple[Orbits, ...]:
        """The layout on both sides, one entry for each kind of orbit."""
        blocks = {b.irrep.index: b for b in self.feature_type.blocks}
        used = dict.fromkeys(blocks, 0)
        orbits, start = [], 0
        for stabiliser, count in self.counts:
            multiplicities, matrix = coset_representation(self.group, stabiliser)
            slots: list[int] = []
            for index, copies in enumerate(multiplicities):
                for component in range(self.group.irreps[index].dim if copies else 0):
                    first = blocks[index].component(component).start + used[index]
                    slots += [first + c * count for c in range(copies)]
                if copies:
                    used[index] += copies * count
            orbits.append(Orbits(stabiliser, count, matrix, tuple(slots), start))
            start += len(slots) * count
        return tuple(orbits)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The change of basis between irreps and points."""
        return tuple(
            Run(
                o.count,
                o.matrix,
                o.slots,
                tuple(o.start + k * o.count for k in range(o.index)),
            )
            for o in self.orbits
        )

    @property
    def num_orbits(self) -> int:
        """Number of orbits, which is the multiplicity of the trivial irrep."""
        return sum(count for _, count in self.counts)

    def basis(self) -> np.ndarray:
        """Orthogonal change of basis, float64 `(dim, dim)`: isotypic rows from point columns.

        Cost:
            O(dim^2) memory; for tests and small types, the runtime never forms it.
        """
        dim = self.feature_type.dim
        dense = np.zeros((dim, dim))
        for o in self.orbits:
            for row, slot in enumerate(o.slots):
                for point in range(o.index):
                    for k in range(o.count):
                        dense[slot + k, o.start + point * o.count + k] = o.matrix[row, point]
        return dense

    def __str__(self) -> str:
        order = self.group.order
        terms = (f"{n} x G/H, |G/H| = {order // len(h)}" for h, n in self.counts)
        return "; ".join(terms) or "no points"

    def __repr__(self) -> str:
        return f"GSetType({self.group!r}, {self.counts!r})"


def from_orbit_types(
    group: Group, orbit_types: Iterable[reps.OrbitType], copies: int = 1
) -> GSetType:
    """The G-set of a decomposed permutation representation, every point carrying `copies` channels.

    Its channel order is that of the decomposition: kind of orbit, coset, orbit, channel.
    """
    return GSetType(group, tuple((t.stabiliser, t.num_orbits * copies) for t in orbit_types))


def canonical_stabiliser(group: Group, subgroup: Iterable[int]) -> tuple[int, ...]:
    """The conjugate of a subgroup that stands for its class in a `GSetType`."""
    (only,) = reps.quotient(group, tuple(subgroup)).decompose().orbit_types
    return only.stabiliser


@lru_cache(maxsize=1024)
def _check_stabiliser(group: Group, stabiliser: tuple[int, ...]) -> None:
    """Refuse elements that are no subgroup, or one that does not stand for its class."""
    try:
        expected = canonical_stabiliser(group, stabiliser)
    except GroupError as error:
        raise ActivationError(
            f"got the stabiliser {stabiliser} in a GSetType over {group.name}: {error}"
        ) from None
    if expected != stabiliser:
        raise ActivationError(
            f"got the stabiliser {stabiliser} in a GSetType over {group.name}: expected "
            f"{expected}, the conjugate that stands for its class (types.canonical_stabiliser)."
        )


@lru_cache(maxsize=1024)
def coset_representation(
    group: Group, stabiliser: tuple[int, ...]
) -> tuple[tuple[int, ...], np.ndarray]:
    """Multiplicities and isotypic basis of `R[G/H]`; basis float64 `(index, index)`."""
    (only,) = reps.quotient(group, stabiliser).decompose().orbit_types
    assert only.stabiliser == stabiliser, "expected the representative of the conjugacy class"
    return tuple(only.multiplicities), only.basis
