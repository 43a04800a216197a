"""Depthwise convolutions: in irreps with paired channels, or on the points of a G-set."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from irrepnet.actions import ImageAction
from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._copies import invariant_channels
from irrepnet.nn._dense import DenseTokenConv
from irrepnet.nn._gset_basis import GSetBasis
from irrepnet.nn._initialise import STD
from irrepnet.nn._window_layer import as_map, as_tokens, check_tokens
from irrepnet.types import (
    ACTIVATION_BASES,
    FeatureType,
    GSetType,
    check_choice,
    check_group,
    convolved_grid,
    gset_kernels,
    paired_kernels,
)


class DepthwiseConv(ConstantsLayer):
    """A convolution in which every channel sees one channel; abstract.

    Args:
        feature_type: Type of the tokens.
        action: How the group moves the grid.
        grid: Height and width of the input grid.
        kernel: Height and width of the kernel.
        stride: Vertical and horizontal step.
        padding: Zero rows above and below, zero columns left and right.
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        feature_type: FeatureType,
        action: ImageAction,
        grid: tuple[int, int],
        kernel: tuple[int, int],
        stride: tuple[int, int],
        padding: tuple[int, int],
    ) -> None:
        super().__init__()
        check_group(feature_type, action)
        convolved_grid(action, grid, kernel, stride, padding)
        self.feature_type, self.action, self.grid = feature_type, action, grid
        self.dim, self.kernel_size = feature_type.dim, kernel
        self.stride, self.padding = stride, padding

    def reset_parameters(self) -> None:
        """Draw the kernels anew, standard deviation 0.02; the bias is zero."""
        for parameter in self.parameters():
            if parameter is self.bias:
                nn.init.zeros_(parameter)
            else:
                nn.init.normal_(parameter, std=STD)

    def filters(self) -> Float[Tensor, "dim one height width"]:
        """The kernel of every channel, in the basis in which the convolution runs."""
        raise NotImplementedError

    def _convolve(self, x: Tensor, bias: Tensor | None) -> Tensor:
        maps = as_map(x, self.grid)
        return as_tokens(
            F.conv2d(maps, self.filters(), bias, self.stride, self.padding, groups=self.dim)
        )

    def _dense_conv(self, kernel: Tensor, bias: Tensor | None) -> DenseTokenConv:
        conv = nn.Conv2d(self.dim, self.dim, self.kernel_size, self.stride, self.padding)
        return DenseTokenConv(conv, self.grid, kernel, bias)

    def extra_repr(self) -> str:
        """Type, action, sizes and grid."""
        return (
            f"{self.feature_type}, {self.action.name!r}, kernel={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, grid={self.grid}"
        )


class PairedDepthwiseConv(DepthwiseConv):
    """Depthwise convolution in irreps, for groups that only negate channels.

    An output channel of irrep `psi` sees one input channel of an irrep `chi`, through a kernel with
    `k(g p) = psi(g) chi(g) k(p)`. Every irrep sends an equal share of its channels to every irrep
    (the published quarters for two irreps), so that each channel is used once.

    Parameters are `weight_<irrep>` `(channels, free pixels)`, for each product of two irreps, and
    `bias` `(multiplicity of trivial,)`.

    Args:
        feature_type: Type of the tokens.
        action: How the group moves the grid.
        grid: Height and width of the input grid.
        kernel: Height and width of the kernel.
        stride: Vertical and horizontal step.
        padding: Zero rows above and below, zero columns left and right.
        bias: Whether to add an invariant bias.
        device: Where parameters and tables live.
        dtype: Their dtype.

    Raises:
        GridError: If the kernel does not fit, or the group does not preserve the windows.
        FeatureTypeError: If an irrep of the group has several components.

    Cost:
        That of an ordinary depthwise convolution, and one multiplication for each entry of the
        kernels that carry signs.

    References:
        Flopping for FLOPs (arXiv 2502.05169), the depthwise convolution of its ConvNeXt.

    Examples:
        >>> from irrepnet import actions, groups
        >>> X = FeatureType(groups.flop(), "2*sym + 2*asym")
        >>> conv = PairedDepthwiseConv(X, actions.image("flop"), (5, 5), (3, 3), (1, 1), (1, 1))
        >>> {name: tuple(p.shape) for name, p in conv.named_parameters()}
        {'weight_sym': (2, 6), 'weight_asym': (2, 3), 'bias': (2,)}
    """

    inputs: Tensor

    def __init__(
        self,
        feature_type: FeatureType,
        action: ImageAction,
        grid: tuple[int, int],
        kernel: tuple[int, int] = (7, 7),
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] = (3, 3),
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(feature_type, action, grid, kernel, stride, padding)
        paired = paired_kernels(feature_type, action, kernel)
        self._segments = _segments(paired.inputs)
        self._kinds: list[tuple[str, bool, bool]] = []
        for ties, rows in zip(paired.ties, paired.rows, strict=True):
            weight = nn.Parameter(torch.empty(len(rows), ties.size, device=device, dtype=dtype))
            self.register_parameter(f"weight_{ties.name}", weight)
            self.register_constant(f"index_{ties.name}", ties.index, device)
            tied, signed = not _in_order(ties.index), bool((ties.signs != 1).any())
            self._kinds.append((ties.name, tied, signed))
            if signed:
                self.register_constant(f"signs_{ties.name}", ties.signs, device, dtype)
        order = np.argsort(np.concatenate(paired.rows))
        self._sorted = _in_order(order)
        self.register_constant("order", order, device)
        self.register_constant("inputs", np.array(paired.inputs), device)
        invariants = feature_type.num_invariants if bias else 0
        empty = torch.empty(invariants, device=device, dtype=dtype)
        self.bias = nn.Parameter(empty) if invariants else None
        self.reset_parameters()

    def forward(
        self, x: Float[Tensor, "batch tokens dim"]
    ) -> Float[Tensor, "batch out_tokens dim"]:
        """Convolve; tokens are in row-major order on both sides."""
        check_tokens(x, self.feature_type, self.grid)
        if len(self._segments) > 1:
            x = torch.cat([x[..., first:last] for first, last in self._segments], dim=-1)
        bias = None if self.bias is None else invariant_channels(self.bias, self.dim)
        return self._convolve(x, bias)

    def filters(self) -> Float[Tensor, "dim one height width"]:
        """The kernel of every output channel."""
        parts = []
        for name, tied, signed in self._kinds:
            part = getattr(self, f"weight_{name}")
            part = part.index_select(1, getattr(self, f"index_{name}")) if tied else part
            parts.append(part * getattr(self, f"signs_{name}").to(part) if signed else part)
        kernels = parts[0] if len(parts) == 1 else torch.cat(parts)
        kernels = kernels if self._sorted else kernels.index_select(0, self.get_buffer("order"))
        return kernels.view(self.dim, 1, *self.kernel_size)

    @torch.no_grad()
    def load_filters_(self, kernels: Float[Tensor, "dim one height width"]) -> None:
        """Set the weights to the orthogonal projection of a kernel for every output channel."""
        rows = kernels.flatten(1)[torch.argsort(self.get_buffer("order"))]
        first = 0
        for name, _, signed in self._kinds:
            weight, index = getattr(self, f"weight_{name}"), getattr(self, f"index_{name}")
            part = rows[first : first + len(weight)].to(weight)
            first += len(weight)
            kept = torch.ones(part.shape[1]).to(weight)
            if signed:
                kept = getattr(self, f"signs_{name}").to(weight)
            sums = torch.zeros_like(weight).index_add_(1, index, part * kept)
            weight.copy_(sums / torch.zeros_like(weight[0]).index_add_(0, index, kept.square()))

    def _dense(self) -> DenseTokenConv:
        filters = self.filters()
        kernel = filters.new_zeros(self.dim, self.dim, *self.kernel_size)
        kernel[torch.arange(self.dim, device=kernel.device), self.inputs] = filters[:, 0]
        bias = None if self.bias is None else invariant_channels(self.bias, self.dim)
        return self._dense_conv(kernel, bias)


def _in_order(index: np.ndarray) -> bool:
    return bool((index == np.arange(len(index))).all())


def _segments(inputs: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Runs of neighbouring input channels: first and last + 1."""
    cuts = [k for k in range(1, len(inputs)) if inputs[k] != inputs[k - 1] + 1]
    starts, ends = [0, *cuts], [*cuts, len(inputs)]
    return tuple((inputs[a], inputs[b - 1] + 1) for a, b in zip(starts, ends, strict=True))


class GSetDepthwiseConv(DepthwiseConv):
    """Depthwise convolution on points that the group permutes, kernels moving along.

    The channel at coset `t H` has the kernel `t k`, where `k` is the kernel at `H`, free up to
    what `H` asks of it. So each orbit of channels has one kernel, for any group.

    Parameters are `weight_<k>` `(orbits, free pixels)` for each kind of orbit, and `bias`
    `(orbits of all kinds,)`, alike on every point of an orbit.

    Args:
        gset: The points; its `feature_type` is the type of the tokens.
        action: How the group moves the grid.
        grid: Height and width of the input grid.
        kernel: Height and width of the kernel.
        stride: Vertical and horizontal step.
        padding: Zero rows above and below, zero columns left and right.
        bias: Whether to add a bias.
        enter: Basis of the input, `"irreps"` or `"points"`.
        leave: Basis of the output.
        device: Where parameters and tables live.
        dtype: Their dtype.

    Raises:
        GridError: If the kernel does not fit, or the group does not preserve the windows.

    Cost:
        That of an ordinary depthwise convolution, and a change of basis (see `GSetBasis`) of every
        token before and after.

    References:
        Cohen and Welling, *Group Equivariant Convolutional Networks* (arXiv 1602.07576): channels
        of the regular representation with kernels that the group moves.

    Examples:
        >>> from irrepnet import actions, groups
        >>> from irrepnet.types import gset_for
        >>> gset = gset_for(FeatureType.regular(groups.octic(), 16))
        >>> conv = GSetDepthwiseConv(gset, actions.image("D4"), (4, 4), (3, 3), (1, 1), (1, 1))
        >>> {name: tuple(p.shape) for name, p in conv.named_parameters()}
        {'weight_0': (2, 9), 'bias': (2,)}
    """

    def __init__(
        self,
        gset: GSetType,
        action: ImageAction,
        grid: tuple[int, int],
        kernel: tuple[int, int] = (7, 7),
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] = (3, 3),
        bias: bool = True,
        enter: str = "irreps",
        leave: str = "irreps",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        for side in (enter, leave):
            check_choice("basis", side, ACTIVATION_BASES)
        super().__init__(gset.feature_type, action, grid, kernel, stride, padding)
        self.basis = GSetBasis(gset, device, dtype)
        self.enter, self.leave = enter, leave
        self._counts = tuple((o.count, o.index) for o in gset.orbits)
        for k, index in enumerate(gset_kernels(gset, action, kernel)):
            shape = (self._counts[k][0], int(index.max()) + 1)
            weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
            self.register_parameter(f"weight_{k}", weight)
            self.register_constant(f"index_{k}", index.ravel(), device)
        empty = torch.empty(gset.num_orbits, device=device, dtype=dtype)
        self.bias = nn.Parameter(empty) if bias else None
        self.reset_parameters()

    def forward(
        self, x: Float[Tensor, "batch tokens dim"]
    ) -> Float[Tensor, "batch out_tokens dim"]:
        """Convolve; tokens are in row-major order on both sides."""
        check_tokens(x, self.feature_type, self.grid)
        points = x if self.enter == "points" else self.basis.to_points(x)
        points = self._convolve(points, self._point_bias())
        return points if self.leave == "points" else self.basis.to_irreps(points)

    def filters(self) -> Float[Tensor, "dim one height width"]:
        """The kernel of every point."""
        parts = []
        for k, (count, points) in enumerate(self._counts):
            weight, index = getattr(self, f"weight_{k}"), getattr(self, f"index_{k}")
            part = weight.index_select(1, index).view(count, points, -1)
            parts.append(part.transpose(0, 1).flatten(0, 1))
        kernels = parts[0] if len(parts) == 1 else torch.cat(parts)
        return kernels.view(self.dim, 1, *self.kernel_size)

    def _point_bias(self) -> Tensor | None:
        """The bias of every point."""
        if self.bias is None:
            return None
        parts, first = [], 0
        for count, points in self._counts:
            parts += [self.bias[first : first + count]] * points
            first += count
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _dense(self) -> DenseTokenConv:
        filters, bias = self.filters(), self._point_bias()
        matrix = torch.tensor(self.basis.gset.basis()).to(filters)
        before, after = (
            torch.eye(self.dim).to(filters) if side == "points" else matrix
            for side in (self.enter, self.leave)
        )
        kernel = torch.einsum("oc,chw,ic->oihw", after, filters[:, 0], before)
        return self._dense_conv(kernel, None if bias is None else after @ bias)
