"""Layers that scale or drop whole copies: LayerScale, stochastic depth, dropout."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet.nn._copies import CopyScale
from irrepnet.nn._dense import DenseScale
from irrepnet.nn._layer import Layer
from irrepnet.types import (
    FeatureType,
    check_channels_exist,
    check_rate,
)


class LayerScale(CopyScale, Layer):
    """One learned factor for each copy of each irrep.

    Args:
        feature_type: Type of the channels.
        init: Initial value of every factor.
        device: Where the parameters live.
        dtype: Their dtype.

    Cost:
        One multiplication for each channel.

    References:
        Touvron et al., *Going deeper with Image Transformers* (arXiv 2103.17239).
    """

    def __init__(
        self,
        feature_type: FeatureType,
        init: float = 1e-6,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_channels_exist(feature_type)
        super().__init__(feature_type, init, device, dtype)
        self.feature_type = feature_type

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Scale along the last axis."""
        return x * self.channels()

    def _dense(self) -> DenseScale:
        return DenseScale(self.channels())

    def extra_repr(self) -> str:
        """The type."""
        return str(self.feature_type)


class DropPath(Layer):
    """Stochastic depth: in training, drops the whole input of a sample with probability `rate`.

    One draw for each sample scales all its channels and tokens alike, so every draw is equivariant.

    Args:
        rate: Probability of dropping; the rest is divided by `1 - rate`.

    Raises:
        SpecError: If it does not lie in `[0, 1)`.

    References:
        Huang et al., *Deep Networks with Stochastic Depth* (arXiv 1603.09382).
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        check_rate(rate)
        self.rate = rate

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """Drop samples in training; the identity otherwise."""
        if self.rate == 0 or not self.training:
            return x
        keep = x.new_empty(x.shape[0], *[1] * (x.ndim - 1)).bernoulli_(1 - self.rate)
        return x * (keep / (1 - self.rate))

    def _dense(self) -> DropPath:  # the ordinary one: torch has none of its own
        return DropPath(self.rate)

    def extra_repr(self) -> str:
        """The rate."""
        return f"rate={self.rate:g}"


class InvariantDropout(Layer):
    """Dropout of invariant channels, where an independent mask is equivariant.

    Args:
        rate: Probability of dropping a channel.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        check_rate(rate)
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements in training; the identity otherwise."""
        return nn.functional.dropout(x, self.rate, self.training)

    def _dense(self) -> nn.Dropout:
        return nn.Dropout(self.rate)

    def extra_repr(self) -> str:
        """The rate."""
        return f"rate={self.rate:g}"
