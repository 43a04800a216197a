"""Peak memory of a network, in a process of its own."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from irrepnet.measure._latency import run_of
from irrepnet.measure._peak_allocated import peak_allocated
from irrepnet.measure._settings import Settings
from irrepnet.measure._subject import Subject
from irrepnet.measure._worker_process import Progress, run_worker, silent

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Memory:
    """The largest resident set of a process that built a network and ran it.

    Attributes:
        peak_bytes: The largest resident set; `None` where the system does not tell.
        baseline_bytes: The same before the network was built: Python, torch, irrepnet.
        activation_bytes: What autograd keeps between the forward and the backward pass, parameters
            aside; `None` without a backward pass. It does not depend on the machine.
        tensor_bytes: The most by which the memory of all tensors grew in a run. The allocator has
            no part in it: the resident set also holds what is free in pieces too small to use.
    """

    peak_bytes: int | None
    baseline_bytes: int | None
    activation_bytes: int | None = None
    tensor_bytes: int | None = None

    @property
    def above_baseline_bytes(self) -> int | None:
        """What the network and its forward pass added."""
        if self.peak_bytes is None or self.baseline_bytes is None:
            return None
        return self.peak_bytes - self.baseline_bytes

    def to_dict(self) -> dict[str, int | None]:
        """The sizes as plain values."""
        return {**asdict(self), "above_baseline_bytes": self.above_baseline_bytes}


def memory(subject: Subject, settings: Settings, progress: Progress = silent) -> Memory:
    """Measure the peak memory of a network's runs in a fresh process.

    The allocator is left as it is, since it decides what returns to the system.

    Args:
        subject: The network.
        settings: Batch, dtype, threads, forward pass or training step; nothing is compiled.
        progress: Told how far it is.

    Raises:
        MeasurementError: If the process fails, for example for want of memory.

    Cost:
        A start of Python and torch, and three runs, four in training.
    """
    job = {"subject": asdict(subject), "settings": asdict(settings)}
    return Memory(**run_worker("memory", job, settings.threads, progress, tune_malloc=False))


def measure_memory(job: Mapping[str, Any], done: Callable[[int], None]) -> dict[str, Any]:
    """What the process of `memory` does.

    Args:
        job: Subject and settings as plain values.
        done: Called with the number of steps still to come.
    """
    subject, settings = Subject.from_dict(job["subject"]), Settings(**job["settings"])
    Subject("vit_tiny_patch16_224", "flop", sizes=(("depth", 1),)).build("meta")  # lazy imports
    baseline = peak_bytes()
    model = subject.build(dtype=settings.weights).train(settings.training)
    with settings.context():
        x = torch.randn(settings.batch, *subject.input_size, dtype=settings.weights)
        run = run_of(model, x, settings.training)
        for left in (1, 0):
            run()
            done(left)
        peak = peak_bytes()
        kept = saved_bytes(model, run) if settings.training else None
        held = peak_allocated(run)
    return {
        "peak_bytes": peak,
        "baseline_bytes": baseline,
        "activation_bytes": kept,
        "tensor_bytes": held,
    }


def saved_bytes(network: nn.Module, run: Callable[[], object]) -> int:
    """Bytes that autograd keeps for the backward pass during a run, parameters aside.

    Memory is counted once, however many tensors view it.

    Args:
        network: Whose parameters and buffers do not count.
        run: What to do; the graph may be gone after it.

    Examples:
        >>> import torch
        >>> layer = torch.nn.Linear(3, 2)
        >>> saved_bytes(layer, lambda: layer(torch.ones(5, 3)))
        60
    """
    own = {t.untyped_storage().data_ptr() for t in (*network.parameters(), *network.buffers())}
    kept: dict[int, tuple[int, Tensor]] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:  # holding the tensor keeps its address from reuse
            kept.setdefault(storage.data_ptr(), (storage.nbytes(), tensor.detach()))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        run()
    return sum(size for size, _ in kept.values())


def peak_bytes() -> int | None:
    """The largest resident set of this process so far; `None` where the system does not tell.

    Linux's own record is preferred to `getrusage`, which a child inherits from its parent
    (`exec` keeps the larger of the two).
    """
    if _STATUS.exists():
        found = re.search(r"^VmHWM:\s*(\d+) kB", _STATUS.read_text(), re.MULTILINE)
        if found:
            return 1024 * int(found[1])
    try:
        resource = importlib.import_module("resource")  # absent on Windows
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # macOS counts bytes, others KiB
