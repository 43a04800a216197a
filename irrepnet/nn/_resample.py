"""Windows to tokens and back: `Downsample`, `Upsample`, `Unpatchify`."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet.actions import ImageAction
from irrepnet.nn._dense import DenseTokenConv
from irrepnet.nn._linear import IsotypicLinear
from irrepnet.nn._window_layer import WindowLayer, WindowMap, check_tokens
from irrepnet.types import (
    FeatureType,
    WindowType,
    check_count,
    check_group,
    grown_grid,
    tiled_grid,
)


class Downsample(WindowMap):
    """Maps every window of tokens to one token: a convolution whose stride is its kernel.

    The features under a window are the representation `R^pixels (x) V`; it is taken to irreps by
    one cheap change of basis, and the map from there is block-diagonal like every other linear map.

    Parameters are those of `proj`, an `IsotypicLinear`.

    Args:
        in_type: Type of the input tokens.
        action: How the group moves the grid.
        grid: Height and width of the input grid.
        window: Height and width of a window, which divide the grid's.
        out_type: Type of the output tokens.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `IsotypicLinear`).
        device: Where parameters and tables live.
        dtype: Their dtype.

    Cost:
        An output token: the change of basis (see `SlotBasis`) and `2 sum_i d_i e_i m_i m'_i` FLOPs.

    References:
        Flopping for FLOPs (arXiv 2502.05169), the downsampling of its ConvNeXt, which multiplies by
        full kernels; Serre, sec. 7.2, for the decomposition that avoids that.

    Examples:
        >>> from irrepnet import actions, groups
        >>> X = FeatureType(groups.flop(), "4*sym + 4*asym")
        >>> Downsample(X, actions.image("flop"), (4, 4), (2, 2), 2 * X)(torch.ones(1, 16, 8)).shape
        torch.Size([1, 4, 16])
    """

    def __init__(
        self,
        in_type: FeatureType,
        action: ImageAction,
        grid: tuple[int, int],
        window: tuple[int, int],
        out_type: FeatureType,
        bias: bool = True,
        init: str = "normal",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_group(in_type, action)
        tiled_grid(action, grid, window)
        super().__init__(
            WindowType.of(action, window, in_type), out_type, bias, init, device, dtype
        )
        self.in_type, self.out_type, self.action, self.grid = in_type, out_type, action, grid

    def forward(
        self, x: Float[Tensor, "batch tokens in_dim"]
    ) -> Float[Tensor, "batch fewer_tokens out_dim"]:
        """Map the windows, row by row."""
        check_tokens(x, self.in_type, self.grid)
        (height, width), (high, wide) = self.grid, self.window
        x = x.unflatten(1, (height // high, high, width // wide, wide)).transpose(2, 3)
        return self.proj(self.basis.to_irreps(self.natural(x.flatten(3, 4).flatten(1, 2))))

    def _dense(self) -> DenseTokenConv:
        kernel = self.kernel()
        conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], self.window, self.window)
        return DenseTokenConv(conv, self.grid, kernel, self.dense_bias())

    def extra_repr(self) -> str:
        """Types, action, window and grid."""
        return (
            f"{self.in_type} -> {self.out_type}, {self.action.name!r}, window={self.window}, "
            f"grid={self.grid}"
        )


class Upsample(WindowLayer):
    """Maps every token to a window of tokens: the adjoint of `Downsample`.

    Parameters are those of `proj`, an `IsotypicLinear` into the window's type; its bias is a vector
    of `R^pixels (x) W` that the group fixes, which need not be the same on every pixel.

    Args:
        in_type: Type of the input tokens.
        action: How the group moves the grid.
        grid: Height and width of the input grid.
        window: Height and width of a window.
        out_type: Type of the output tokens.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `IsotypicLinear`).
        device: Where parameters and tables live.
        dtype: Their dtype.

    Cost:
        An input token: `2 sum_i d_i e_i m_i m'_i` FLOPs and the change of basis.

    Examples:
        >>> from irrepnet import actions, groups
        >>> X = FeatureType(groups.flop(), "4*sym + 4*asym")
        >>> Upsample(X, actions.image("flop"), (2, 2), (2, 2), X)(torch.ones(1, 4, 8)).shape
        torch.Size([1, 16, 8])
    """

    def __init__(
        self,
        in_type: FeatureType,
        action: ImageAction,
        grid: tuple[int, int],
        window: tuple[int, int],
        out_type: FeatureType,
        bias: bool = True,
        init: str = "normal",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_group(in_type, action)
        grown_grid(action, grid, window)
        decomposed = WindowType.of(action, window, out_type)
        super().__init__(decomposed, device, dtype)
        self.in_type, self.out_type, self.action, self.grid = in_type, out_type, action, grid
        self.proj = IsotypicLinear(
            in_type, decomposed.feature_type, bias, init, device=device, dtype=dtype
        )

    def forward(
        self, x: Float[Tensor, "batch tokens in_dim"]
    ) -> Float[Tensor, "batch more_tokens out_dim"]:
        """Map the tokens; the output's are in row-major order."""
        return self._windows(x).flatten(1, 4)

    def _windows(self, x: Tensor) -> Tensor:
        """Output features by row of windows, row inside, column of windows, column inside."""
        check_tokens(x, self.in_type, self.grid)
        x = self.per_pixel(self.basis.to_points(self.proj(x)))
        return x.unflatten(2, self.window).unflatten(1, self.grid).transpose(2, 3)

    @torch.no_grad()
    def load_kernel_(self, kernel: Float[Tensor, "in_dim out_dim height width"]) -> None:
        """Set the weights to the orthogonal projection of a transposed convolution's kernel."""
        self.proj.load_matrix_(self.typed(kernel).t())

    def kernel(self) -> Float[Tensor, "in_dim out_dim height width"]:
        """The kernel of the transposed convolution that does the same, bias aside."""
        return self.spatial(self.proj.weight_matrix().t())

    def _dense(self) -> DenseTokenConv:
        kernel = self.kernel()
        conv = nn.ConvTranspose2d(kernel.shape[0], kernel.shape[1], self.window, self.window)
        linear = self.proj.to_dense()
        assert isinstance(linear, nn.Linear)
        bias = None if linear.bias is None else self.spatial(linear.bias)
        tiled = None if bias is None else bias.repeat(1, *self.grid)
        return DenseTokenConv(conv, self.grid, kernel, added=tiled)

    def extra_repr(self) -> str:
        """Types, action, window and grid."""
        return (
            f"{self.in_type} -> {self.out_type}, {self.action.name!r}, window={self.window}, "
            f"grid={self.grid}"
        )


class Unpatchify(Upsample):
    """Maps every token to an image patch: the adjoint of `PatchEmbed`.

    Args:
        action: How the group moves images.
        in_type: Type of the tokens.
        grid: Height and width of the token grid.
        patch: Patch height and width.
        channels: Image channels, which the group leaves alone.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `IsotypicLinear`).
        device: Where parameters and tables live.
        dtype: Their dtype.

    Examples:
        >>> from irrepnet import actions, groups
        >>> X = FeatureType(groups.flop(), "4*sym + 4*asym")
        >>> Unpatchify(actions.image("flop"), X, (2, 3), (4, 4), 3)(torch.ones(1, 6, 8)).shape
        torch.Size([1, 3, 8, 12])
    """

    def __init__(
        self,
        action: ImageAction,
        in_type: FeatureType,
        grid: tuple[int, int],
        patch: tuple[int, int],
        channels: int,
        bias: bool = True,
        init: str = "normal",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_group(in_type, action)
        check_count(channels, "image channels")
        pixels = FeatureType.trivial(action.group, channels)
        super().__init__(in_type, action, grid, patch, pixels, bias, init, device, dtype)

    def forward(
        self, x: Float[Tensor, "batch tokens in_dim"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Map the tokens and put the patches together."""
        return self._windows(x).permute(0, 5, 1, 2, 3, 4).flatten(4, 5).flatten(2, 3)

    def _dense(self) -> DenseTokenConv:
        dense = super()._dense()
        dense.to_map = True
        return dense
