"""Peak memory of a network, in a process of its own."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from irrepnet.measure._settings import DTYPES, Settings
from irrepnet.measure._subject import Subject
from irrepnet.measure._worker_process import Progress, run_worker, silent

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Memory:
    """The largest resident set of a process that built a network and ran it.

    Attributes:
        peak_bytes: The largest resident set; `None` where the system does not tell.
        baseline_bytes: The same before the network was built: Python, torch, irrepnet.
    """

    peak_bytes: int | None
    baseline_bytes: int | None

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
    """Measure the peak memory of a network's forward pass in a fresh process.

    The allocator is left as it is, since it decides what returns to the system.

    Args:
        subject: The network.
        settings: Batch, dtype, threads; the network is not compiled.
        progress: Told how far it is.

    Raises:
        MeasurementError: If the process fails, for example for want of memory.

    Cost:
        A start of Python and torch, and two forward passes.
    """
    job = {"subject": asdict(subject), "settings": asdict(settings)}
    return Memory(**run_worker("memory", job, settings.threads, progress, tune_malloc=False))


def measure_memory(job: Mapping[str, Any], done: Callable[[int], None]) -> dict[str, Any]:
    """What the process of `memory` does.

    Args:
        job: Subject and settings as plain values.
        done: Called with the number of steps still to come.
    """
    import torch

    subject, settings = Subject.from_dict(job["subject"]), Settings(**job["settings"])
    Subject("vit_tiny_patch16_224", "flop", sizes=(("depth", 1),)).build("meta")  # lazy imports
    baseline = peak_bytes()
    model = subject.build(dtype=DTYPES[settings.dtype])
    size = model.default_cfg["input_size"]
    with torch.inference_mode():
        x = torch.randn(settings.batch, *size).to(DTYPES[settings.dtype])
        for left in (1, 0):
            model(x)
            done(left)
    return {"peak_bytes": peak_bytes(), "baseline_bytes": baseline}


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
