"""Dimensions of the vectors that a positional embedding may put on a grid."""

from __future__ import annotations

from functools import lru_cache

from irrepnet import reps
from irrepnet.actions import ImageAction
from irrepnet.types._feature_type import FeatureType
from irrepnet.types._scaled import SymbolicGrid, counted_orbits


def grid_orbits(action: ImageAction, grid: tuple[int, int]) -> tuple[reps.OrbitType, ...]:
    """The kinds of orbits of a grid's cells."""
    if isinstance(grid, SymbolicGrid):
        return counted_orbits(action, grid, _grid_orbits(action, grid.origin))
    return _grid_orbits(action, grid)


@lru_cache(maxsize=64)
def _grid_orbits(action: ImageAction, grid: tuple[int, int]) -> tuple[reps.OrbitType, ...]:
    images = action.permutation(*grid)
    return tuple(reps.permutation(action.group, images).decompose().orbit_types)


def fixed_dims(
    feature_type: FeatureType, action: ImageAction, grid: tuple[int, int]
) -> list[tuple[int, int, tuple[int, ...]]]:
    """For each kind of orbit: orbits, points of one, and `dim rho_i^H` for each block of the type.

    References:
        Serre, sec. 7.2 (Frobenius reciprocity): `dim rho^H = e_rho <R[G/H], rho>`.
    """
    return [
        (
            t.num_orbits,
            t.index,
            tuple(t.multiplicities[b.irrep.index] * b.irrep.end_dim for b in feature_type.blocks),
        )
        for t in grid_orbits(action, grid)
    ]
