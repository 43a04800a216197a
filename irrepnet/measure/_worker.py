"""What runs in the fresh process: one job, its progress and result as lines of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import torch

from irrepnet.measure._calibration import measure_calibration
from irrepnet.measure._latency import measure_latency
from irrepnet.measure._memory import measure_memory
from irrepnet.measure._units import measure_units

#: Jobs by name; each takes its arguments and a function to report the steps left.
JOBS: dict[str, Callable[[Mapping[str, Any], Callable[[int], None]], dict[str, Any]]] = {
    "latency": measure_latency,
    "memory": measure_memory,
    "calibration": measure_calibration,
    "units": measure_units,
}


def main(request: Mapping[str, Any]) -> None:
    """Run the requested job and write what it found."""
    torch.set_num_threads(request["threads"])
    out, sys.stdout = sys.stdout, sys.stderr  # whatever else is printed is no message

    def say(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    result = JOBS[request["kind"]](request["job"], lambda left: say(left=left))
    say(result=result)
