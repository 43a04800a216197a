"""`Conjugation`: copies of a small transform, a pointwise function, and a transform back."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from irrepnet.nn.native._conjugation_text import Matrix, source
from irrepnet.nn.native._library import kernels, takes
from irrepnet.nn.native._places import places
from irrepnet.nn.native._rows import over_rows

#: Functions that `functions.h` knows; "none" is the identity.
FUNCTIONS = ("none", "gelu", "quick_gelu", "relu", "silu")
#: Larger transforms do not fit in registers: they are products.
LARGEST = 16
#: With fewer copies vectors are not filled.
FEWEST = 16


@dataclass(frozen=True)
class Shift:
    """What is added to rows first: each vector to `repeat` rows, then from the first again.

    Attributes:
        vectors: Of shape `(vectors, channels)`, contiguous.
        repeat: Number of rows with one vector.
    """

    vectors: Tensor
    repeat: int

    def arguments(self) -> tuple[int, ...]:
        """As C takes it; of the tensor itself, which lives as long as a thread works on it."""
        return self.vectors.data_ptr(), *self.vectors.shape, self.repeat


@dataclass(frozen=True)
class Conjugation:
    """`y = B f(A (x + b))`, or back through `B f(A x)`, for `copies` copies of small `A` and `B`.

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

    def serves(self, function: str, *tensors: Tensor, shifted: bool = False) -> bool:
        """Whether there is a kernel for these tensors, `(rows, channels)` each.

        Args:
            function: Its name.
            tensors: All that `write` is to read and write.
            shifted: Whether a shift is among them.
        """
        if not (self.fits(function) and takes(*tensors)):
            return False
        kernel = _kernel(self.enter, self.leave, function, tensors[0].dtype, shifted)
        return kernel is not None and all(t.stride(-1) == 1 for t in tensors)

    def write(
        self,
        function: str,
        out: Tensor,
        x: Tensor,
        gradient: Tensor | None = None,
        shift: Shift | None = None,
    ) -> None:
        """Write `B f(A (x + b))`, or `B (f'(A x) * A gradient)`, into the targets of `out`.

        Args:
            function: One of `FUNCTIONS`.
            out: Of as many rows; may be an input where sources are targets.
            x: Of shape `(rows, channels)`.
            gradient: What comes back to the function's output, without a shift.
            shift: What is added first, of the dtype of `x`.
        """
        assert gradient is None or shift is None
        kernel = _kernel(self.enter, self.leave, function, x.dtype, shift is not None)
        assert kernel is not None, "expected that `serves` was asked"
        tensors = [x, out] if gradient is None else [x, gradient, out]
        call = kernel.forward if gradient is None else kernel.backward
        strides = [t.stride(0) for t in tensors]
        channels = places(self.sources), places(self.targets)

        def run(first: int, last: int) -> None:
            # Of the tensors themselves: they live as long as a thread works on them.
            pointers = [t.data_ptr() for t in tensors]
            added = () if shift is None else shift.arguments()
            call(*pointers, *strides, first, last, self.copies, *channels, *added)

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

    def serves(self, function: str, *tensors: Tensor, shifted: bool = False) -> bool:
        """Whether there are kernels for these tensors, `(rows, dim)` each."""
        runs = self.runs
        return bool(runs) and all(run.serves(function, *tensors, shifted=shifted) for run in runs)

    def write(
        self,
        function: str,
        out: Tensor,
        x: Tensor,
        gradient: Tensor | None = None,
        shift: Shift | None = None,
    ) -> None:
        """As `Conjugation.write`, with all channels and `out` contiguous, for `(..., dim)`."""
        rows = out.view(-1, self.dim), x.reshape(-1, self.dim)
        back = None if gradient is None else gradient.reshape(-1, self.dim)
        for run in self.runs:
            run.write(function, *rows, back, shift)


@functools.cache
def _kernel(
    enter: Matrix, leave: Matrix, function: str, dtype: torch.dtype, shifted: bool = False
) -> ctypes.CDLL | None:
    """The library of two transforms and a function: `forward`, and `backward` without a shift."""
    loaded = kernels(dtype, source(enter, leave, function, shifted))
    if loaded is None:
        return None
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    for name, tensors in (("forward", 2), ("backward", 3)):
        if hasattr(loaded, name):
            arguments = [pointer] * tensors + [number] * (tensors + 3) + [pointer] * 2
            call: Callable[..., None] = getattr(loaded, name)
            call.restype = None  # type: ignore[attr-defined]
            call.argtypes = arguments + [pointer, number, number, number] * shifted  # type: ignore[attr-defined]
    return loaded
