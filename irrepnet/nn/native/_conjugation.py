"""`Conjugation`: copies of a small transform, a pointwise function, and a transform back."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from irrepnet.nn._straight_line import StraightLine, straight_line
from irrepnet.nn.native._library import kernels, takes
from irrepnet.nn.native._places import places
from irrepnet.nn.native._rows import over_rows

#: Functions that `functions.h` knows; "none" is the identity.
FUNCTIONS = ("none", "gelu", "quick_gelu", "relu", "silu")
#: Larger transforms do not fit in registers: they are products.
LARGEST = 16
#: With fewer copies vectors are not filled.
FEWEST = 16

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Conjugation:
    """`y = B f(A x)` and what goes back through it, for `copies` copies of small `A` and `B`.

    A C compiler turns both transforms, as lists of additions, and the function into one loop: each
    number is read once and written once.

    Attributes:
        enter: `A`, as rows.
        leave: `B`, as rows.
        copies: Channels of each coordinate.
        sources: First channel of each coordinate of `x`.
        targets: The same for `y`.

    Cost:
        Two transforms (see `straight_line`) and one evaluation for each number; one pass.
    """

    enter: Matrix
    leave: Matrix
    copies: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]

    def fits(self, function: str) -> bool:
        """Whether there can be a kernel for a function."""
        few, filled = len(self.sources) <= LARGEST, self.copies >= FEWEST
        return few and filled and function in FUNCTIONS

    def serves(self, function: str, *tensors: Tensor) -> bool:
        """Whether there is a kernel for these tensors, `(rows, channels)` each."""
        return (
            self.fits(function)
            and takes(*tensors)
            and all(t.stride(-1) == 1 for t in tensors)
            and _kernel(self.enter, self.leave, function, tensors[0].dtype) is not None
        )

    def write(self, function: str, out: Tensor, x: Tensor, gradient: Tensor | None = None) -> None:
        """Write `B f(A x)`, or `B (f'(A x) * A gradient)`, into the targets of `out`.

        Args:
            function: One of `FUNCTIONS`.
            out: Of as many rows; may be an input where sources are targets.
            x: Of shape `(rows, channels)`.
            gradient: What comes back to the function's output.
        """
        kernel = _kernel(self.enter, self.leave, function, x.dtype)
        assert kernel is not None, "expected that `serves` was asked"
        tensors = [x, out] if gradient is None else [x, gradient, out]
        call = kernel.forward if gradient is None else kernel.backward
        strides = [t.stride(0) for t in tensors]
        size = x.element_size()
        channels = places(self.sources), places(self.targets)

        def run(first: int, last: int) -> None:
            # Of the tensors themselves: they live as long as a thread works on them.
            pointers = [t.data_ptr() + first * t.stride(0) * size for t in tensors]
            call(*pointers, *strides, last - first, self.copies, *channels)

        over_rows(run, len(x), len(self.sources) * self.copies)
        torch.autograd.graph.increment_version(out)


@dataclass(frozen=True)
class Conjugations:
    """Several of them that make up all channels.

    Attributes:
        runs: What happens to some channels each; none where there can be no kernels.
        dim: Number of channels.
    """

    runs: tuple[Conjugation, ...]
    dim: int

    def fits(self, function: str) -> bool:
        """Whether there can be kernels for a function."""
        return bool(self.runs) and all(run.fits(function) for run in self.runs)

    def serves(self, function: str, *tensors: Tensor) -> bool:
        """Whether there are kernels for these tensors, `(rows, dim)` each."""
        return bool(self.runs) and all(run.serves(function, *tensors) for run in self.runs)

    def write(self, function: str, out: Tensor, x: Tensor, gradient: Tensor | None = None) -> None:
        """Write `B f(A x)`, or `B (f'(A x) * A gradient)`, into `out`.

        Args:
            function: One of `FUNCTIONS`.
            out: Contiguous; may be an input where sources are targets.
            x: Of shape `(..., dim)`.
            gradient: What comes back to the function's output.
        """
        given = (x,) if gradient is None else (x, gradient)
        rows = [t.reshape(-1, self.dim) for t in given]
        for run in self.runs:
            run.write(function, out.view(-1, self.dim), *rows)


@functools.cache
def _kernel(enter: Matrix, leave: Matrix, function: str, dtype: torch.dtype) -> ctypes.CDLL | None:
    """The compiled library of two transforms and a function: `forward` and `backward`."""
    loaded = kernels(dtype, source(enter, leave, function))
    if loaded is None:
        return None
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    for name, tensors in (("forward", 2), ("backward", 3)):
        if hasattr(loaded, name):
            arguments = [pointer] * tensors + [number] * (tensors + 2) + [pointer] * 2
            call: Callable[..., None] = getattr(loaded, name)
            call.argtypes, call.restype = arguments, None  # type: ignore[attr-defined]
    return loaded


def source(enter: Matrix, leave: Matrix, function: str) -> str:
    """The kernels in C, `forward` and, where there is a function, `backward`."""
    down, up = straight_line(np.array(enter)), straight_line(np.array(leave))
    points, slopes = _outputs(down, "a"), _outputs(down, "b")
    entered = [*_loads("x", "a", len(enter)), *_sums(down, "a", len(enter))]
    changed = [*_loads("g", "b", len(enter)), *_sums(down, "b", len(enter))]
    left = [
        *_sums(up, "p", len(enter)),
        *(f"y{k}[c] = STORE({value});" for k, value in enumerate(_outputs(up, "p"))),
    ]
    values = [f"float p{k} = value_{function}({a});" for k, a in enumerate(points)]
    texts = [_kernel_text("forward", "x", len(enter), [*entered, *values, *left])]
    if function != "none":
        pairs = enumerate(zip(points, slopes, strict=True))
        values = [f"float p{k} = slope_{function}({a}) * ({b});" for k, (a, b) in pairs]
        body = [*entered, *changed, *values, *left]
        texts.append(_kernel_text("backward", "xg", len(enter), body))
    return "\n".join(texts)


def _kernel_text(name: str, reads: str, size: int, body: list[str]) -> str:
    """A loop over rows and copies around `body`; tensors are those of `reads`, and `y`."""
    pointers = [f"const T *{read}" for read in reads] + ["T *y"]
    numbers = [f"int64_t {t}_stride" for t in (*reads, "y")] + ["int64_t rows", "int64_t copies"]
    places = ["const int64_t *sources", "const int64_t *targets"]
    at = [
        f"const T *{read}{k} = {read} + row * {read}_stride + sources[{k}];"
        for read in reads
        for k in range(size)
    ] + [f"T *y{k} = y + row * y_stride + targets[{k}];" for k in range(size)]
    # One stretch of memory the processor fetches ahead by itself; of several it loses track.
    # ViT-B's 3072 channels in float32, flop: 2.0 ms without these lines, 1.25 ms with them.
    ahead = [f"fetch({t}{k} + {t}_stride, copies * sizeof(T));" for t in reads for k in range(size)]
    lines = ["    " + line for line in at + (ahead if size > 1 else [])] + [
        "    INDEPENDENT",
        "    for (int64_t c = 0; c < copies; c++) {",
        *("      " + line for line in body),
        "    }",
    ]
    return "\n".join(
        [
            f"void {name}({', '.join(pointers + numbers + places)}) {{",
            "  for (int64_t row = 0; row < rows; row++) {",
            *lines,
            "  }",
            "}",
        ]
    )


def _loads(tensor: str, name: str, size: int) -> list[str]:
    """Registers `name0`, `name1`... from memory."""
    return [f"float {name}{k} = LOAD({tensor}{k}[c]);" for k in range(size)]


def _sums(line: StraightLine, name: str, size: int) -> list[str]:
    """The steps of a straight line, as registers behind the first `size`."""
    return [
        f"float {name}{k} = {_sum(f'{name}{i}', f'{name}{j}', factor)};"
        for k, (i, j, factor) in enumerate(line.steps, size)
    ]


def _sum(first: str, second: str, factor: float) -> str:
    if abs(factor) == 1:
        return f"{first} {'+' if factor > 0 else '-'} {second}"
    return f"fused({factor!r}f, {second}, {first})"


def _outputs(line: StraightLine, name: str) -> list[str]:
    """What comes out of a straight line."""
    return [f"{factor!r}f * {name}{k}" for k, factor in line.outputs]
