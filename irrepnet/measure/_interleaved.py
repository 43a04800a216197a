"""Timing functions against each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

#: Runs of each function that are not counted: caches fill, memory is claimed, thread pools start.
WARMUPS = 2


def interleaved(
    functions: Sequence[Callable[[], object]],
    rounds: int,
    done: Callable[[], None] = lambda: None,
    warmups: int = WARMUPS,
) -> tuple[tuple[float, ...], ...]:
    """Time functions in turn, so that a disturbance of the machine meets all of them.

    The order is reversed in every other round: none is always the one after the other.

    Args:
        functions: What to time.
        rounds: Timed runs of each.
        done: Called after every run, warm-ups included.
        warmups: Runs of each that are not counted.

    Returns:
        For each function its times in milliseconds, one a round.

    Cost:
        `warmups + rounds` calls of every function.

    Examples:
        >>> calls = []
        >>> times = interleaved([lambda: calls.append(0), lambda: calls.append(1)], rounds=2)
        >>> calls[4:], [len(t) for t in times]
        ([0, 1, 1, 0], [2, 2])
    """
    for function in functions:
        for _ in range(warmups):
            function()
            done()
    times: list[list[float]] = [[] for _ in functions]
    order = list(range(len(functions)))
    for _ in range(rounds):
        for index in order:
            start = time.perf_counter()
            functions[index]()
            times[index].append(1e3 * (time.perf_counter() - start))
            done()
        order.reverse()
    return tuple(map(tuple, times))
