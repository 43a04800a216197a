"""How fast this machine is: products, memory, calls, and products of few rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn.functional import linear

from irrepnet.compiler import Machine, Rates
from irrepnet.measure._settings import DTYPES
from irrepnet.measure._worker_process import Progress, run_worker, silent

#: Rows, columns in and columns out of the products whose best rate is the machine's.
PRODUCTS = ((1576, 768, 768), (1576, 768, 3072), (1576, 3072, 768), (2048, 1024, 1024))

#: Rows of the products that show how a rate grows with the rows.
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)

#: Bytes of the tensors that pass through memory, far above what caches hold.
STREAM_BYTES = 256 * 2**20

#: Seconds that each measurement is repeated.
PATIENCE = 0.5


def calibrate(progress: Progress = silent) -> Machine:
    """Measure this machine, one thread, in a fresh process.

    Peaks are those of the fastest run: what the machine can do. A product of few rows is slower,
    since each weight is read for little work; how much is fitted as the exponent and the share of
    alpha-FLOPs.

    Args:
        progress: Told how far it is.

    Raises:
        MeasurementError: If the process fails.

    Cost:
        About 30 seconds, 1 GiB of memory.

    References:
        Williams, Waterman, Patterson, *Roofline*, CACM 52(4), 2009; Asperti, Evangelista,
        Marzolla, *Dissecting FLOPs along input dimensions* (arXiv 2107.11949).
    """
    found = run_worker("calibration", {}, 1, progress, tune_malloc=True)
    rates = {name: Rates(**found[name]) for name in ("float32", "bfloat16")}
    return Machine(rates["float32"], rates["bfloat16"], "measured just now")


def measure_calibration(job: Mapping[str, Any], done: Callable[[int], None]) -> dict[str, Any]:
    """What the process of `calibrate` does."""
    left = 2 * (len(PRODUCTS) + len(ROWS) + 2)

    def step() -> None:
        nonlocal left
        left -= 1
        done(left)

    with torch.inference_mode():
        return {name: _rates(DTYPES[name], step) for name in ("float32", "bfloat16")}


def _rates(dtype: torch.dtype, step: Callable[[], None]) -> dict[str, float]:
    flops = 0.0
    for rows, width, height in PRODUCTS:
        flops = max(flops, 2 * rows * width * height / _product(rows, width, height, dtype))
        step()
    seconds = []
    for rows in ROWS:
        seconds.append(_product(rows, 1024, 1024, dtype))
        step()
    beta, gamma = fit_alpha(ROWS, seconds)
    bandwidth = _bandwidth(dtype)
    step()
    call = _call(dtype)
    step()
    return {"flops": flops, "bandwidth": bandwidth, "call": call, "beta": beta, "gamma": gamma}


def _product(rows: int, width: int, height: int, dtype: torch.dtype) -> float:
    x = torch.randn(rows, width, dtype=dtype)
    weight, bias = torch.randn(height, width, dtype=dtype), torch.randn(height, dtype=dtype)
    return _fastest(lambda: linear(x, weight, bias))


def _bandwidth(dtype: torch.dtype) -> float:
    """Bytes a second of adding two tensors into a third: two are read, one is written."""
    numbers = STREAM_BYTES // dtype.itemsize
    a, b = torch.ones(numbers, dtype=dtype), torch.ones(numbers, dtype=dtype)
    out = torch.empty_like(a)
    return 3 * STREAM_BYTES / _fastest(lambda: torch.add(a, b, out=out))


def _call(dtype: torch.dtype) -> float:
    """Seconds of the smallest product that networks run: a slice in, a slice out."""
    x, weight = torch.ones(8, 16, dtype=dtype), torch.ones(4, 4, dtype=dtype)
    times = 100

    def many() -> None:
        for _ in range(times):
            linear(x[:, 4:8], weight)

    return _fastest(many) / times


def _fastest(run: Callable[[], object]) -> float:
    """Seconds of the fastest run within the time that we are patient for, at least five."""
    run()
    found, end = [], time.perf_counter() + PATIENCE
    while len(found) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def fit_alpha(rows: Sequence[int], seconds: Sequence[float]) -> tuple[float, float]:
    """The parameters of alpha-FLOPs that explain the times of products of so many rows.

    Time is taken for `c * rows * alpha(rows)` with `alpha(S) = ((1 + beta (S - 1)) / S)^gamma`;
    the squares of the logarithms' differences are least, over a grid.

    Args:
        rows: Rows of each product, all else equal.
        seconds: What each took.

    Returns:
        `beta` in (0, 1] and `gamma` in (0, 1].

    Cost:
        80 * 50 evaluations.

    References:
        Asperti, Evangelista, Marzolla (arXiv 2107.11949), the definition of alpha-FLOPs.

    Examples:
        >>> rows = (1, 10, 100, 1000)
        >>> times = [r * ((1 + 0.01 * (r - 1)) / r) ** 0.5 for r in rows]
        >>> beta, gamma = fit_alpha(rows, times)
        >>> round(beta, 3), round(gamma, 3)
        (0.01, 0.5)
    """
    logs = [math.log(s / r) for r, s in zip(rows, seconds, strict=True)]
    best = (math.inf, 1.0, 1.0)
    for i in range(81):
        beta = 10 ** (-i / 20)
        shape = [math.log((1 + beta * (r - 1)) / r) for r in rows]
        for j in range(1, 51):
            gamma = j / 50
            rest = [y - gamma * s for y, s in zip(logs, shape, strict=True)]
            mean = sum(rest) / len(rest)
            best = min(best, (sum((r - mean) ** 2 for r in rest), beta, gamma))
    return best[1], best[2]
