"""`GSetActivation`: a pointwise function applied where the group permutes the channels."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet.actions import PointAction
from irrepnet.nn import _operators as operators
from irrepnet.nn._dense import linear
from irrepnet.nn._eager import is_plain, without_autocast, writes_in_place
from irrepnet.nn._functions import Pointwise
from irrepnet.nn._gset_basis import GSetBasis
from irrepnet.nn._layer import Layer
from irrepnet.nn._operators import Registered, takes_kernels
from irrepnet.nn._shapes import check_channels
from irrepnet.nn._step import differentiable_gradients
from irrepnet.nn._two_axis import TokenBias
from irrepnet.nn.native import Shift
from irrepnet.types import ACTIVATION_BASES, GSetType, check_choice


class GSetActivation(Layer):
    """`f` between two changes of basis: irreps to points, `f`, points to irreps.

    Args:
        gset: The points; any function of one variable commutes with permuting them.
        function: One of `FUNCTIONS`.
        enter: Basis of the input, `"irreps"` or `"points"`.
        leave: Basis of the output.
        normalised: Whether changes of basis between two points have their factor `sqrt(1/2)`.
        overwrite: Whether plain inference may write the result over the input.
        points: If given, a `TokenBias` on these tokens, called `bias`, is added first.
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
        overwrite: bool = False,
        points: PointAction | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.basis = GSetBasis(gset, device, dtype, normalised)
        self.pointwise = Pointwise(function)
        for side in (enter, leave):
            check_choice("basis", side, ACTIVATION_BASES)
        self.enter, self.leave = enter, leave
        self.overwrite = overwrite
        self._both = enter == leave == "irreps"
        self._plan = Registered(self.basis.compiled)
        self.bias = None
        if points is not None:
            self.bias = TokenBias(gset.feature_type, points, device, dtype, overwrite)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Apply the function to every point, for features in irreps along the last axis."""
        check_channels(x, self.basis.gset.feature_type, self.basis.dim)
        return self._activate(x) if self.bias is None else self._shift_and_activate(x, self.bias)

    def _shift_and_activate(self, x: Tensor, bias: TokenBias) -> Tensor:
        """One pass by a kernel, or one layer after the other."""
        name, compiled = self.pointwise.function, self.basis.compiled
        vectors, repeat = bias.vectors(x)
        if self._both and writes_in_place(x) and compiled.serves(name, x, vectors, shifted=True):
            over = self.overwrite and x.is_contiguous()
            out = x if over else torch.empty_like(x, memory_format=torch.contiguous_format)
            compiled.write(name, out, x, shift=Shift(vectors, repeat))
            return out
        if self._both and takes_kernels(x) and compiled.fits(name):
            return self._operator(x, vectors, repeat)
        return self._activate(bias.add(x, vectors, repeat))

    def _activate(self, x: Tensor) -> Tensor:
        if writes_in_place(x) and (self._both or self.basis.is_identity):
            return self.write(x, x if self.overwrite and x.is_contiguous() else None)
        name, moves = self.pointwise.function, not self.basis.is_identity
        if self._both and is_plain(x) and (moves or self.basis.compiled.serves(name, x)):
            return _Recomputed.apply(x, self)
        if self._both and takes_kernels(x) and self.basis.compiled.fits(name):
            return self._operator(x)
        if not moves:
            return self.pointwise(x)
        points = x if self.enter == "points" else self.basis.to_points(x)
        points = self.pointwise(points)
        return points if self.leave == "points" else self.basis.to_irreps(points)

    def _operator(self, x: Tensor, shift: Tensor | None = None, repeat: int = 1) -> Tensor:
        arguments = x, self.pointwise.function, self._plan.key, shift, repeat
        if not self.overwrite:
            return operators.conjugate(*arguments)
        operators.conjugate_(*arguments)
        return x

    def build(self, x: Tensor) -> Tensor:
        """The activation out of operations that autograd knows, from irreps to irreps."""
        return self.basis.to_irreps(self.pointwise(self.basis.to_points(x)))

    def write(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The layer from irreps to irreps without autograd, in one pass over memory.

        Args:
            x: Its input.
            out: Where the result goes, contiguous; `x` itself, or by default a new tensor.
        """
        name = self.pointwise.function
        if self.basis.is_identity and not self.basis.compiled.serves(name, x):
            return self.pointwise(x) if out is None else self.pointwise.write_(out)
        out = torch.empty_like(x, memory_format=torch.contiguous_format) if out is None else out
        rows = out.view(-1, self.basis.dim), x.reshape(-1, self.basis.dim)
        self.basis.conjugate(self.pointwise, *rows)
        return out

    def write_gradient(self, x: Tensor, gradient: Tensor) -> Tensor:
        """What goes back through the layer, from its input: points are computed again."""
        out = gradient.new_empty(x.shape)  # of its class: what has no memory gives no numbers
        rows = [t.reshape(-1, self.basis.dim) for t in (x, gradient)]
        self.basis.conjugate(self.pointwise, out.view(-1, self.basis.dim), *rows)
        return out

    def _dense(self) -> nn.Sequential:
        matrix = self.basis.matrix()
        before: tuple[nn.Module, ...] = () if self.bias is None else (self.bias._dense(),)
        if self.enter == "irreps":
            before = (*before, linear(matrix.T))
        after = () if self.leave == "points" else (linear(matrix),)
        return nn.Sequential(*before, Pointwise(self.pointwise.function), *after)


class _Recomputed(torch.autograd.Function):
    """The activation as one step of autograd that keeps its input only.

    With `B` the orthogonal change to points, `y = B^T f(B x)` and `dx = B^T (f'(B x) * B dy)`.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: GSetActivation) -> Tensor:
        ctx.save_for_backward(x)
        ctx.layer = layer
        with without_autocast(x):
            return layer.write(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x,), (gradient,) = ctx.saved_tensors, gradients
        with without_autocast(x):
            if not torch.is_grad_enabled():
                return ctx.layer.write_gradient(x, gradient), None
            # A derivative of the derivative is wanted.
            return *differentiable_gradients(ctx.layer.build, (x,), gradient), None


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
