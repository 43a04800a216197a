"""`Conv`: a convolution whose kernel lies in `Hom_G(R^kernel (x) V, W)`."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from irrepnet.actions import ImageAction
from irrepnet.nn._copies import invariant_channels
from irrepnet.nn._dense import DenseTokenConv
from irrepnet.nn._expanded import Expanded
from irrepnet.nn._window_layer import WindowMap, as_map, as_tokens, check_tokens
from irrepnet.types import (
    FeatureType,
    WindowType,
    check_group,
    convolved_grid,
)


class Conv(WindowMap):
    """Convolution of tokens on a grid, any kernel size, stride and padding the group allows.

    The kernel is parametrised by the decomposed window, as in `Downsample`, so it has the fewest
    parameters; windows overlap, so it is expanded and runs as one ordinary convolution. Plain
    inference keeps the expanded kernel until a parameter changes; it is never part of the
    state_dict. Where windows do not overlap, `Downsample` computes the same for fewer FLOPs.

    Parameters are those of `proj`, an `IsotypicLinear`.

    Args:
        in_type: Type of the input tokens.
        action: How the group moves the grid.
        grid: Height and width of the input grid.
        out_type: Type of the output tokens.
        kernel: Height and width of the kernel.
        stride: Vertical and horizontal step.
        padding: Zero rows above and below, zero columns left and right.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `IsotypicLinear`).
        device: Where parameters and tables live.
        dtype: Their dtype.

    Raises:
        GridError: If the kernel does not fit, or the group does not preserve the windows.

    Cost:
        That of the dense convolution, `2 out_tokens dim_in dim_out height width` FLOPs, and one
        change of basis of `dim_out` windows for the kernel, once a call (not once a sample).

    References:
        Cohen and Welling, *Steerable CNNs* (arXiv 1612.08498), for one fixed group and 3 x 3.

    Examples:
        >>> from irrepnet import actions, groups
        >>> X = FeatureType(groups.flop(), "4*sym + 4*asym")
        >>> Conv(X, actions.image("flop"), (5, 5), X, stride=(2, 2))(torch.ones(1, 25, 8)).shape
        torch.Size([1, 9, 8])
    """

    def __init__(
        self,
        in_type: FeatureType,
        action: ImageAction,
        grid: tuple[int, int],
        out_type: FeatureType,
        kernel: tuple[int, int] = (3, 3),
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] = (1, 1),
        bias: bool = True,
        init: str = "normal",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_group(in_type, action)
        convolved_grid(action, grid, kernel, stride, padding)
        super().__init__(
            WindowType.of(action, kernel, in_type), out_type, bias, init, device, dtype
        )
        self.in_type, self.out_type, self.action, self.grid = in_type, out_type, action, grid
        self.stride, self.padding = stride, padding
        self._expanded = Expanded()

    def forward(
        self, x: Float[Tensor, "batch tokens in_dim"]
    ) -> Float[Tensor, "batch out_tokens out_dim"]:
        """Convolve; tokens are in row-major order on both sides."""
        check_tokens(x, self.in_type, self.grid)
        weights = tuple(p for name, p in self.proj.named_parameters() if name != "bias")
        kernel = self._expanded.get(x, weights, self.kernel)
        bias = self.proj.bias
        bias = None if bias is None else invariant_channels(bias, self.out_type.dim)
        maps = as_map(x, self.grid)
        return as_tokens(F.conv2d(maps, kernel, bias, self.stride, self.padding))

    def _dense(self) -> DenseTokenConv:
        kernel = self.kernel()
        dims = (kernel.shape[1], kernel.shape[0])
        conv = nn.Conv2d(*dims, self.window, self.stride, self.padding)
        return DenseTokenConv(conv, self.grid, kernel, self.dense_bias())

    def extra_repr(self) -> str:
        """Types, action, sizes and grid."""
        return (
            f"{self.in_type} -> {self.out_type}, {self.action.name!r}, kernel={self.window}, "
            f"stride={self.stride}, padding={self.padding}, grid={self.grid}"
        )
