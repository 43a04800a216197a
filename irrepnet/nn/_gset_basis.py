"""`GSetBasis`: from irreps to the points of a G-set and back, the group's Fourier transform."""

from __future__ import annotations

import torch

from irrepnet.nn._slot_basis import SlotBasis
from irrepnet.types import GSetType


class GSetBasis(SlotBasis):
    """Orthogonal change between the isotypic basis and the points of a G-set.

    On points, coset `p` of orbit `o` of one kind is channel `start + p * count + o`.

    Args:
        gset: The G-set; its `feature_type` is the type on the isotypic side.
        device: Where the tables live.
        dtype: Their dtype.

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
    ) -> None:
        super().__init__(gset.runs, gset.feature_type.dim, device, dtype)
        self.gset = gset

    def extra_repr(self) -> str:
        """The G-set."""
        return str(self.gset)
