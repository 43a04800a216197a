"""`Dropout`: whole copies on whole orbits of tokens, equivariant for every draw."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from irrepnet.actions import PointAction
from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._shapes import check_channels
from irrepnet.types import (
    FeatureType,
    check_points,
    check_rate,
)


class Dropout(ConstantsLayer):
    """In training, zeroes copies of irreps; the rest is divided by `1 - rate`.

    The mask is the same for all components of a copy and all tokens of an orbit, so it commutes
    with the group whatever was drawn.

    Args:
        feature_type: Type of the channels.
        rate: Probability of dropping.
        tokens: How the group permutes the tokens after the prefix; `None` if it does not.
        prefix: Tokens before the others, each an orbit of its own.
        device: Where the tables live.

    Cost:
        Nothing at inference.

    References:
        Srivastava et al., *Dropout*, JMLR 15 (2014).

    Examples:
        >>> from irrepnet import groups
        >>> layer = Dropout(FeatureType(groups.octic(), "2*E"), 0.5)
        >>> out = layer(torch.ones(8, 4)).unflatten(-1, (2, 2))
        >>> bool((out[:, 0] == out[:, 1]).all())
        True
    """

    copies: Tensor
    orbits: Tensor

    def __init__(
        self,
        feature_type: FeatureType,
        rate: float,
        tokens: PointAction | None = None,
        prefix: int = 0,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        check_rate(rate)
        if tokens is not None:
            check_points(feature_type, tokens)
        self.feature_type, self.rate, self.dim = feature_type, rate, feature_type.dim
        self._num_copies = sum(feature_type.multiplicities)
        self.register_constant("copies", _copy_of_channel(feature_type), device)
        self._num_orbits = 0
        if tokens is not None:
            smallest = np.concatenate([np.arange(prefix), prefix + tokens.array.min(axis=0)])
            orbits, where = np.unique(smallest, return_inverse=True)
            self._num_orbits = len(orbits)
            self.register_constant("orbits", where, device)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Drop copies in training; the identity otherwise."""
        check_channels(x, self.feature_type, self.dim)
        if self.rate == 0 or not self.training:
            return x
        lead = (x.shape[0], self._num_orbits) if self._num_orbits else x.shape[:-1]
        keep = x.new_empty(*lead, self._num_copies).bernoulli_(1 - self.rate)
        if self._num_orbits:
            keep = keep.index_select(1, self.orbits)
        return x * keep.index_select(-1, self.copies) / (1 - self.rate)

    def _dense(self) -> Dropout:  # a mask like any other, without products
        dense = Dropout(self.feature_type, self.rate)
        if self._num_orbits:
            dense._num_orbits = self._num_orbits
            dense.register_constant("orbits", self._sources["orbits"])
        return dense

    def extra_repr(self) -> str:
        """Type and rate."""
        return f"{self.feature_type}, rate={self.rate:g}"


def _copy_of_channel(feature_type: FeatureType) -> np.ndarray:
    """Which copy each channel belongs to."""
    parts, first = [np.zeros(0, dtype=np.int64)], 0
    for b in feature_type.blocks:
        parts += [np.arange(first, first + b.multiplicity)] * b.irrep.dim
        first += b.multiplicity
    return np.concatenate(parts)
