"""Parameters that hold one number for each copy of an irrep, shared by its components."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from irrepnet.types import FeatureType


class CopyScale(nn.Module):
    """A positive-or-negative factor for each copy: an intertwiner that is diagonal.

    Parameters are `weight_<irrep>` of shape `(multiplicity,)`.

    Args:
        feature_type: Type of the channels.
        value: Initial value of every factor.
        device: Where the parameters live.
        dtype: Their dtype.
    """

    def __init__(
        self,
        feature_type: FeatureType,
        value: float,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self._dims = tuple((b.irrep.name, b.irrep.dim) for b in feature_type.blocks)
        for b in feature_type.blocks:
            weight = torch.full((b.multiplicity,), value, device=device, dtype=dtype)
            self.register_parameter(f"weight_{b.irrep.name}", nn.Parameter(weight))

    def channels(self) -> Tensor:
        """The factor of every channel: shape `(dim,)`."""
        parts = []
        for name, dim in self._dims:
            weight = getattr(self, f"weight_{name}")
            parts += [weight] * dim
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def invariant_channels(bias: Tensor, dim: int) -> Tensor:
    """An invariant vector of `dim` channels: the trivial copies come first, the rest is zero."""
    if len(bias) == dim:
        return bias
    return torch.cat([bias, bias.new_zeros(dim - len(bias))])
