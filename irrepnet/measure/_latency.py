"""Latency of networks, measured against each other in one fresh process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import torch

from irrepnet.compiler import cost
from irrepnet.measure._interleaved import WARMUPS, interleaved
from irrepnet.measure._layer_clock import LayerClock
from irrepnet.measure._settings import DTYPES, Settings
from irrepnet.measure._subject import Subject
from irrepnet.measure._timing import Timing
from irrepnet.measure._worker_process import Progress, run_worker, silent
from irrepnet.nn import Classifier

#: Most rounds of the pass that times single layers.
LAYER_ROUNDS = 5


@dataclass(frozen=True)
class Latency:
    """What a forward pass takes.

    Attributes:
        timing: Times of whole passes.
        layers_ms: Median time of each layer by module path, from eager passes of their own, each
            layer under a clock.
        compile_s: What compilation took, in seconds; `None` without.
    """

    timing: Timing
    layers_ms: Mapping[str, float]
    compile_s: float | None = None


def latency(
    subjects: Sequence[Subject], settings: Settings, progress: Progress = silent
) -> tuple[Latency, ...]:
    """Time networks against each other: interleaved, in one fresh process, no gradients.

    glibc's allocator is told to keep memory (see `MALLOC`): by default it returns large tensors to
    the system after each operation and faults them in again, which costs more than the operation.

    Args:
        subjects: The networks.
        settings: Batch, dtype, threads, compilation, runs.
        progress: Told how far it is.

    Returns:
        One latency for each subject.

    Raises:
        MeasurementError: If the process fails, for example for want of memory.
    """
    job = {"subjects": [asdict(s) for s in subjects], "settings": asdict(settings)}
    found = run_worker("latency", job, settings.threads, progress, tune_malloc=True)
    return tuple(
        Latency(Timing(tuple(one["samples_ms"])), one["layers_ms"], one["compile_s"])
        for one in found["networks"]
    )


def measure_latency(job: Mapping[str, Any], done: Callable[[int], None]) -> dict[str, Any]:
    """What the process of `latency` does.

    Args:
        job: Subjects and settings as plain values.
        done: Called with the number of runs still to come.
    """
    settings = Settings(**job["settings"])
    dtype = DTYPES[settings.dtype]
    networks = [Subject.from_dict(s).build(dtype=dtype) for s in job["subjects"]]
    layer_rounds = min(LAYER_ROUNDS, settings.runs)
    left = len(networks) * (2 * WARMUPS + settings.runs + layer_rounds)

    def step() -> None:
        nonlocal left
        left -= 1
        done(left)

    x = torch.randn(settings.batch, *networks[0].default_cfg["input_size"]).to(dtype)
    with torch.inference_mode():
        compile_s: list[float | None] = [None] * len(networks)
        passes: list[Callable[[], object]] = []
        for index, network in enumerate(networks):
            run = torch.compile(network, dynamic=False) if settings.compiled else network
            if settings.compiled:
                start = time.perf_counter()
                run(x)
                compile_s[index] = time.perf_counter() - start
            passes.append(lambda run=run: run(x))
        samples = interleaved(passes, settings.runs, step)
        layers = _layers(networks, x, layer_rounds, step)
    keys = ("samples_ms", "layers_ms", "compile_s")
    rows = zip(samples, layers, compile_s, strict=True)
    return {"networks": [dict(zip(keys, row, strict=True)) for row in rows]}


def _layers(
    networks: Sequence[Classifier], x: torch.Tensor, rounds: int, done: Callable[[], None]
) -> list[dict[str, float]]:
    """Median times of the layers of every network, each layer under a clock."""
    passes = [lambda network=network: network(x) for network in networks]
    with ExitStack() as stack:
        clocks = [
            stack.enter_context(LayerClock(n, {row.path for row in cost(n.plan)})) for n in networks
        ]
        interleaved(passes, rounds, done)
    return [clock.medians_ms() for clock in clocks]
