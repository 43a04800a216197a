"""`FusedMLPIn`: a linear map and the activation after it as one kernel."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from irrepnet._errors import IrrepMismatchError
from irrepnet.nn._activation import GSetActivation
from irrepnet.nn._eager import autocast_dtype
from irrepnet.nn._expanded import Expanded
from irrepnet.nn._layer import Layer
from irrepnet.nn._linear import IsotypicLinear
from irrepnet.nn._shapes import check_channels
from irrepnet.nn.kernels._available import DTYPES, serves
from irrepnet.nn.kernels._mlp_plan import MLPPlan, PackedBlock, mlp_plan, why_no_plan


@torch.library.custom_op(
    "irrepnet::mlp_in",
    mutates_args=(),
    schema="(Tensor x, Tensor weight, Tensor? bias, str plan) -> Tensor",
)
def mlp_in(x: Tensor, weight: Tensor, bias: Tensor | None, plan: str) -> Tensor:
    """`B f(B^T (W x + b))` for rows `x`; `plan` is the key of an `MLPPlan`."""
    from irrepnet.nn.kernels._triton_mlp_in import launch

    return launch(x, weight, bias, None, MLPPlan.from_key(plan))


@torch.library.custom_op(
    "irrepnet::mlp_in_backward",
    mutates_args=(),
    schema="(Tensor x, Tensor weight, Tensor? bias, Tensor gradient, str plan) -> Tensor",
)
def mlp_in_backward(
    x: Tensor, weight: Tensor, bias: Tensor | None, gradient: Tensor, plan: str
) -> Tensor:
    """What goes back to `W x + b`, which is computed again."""
    from irrepnet.nn.kernels._triton_mlp_in import launch

    return launch(x, weight, bias, gradient, MLPPlan.from_key(plan))


@mlp_in.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None, plan: str) -> Tensor:
    return x.new_empty(x.shape[0], MLPPlan.from_key(plan).out_dim)


@mlp_in_backward.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None, gradient: Tensor, plan: str) -> Tensor:
    return torch.empty_like(gradient, memory_format=torch.contiguous_format)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, ctx.plan = inputs
    ctx.save_for_backward(x, weight, bias)


def _gradients(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    x, weight, bias = ctx.saved_tensors
    back = torch.ops.irrepnet.mlp_in_backward(x, weight, bias, gradient, ctx.plan)
    blocks = MLPPlan.from_key(ctx.plan).blocks
    wants_x, wants_weight, wants_bias = ctx.needs_input_grad[:3]
    return (
        _to_input(x, weight, back, blocks) if wants_x else None,
        _to_weight(x, weight, back, blocks) if wants_weight else None,
        back[:, : len(bias)].sum(0) if wants_bias else None,
        None,
    )


mlp_in.register_autograd(_gradients, setup_context=_keep)


def _to_input(x: Tensor, weight: Tensor, back: Tensor, blocks: tuple[PackedBlock, ...]) -> Tensor:
    """`W^T` times what comes back, block by block."""
    into = torch.zeros_like(x, memory_format=torch.contiguous_format)
    for block in blocks:
        matrix = _matrix(weight, block)
        for part, target in zip(
            _components(back, block, 1), _components(into, block, 0), strict=True
        ):
            target.copy_((part.flatten(1) @ matrix).view(target.shape))
    return into


def _to_weight(x: Tensor, weight: Tensor, back: Tensor, blocks: tuple[PackedBlock, ...]) -> Tensor:
    """What comes back, times the input, summed over rows and components."""
    found = []
    for block in blocks:
        pairs = zip(_components(back, block, 1), _components(x, block, 0), strict=True)
        products = [part.flatten(1).mT @ source.flatten(1) for part, source in pairs]
        found.append(sum(products[1:], products[0]).flatten())
    return torch.cat(found) if found else torch.zeros_like(weight)


def _matrix(weight: Tensor, block: PackedBlock) -> Tensor:
    return weight[block.weight :][: block.height * block.depth].view(block.height, block.depth)


def _components(x: Tensor, block: PackedBlock, side: int) -> tuple[Tensor, ...]:
    """A block's channels by what shares the matrix: views `(rows, end_dim, copies)`."""
    first = (block.source, block.target)[side]
    copies = (block.copies_in, block.copies_out)[side]
    width = block.end_dim * block.components * copies
    part = x[:, first : first + width].unflatten(-1, (block.end_dim, block.components, copies))
    return tuple(part.select(2, c) for c in range(block.components))


class FusedMLPIn(Layer):
    """A linear map and the activation after it, without storing what lies between.

    One kernel multiplies all blocks of a tile, takes it to points, applies the function, takes it
    back and stores it. Its backward pass computes the tile again instead of having kept it.
    Where no kernel can run (`kernels.available()`, the tensor's dtype and device, `why_not`), the
    layers run one after the other, with the same results to rounding.

    Args:
        linear: The map; it stays where it is, its parameters are read at every call.
        activation: What follows it, from irreps to irreps.

    Attributes:
        why_not: Why the kernel cannot serve this map on any machine, `None` if it can.

    Raises:
        IrrepMismatchError: If the activation does not take what the map gives.

    Cost:
        That of the two layers. The backward pass multiplies once more.

    Examples:
        >>> from irrepnet import groups, nn
        >>> from irrepnet.types import FeatureType, gset_for
        >>> X = FeatureType.regular(groups.octic(), 16)
        >>> linear, activation = nn.IsotypicLinear(X, 4 * X), nn.GSetActivation(gset_for(4 * X))
        >>> FusedMLPIn(linear, activation)(torch.ones(3, 16)).shape
        torch.Size([3, 64])
    """

    def __init__(self, linear: IsotypicLinear, activation: GSetActivation) -> None:
        super().__init__()
        taken = activation.basis.gset.feature_type
        if linear.out_type != taken:
            raise IrrepMismatchError(
                f"the linear map gives {linear.out_type} over {linear.out_type.group.name}, the "
                f"activation takes {taken} over {taken.group.name}: expected one type."
            )
        self.linear, self.activation = linear, activation
        self.why_not = why_no_plan(linear, activation)
        self._plan = None if self.why_not else mlp_plan(linear, activation).key
        self._packed = Expanded()

    def forward(self, x: Tensor) -> Tensor:
        """Map and activate along the last axis: `(..., in_dim)` to `(..., out_dim)`."""
        dtype = self._dtype(x)
        if self._plan is None or dtype not in DTYPES or not serves(x):
            return self.twin(x)
        check_channels(x, self.linear.in_type, self.linear.in_dim)
        rows = x.reshape(-1, self.linear.in_dim).to(dtype)
        weight = self._packed.get(x, self._sources(), self._pack).to(dtype)
        bias = None if self.linear.bias is None else self.linear.bias.to(dtype)
        out = torch.ops.irrepnet.mlp_in(rows, weight, bias, self._plan)
        return out.view(*x.shape[:-1], self.linear.out_dim)

    def twin(self, x: Tensor) -> Tensor:
        """The same by the layers themselves."""
        return self.activation(self.linear(x))

    def _dtype(self, x: Tensor) -> torch.dtype | None:
        """In which dtype to multiply, as torch's products do; `None` where dtypes differ."""
        dtype = None if x.dtype == torch.float64 else autocast_dtype(x)
        if dtype is None and all(p.dtype == x.dtype for p in self.linear.parameters()):
            dtype = x.dtype
        return dtype

    def _sources(self) -> tuple[Tensor, ...]:
        return tuple(self.linear.weight(block.name) for block in self.linear._reached())

    def _pack(self) -> Tensor:
        """The real matrices of all blocks in one buffer."""
        blocks = self.linear._reached()
        parts = [self.linear._matrix(block).flatten() for block in blocks]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _dense(self) -> nn.Sequential:
        return nn.Sequential(self.linear._dense(), self.activation._dense())

    def extra_repr(self) -> str:
        """Why the layers run by themselves, where they do."""
        return "" if self.why_not is None else f"no kernel: {self.why_not}"
