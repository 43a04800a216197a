"""`IsotypicAttention`: heads that hold sub-representations, with invariant logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, cat
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812

from irrepnet.nn import _operators as operators
from irrepnet.nn._attend import is_explicit
from irrepnet.nn._dense import DenseAttention
from irrepnet.nn._eager import is_plain, without_autocast, writes_in_place
from irrepnet.nn._head_layout import HeadLayout
from irrepnet.nn._layer import Layer
from irrepnet.nn._operators import Registered, takes_kernels, takes_operators
from irrepnet.nn._shapes import check_axes, check_channels
from irrepnet.types import FeatureType, check_rate, head_type


class IsotypicAttention(Layer):
    """Scaled dot-product attention between tokens, each head on its own copies of every irrep.

    Query and key meet in an inner product of an orthogonal representation, which is invariant, so
    the attention weights are the same for `g x` up to the permutation of tokens.

    Args:
        feature_type: Type of the output, and of query, key and value each.
        heads: Number of heads; each takes an equal share of the copies of every irrep.
        dropout: Probability of dropping an attention weight in training. The mask is drawn for
            each weight, so a single draw is not equivariant; its distribution is.

    Raises:
        HeadsError: If the type does not split evenly.

    Cost:
        `4 tokens^2 dim` FLOPs an image (two products), plus the softmax.

    References:
        Flopping for FLOPs (arXiv 2502.05169), sec. on attention; Vaswani et al. (arXiv 1706.03762).

    Examples:
        >>> import torch
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.flop(), "4*sym + 4*asym")
        >>> IsotypicAttention(X, heads=2)(torch.ones(1, 5, 24)).shape
        torch.Size([1, 5, 8])
    """

    def __init__(self, feature_type: FeatureType, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        check_rate(dropout, "dropout=")
        head_type(feature_type, heads)
        self.feature_type, self.heads, self.dropout = feature_type, heads, dropout
        self.in_type, self.dim = 3 * feature_type, feature_type.dim
        self._runs = _runs(feature_type)
        self.layout = HeadLayout.of(feature_type, heads)
        self._plan = Registered(self.layout)
        # A single component lies as heads want it.
        self._rearranges = len(self.layout.components) > 1

    def forward(
        self, x: Float[Tensor, "batch tokens three_dim"]
    ) -> Float[Tensor, "batch tokens dim"]:
        """Attend.

        Args:
            x: Query, key and value as one tensor of type `3 * feature_type`: the first third of
                the copies of every irrep is the query, then the key, then the value; inside a
                third the head is outermost.

        Returns:
            The attended values, of type `feature_type`.
        """
        check_channels(x, self.in_type, 3 * self.dim)
        check_axes(x, "batch, tokens, channels")
        dropout = self.dropout if self.training else 0.0
        if dropout or x.device.type != "cpu" or not x.numel():
            return self.build(x, dropout)
        apart = self._rearranges or is_explicit(x, self.heads)
        if is_plain(x) and (apart or self.layout.compiled.serves(x)):
            if writes_in_place(x):
                return self.layout.attend(x)
            with without_autocast(x):
                return _Step.apply(x, self.layout)  # type: ignore[return-value]
        if takes_operators(x) and (apart or takes_kernels(x)):
            return operators.attention(x, self._plan.key)
        return self.build(x)

    def build(self, x: Tensor, dropout: float = 0.0) -> Tensor:
        """The layer out of operations that autograd and tracers know."""
        q, k, v = self._split(x)
        return self._merge(F.scaled_dot_product_attention(q, k, v, dropout_p=dropout))

    def _split(self, x: Tensor) -> tuple[Tensor, ...]:
        """Query, key and value, each `(batch, heads, tokens, head_dim)`."""
        parts = []
        sizes = [3 * slots * width for _, slots, width in self._runs]
        for part, (_, slots, width) in zip(x.split(sizes, dim=-1), self._runs, strict=True):
            part = part.unflatten(-1, (slots, 3, self.heads, width // self.heads))
            parts.append(part.permute(3, 0, 4, 1, 2, 5).flatten(-2))
        packed = parts[0] if len(parts) == 1 else cat(parts, dim=-1)
        return packed.unbind(0)

    def _merge(self, x: Tensor) -> Tensor:
        """From heads back to typed channels."""
        parts = []
        sizes = [slots * width // self.heads for _, slots, width in self._runs]
        for part, (_, slots, width) in zip(x.split(sizes, dim=-1), self._runs, strict=True):
            part = part.unflatten(-1, (slots, width // self.heads))
            parts.append(part.permute(0, 2, 3, 1, 4).flatten(2))
        return parts[0] if len(parts) == 1 else cat(parts, dim=-1)

    def _dense(self) -> DenseAttention:
        channels: list[list[list[int]]] = [[[] for _ in range(self.heads)] for _ in range(3)]
        for block in self.feature_type.blocks:
            m, share = block.multiplicity, block.multiplicity // self.heads
            for component in range(block.irrep.dim):
                for third in range(3):
                    for head in range(self.heads):
                        first = 3 * (block.start + component * m) + third * m + head * share
                        channels[third][head] += range(first, first + share)
        return DenseAttention(np.array(channels), self.dropout)

    def extra_repr(self) -> str:
        """Type and heads."""
        return f"{self.feature_type}, heads={self.heads}, dropout={self.dropout:g}"


class _Step(torch.autograd.Function):
    """Attention on a CPU as one step of autograd.

    It keeps query, key and value, and where torch's fused attention served its own output, which
    the map behind it keeps as well; out of torch's operations the heads would be kept too.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, layout: HeadLayout) -> Tensor:
        out, total = layout.attend_once(x)
        ctx.save_for_backward(x, None if total is None else out, total)
        ctx.layout = layout
        return out

    @staticmethod
    @once_differentiable  # as torch's own fused attention
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        (x, out, total), (gradient,) = ctx.saved_tensors, gradients
        with without_autocast(x):
            return ctx.layout.attend_back(x, gradient, out, total), None


def _runs(feature_type: FeatureType) -> tuple[tuple[int, int, int], ...]:
    """`(start, slots, width)`: neighbouring components of equal multiplicity."""
    runs: list[tuple[int, int, int]] = []
    for b in feature_type.blocks:
        if runs and runs[-1][2] == b.multiplicity:
            start, slots, width = runs.pop()
            runs.append((start, slots + b.irrep.dim, width))
        else:
            runs.append((b.start, b.irrep.dim, b.multiplicity))
    return tuple(runs)
