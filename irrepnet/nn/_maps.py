"""`ToMaps`, `FromMaps`: tokens as feature maps, channels on axis 1, where torch expects them."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from irrepnet._errors import GridError
from irrepnet.nn._layer import Layer
from irrepnet.nn._window_layer import as_map, as_tokens, check_tokens
from irrepnet.types import (
    FeatureType,
    check_channels_exist,
)


class ToMaps(Layer):
    """Tokens of a grid as maps; prefix tokens are left out.

    The result is a view whose channels lie innermost in memory, torch's `channels_last`.

    Args:
        feature_type: Type of the channels.
        grid: Height and width of the token grid.
        prefix: Tokens before the grid's.

    Cost:
        Nothing.

    Examples:
        >>> import torch
        >>> from irrepnet import groups
        >>> layer = ToMaps(FeatureType(groups.flop(), "sym + asym"), (2, 3), prefix=1)
        >>> layer(torch.ones(5, 7, 2)).shape
        torch.Size([5, 2, 2, 3])
    """

    def __init__(self, feature_type: FeatureType, grid: tuple[int, int], prefix: int = 0) -> None:
        super().__init__()
        check_channels_exist(feature_type)
        self.feature_type, self.grid, self.prefix = feature_type, grid, prefix

    def forward(
        self, x: Float[Tensor, "batch tokens dim"]
    ) -> Float[Tensor, "batch dim height width"]:
        """From rows of tokens to maps."""
        x = x[:, self.prefix :]
        check_tokens(x, self.feature_type, self.grid)
        return as_map(x, self.grid)

    def _dense(self) -> ToMaps:  # a view: there is nothing to expand
        return ToMaps(self.feature_type, self.grid, self.prefix)

    def extra_repr(self) -> str:
        """Type and grid."""
        return f"{self.feature_type}, grid={self.grid}"


class FromMaps(Layer):
    """Maps as tokens, row by row: the inverse of `ToMaps`.

    Args:
        feature_type: Type of the channels, which lie on axis 1.
        grid: Height and width of the maps.

    Cost:
        One copy, unless the maps are `channels_last`.

    Examples:
        >>> import torch
        >>> from irrepnet import groups
        >>> layer = FromMaps(FeatureType(groups.flop(), "sym + asym"), (2, 3))
        >>> layer(torch.ones(5, 2, 2, 3)).shape
        torch.Size([5, 6, 2])
    """

    def __init__(self, feature_type: FeatureType, grid: tuple[int, int]) -> None:
        super().__init__()
        check_channels_exist(feature_type)
        self.feature_type, self.grid = feature_type, grid

    def forward(
        self, x: Float[Tensor, "batch dim height width"]
    ) -> Float[Tensor, "batch tokens dim"]:
        """From maps to rows of tokens."""
        expected = (self.feature_type.dim, *self.grid)
        if tuple(x.shape[1:]) != expected:
            raise GridError(
                f"got maps of shape {tuple(x.shape)}: expected (batch, {expected[0]}, "
                f"{expected[1]}, {expected[2]}), channels typed {self.feature_type} on axis 1."
            )
        return as_tokens(x)

    def _dense(self) -> FromMaps:  # a view or a copy: there is nothing to expand
        return FromMaps(self.feature_type, self.grid)

    def extra_repr(self) -> str:
        """Type and grid."""
        return f"{self.feature_type}, grid={self.grid}"
