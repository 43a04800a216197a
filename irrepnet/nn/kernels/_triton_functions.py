"""Pointwise functions and their derivatives, in float32 registers.

Imported only where a kernel runs: the import of Triton itself is optional.
"""

import inspect
from collections.abc import Callable
from typing import Any

import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]


def jit(function: Callable[..., Any]) -> Any:
    """`triton.jit` of what was written: where tests check shapes, they wrap every function."""
    return triton.jit(inspect.unwrap(function))


@jit
def apply(x, FUNCTION: tl.constexpr):
    """`f(x)` for the function of that name."""
    tl.static_assert(
        FUNCTION == "gelu" or FUNCTION == "quick_gelu" or FUNCTION == "relu" or FUNCTION == "silu"
    )
    if FUNCTION == "gelu":
        y = 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))
    elif FUNCTION == "quick_gelu":
        y = x * tl.sigmoid(1.702 * x)
    elif FUNCTION == "relu":
        y = tl.where(x < 0, 0.0, x)  # and not a number stays what it is
    else:
        y = x * tl.sigmoid(x)
    return y


@jit
def derivative(x, FUNCTION: tl.constexpr):
    """`f'(x)` for the function of that name; 0 at the corner of relu, as in torch."""
    if FUNCTION == "gelu":
        density = 0.3989422804014327 * tl.exp(-0.5 * x * x)
        y = 0.5 * (1.0 + tl.erf(x * 0.7071067811865476)) + x * density
    elif FUNCTION == "quick_gelu":
        s = tl.sigmoid(1.702 * x)
        y = s + 1.702 * x * s * (1.0 - s)
    elif FUNCTION == "relu":
        y = tl.where(x > 0, 1.0, 0.0)
    else:
        s = tl.sigmoid(x)
        y = s + x * s * (1.0 - s)
    return y
