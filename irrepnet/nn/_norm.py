"""`IsotypicLayerNorm`: LayerNorm for typed channels, with one joint scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from irrepnet.nn import _operators as operators
from irrepnet.nn._copies import CopyScale, invariant_channels
from irrepnet.nn._dense import DenseRMSNorm, linear
from irrepnet.nn._eager import autocast_dtype, is_plain, row_parts, without_autocast
from irrepnet.nn._layer import Layer
from irrepnet.nn._operators import Registered, takes_kernels
from irrepnet.nn._shapes import check_channels
from irrepnet.nn._step import differentiable_gradients
from irrepnet.nn.native import TypedNorm
from irrepnet.types import FeatureType, check_eps, check_norm


class IsotypicLayerNorm(CopyScale, Layer):
    """Centre, divide by one joint deviation, scale each copy, add an invariant bias.

    One scale for all irreps commutes with the group because the representation is orthogonal.

    Parameters are `weight_<irrep>` `(multiplicity,)` and `bias` `(multiplicity of trivial,)`.

    Args:
        feature_type: Type of the channels.
        centring: `"every_irrep"` subtracts, from every component of every irrep, its mean over the
            copies (the papers' choice; needs two copies); `"invariant"` does so for the trivial
            irrep only; `"none"` does not.
        weighting: How channels enter the variance: `"share"`, each channel alike; `"irrep"`,
            the sum over irreps of the mean over components and copies, divided by the group's
            order (the octic paper's choice).
        eps: Added to the sum of the variances before it is divided by the group's order, as in the
            papers; the variance itself is thus biased by `eps / |G|`.
        affine: Whether to scale and shift.
        centred_input: Whether the input is known to have mean zero over the copies of every
            component already.
        bias: Whether to shift.
        device: Where the parameters live.
        dtype: Their dtype.

    Raises:
        SpecError: If `centring` or `weighting` is unknown.
        FeatureTypeError: If `"every_irrep"` meets an irrep with a single copy.

    Cost:
        No products; one pass for the norm and one for centring.

    References:
        Ba, Kiros, Hinton, *Layer Normalization* (arXiv 1607.06450); Flopping for FLOPs, LayerNorm.

    Examples:
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.flop(), "4*sym + 4*asym")
        >>> norm = IsotypicLayerNorm(X)
        >>> round(norm(torch.randn(100, 8)).square().mean().item(), 2)
        1.0
    """

    def __init__(
        self,
        feature_type: FeatureType,
        centring: str = "every_irrep",
        weighting: str = "share",
        eps: float = 1e-6,
        affine: bool = True,
        centred_input: bool = False,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_norm(feature_type, centring, weighting)
        check_eps(eps)
        empty = FeatureType(feature_type.group, "0")
        super().__init__(feature_type if affine else empty, 1.0, device, dtype)
        self.feature_type, self.centring, self.weighting = feature_type, centring, weighting
        self.affine, self.dim = affine, feature_type.dim
        self.eps = eps / feature_type.group.order
        invariants = feature_type.num_invariants if affine and bias else 0
        zeros = torch.zeros(invariants, device=device, dtype=dtype)
        self.bias = nn.Parameter(zeros) if invariants else None
        self._runs = _runs(feature_type, centring, weighting)
        # Slots of mean zero have joint mean zero, so one native LayerNorm does the rest; a single
        # slot it centres by itself.
        self._native = centring == "every_irrep" and weighting == "share"
        single = len(self._runs) == self._runs[0].slots == 1
        self._centres_itself = centred_input or (self._native and single)
        self._compiled = TypedNorm(*self._slots(), self.eps)
        self._plan = Registered(self._compiled)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Normalise along the last axis."""
        check_channels(x, self.feature_type, self.dim)
        weight = self.channels() if self.affine else None
        bias = None if self.bias is None else invariant_channels(self.bias, self.dim)
        compiled = self._native and is_plain(x) and self._compiled.serves(x)
        if compiled or (self._native and not self._centres_itself and _one_step(x)):
            return _Step.apply(x, weight, bias, self)  # type: ignore[return-value]
        if self._native and not self._centres_itself and takes_kernels(x):
            return operators.typed_norm(x, weight, bias, self._plan.key)
        # Torch's own norm alone: a compiler fuses it with the skip connection before it. Measured
        # on frozen ViT-S: 392 to 390 ms in float32, 134.5 to 132.6 ms in bfloat16.
        return self.build(x, weight, bias)

    def _slots(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """First channel and width of all that is centred; one slot where the norm does it."""
        if self._centres_itself:
            return (0,), (self.dim,)
        slots = [
            (run.start + k * run.width, run.width) for run in self._runs for k in range(run.slots)
        ]
        starts, widths = zip(*slots, strict=True)
        return starts, widths

    def build(self, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """The norm out of operations that autograd and tracers know."""
        x = x if self._centres_itself else self._centre(x)
        if self._native:
            return F.layer_norm(x, (self.dim,), weight, bias, self.eps)
        x = x * torch.rsqrt(self._variance(x) + self.eps).to(x.dtype)
        x = x if weight is None else x * weight
        return x if bias is None else x + bias

    def _centre(self, x: Tensor) -> Tensor:
        """Subtract from each centred slot its mean over the copies."""
        if not any(run.centred for run in self._runs):
            return x
        parts = []
        for run in self._runs:
            part = x[..., run.start : run.stop]
            if run.centred:
                slots = part.unflatten(-1, (run.slots, run.width))
                part = (slots - slots.mean(-1, keepdim=True)).flatten(-2)
            parts.append(part)
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)

    def write(
        self, x: Tensor, weight: Tensor | None, bias: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """The native norm of centred rows in one pass over memory, without autograd.

        Args:
            x: Its input.
            weight: Factor of each channel.
            bias: Shift of each channel.

        Returns:
            The output; and mean and reciprocal deviation of each row, which `gradients` takes,
            unless a kernel compiled for this machine serves, which makes them again.
        """
        if self._compiled.serves(x):
            return self._compiled.forward(x, weight, bias), None, None
        return self._by_torch(x, weight, bias)

    def _by_torch(
        self, x: Tensor, weight: Tensor | None, bias: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        out, mean, scale = torch.empty_like(x, memory_format=torch.contiguous_format), [], []
        for part, target in row_parts(x.reshape(-1, self.dim), out.view(-1, self.dim)):
            done, *rows = torch.native_layer_norm(
                self._centre(part), (self.dim,), weight, bias, self.eps
            )
            target.copy_(done)
            mean.append(rows[0])
            scale.append(rows[1])
        return out, torch.cat(mean), torch.cat(scale)

    def gradients(
        self, x: Tensor, gradient: Tensor, saved: Sequence[Any], wanted: tuple[bool, bool, bool]
    ) -> tuple[Tensor | None, ...]:
        """What goes back to the input, the factors and the shifts; no autograd.

        Args:
            x: The input.
            gradient: What comes back to the output.
            saved: Factors, shifts, and what `write` gave besides the output.
            wanted: Which of the three are.
        """
        weight, bias, mean, scale = saved
        gradient = gradient.resolve_neg()
        if mean is None and not self._compiled.serves(x, gradient):
            _, mean, scale = self._by_torch(x, weight, bias)
        if mean is None:
            into, to_weight, to_bias = self._compiled.backward(x, gradient, weight, wanted[1:])
            # Factors and shifts may be of another dtype than the rows.
            to_weight = to_weight if to_weight is None else to_weight.to(weight.dtype)
            return into, to_weight, to_bias if to_bias is None else to_bias.to(bias.dtype)
        into = gradient.new_empty(x.shape)  # of its class: what has no memory gives no numbers
        rows = (t.reshape(-1, self.dim) for t in (x, gradient, into))
        factors, shifts = [], []
        for part, back, target, m, r in row_parts(*rows, mean, scale):
            to_x, to_weight, to_bias = torch.ops.aten.native_layer_norm_backward(
                back, self._centre(part), (self.dim,), m, r, weight, bias, list(wanted)
            )
            target.copy_(self._centre(to_x))
            factors.append(to_weight)
            shifts.append(to_bias)
        return (
            into,
            torch.stack(factors).sum(0) if wanted[1] else None,
            torch.stack(shifts).sum(0) if wanted[2] else None,
        )

    def _variance(self, x: Tensor) -> Tensor:
        """Weighted sum of squares over the channels, in float32 at least."""
        x = x if x.dtype == torch.float64 else x.float()
        if self.weighting == "share":
            return x.square().mean(-1, keepdim=True)
        squares = [
            run.share * x[..., run.start : run.stop].square().sum(-1, keepdim=True)
            for run in self._runs
        ]
        return torch.stack(squares).sum(0)

    def _dense(self) -> nn.Sequential:
        centre, shares = np.eye(self.dim), np.empty(self.dim)
        for run in self._runs:
            shares[run.start : run.stop] = run.share
            if run.centred:
                mean = np.kron(np.eye(run.slots), np.full((run.width, run.width), 1 / run.width))
                centre[run.start : run.stop, run.start : run.stop] -= mean
        weight = self.channels() if self.affine else None
        bias = None if self.bias is None else invariant_channels(self.bias, self.dim)
        return nn.Sequential(linear(centre), DenseRMSNorm(shares, self.eps, weight, bias))

    def extra_repr(self) -> str:
        """Type and choices."""
        return (
            f"{self.feature_type}, centring={self.centring!r}, weighting={self.weighting!r}, "
            f"eps={self.eps * self.feature_type.group.order:g}"
        )


class _Step(torch.autograd.Function):
    """Centring and native norm as one step of autograd that keeps its input only."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, norm: IsotypicLayerNorm
    ) -> Tensor:
        ctx.norm = norm
        with without_autocast(x):
            out, mean, scale = norm.write(x, weight, bias)
        ctx.save_for_backward(x, weight, bias, mean, scale)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, *saved = ctx.saved_tensors
        with without_autocast(x):
            if not torch.is_grad_enabled():
                wanted = (True, *ctx.needs_input_grad[1:3])
                return *ctx.norm.gradients(x, *gradients, saved, wanted), None
            # A derivative of the derivative is wanted.
            inputs = (x, *saved[:2])
            return *differentiable_gradients(ctx.norm.build, inputs, *gradients), None


def _one_step(x: Tensor) -> bool:
    """Whether autograd's own step may serve; on GPUs autocast norms in float32."""
    return is_plain(x) and (x.device.type == "cpu" or autocast_dtype(x) is None)


@dataclass(frozen=True)
class _Run:
    """Neighbouring slots (an irrep's component each) that are treated alike.

    Attributes:
        start: First channel.
        slots: Number of slots.
        width: Copies in each slot.
        centred: Whether each slot's mean is subtracted.
        share: Weight of each channel's square in the joint variance.
    """

    start: int
    slots: int
    width: int
    centred: bool
    share: float

    @property
    def stop(self) -> int:
        """First channel after the run."""
        return self.start + self.slots * self.width


def _runs(feature_type: FeatureType, centring: str, weighting: str) -> tuple[_Run, ...]:
    runs: list[_Run] = []
    for b in feature_type.blocks:
        centred = centring == "every_irrep" or (centring == "invariant" and b.irrep.index == 0)
        channels = feature_type.dim if weighting == "share" else feature_type.group.order * b.width
        run = _Run(b.start, b.irrep.dim, b.multiplicity, centred, 1 / channels)
        if runs and replace(runs[-1], start=b.start, slots=b.irrep.dim) == run:
            last = runs.pop()
            run = replace(last, slots=last.slots + run.slots)
        runs.append(run)
    return tuple(runs)
