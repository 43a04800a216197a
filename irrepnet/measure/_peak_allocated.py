"""How much memory tensors hold at once, whatever the allocator makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def peak_allocated(run: Callable[[], object]) -> int:
    """The most bytes by which torch's memory grows within a run.

    Growth counts from the lowest point before it: a training step first frees old gradients. What a
    library allocates for itself is not in torch's record.

    Args:
        run: What to do.

    Examples:
        >>> import torch
        >>> layer = torch.nn.Linear(10, 100)
        >>> with torch.no_grad():
        ...     peak_allocated(lambda: layer(torch.ones(5, 10)).relu())
        4000
    """
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        run()
    kineto: Any = record.profiler
    events = kineto.kineto_results.events()
    changes = [(e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]"]
    level = lowest = peak = 0
    for _, change in sorted(changes, key=lambda pair: pair[0]):
        level += change
        lowest = min(lowest, level)
        peak = max(peak, level - lowest)
    return peak
