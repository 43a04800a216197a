"""`GSetBasis`: from irreps to the points of a G-set and back, the group's Fourier transform."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from irrepnet.nn._slot_basis import SlotBasis
from irrepnet.types import GSetType, Run


class GSetBasis(SlotBasis):
    """Orthogonal change between the isotypic basis and the points of a G-set.

    On points, coset `p` of orbit `o` of one kind is channel `start + p * count + o`.

    Args:
        gset: The G-set; its `feature_type` is the type on the isotypic side.
        device: Where the tables live.
        dtype: Their dtype.
        normalised: Whether changes between two points have their factor `sqrt(1/2)`; without it
            they are additions only, and the maps around must take the factor.

    Cost:
        For each kind of orbit with `P` points and `n` orbits: `2 P^2 n` FLOPs a position as a
        product, `4 n` as additions (`P = 2`); one pass over memory.

    References:
        Diaconis and Rockmore, *Efficient computation of the Fourier transform on finite groups*,
        J. AMS 3 (1990).

    Examples:
        >>> from irrepnet import groups
        >>> from irrepnet.types import FeatureType, gset_for
        >>> basis = GSetBasis(gset_for(FeatureType(groups.flop(), "sym + asym")))
        >>> points = basis.to_points(torch.tensor([1.0, 0.0]))
        >>> [round(v, 4) for v in points.tolist()]
        [0.7071, 0.7071]
    """

    def __init__(
        self,
        gset: GSetType,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        normalised: bool = True,
    ) -> None:
        runs = gset.runs if normalised else tuple(map(_without_factor, gset.runs))
        super().__init__(runs, gset.feature_type.dim, device, dtype)
        self.gset, self._used = gset, runs

    def matrix(self) -> np.ndarray:
        """From points to irreps, as a dense matrix: float64 `(dim, dim)`."""
        matrix = self.gset.basis()
        for run, plain in zip(self._used, self.gset.runs, strict=True):
            factor = np.linalg.norm(run.matrix[0]) / np.linalg.norm(plain.matrix[0])
            for slot in run.slots:
                matrix[slot : slot + run.count] *= factor
        return matrix

    def extra_repr(self) -> str:
        """The G-set."""
        return str(self.gset)


def _without_factor(run: Run) -> Run:
    """A run of two points with entries 1 and -1."""
    if run.size != 2 or run.signed_permutation is not None:
        return run
    return replace(run, matrix=np.rint(run.matrix * 2**0.5))
