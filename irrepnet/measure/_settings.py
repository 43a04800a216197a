"""`Settings`: under which conditions a measurement is taken."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch

from irrepnet._errors import MeasurementError, OptionError

#: Dtypes that a measurement can run in, by name.
DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float64": torch.float64,
}


@dataclass(frozen=True)
class Settings:
    """Conditions of a measurement.

    Attributes:
        batch: Images a forward pass.
        dtype: Name of the dtype of weights and images.
        threads: Threads that torch may use inside an operation.
        compiled: Whether the networks go through `torch.compile`.
        runs: Timed runs of each network.
        training: Whether a run is a training step (forward and backward) or a forward pass.
        autocast: Whether weights stay float32 and `torch.autocast` computes in the dtype.
    """

    batch: int = 8
    dtype: str = "float32"
    threads: int = 1
    compiled: bool = False
    runs: int = 10
    training: bool = False
    autocast: bool = False

    @property
    def weights(self) -> torch.dtype:
        """Dtype of weights and images."""
        return torch.float32 if self.autocast else DTYPES[self.dtype]

    @contextmanager
    def context(self) -> Iterator[None]:
        """What surrounds a run: gradients or none, autocast or not."""
        with ExitStack() as stack:
            if not self.training:
                stack.enter_context(torch.inference_mode())
            if self.autocast:
                stack.enter_context(torch.autocast("cpu", DTYPES[self.dtype]))
            yield

    def check(self) -> None:
        """Refuse what cannot be measured, before anything long starts.

        Raises:
            OptionError: If a value is out of its range.
            MeasurementError: If `torch.compile` has no C++ compiler to call.
        """
        for name in ("batch", "threads", "runs"):
            if getattr(self, name) < 1:
                raise OptionError(
                    f"got {name}={getattr(self, name)}: expected a whole number of at least 1."
                )
        if self.dtype not in DTYPES:
            raise OptionError(f"got dtype={self.dtype!r}: expected one of {', '.join(DTYPES)}.")
        compilers = (os.environ.get("CXX", ""), "g++", "clang++", "cl")
        if self.compiled and not any(shutil.which(name) for name in compilers if name):
            raise MeasurementError(
                "torch.compile needs a C++ compiler, and none of g++, clang++, cl is on the path: "
                "install one, or measure without compilation."
            )
