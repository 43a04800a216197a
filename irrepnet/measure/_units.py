"""Time and memory of the blocks of networks, each block alone, against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from irrepnet.compiler import Node
from irrepnet.measure._interleaved import interleaved
from irrepnet.measure._latency import run_of
from irrepnet.measure._peak_allocated import peak_allocated
from irrepnet.measure._settings import Settings
from irrepnet.measure._subject import Subject
from irrepnet.measure._timing import Timing
from irrepnet.measure._worker_process import Progress, run_worker, silent
from irrepnet.specs import Chain

#: Runs of a block that are not counted.
WARMUPS = 1


@dataclass(frozen=True)
class Units:
    """The blocks of one network.

    Attributes:
        timings: What each block took by itself, by module path, in the order in which they run.
        peak_bytes: The most by which memory grew while a block ran, parameters and input aside.
        whole_peak_bytes: The same of the whole network.
    """

    timings: Mapping[str, Timing]
    peak_bytes: Mapping[str, int]
    whole_peak_bytes: int


def units(
    subjects: Sequence[Subject], settings: Settings, progress: Progress = silent
) -> tuple[Units, ...]:
    """Time the blocks of networks against each other, each on the input that it sees in place.

    Args:
        subjects: Networks of this package.
        settings: Batch, dtype, threads, runs; forward passes, or forward and backward. Blocks are
            not compiled.
        progress: Told how far it is.

    Raises:
        MeasurementError: If the process fails, for example for want of memory.
    """
    job = {"subjects": [asdict(s) for s in subjects], "settings": asdict(settings)}
    found = run_worker("units", job, settings.threads, progress, tune_malloc=True)
    return tuple(
        Units(
            {path: Timing(tuple(times)) for path, times in one["samples_ms"].items()},
            one["peak_bytes"],
            one["whole_peak_bytes"],
        )
        for one in found["networks"]
    )


def measure_units(job: Mapping[str, Any], done: Callable[[int], None]) -> dict[str, Any]:
    """What the process of `units` does."""
    settings = Settings(**job["settings"])
    subjects = [Subject.from_dict(s) for s in job["subjects"]]
    networks = [s.build(dtype=settings.weights).train(settings.training) for s in subjects]
    x = torch.randn(settings.batch, *subjects[0].input_size, dtype=settings.weights)
    runs: list[dict[str, Callable[[], object]]] = []
    with settings.context():
        for network in networks:
            inputs = seen_inputs(network, x)
            blocks = {path: network.get_submodule(path) for path in inputs}
            runs.append({p: unit_run(b, inputs[p], settings.training) for p, b in blocks.items()})
        flat = [run for group in runs for run in group.values()]
        left = len(flat) * (WARMUPS + settings.runs)

        def step() -> None:
            nonlocal left
            left -= 1
            done(left)

        times = iter(interleaved(flat, settings.runs, step, WARMUPS))
        return {
            "networks": [
                {
                    "samples_ms": {path: next(times) for path in group},
                    "peak_bytes": {path: peak_allocated(run) for path, run in group.items()},
                    "whole_peak_bytes": peak_allocated(run_of(network, x, settings.training)),
                }
                for network, group in zip(networks, runs, strict=True)
            ]
        }


def unit_paths(root: Node) -> list[str]:
    """Paths of the blocks of a plan: the network's steps, a chain among them opened.

    Examples:
        >>> import irrepnet as ir
        >>> model = ir.create_model("vit_tiny_patch16_224", depth=2, device="meta")
        >>> unit_paths(model.plan.root)[2:]
        ['cls_token', 'blocks.0', 'blocks.1', 'norm', 'head']
    """
    paths: list[str] = []
    for node in root.children[:-1]:
        inside = node.children if isinstance(node.spec, Chain) else ()
        paths += [child.path for child in inside] or [node.path]
    return [*paths, root.children[-1].path]


def seen_inputs(network: Any, x: Tensor) -> dict[str, Tensor]:
    """What each block of a network is given when it runs on `x`, in the order of the blocks."""
    seen: dict[str, Tensor] = {}
    handles = []

    def note(path: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen[path] = inputs[0].detach().clone()

        return hook

    for path in unit_paths(network.plan.root):
        handles.append(network.get_submodule(path).register_forward_pre_hook(note(path)))
    with torch.no_grad():
        network(x)
    for handle in handles:
        handle.remove()
    return seen


def unit_run(block: nn.Module, x: Tensor, training: bool) -> Callable[[], object]:
    """One run of a block: forward, or forward and backward into fresh gradients.

    Images need no gradient, features do.
    """
    if not training:
        return lambda: block(x)
    x = x.requires_grad_(x.ndim == 3)

    def step() -> None:
        x.grad = None
        for parameter in block.parameters():
            parameter.grad = None
        y = block(x)
        if y.requires_grad:
            y.backward(torch.ones_like(y))

    return step
