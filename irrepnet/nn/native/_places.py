"""Channels as C reads them."""

from __future__ import annotations

import ctypes
import functools


@functools.cache
def places(channels: tuple[int, ...]) -> ctypes.Array[ctypes.c_int64]:
    """The numbers as an array of C that lives as long as the process."""
    return (ctypes.c_int64 * len(channels))(*channels)
