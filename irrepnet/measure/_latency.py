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
from irrepnet.measure._settings import Settings
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
    subjects: Sequence[Subject],
    settings: Settings,
    progress: Progress = silent,
    layers: bool = True,
) -> tuple[Latency, ...]:
    """Time networks against each other: interleaved, in one fresh process.

    glibc's allocator is told to keep memory (see `MALLOC`): by default it returns large tensors to
    the system after each operation and faults them in again, which costs more than the operation.

    Args:
        subjects: The networks.
        settings: Batch, dtype, threads, compilation, runs; forward passes or training steps.
        progress: Told how far it is.
        layers: Whether to time each layer, in further forward passes.

    Returns:
        One latency for each subject.

    Raises:
        MeasurementError: If the process fails, for example for want of memory.
    """
    job = {
        "subjects": [asdict(s) for s in subjects],
        "settings": asdict(settings),
        "layers": layers and not settings.training,
    }
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
    subjects = [Subject.from_dict(s) for s in job["subjects"]]
    networks = [s.build(dtype=settings.weights).train(settings.training) for s in subjects]
    layer_rounds = min(LAYER_ROUNDS, settings.runs) if job["layers"] else 0
    left = len(networks) * (WARMUPS + settings.runs + (WARMUPS + layer_rounds) * job["layers"])

    def step() -> None:
        nonlocal left
        left -= 1
        done(left)

    x = torch.randn(settings.batch, *subjects[0].input_size, dtype=settings.weights)
    compile_s: list[float | None] = [None] * len(networks)
    runs: list[Callable[[], object]] = []
    with settings.context():
        for index, network in enumerate(networks):
            ready = torch.compile(network, dynamic=False) if settings.compiled else network
            runs.append(run_of(ready, x, settings.training))
            if settings.compiled:
                start = time.perf_counter()
                runs[index]()
                compile_s[index] = time.perf_counter() - start
        samples = interleaved(runs, settings.runs, step)
        layers = _layers(networks, x, layer_rounds, step) if layer_rounds else [{}] * len(networks)
    keys = ("samples_ms", "layers_ms", "compile_s")
    rows = zip(samples, layers, compile_s, strict=True)
    return {"networks": [dict(zip(keys, row, strict=True)) for row in rows]}


def run_of(network: Callable, x: torch.Tensor, training: bool) -> Callable[[], object]:
    """One run of a network: a forward pass, or a training step without the optimiser.

    A step is the forward pass, the cross entropy of the logits, and the backward pass into fresh
    gradients (`zero_grad(set_to_none=True)`).
    """
    if not training:
        return lambda: network(x)
    labels = torch.zeros(len(x), dtype=torch.long)

    def step() -> None:
        for parameter in network.parameters():  # pyright: ignore[reportFunctionMemberAccess]
            parameter.grad = None
        torch.nn.functional.cross_entropy(network(x).float(), labels).backward()

    return step


def _layers(
    networks: Sequence[Classifier], x: torch.Tensor, rounds: int, done: Callable[[], None]
) -> list[dict[str, float]]:
    """Median times of the layers of every network that has a plan, each layer under a clock."""
    passes = [lambda network=network: network(x) for network in networks]
    with ExitStack() as stack:
        paths = [{row.path for row in cost(n.plan)} if hasattr(n, "plan") else () for n in networks]
        clocks = [
            stack.enter_context(LayerClock(n, p)) for n, p in zip(networks, paths, strict=True)
        ]
        interleaved(passes, rounds, done)
    return [clock.medians_ms() for clock in clocks]
