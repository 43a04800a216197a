"""Functions of one variable that activations apply, by name: plain, in place, and their slopes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from irrepnet._errors import ActivationError

aten = torch.ops.aten


def quick_gelu(x: Tensor) -> Tensor:
    """`x * sigmoid(1.702 x)`, the GELU of the flopping ResMLP."""
    return x * torch.sigmoid(1.702 * x)


def _quick_gelu_gradient(gradient: Tensor, x: Tensor) -> Tensor:
    gate = torch.sigmoid(1.702 * x)
    return gradient * gate * (1 + 1.702 * x * (1 - gate))


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
#: Those that can overwrite their input.
_IN_PLACE: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": aten.gelu_,
    "relu": torch.relu_,
    "silu": aten.silu_,
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
    "sin": torch.sin_,
    "abs": torch.abs_,
}
#: What goes back to the input, from what comes back to the output and the input.
_GRADIENTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "gelu": aten.gelu_backward,
    "quick_gelu": _quick_gelu_gradient,
    "relu": lambda gradient, x: aten.threshold_backward(gradient, x, 0),
    "silu": aten.silu_backward,
    "sigmoid": lambda gradient, x: aten.sigmoid_backward(gradient, torch.sigmoid(x)),
    "tanh": lambda gradient, x: aten.tanh_backward(gradient, torch.tanh(x)),
    "sin": lambda gradient, x: gradient * torch.cos(x),
    "softshrink": lambda gradient, x: aten.softshrink_backward(gradient, x, 0.5),
    "abs": lambda gradient, x: gradient * torch.sgn(x),
    "square": lambda gradient, x: gradient * (2 * x),
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

    def write_(self, x: Tensor) -> Tensor:
        """The same in place, without autograd."""
        overwrite = _IN_PLACE.get(self.function)
        return x.copy_(self(x)) if overwrite is None else overwrite(x)

    def gradient(self, x: Tensor, gradient: Tensor) -> Tensor:
        """What goes back to `x`, without autograd.

        Args:
            x: The input.
            gradient: What comes back to the output.
        """
        return _GRADIENTS[self.function](gradient, x)

    def extra_repr(self) -> str:
        """The function's name."""
        return self.function
