"""`PatchEmbed`: image patches to tokens, a block-diagonal map out of the decomposed patch."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from irrepnet._errors import GridError
from irrepnet.actions import ImageAction
from irrepnet.nn._dense import DensePatchEmbed
from irrepnet.nn._window_layer import WindowMap
from irrepnet.types import (
    FeatureType,
    WindowType,
    check_count,
    check_group,
    tiled_grid,
)


class PatchEmbed(WindowMap):
    """Cuts an image into patches and maps each to a token, commuting with the group.

    The group permutes the pixels of a patch, so a patch is a permutation representation: it is
    taken to irreps by one cheap change of basis, and the map from there is block-diagonal like
    every other linear map. A strided convolution would multiply by the full kernel.

    Parameters are those of `proj`, an `IsotypicLinear`.

    Args:
        action: How the group moves images.
        channels: Image channels, which the group leaves alone.
        image_size: Height and width.
        patch: Patch height and width.
        out_type: Type of the tokens.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `IsotypicLinear`).
        device: Where parameters and tables live.
        dtype: Their dtype.

    Raises:
        GridError: If the patch does not tile the image, or the action does not preserve the patch
            or the token grid.

    Cost:
        A token: the change of basis (see `SlotBasis`) and `2 sum_i d_i e_i m_i m'_i` FLOPs.

    References:
        Serre, sec. 7.2: a permutation representation is a sum of `R[G/H]`, one for each orbit.

    Examples:
        >>> from irrepnet import actions, groups
        >>> X = FeatureType(groups.flop(), "4*sym + 4*asym")
        >>> embed = PatchEmbed(actions.image("flop"), 3, (8, 8), (4, 4), X)
        >>> embed(torch.ones(1, 3, 8, 8)).shape
        torch.Size([1, 4, 8])
    """

    def __init__(
        self,
        action: ImageAction,
        channels: int,
        image_size: tuple[int, int],
        patch: tuple[int, int],
        out_type: FeatureType,
        bias: bool = True,
        init: str = "uniform",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_group(out_type, action)
        check_count(channels, "image channels")
        tiled_grid(action, image_size, patch, "image", "patch")
        pixels = FeatureType.trivial(action.group, channels)
        window = WindowType.of(action, patch, pixels)
        super().__init__(window, out_type, bias, init, device, dtype)
        self.action, self.channels, self.image_size = action, channels, image_size
        self.patch = patch

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch tokens dim"]:
        """Embed; tokens are in row-major order."""
        if tuple(x.shape[1:]) != (self.channels, *self.image_size):
            raise GridError(
                f"the network takes images of shape {(self.channels, *self.image_size)} (channels, "
                f"height, width), got {tuple(x.shape[1:])}: resize the images, or build it with "
                f"img_size={tuple(x.shape[-2:])} and in_chans={x.shape[1]}."
            )
        (high, wide), (height, width) = self.patch, self.image_size
        x = x.unflatten(3, (width // wide, wide)).unflatten(2, (height // high, high))
        x = x.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(1, 2)
        return self.proj(self.basis.to_irreps(self.natural(x)))

    def _dense(self) -> DensePatchEmbed:
        return DensePatchEmbed(self.kernel(), self.dense_bias())

    def extra_repr(self) -> str:
        """Action, patch and image size."""
        return f"{self.action.name!r}, patch={self.patch}, image_size={self.image_size}"
