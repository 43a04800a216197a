"""The same results out of loops and formulas in float64."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from irrepnet.nn.native import Conjugation
from irrepnet.types import Run


def _normal(x: Tensor) -> Tensor:
    return 0.5 * torch.erfc(-x / math.sqrt(2))


def _sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-x))


def _step(x: Tensor) -> Tensor:
    return torch.where(x > 0, 1.0, 0.0).to(x.dtype)


#: Functions and slopes from their definitions, at finite numbers.
VALUES: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "gelu": lambda x: x * _normal(x),
    "quick_gelu": lambda x: x * _sigmoid(1.702 * x),
    "relu": lambda x: x * _step(x),
    "silu": lambda x: x * _sigmoid(x),
}
SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "none": torch.ones_like,
    "gelu": lambda x: _normal(x) + x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    "quick_gelu": lambda x: (
        _sigmoid(1.702 * x) + 1.702 * x * _sigmoid(1.702 * x) * _sigmoid(-1.702 * x)
    ),
    "relu": _step,
    "silu": lambda x: _sigmoid(x) + x * _sigmoid(x) * _sigmoid(-x),
}


def rows_of(matrix: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(v) for v in row) for row in matrix)


def between_irreps(run: Run) -> Conjugation:
    """From irreps to a run's points, the function, and back."""
    return Conjugation(rows_of(run.matrix.T), rows_of(run.matrix), run.count, run.slots, run.slots)


def conjugated(
    kernel: Conjugation, function: str, out: Tensor, x: Tensor, gradient: Tensor | None = None
) -> Tensor:
    """`out` in float64 after the kernel's work, copy by copy."""
    out, x = out.double(), x.double()
    enter, leave = np.array(kernel.enter), np.array(kernel.leave)
    for c in range(kernel.copies):
        sources = [first + c for first in kernel.sources]
        points = x[:, sources] @ torch.tensor(enter).T
        if gradient is None:
            points = VALUES[function](points)
        else:
            back = gradient.double()[:, sources] @ torch.tensor(enter).T
            points = SLOPES[function](points) * back
        for row, first in zip(leave, kernel.targets, strict=True):
            out[:, first + c] = points @ torch.tensor(row)
    return out


def assert_rounded(got: Tensor, expected: Tensor, absolute: float = 4e-6) -> None:
    """`got` is `expected` computed in float32 and rounded once to the dtype of `got`.

    Args:
        got: A kernel's result.
        expected: The same in float64.
        absolute: What float32 explains, for numbers of order one.
    """
    assert got.shape == expected.shape
    assert expected.dtype == torch.float64
    half_a_bit = {torch.bfloat16: 2**-8, torch.float32: 0.0}[got.dtype]
    error = (got.double() - expected).abs() - half_a_bit * expected.abs()
    size = max(1.0, expected.abs().max().item()) if expected.numel() else 1.0
    assert torch.isfinite(got).all()
    assert (error <= absolute * size).all(), f"off by {error.max().item():.1e}"
