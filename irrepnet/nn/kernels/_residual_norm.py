"""`ResidualNorm`: a skip connection, LayerScale and the norm after it as one kernel."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from irrepnet._errors import IrrepMismatchError
from irrepnet.nn._copies import invariant_channels
from irrepnet.nn._eager import autocast_dtype
from irrepnet.nn._norm import IsotypicLayerNorm
from irrepnet.nn._pointwise_layers import LayerScale
from irrepnet.nn.kernels._available import DTYPES, serves
from irrepnet.nn.kernels._norm_plan import NormPlan, norm_plan, why_no_norm


@torch.library.custom_op(
    "irrepnet::residual_norm",
    mutates_args=(),
    schema="(Tensor x, Tensor y, Tensor? scale, Tensor? weight, Tensor? bias, str plan)"
    " -> (Tensor, Tensor)",
)
def residual_norm(
    x: Tensor,
    y: Tensor,
    scale: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    plan: str,
) -> tuple[Tensor, Tensor]:
    """`x + scale * y` and its norm, for rows; `plan` is the key of a `NormPlan`."""
    from irrepnet.nn.kernels._triton_norm import launch

    return launch(x, y, scale, weight, bias, NormPlan.from_key(plan))


@torch.library.custom_op(
    "irrepnet::residual_norm_backward",
    mutates_args=(),
    schema="(Tensor total, Tensor y, Tensor? scale, Tensor? weight, bool has_bias,"
    " Tensor to_total, Tensor to_out, str plan) -> (Tensor, Tensor, Tensor)",
)
def residual_norm_backward(
    total: Tensor,
    y: Tensor,
    scale: Tensor | None,
    weight: Tensor | None,
    has_bias: bool,
    to_total: Tensor,
    to_out: Tensor,
    plan: str,
) -> tuple[Tensor, Tensor, Tensor]:
    """What goes back to `x`, to `y` (empty without a scale) and to scale, weight and bias."""
    from irrepnet.nn.kernels._triton_norm import launch_backward

    backs = to_total, to_out
    return launch_backward(total, y, scale, weight, has_bias, *backs, NormPlan.from_key(plan))


@residual_norm.register_fake
def _(
    x: Tensor,
    y: Tensor,
    scale: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    plan: str,
) -> tuple[Tensor, Tensor]:
    return x.new_empty(x.shape), x.new_empty(x.shape)


@residual_norm_backward.register_fake
def _(
    total: Tensor,
    y: Tensor,
    scale: Tensor | None,
    weight: Tensor | None,
    has_bias: bool,
    to_total: Tensor,
    to_out: Tensor,
    plan: str,
) -> tuple[Tensor, Tensor, Tensor]:
    into_y = y.new_empty(0 if scale is None else y.shape)
    sums = total.new_empty(3, total.shape[1], dtype=torch.float32)
    return total.new_empty(total.shape), into_y, sums


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    _, y, scale, weight, bias, ctx.plan = inputs
    ctx.has_bias, ctx.y_dtype = bias is not None, y.dtype
    # Without a scale nothing needs `y`.
    ctx.save_for_backward(output[0], y if scale is not None else None, scale, weight)


def _gradients(ctx: Any, to_total: Tensor, to_out: Tensor) -> tuple[Tensor | None, ...]:
    total, y, scale, weight = ctx.saved_tensors
    into_x, into_y, sums = torch.ops.irrepnet.residual_norm_backward(
        total,
        total if y is None else y,
        scale,
        weight,
        ctx.has_bias,
        to_total,
        to_out,
        ctx.plan,
    )
    return (
        into_x,
        into_x.to(ctx.y_dtype) if scale is None else into_y,
        None if scale is None else sums[0].to(scale.dtype),
        None if weight is None else sums[1].to(weight.dtype),
        sums[2].to(total.dtype) if ctx.has_bias else None,
        None,
    )


residual_norm.register_autograd(_gradients, setup_context=_keep)


class ResidualNorm(nn.Module):
    """`total = x + scale(y)` and `norm(total)`, read and written once.

    Where no kernel can run (`kernels.available()`, the tensors' dtypes and device, `why_not`), the
    layers run one after the other, with the same results to rounding.

    Args:
        norm: The norm; it stays where it is, its parameters are read at every call.
        scale: LayerScale on what is added, if any.

    Attributes:
        why_not: Why the kernel cannot serve this norm on any machine, `None` if it can.

    Raises:
        IrrepMismatchError: If the two layers are for different types.

    Cost:
        No products; one pass over memory.

    Examples:
        >>> from irrepnet import groups, nn
        >>> from irrepnet.types import FeatureType
        >>> X = FeatureType.regular(groups.octic(), 16)
        >>> step = ResidualNorm(nn.IsotypicLayerNorm(X), nn.LayerScale(X))
        >>> total, normed = step(torch.ones(3, 16), torch.ones(3, 16))
        >>> total.shape, normed.shape
        (torch.Size([3, 16]), torch.Size([3, 16]))
    """

    def __init__(self, norm: IsotypicLayerNorm, scale: LayerScale | None = None) -> None:
        super().__init__()
        if scale is not None and scale.feature_type != norm.feature_type:
            raise IrrepMismatchError(
                f"LayerScale is for {scale.feature_type} over {scale.feature_type.group.name}, the "
                f"norm for {norm.feature_type} over {norm.feature_type.group.name}: expected one "
                f"type."
            )
        self.norm, self.scale = norm, scale
        plan = norm_plan(norm)
        self.why_not = why_no_norm(plan)
        self._plan = None if self.why_not else plan.key

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The sum and its norm, along the last axis.

        Args:
            x: The residual stream.
            y: What is added to it, of the same shape.
        """
        if self._plan is None or not self._served(x, y):
            return self.twin(x, y)
        dim = self.norm.dim
        total, out = torch.ops.irrepnet.residual_norm(
            x.reshape(-1, dim),
            y.reshape(-1, dim),
            None if self.scale is None else self.scale.channels(),
            self.norm.channels() if self.norm.affine else None,
            None if self.norm.bias is None else invariant_channels(self.norm.bias, dim),
            self._plan,
        )
        return total.view(x.shape), out.view(x.shape)

    def twin(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The same by the layers themselves."""
        total = x + (y if self.scale is None else self.scale(y))
        return total, self.norm(total)

    def _served(self, x: Tensor, y: Tensor) -> bool:
        """Whether the kernel gives the dtypes that the layers would give."""
        narrow = y.dtype in DTYPES and torch.promote_types(x.dtype, y.dtype) == x.dtype
        alike = all(p.dtype == x.dtype for p in self.parameters())
        # Autocast norms in float32 on GPUs.
        plain = autocast_dtype(x) is None or x.dtype == torch.float32
        fits = x.shape == y.shape and x.shape[-1] == self.norm.dim and y.device == x.device
        return x.dtype in DTYPES and narrow and alike and plain and fits and serves(x)

    def extra_repr(self) -> str:
        """Why the layers run by themselves, where they do."""
        return "" if self.why_not is None else f"no kernel: {self.why_not}"
