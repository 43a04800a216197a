"""`Machine`: where a measurement was taken."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Machine:
    """What the times of a report depend on, beside the networks.

    Attributes:
        processor: Name of the CPU.
        num_cpus: Logical CPUs that this process may use.
        system: Operating system.
        python: Version of Python.
        torch: Version of torch.
    """

    processor: str
    num_cpus: int
    system: str
    python: str
    torch: str

    def to_dict(self) -> dict[str, str | int]:
        """The machine as plain values."""
        return asdict(self)


def machine() -> Machine:
    """The machine that this runs on."""
    allowed = getattr(os, "sched_getaffinity", None)
    return Machine(
        processor=_processor(),
        num_cpus=len(allowed(0)) if allowed else os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        torch=str(torch.__version__),
    )


def _processor() -> str:
    if _CPUINFO.exists():
        found = re.search(r"^model name\s*: (.+)$", _CPUINFO.read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine() or "unknown"
