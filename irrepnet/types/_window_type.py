"""`WindowType`: the features under a window of a grid, `R^pixels (x) V`, as a type."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from irrepnet import reps
from irrepnet.actions import ImageAction
from irrepnet.types._feature_type import FeatureType
from irrepnet.types._fixed_dims import grid_orbits
from irrepnet.types._slots import Part, Run, lay_out


@dataclass(frozen=True, eq=False)
class WindowType:
    """What the features under a window are as a representation.

    The group permutes the window's pixels and acts on the features of each: `R^pixels (x) V`. For
    each kind of pixel orbit `G/H` and each irrep `rho` of `V` it holds copies of the small
    representation `rho (x) R[G/H]`, which is decomposed once.

    The natural channels, out of which `runs` lead to irreps, are: for each component of each irrep
    of `V`, for each pixel in the order of `pixels`, the irrep's copies.

    Attributes:
        in_type: `V`.
        window: Height and width.
        feature_type: `R^pixels (x) V` in irreps.
        runs: The change of basis.
        pixels: The window's pixels (row by row) by kind of orbit, coset, orbit.
    """

    in_type: FeatureType
    window: tuple[int, int]
    feature_type: FeatureType
    runs: tuple[Run, ...]
    pixels: np.ndarray

    @classmethod
    def of(cls, action: ImageAction, window: tuple[int, int], in_type: FeatureType) -> WindowType:
        """The type of a window of features.

        Raises:
            GridError: If the action does not preserve the window.

        References:
            Serre, *Linear Representations of Finite Groups*, sec. 7.2 and 3.3:
            `rho (x) R[G/H]` is induced from the restriction of `rho` to `H`.

        Examples:
            >>> from irrepnet import actions, groups
            >>> X = FeatureType(groups.flop(), "3*sym + asym")
            >>> str(WindowType.of(actions.image("flop"), (2, 2), X).feature_type)
            '8*sym + 8*asym'
        """
        return _window_type(action, window, in_type)


@lru_cache(maxsize=256)
def _window_type(action: ImageAction, window: tuple[int, int], in_type: FeatureType) -> WindowType:
    kinds = grid_orbits(action, window)
    pixels = np.concatenate([kind.points.T.ravel() for kind in kinds])
    parts, done = [], 0
    for kind in kinds:
        for block in in_type.blocks:
            multiplicities, matrix = _tensor(block.irrep, kind)
            m, size = block.multiplicity, len(pixels)
            points = tuple(
                block.start * size + (c * size + done + j * kind.num_orbits) * m
                for c in range(block.irrep.dim)
                for j in range(kind.index)
            )
            parts.append(Part(kind.num_orbits * m, multiplicities, matrix, points))
        done += kind.points.size
    feature_type, runs = lay_out(action.group, parts)
    return WindowType(in_type, window, feature_type, runs, pixels)


def _tensor(irrep: reps.Irrep, kind: reps.OrbitType) -> tuple[tuple[int, ...], np.ndarray]:
    """Multiplicities and isotypic basis of `rho (x) R[G/H]`; columns are (component, coset)."""
    if irrep.index == 0:
        return kind.multiplicities, kind.basis
    group = irrep.group
    cosets = reps.quotient(group, kind.stabiliser).matrices
    matrices = np.stack([np.kron(irrep.matrix(a), cosets[a]) for a in range(group.order)])
    found = reps.from_matrices(group, matrices).decompose()
    return tuple(found.multiplicities), found.basis.to_dense()
