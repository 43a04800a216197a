"""`TypedNorm`: centre every slot of a row, then divide by one deviation, in one pass."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from irrepnet.nn.native._library import included, kernels, takes
from irrepnet.nn.native._places import places
from irrepnet.nn.native._rows import over_rows


@dataclass(frozen=True)
class TypedNorm:
    """`y = w * C x / sqrt(mean((C x)^2) + eps) + b`, where `C` centres each slot; and back.

    Attributes:
        starts: First channel of each slot; together they make up the row.
        widths: Number of channels of each.
        eps: Added to the variance.

    Cost:
        A row is read once and written once; sums are in float32.
    """

    starts: tuple[int, ...]
    widths: tuple[int, ...]
    eps: float

    @property
    def dim(self) -> int:
        """Length of a row."""
        return sum(self.widths)

    def serves(self, x: Tensor, *gradient: Tensor) -> bool:
        """Whether there is a kernel for `x`, and for what comes back to the output if given."""
        return takes(x, *gradient) and _norm(x.dtype) is not None

    def forward(self, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """The norm of the last axis.

        Args:
            x: Its input, `(..., dim)`.
            weight: Factor of each channel.
            bias: Shift of each channel.
        """
        x, weight, bias = x.contiguous(), _wide(weight), _wide(bias)
        out = torch.empty_like(x)

        def run(first: int, last: int) -> None:
            self._call("norm_forward", first, last, [x, out], [weight, bias])

        over_rows(run, x.numel() // self.dim, self.dim)
        return out

    def backward(
        self, x: Tensor, gradient: Tensor, weight: Tensor | None, wanted: tuple[bool, bool]
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """What goes back to the input, and in float32 to factors and shifts, where wanted."""
        x, gradient = x.contiguous(), gradient.resolve_neg().contiguous()
        into, sums, weight = torch.empty_like(x), dict[int, Tensor](), _wide(weight)

        def run(first: int, last: int) -> None:
            sums[first] = own = torch.zeros(2, self.dim, dtype=torch.float32, device="cpu")
            parts = [part if wants else None for part, wants in zip(own, wanted, strict=True)]
            self._call("norm_backward", first, last, [x, gradient, into], [weight, *parts])

        over_rows(run, x.numel() // self.dim, self.dim)
        # In order of rows, whichever thread was first: the same call gives the same bits.
        to_weight, to_bias = torch.stack([sums[first] for first in sorted(sums)]).sum(0)
        return into, to_weight if wanted[0] else None, to_bias if wanted[1] else None

    def _call(
        self, name: str, first: int, last: int, rows: list[Tensor], vectors: list[Tensor | None]
    ) -> None:
        step = first * self.dim * rows[0].element_size()
        failed = getattr(_norm(rows[0].dtype), name)(
            *(t.data_ptr() + step for t in rows),
            *(None if t is None else t.data_ptr() for t in vectors),
            last - first,
            self.dim,
            len(self.starts),
            places(self.starts),
            places(self.widths),
            self.eps,
        )
        if failed:
            raise MemoryError(f"no memory for a row of {self.dim} channels")


@functools.cache
def _norm(dtype: torch.dtype) -> ctypes.CDLL | None:
    loaded = kernels(dtype, included("norm.h"))
    if loaded is not None:
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        shape = [number] * 3 + [pointer] * 2 + [ctypes.c_float]
        loaded.norm_forward.argtypes = [pointer] * 4 + shape
        loaded.norm_backward.argtypes = [pointer] * 6 + shape
    return loaded


def _wide(vector: Tensor | None) -> Tensor | None:
    return None if vector is None else vector.detach().resolve_neg().float().contiguous()
