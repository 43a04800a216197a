"""`GSetActivation`: a pointwise function applied where the group permutes the channels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from irrepnet._errors import ActivationError
from irrepnet.nn._dense import linear
from irrepnet.nn._eager import writes_in_place
from irrepnet.nn._gset_basis import GSetBasis
from irrepnet.nn._layer import Layer
from irrepnet.nn._shapes import check_channels
from irrepnet.types import ACTIVATION_BASES, GSetType, check_choice


def quick_gelu(x: Tensor) -> Tensor:
    """`x * sigmoid(1.702 x)`, the GELU of the flopping ResMLP."""
    return x * torch.sigmoid(1.702 * x)


#: Rows are processed in parts of this size on the way through the points: about a core's cache.
#: Measured on ViT-B's 3072 hidden channels: 11 ms whole, 6 ms in parts (one thread, float32).
CACHED_BYTES = 3 << 19

#: Pointwise functions by name.
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "quick_gelu": quick_gelu,
    "relu": F.relu,
    "silu": F.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "sin": torch.sin,
    "softshrink": F.softshrink,
    "abs": torch.abs,
    "square": torch.square,
}


def check_function(function: str) -> None:
    """Raise `ActivationError` unless the function is one of `FUNCTIONS`."""
    if function not in FUNCTIONS:
        raise ActivationError(
            f"unknown pointwise function {function!r}: expected one of {', '.join(FUNCTIONS)}."
        )


class Pointwise(nn.Module):
    """A pointwise function by name, as a module."""

    def __init__(self, function: str) -> None:
        super().__init__()
        check_function(function)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function to every element."""
        return FUNCTIONS[self.function](x)

    def extra_repr(self) -> str:
        """The function's name."""
        return self.function


class GSetActivation(Layer):
    """`f` between two changes of basis: irreps to points, `f`, points to irreps.

    Args:
        gset: The points; any function of one variable commutes with permuting them.
        function: One of `FUNCTIONS`.
        enter: Basis of the input, `"irreps"` or `"points"`.
        leave: Basis of the output.
        normalised: Whether changes of basis between two points have their factor `sqrt(1/2)`.
        device: Where the tables live.
        dtype: Their dtype.

    Raises:
        ActivationError: If the function is unknown.

    Cost:
        Two changes of basis (see `GSetBasis`) and one evaluation for each channel.

    References:
        Pacini et al., ICLR 2024, Theorem 1: pointwise functions commute with permutations only.

    Examples:
        >>> from irrepnet import groups
        >>> from irrepnet.types import FeatureType, gset_for
        >>> act = GSetActivation(gset_for(FeatureType(groups.flop(), "sym + asym")), "relu")
        >>> [round(v, 4) for v in act(torch.tensor([0.0, 2.0])).tolist()]
        [1.0, 1.0]
    """

    def __init__(
        self,
        gset: GSetType,
        function: str = "gelu",
        enter: str = "irreps",
        leave: str = "irreps",
        normalised: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.basis = GSetBasis(gset, device, dtype, normalised)
        self.pointwise = Pointwise(function)
        for side in (enter, leave):
            check_choice("basis", side, ACTIVATION_BASES)
        self.enter, self.leave = enter, leave
        self._both = enter == leave == "irreps"

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Apply the function to every point, for features in irreps along the last axis."""
        check_channels(x, self.basis.gset.feature_type, self.basis.dim)
        if self.basis.is_identity:
            return self.pointwise(x)
        if self._both and writes_in_place(x):
            return self._write(x.reshape(-1, self.basis.dim)).view(x.shape)
        points = x if self.enter == "points" else self.basis.to_points(x)
        points = self.pointwise(points)
        return points if self.leave == "points" else self.basis.to_irreps(points)

    def _write(self, x: Tensor) -> Tensor:
        """The same, a few rows at a time, so that points stay in the cache between the passes."""
        out = torch.empty_like(x)
        rows = max(1, CACHED_BYTES // (self.basis.dim * x.element_size()))
        points = x.new_empty(min(rows, len(x)), self.basis.dim)
        for part, target in zip(x.split(rows), out.split(rows), strict=True):
            moved = self.basis.write(part, points[: len(part)], to_points=True)
            self.basis.write(self.pointwise(moved), target, to_points=False)
        return out

    def _dense(self) -> nn.Sequential:
        matrix = self.basis.matrix()
        before = () if self.enter == "points" else (linear(matrix.T),)
        after = () if self.leave == "points" else (linear(matrix),)
        return nn.Sequential(*before, Pointwise(self.pointwise.function), *after)


class ToIrreps(Layer):
    """From the points of a G-set to irreps.

    Args:
        gset: The points.
        device: Where the tables live.
        dtype: Their dtype.
    """

    def __init__(
        self,
        gset: GSetType,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.basis = GSetBasis(gset, device, dtype)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Change the basis along the last axis."""
        return self.basis.to_irreps(x)

    def _dense(self) -> nn.Linear:
        return linear(self.basis.gset.basis())
