"""`WindowLayer`: what all maps between windows of a grid and single positions share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from irrepnet._errors import GridError
from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._linear import IsotypicLinear
from irrepnet.nn._shapes import check_channels
from irrepnet.nn._slot_basis import SlotBasis
from irrepnet.types import FeatureType, WindowType


@dataclass(frozen=True)
class _Slots:
    """Neighbouring components with equally many copies, as plain integers."""

    start: int
    slots: int
    copies: int

    @property
    def width(self) -> int:
        return self.slots * self.copies


def _slots(feature_type: FeatureType) -> tuple[_Slots, ...]:
    runs: list[_Slots] = []
    for b in feature_type.blocks:
        if runs and runs[-1].copies == b.multiplicity:
            last = runs.pop()
            runs.append(_Slots(last.start, last.slots + b.irrep.dim, b.multiplicity))
        else:
            runs.append(_Slots(b.start, b.irrep.dim, b.multiplicity))
    return tuple(runs)


class WindowLayer(ConstantsLayer):
    """The decomposed window: natural order of its channels, change of basis, intertwiner; abstract.

    Parameters are those of `proj`, an `IsotypicLinear` out of the window's type or into it.
    """

    pixels: Tensor
    places: Tensor

    def __init__(
        self,
        window: WindowType,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.window, self.window_type = window.window, window.in_type
        self.basis = SlotBasis(window.runs, window.feature_type.dim, device, dtype)
        self.register_constant("pixels", window.pixels, device)
        self.register_constant("places", np.argsort(window.pixels), device)
        self._sorted = bool((np.diff(window.pixels) == 1).all())
        self._slots = _slots(window.in_type)

    def natural(self, x: Tensor) -> Tensor:
        """From channels of each pixel `(..., pixels, dim)` to natural order `(..., window_dim)`."""
        parts = []
        for s in self._slots:
            part = x[..., s.start : s.start + s.width].unflatten(-1, (s.slots, s.copies))
            part = part.transpose(-3, -2)
            part = part if self._sorted else part.index_select(-2, self.pixels)
            parts.append(part.flatten(-3))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)

    def per_pixel(self, x: Tensor) -> Tensor:
        """The inverse of `natural`."""
        size, parts = len(self.pixels), []
        for s in self._slots:
            part = x[..., s.start * size : (s.start + s.width) * size]
            part = part.unflatten(-1, (s.slots, size, s.copies))
            part = part if self._sorted else part.index_select(-2, self.places)
            parts.append(part.transpose(-3, -2).flatten(-2))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)

    def spatial(self, matrix: Tensor) -> Tensor:
        """Rows typed as windows, as kernels: `(..., window_dim)` to `(..., dim, height, width)`."""
        kernel = self.per_pixel(self.basis.to_points(matrix))
        return kernel.transpose(-1, -2).unflatten(-1, self.window)

    def typed(self, kernel: Tensor) -> Tensor:
        """The inverse of `spatial`."""
        return self.basis.to_irreps(self.natural(kernel.flatten(-2).transpose(-1, -2)))


class WindowMap(WindowLayer):
    """A map out of windows; abstract.

    Args:
        window: The decomposed window.
        out_type: Type of the output.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `IsotypicLinear`).
        device: Where parameters and tables live.
        dtype: Their dtype.
    """

    def __init__(
        self,
        window: WindowType,
        out_type: FeatureType,
        bias: bool,
        init: str,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(window, device, dtype)
        self.proj = IsotypicLinear(
            window.feature_type, out_type, bias, init, device=device, dtype=dtype
        )

    @torch.no_grad()
    def load_kernel_(self, kernel: Tensor) -> None:
        """Set the weights to the orthogonal projection of a convolution kernel.

        Args:
            kernel: Of shape `(out_dim, in_dim, height, width)`; input and output channels are typed
                as this layer's.
        """
        self.proj.load_matrix_(self.typed(kernel))

    def kernel(self) -> Tensor:
        """The convolution kernel that does the same: `(out_dim, in_dim, height, width)`."""
        return self.spatial(self.proj.weight_matrix())

    def dense_bias(self) -> Tensor | None:
        """The bias of every output channel."""
        linear = self.proj.to_dense()
        assert isinstance(linear, nn.Linear)
        return linear.bias


def check_tokens(x: Tensor, feature_type: FeatureType, grid: tuple[int, int]) -> None:
    """Raise unless `x` holds features of the type on every cell of the grid.

    Raises:
        IrrepMismatchError: If the channels are not the type's.
        GridError: If the tokens are not the grid's.
    """
    check_channels(x, feature_type, feature_type.dim)
    height, width = grid
    if x.ndim != 3 or x.shape[1] != height * width:
        raise GridError(
            f"got a tensor of shape {tuple(x.shape)}: expected (batch, {height * width}, "
            f"{feature_type.dim}), the tokens of a {height} x {width} grid row by row."
        )


def as_map(x: Tensor, grid: tuple[int, int]) -> Tensor:
    """Tokens `(batch, height * width, dim)` as a map `(batch, dim, height, width)`, no copy."""
    return x.unflatten(1, grid).permute(0, 3, 1, 2)


def as_tokens(x: Tensor) -> Tensor:
    """The inverse of `as_map`; no copy for maps whose channels lie innermost."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)
