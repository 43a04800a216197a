"""`TokenType`: what a set of tokens is as a representation, and the order by orbits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from irrepnet import reps
from irrepnet._errors import SpecError
from irrepnet.actions import PointAction
from irrepnet.types._feature_type import FeatureType
from irrepnet.types._gset_type import GSetType, coset_representation, from_orbit_types
from irrepnet.types._scaled import CountedPoints


@dataclass(frozen=True, eq=False)
class TokenType:
    """The permutation representation of a set of tokens.

    In orbit order the tokens stand by kind of orbit, then coset, then orbit, so that each coset of
    all orbits of one kind is one run.

    Attributes:
        points: The action.
        orbit_types: The kinds of orbits.
        order: The token that stands at each place of the orbit order.
    """

    points: PointAction
    orbit_types: tuple[reps.OrbitType, ...]
    order: np.ndarray

    @classmethod
    def of(cls, points: PointAction) -> TokenType:
        """The type of a set of tokens.

        Examples:
            >>> from irrepnet import actions
            >>> str(TokenType.of(actions.image("flop").on_grid(2, 3)).feature_type)
            '4*sym + 2*asym'
        """
        if isinstance(points, CountedPoints):  # sizes are symbols: there is no order
            return cls(points, points.orbit_types, np.empty(0, dtype=int))  # type: ignore[arg-type]
        return _token_type(points)

    @cached_property
    def feature_type(self) -> FeatureType:
        """The representation in irreps."""
        return self.carrying(1).feature_type

    def carrying(self, channels: int) -> GSetType:
        """The points of the tokens in orbit order, each with so many channels innermost."""
        return from_orbit_types(self.points.group, self.orbit_types, channels)

    @property
    def is_sorted(self) -> bool:
        """Whether the tokens stand in orbit order already."""
        return bool((self.order == np.arange(len(self.order))).all())

    @property
    def is_fixed(self) -> bool:
        """Whether every element leaves every token in place."""
        return all(t.index == 1 for t in self.orbit_types)

    @cached_property
    def in_order(self) -> PointAction:
        """The action on places once the tokens stand in orbit order."""
        if self.is_sorted:
            return self.points
        place = np.argsort(self.order)
        images = tuple(map(tuple, place[self.points.array[:, self.order]].tolist()))
        name = f"{self.points.name}, by orbits"
        return PointAction(name, self.points.group, images, ("in order", self.points))


@lru_cache(maxsize=64)
def _token_type(points: PointAction) -> TokenType:
    orbit_types = points.orbit_types
    order = np.concatenate([t.points.T.ravel() for t in orbit_types])
    return TokenType(points, orbit_types, order)


def vectors_on_orbit(irrep: reps.Irrep, orbit_type: reps.OrbitType) -> np.ndarray:
    """`rho(t_p) F` for each point `p`, `F` a basis fixed by the stabiliser: `(points, dim, r)`.

    References:
        Serre, sec. 7.2 (Frobenius reciprocity): `Hom_G(R[G/H], V) = V^H`.
    """
    basis = reps.fixed_basis(irrep, orbit_type.stabiliser)
    return np.stack([irrep.matrix(t) @ basis for t in orbit_type.transversal])


def check_points(feature_type: FeatureType, points: PointAction) -> None:
    """Whether tokens and channels are moved by one group; raises with the reason if not."""
    if points.group != feature_type.group:
        raise SpecError(
            f"the tokens are permuted by {points.group.name} ({points.name!r}), and the channels "
            f"{feature_type} lie over {feature_type.group.name}: expected one group for both."
        )


def slot_irreps(gset: GSetType, stabiliser: tuple[int, ...]) -> tuple[int, ...]:
    """The irrep of each slot of one orbit `G/H` of a G-set, as its index."""
    multiplicities, _ = coset_representation(gset.group, stabiliser)
    dims = (irrep.dim for irrep in gset.group.irreps)
    return tuple(
        index
        for index, (dim, copies) in enumerate(zip(dims, multiplicities, strict=True))
        for _ in range(dim * copies)
    )


def num_pooled(gset: GSetType, tokens: TokenType, kind: str) -> int:
    """How many invariants of tokens (x) channels `OrbitPool` gives."""
    found = gset.num_orbits
    if kind == "norm":
        irreps = {b.irrep.index for b in tokens.feature_type.blocks}
        for stabiliser, count in gset.counts:
            if len(irreps) > 1 or not irreps >= set(slot_irreps(gset, stabiliser)):
                found += count
    return found
