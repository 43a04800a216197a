"""`Machine`: what the cost model knows of the machine it chooses for, and where that is kept."""

from __future__ import annotations

import json
import math
import os
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path

from irrepnet._cache import cache_directory
from irrepnet._errors import CalibrationError

#: Names another file than the user's own.
VARIABLE = "IRREPNET_CALIBRATION"


@dataclass(frozen=True)
class Rates:
    """How fast one thread works in one dtype.

    Attributes:
        flops: FLOPs a second of a large matrix product (1 MAC = 2 FLOPs).
        bandwidth: Bytes a second from and to memory.
        call: Seconds that one operation costs besides its arithmetic and its traffic.
        beta: How much of each further row's work is not hidden, in alpha-FLOPs (arXiv 2107.11949).
        gamma: The exponent in alpha-FLOPs.
    """

    flops: float
    bandwidth: float
    call: float
    beta: float = 0.05
    gamma: float = 1.0

    def seconds(self, flops: float, traffic: float) -> float:
        """Predicted time of one operation: arithmetic and memory overlap, the call does not.

        Args:
            flops: What it computes.
            traffic: Bytes that it reads and writes.

        Examples:
            >>> Rates(flops=1e9, bandwidth=1e9, call=1e-6).seconds(2e9, 1e6)
            2.000001
        """
        return self.call + max(flops / self.flops, traffic / self.bandwidth)


@dataclass(frozen=True)
class Machine:
    """A machine's rates for each dtype that is chosen for.

    Attributes:
        float32: Rates in float32.
        bfloat16: Rates in bfloat16.
        source: In words, where the numbers are from.
    """

    float32: Rates
    bfloat16: Rates
    source: str

    def rates(self, dtype: str) -> Rates:
        """The rates in a dtype; dtypes that were not measured are taken for float32."""
        return self.bfloat16 if dtype in ("bfloat16", "float16") else self.float32

    @classmethod
    def load(cls) -> Machine:
        """This machine as `irrepnet bench --calibrate` stored it, or nominal numbers.

        Raises:
            CalibrationError: If the file cannot be read, or does not hold a calibration.
        """
        path = calibration_path()
        if not path.exists():
            return NOMINAL
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(_rates(data["float32"]), _rates(data["bfloat16"]), f"measured, {path}")
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise CalibrationError(
                f"{path} holds no calibration ({type(problem).__name__}: {problem}): expected JSON "
                f'with "float32" and "bfloat16", each with positive numbers "flops", "bandwidth" '
                f'and "call"; write it anew with `irrepnet bench --calibrate`, or delete it.'
            ) from None

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the rates where `load` finds them; returns the file.

        Args:
            path: Another file.

        Raises:
            CalibrationError: If the file cannot be written.
        """
        target = calibration_path() if path is None else Path(path)
        data = {"float32": asdict(self.float32), "bfloat16": asdict(self.bfloat16)}
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
        except OSError as problem:
            raise CalibrationError(
                f"cannot write {target}: {problem.strerror}. Expected a file that may be written; "
                f"the environment variable {VARIABLE} names another one."
            ) from None
        return target


def _rates(data: dict[str, float]) -> Rates:
    names = [f.name for f in fields(Rates) if f.name in data or f.default is MISSING]
    rates = Rates(**{name: float(data[name]) for name in names})
    if not all(0 < value < math.inf for value in vars(rates).values()):
        raise ValueError(f"got {rates}")
    return rates


def calibration_path() -> Path:
    """Where this machine's calibration is kept: in the user's cache, or where `VARIABLE` says.

    It is no setting: it may be deleted, and is worth nothing on another machine.
    """
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    return cache_directory() / "calibration.json"


#: One core of a server of 2024: 100 GFLOP/s in float32 and 10 GB/s, 10 microseconds a call; in
#: bfloat16 twice the FLOPs.
NOMINAL = Machine(
    Rates(flops=100e9, bandwidth=10e9, call=10e-6),
    Rates(flops=200e9, bandwidth=10e9, call=10e-6),
    "nominal, this machine was never measured: run `irrepnet bench --calibrate`",
)
