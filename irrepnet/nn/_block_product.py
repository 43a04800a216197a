"""`BlockProduct`: the products of an intertwiner, written straight into slices of the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from irrepnet.nn import _operators as operators
from irrepnet.nn._block_map import BlockMap, Call, Span
from irrepnet.nn._copies import invariant_channels
from irrepnet.nn._eager import autocast_dtype, is_plain, without_autocast, writes_in_place
from irrepnet.nn._operators import Registered, takes_operators
from irrepnet.nn._prepacked import multiply_packed
from irrepnet.nn._step import differentiable_gradients

Weights = Sequence[Tensor]


class BlockProduct:
    """How the blocks of an intertwiner are multiplied; it holds no weights.

    Its weights are one for each call: a real matrix `(out, in)`, packed or not (see `Packed`), or
    a stack `(products, out, in)`; and then a matrix for each block in `mixed`.

    Args:
        in_dim: Input channels.
        out_dim: Output channels.
        maps: The output blocks.
        calls: What each call multiplies.

    Attributes:
        mixed: Blocks of complex or quaternionic type with several components for each commutant
            direction, which take a transpose.
    """

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        maps: tuple[BlockMap, ...],
        calls: tuple[Call, ...],
    ) -> None:
        self.out_dim, self._calls = out_dim, calls
        self._arguments = in_dim, out_dim, maps, calls
        self._plan = Registered(self)
        called = {block.name for call in calls for block in call.blocks}
        apart = [block for block in maps if block.name not in called]
        self.mixed = tuple(block for block in apart if block.reached)
        self._unreached = tuple(block for block in apart if not block.reached)
        read = [source for call in calls for source, _ in call.spans]
        self._unread = _gaps([*read, *(block.source for block in self.mixed)], in_dim)

    def __repr__(self) -> str:
        return f"BlockProduct{self._arguments}"

    def __reduce__(self) -> tuple[Any, ...]:
        return BlockProduct, self._arguments

    @property
    def flops(self) -> int:
        """FLOPs of a row: `2 * out * in` for each product (1 MAC = 2 FLOPs)."""
        products = sum(call.flops for call in self._calls)
        return products + sum(block.flops for block in self.mixed)

    def __call__(self, x: Tensor, bias: Tensor | None, weights: Weights) -> Tensor:
        """The map: `(rows, in_dim)` to `(rows, out_dim)`.

        Args:
            x: Its input.
            bias: Added to the copies of the trivial irrep.
            weights: As described above.
        """
        if writes_in_place(x):
            return self.write(x, bias, weights)
        if takes_operators(x):
            return operators.block_product(x, bias, list(weights), self.out_dim, self._plan.key)
        if not is_plain(x):
            return self.build(x, bias, weights)
        dtype = autocast_dtype(x)
        if dtype is not None and x.dtype != torch.float64:
            x, weights = x.to(dtype), [w.to(dtype) for w in weights]
            bias = None if bias is None else bias.to(dtype)
        with without_autocast(x):
            return _Step.apply(x, bias, self, *weights)  # type: ignore[return-value]

    def write(self, x: Tensor, bias: Tensor | None, weights: Weights) -> Tensor:
        """The map without autograd: no copy, no concatenation."""
        out = x.new_empty(x.shape[0], self.out_dim)
        for block in self._unreached:
            part = out[:, slice(*block.target)]
            part.copy_(bias) if block.invariant and bias is not None else part.zero_()
        for call, weight in zip(self._calls, weights, strict=False):
            source, target = _stacked(x, call, 0), _stacked(out, call, 1)
            shift = _shift(bias, call)
            if weight.is_mkldnn:
                made = multiply_packed(source, weight, shift)
                if made.shape == out.shape:
                    return made
                target.copy_(made)
                continue
            if shift is not None and len(call.spans) == 1:
                torch.addmm(shift, source, weight.mT, out=target)
                continue
            _multiply(source, weight.mT, target)
            if shift is not None:
                target[0] += shift
        for block, weight in zip(self.mixed, weights[len(self._calls) :], strict=True):
            product = _gathered(x, block, 0) @ weight.mT
            out[:, slice(*block.target)] = _scattered(product, block, 1)
        return out

    def gradients(
        self, x: Tensor, gradient: Tensor, weights: Weights, wanted: Sequence[bool]
    ) -> list[Tensor | None]:
        """What goes back to the input and to each of the weights, where wanted; no autograd."""
        into = x.new_empty(x.shape) if wanted[0] else None
        if into is not None:
            for first, last in self._unread:
                into[:, first:last].zero_()
        found: list[Tensor | None] = []
        for call, weight, wants in zip(self._calls, weights, wanted[1:], strict=False):
            back = _stacked(gradient, call, 1)
            if into is not None:
                _multiply(back, weight, _stacked(into, call, 0))
            found.append(back.mT @ _stacked(x, call, 0) if wants else None)
        late = len(self._calls)
        for block, weight, wants in zip(
            self.mixed, weights[late:], wanted[1 + late :], strict=True
        ):
            back = _gathered(gradient, block, 1)
            if into is not None:
                into[:, slice(*block.source)] = _scattered(back @ weight, block, 0)
            found.append(back.mT @ _gathered(x, block, 0) if wants else None)
        return [into, *found]

    def build(self, x: Tensor, bias: Tensor | None, weights: Weights) -> Tensor:
        """The map out of operations that tracers, transforms and autocast know."""
        parts: list[tuple[int, Tensor]] = []
        for block in self._unreached:
            shape = (x.shape[0], block.target[1] - block.target[0])
            filled = block.invariant and bias is not None
            part = bias.to(x).expand(shape) if filled and bias is not None else x.new_zeros(shape)
            parts.append((block.target[0], part))
        for call, weight in zip(self._calls, weights, strict=False):
            source = _stacked(x, call, 0)
            shift = _shift(bias, call)
            if len(call.spans) == 1:
                parts.append((call.spans[0][1][0], F.linear(source, weight, shift)))
                continue
            planes = torch.bmm(source, weight.mT).unbind(0)
            if shift is not None:
                planes = (planes[0] + shift.to(planes[0].dtype), *planes[1:])
            targets = (target[0] for _, target in call.spans)
            parts += zip(targets, planes, strict=True)
        for block, weight in zip(self.mixed, weights[len(self._calls) :], strict=True):
            product = F.linear(_gathered(x, block, 0), weight)
            parts.append((block.target[0], _scattered(product, block, 1)))
        ordered = [part for _, part in sorted(parts, key=lambda pair: pair[0])]
        if len(ordered) == 1:
            return ordered[0]
        return torch.cat([part.to(ordered[0].dtype) for part in ordered], dim=-1)

    def bias_gradient(self, gradient: Tensor, bias: Tensor) -> Tensor:
        """What goes back to the bias: the trivial irrep is the first block."""
        return gradient[:, : len(bias)].sum(0)


class _Step(torch.autograd.Function):
    """The map as one step of autograd; gradients are written into slices as well."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, bias: Tensor | None, product: BlockProduct, *weights: Tensor
    ) -> Tensor:
        ctx.save_for_backward(x, bias, *weights)
        ctx.product = product
        return product.write(x, bias, weights)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x, bias, *weights), (gradient,) = ctx.saved_tensors, gradients
        wants_x, wants_bias, _, *wanted = ctx.needs_input_grad
        with without_autocast(x):
            if torch.is_grad_enabled():  # a derivative of the derivative is wanted
                build = ctx.product.build
                inputs = (x, bias, *weights)
                into, shift, *found = differentiable_gradients(
                    lambda x, bias, *weights: build(x, bias, weights), inputs, gradient
                )
                return into, shift, None, *found
            into, *found = ctx.product.gradients(x, gradient, weights, (wants_x, *wanted))
            shift = ctx.product.bias_gradient(gradient, bias) if wants_bias else None
        return into, shift, None, *found


def _shift(bias: Tensor | None, call: Call) -> Tensor | None:
    """The bias of a call's first product."""
    if bias is None or not call.invariant:
        return None
    return invariant_channels(bias, call.spans[0][1][1])


def _stacked(x: Tensor, call: Call, side: int) -> Tensor:
    """A view of the columns of a call: `(rows, width)`, or `(products, rows, width)`."""
    spans = [pair[side] for pair in call.spans]
    columns = x[:, spans[0][0] : spans[-1][1]]
    if len(spans) == 1:
        return columns
    return columns.unflatten(-1, (len(spans), -1)).transpose(0, 1)


def _multiply(a: Tensor, b: Tensor, out: Tensor) -> None:
    (torch.mm if a.ndim == 2 else torch.bmm)(a, b, out=out)


def _gathered(x: Tensor, block: BlockMap, side: int) -> Tensor:
    """A mixed block's channels with components as rows: `(rows * components, end_dim * m)`."""
    e, size, copies = block.end_dim, block.components, block.copies[side]
    part = x[:, slice(*(block.source, block.target)[side])].unflatten(-1, (e, size, copies))
    return part.transpose(1, 2).flatten(0, 1).flatten(1)


def _scattered(x: Tensor, block: BlockMap, side: int) -> Tensor:
    """The inverse of `_gathered`: `(rows, dim * m)`."""
    e, size, copies = block.end_dim, block.components, block.copies[side]
    return x.view(-1, size, e, copies).transpose(1, 2).flatten(1)


def _gaps(spans: Sequence[Span], width: int) -> tuple[Span, ...]:
    """Channels of `width` that no span covers."""
    gaps, last = [], 0
    for first, after in (*sorted(spans), (width, width)):
        if first > last:
            gaps.append((last, first))
        last = max(last, after)
    return tuple(gaps)
