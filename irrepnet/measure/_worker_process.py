"""Starting a fresh Python that measures, and listening to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from irrepnet._errors import MeasurementError

#: Told how many steps are done, and how many there are; called with (0, 0) at the start.
Progress = Callable[[int, int], None]

#: glibc's allocator keeps memory instead of returning large tensors to the system after each
#: operation. Other allocators ignore these variables.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}

#: The child looks for packages where its parent does, and nowhere else.
_BOOT = (
    "import json, sys; job = json.loads(sys.stdin.read()); sys.path[:] = job.pop('path'); "
    "from irrepnet.measure._worker import main; main(job)"
)


def silent(done: int, total: int) -> None:
    """Progress that nobody wants to see."""


def run_worker(
    kind: str, job: Mapping[str, Any], threads: int, progress: Progress, tune_malloc: bool
) -> dict[str, Any]:
    """Run a job in a fresh Python.

    Args:
        kind: Name of the job in `_worker.JOBS`.
        job: Its arguments, as JSON can carry them.
        threads: Threads that torch may use inside an operation.
        progress: Told how far it is.
        tune_malloc: Whether to set `MALLOC` in its environment.

    Returns:
        What the job returned.

    Raises:
        MeasurementError: If the process failed, with the last it said.
    """
    counts = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    environment = {**os.environ, **counts, **(MALLOC if tune_malloc else {})}
    request = {"kind": kind, "job": dict(job), "threads": threads, "path": sys.path}
    progress(0, 0)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-c", _BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            encoding="utf-8",
            env=environment,
        )
        try:
            result = _listen(process, json.dumps(request), progress)
        finally:  # also when the user interrupts
            process.kill()
            process.wait()
        if result is None:
            complaints.seek(0)
            raise MeasurementError(_complaint(kind, process.returncode, complaints.read()))
    return result


def _listen(
    process: subprocess.Popen[str], request: str, progress: Progress
) -> dict[str, Any] | None:
    """Pass on progress until the result comes; `None` if the process ends without one."""
    assert process.stdin is not None
    assert process.stdout is not None
    total = 0
    with process.stdout, process.stdin:
        try:
            process.stdin.write(request)
            process.stdin.close()
        except BrokenPipeError:
            return None
        for line in process.stdout:
            message = _message(line)
            if "result" in message:
                return message["result"]
            if "left" in message:
                total = max(total, message["left"] + 1)
                progress(total - message["left"], total)
    process.wait()
    return None


def _message(line: str) -> dict[str, Any]:
    """What the process says; empty for a library's chatter."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _complaint(kind: str, code: int, said: str) -> str:
    last = "\n".join(f"  {line}" for line in said.strip().splitlines()[-12:])
    if code < 0:
        killer = signal.Signals(-code).name
        return (
            f"the process that measures {kind} was ended by {killer}; often the system has run "
            f"out of memory. Try a smaller batch or model.\n{last}"
        ).rstrip()
    return (
        f"the process that measures {kind} failed (exit status {code}). Its last words:\n{last}\n"
        f"  If it speaks of memory, try a smaller batch or model; if of a compiler, measure "
        f"without compilation."
    )
