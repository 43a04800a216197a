"""How a call runs: when a module may write into buffers, and in which parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

#: Passes that follow each other take rows in parts of this size on a CPU: about a core's cache.
#: Measured on ViT-B's 3072 hidden channels (one thread, float32): 8 ms whole, 3.5 ms in parts.
CACHED_BYTES = 3 << 19


def is_plain(x: Tensor) -> bool:
    """Whether the call is eager and untransformed, so that an autograd function may serve it.

    False while `torch.compile` or `torch.export` traces, under `torch.func` transforms, and with
    forward-mode derivatives.
    """
    return not (
        torch.compiler.is_compiling()
        or torch._C._are_functorch_transforms_active()
        or torch.autograd.forward_ad._current_level >= 0
    )


def autocast_dtype(x: Tensor) -> torch.dtype | None:
    """The dtype in which autocast would multiply, or `None` where it is off."""
    device = x.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return None


def without_autocast(x: Tensor) -> AbstractContextManager:
    """A context in which autocast leaves a tensor's dtype alone."""
    if autocast_dtype(x) is None:
        return nullcontext()
    return torch.autocast(x.device.type, enabled=False)


def writes_in_place(x: Tensor) -> bool:
    """Whether results may be written with `out=` and in place: plain inference, no autocast.

    Autograd records no such writes, and autocast does not reach `out=` variants.
    """
    return is_plain(x) and not torch.is_grad_enabled() and autocast_dtype(x) is None


def row_parts(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The rows of tensors of one length, in parts that stay in a CPU's cache.

    Args:
        tensors: Of shape `(rows, ...)` each; the first one's size decides.
    """
    first = tensors[0]
    if first.device.type != "cpu" or not first.numel():
        return iter([tensors])
    rows = max(1, CACHED_BYTES // (first[0].numel() * first.element_size()))
    return zip(*(t.split(rows) for t in tensors), strict=True)
