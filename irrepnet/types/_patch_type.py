"""`PatchType`: the pixels of a patch as a G-set, and the order that groups them by orbit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from irrepnet.actions import ImageAction
from irrepnet.types._fixed_dims import grid_orbits
from irrepnet.types._gset_type import GSetType, from_orbit_types


@dataclass(frozen=True, eq=False)
class PatchType:
    """What a patch of an image is as a representation.

    Attributes:
        gset: Its points: every pixel carries `channels` invariant channels.
        pixels: The pixel (row by row) that stands at each point: kind of orbit, coset, orbit.
    """

    gset: GSetType
    pixels: np.ndarray

    @classmethod
    def of(cls, action: ImageAction, patch: tuple[int, int], channels: int) -> PatchType:
        """The type of a patch with so many image channels.

        Raises:
            GridError: If the action does not preserve the patch.

        Examples:
            >>> from irrepnet import actions
            >>> str(PatchType.of(actions.image("flop"), (2, 2), 3).gset.feature_type)
            '6*sym + 6*asym'
        """
        return _patch_type(action, patch, channels)


@lru_cache(maxsize=64)
def _patch_type(action: ImageAction, patch: tuple[int, int], channels: int) -> PatchType:
    orbit_types = grid_orbits(action, patch)
    # Points are orbit-innermost: coset p of every orbit of a kind is one run of channels.
    pixels = np.concatenate([t.points.T.ravel() for t in orbit_types])
    return PatchType(from_orbit_types(action.group, orbit_types, channels), pixels)
