"""Rows of a kernel's call shared out among torch's threads."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch

#: Fewer numbers than this are not worth a thread's waking up.
_WORTH = 1 << 16


def over_rows(call: Callable[[int, int], None], rows: int, width: int) -> None:
    """Run `call(first, last)` on ranges that make up all rows, on as many threads as torch has.

    Args:
        call: Leaves the interpreter's lock, as calls through ctypes do.
        rows: Number of rows.
        width: Numbers in a row.
    """
    parts = min(torch.get_num_threads(), max(1, rows * width // _WORTH), rows)
    if parts <= 1:
        return call(0, rows)
    ends = [rows * part // parts for part in range(parts + 1)]
    waiting = [
        _pool(parts - 1, os.getpid()).submit(call, first, last)
        for first, last in pairwise(ends[1:])
    ]
    try:
        call(*ends[:2])
    finally:
        for one in waiting:
            one.result()
    return None


@functools.lru_cache(maxsize=1)
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """The threads of this process; a fork has none of its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="irrepnet")
