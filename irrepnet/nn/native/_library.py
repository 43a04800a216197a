"""`library`: a piece of C, compiled once on this machine and loaded."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch._ops import _len_torch_dispatch_stack_pre_dispatch

from irrepnet.nn.native._kept import folder, keep, kept

#: Set to 0, it keeps irrepnet from compiling: everything runs on torch's own operations.
VARIABLE = "IRREPNET_NATIVE"
#: Dtypes that kernels read and write; they compute in float32.
DTYPES = {torch.float32: "float32", torch.bfloat16: "bfloat16"}
#: Results as IEEE asks, but for traps.
_FLAGS = "-O3 -fno-math-errno -fno-trapping-math -fopenmp-simd -shared -fPIC -w".split()
#: For this processor, if the compiler knows how.
_TUNINGS = (("-march=native", "-mprefer-vector-width=512"), ("-mcpu=native",), ())


def compiler() -> tuple[str, ...] | None:
    """The command of a C compiler: `$CC`, or the first of `cc`, `gcc` and `clang`.

    `None` without one, where `IRREPNET_NATIVE=0` is set, and on Windows.
    """
    if os.environ.get(VARIABLE) == "0" or os.name == "nt":
        return None
    wanted = shlex.split(os.environ.get("CC", ""))
    for name, *options in [wanted] if wanted else [["cc"], ["gcc"], ["clang"]]:
        found = shutil.which(name)
        if found:
            return found, *options
    return None


@functools.cache
def works() -> bool:
    """Whether kernels can be compiled and loaded here."""
    return library("int works(void) { return 1; }") is not None


def readable(*tensors: Tensor) -> bool:
    """Whether the numbers in memory are all there is to tensors: C sees and leaves nothing else.

    False for subclasses (a fake tensor has no memory), for lazy negatives, for zeros that autograd
    made without memory, off the CPU, and where operations are recorded or simulated (`make_fx`,
    `torch.jit.trace`, any dispatch mode).
    """
    return not (_watched() or torch._C._is_tracing()) and all(
        type(t) in (Tensor, nn.Parameter)
        and t.device.type == "cpu"
        and not (t.is_neg() or t._is_zerotensor())
        for t in tensors
    )


def _watched() -> bool:
    """Whether a dispatch mode sees this thread's operations.

    By the stacks themselves: torch's `is_in_torch_dispatch_mode` is one for all threads, and stays
    true while a function that has just been compiled runs.
    """
    return bool(torch._C._len_torch_dispatch_stack() or _len_torch_dispatch_stack_pre_dispatch())


def takes(*tensors: Tensor) -> bool:
    """Whether kernels can read these tensors: `readable`, of one of `DTYPES`, the same for all."""
    dtype = tensors[0].dtype
    return dtype in DTYPES and all(t.dtype == dtype for t in tensors) and readable(*tensors)


def kernels(dtype: torch.dtype, text: str) -> ctypes.CDLL | None:
    """The library of a piece of C about tensors of a dtype, which it calls `T`; see `library`.

    Args:
        dtype: One of `DTYPES`.
        text: C that may use what `functions.h` defines, `LOAD` and `STORE`.
    """
    name = DTYPES[dtype]
    kind = f"typedef {name} T;\n#define LOAD load_{name}\n#define STORE store_{name}\n"
    return library(included("functions.h") + kind + text)


def included(name: str) -> str:
    """A file of C of this package."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


@functools.cache
def library(source: str, fuses: bool = False) -> ctypes.CDLL | None:
    """Compile and load a piece of C, or `None` where that cannot be had.

    What was compiled is kept in the user's cache, by the text, the compiler and the processor; what
    no longer is what was put there, or does not load, is compiled again.

    Args:
        source: C, without includes of its own.
        fuses: Whether a product and a sum may be rounded once, and not only where the text says so.

    Warns:
        RuntimeWarning: If there is a compiler and it fails.

    Cost:
        About 0.2 seconds the first time, a millisecond after that.
    """
    found = compiler()
    if found is None:
        return None
    command = (*found, *_FLAGS, f"-ffp-contract={'fast' if fuses else 'off'}")
    name = hashlib.sha256(repr((source, command, _TUNINGS, _processor())).encode()).hexdigest()
    try:
        return kept(name[:32]) or ctypes.CDLL(str(_compile(command, source, name[:32])))
    except (OSError, subprocess.SubprocessError) as problem:
        warnings.warn(
            f"{found[0]} could not compile a kernel of irrepnet; torch's own operations give the "
            f"same results more slowly. It said: {str(problem)[-500:]}\n"
            f"Set CC to another compiler, or {VARIABLE}=0 to silence this.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None


def _compile(compile: tuple[str, ...], source: str, name: str) -> Path:
    """Compile to a file of its own first, so that two processes cannot meet half a library."""
    with tempfile.TemporaryDirectory(dir=folder()) as own:
        text, made, said = Path(own) / "kernel.c", Path(own) / "kernel.so", ""
        text.write_text(source, encoding="utf-8")
        for tuning in _TUNINGS:
            command = [*compile, *tuning, str(text), "-o", str(made), "-lm"]
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=120, check=False
            )
            if done.returncode == 0:
                return keep(made, name)
            said = done.stderr.strip() or f"nothing, with exit status {done.returncode}."
    raise subprocess.SubprocessError(said)


@functools.cache
def _processor() -> str:
    """What tells processors apart that run different instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        told = [line for line in lines if line.startswith(("model name", "flags", "Features"))][:2]
    except OSError:
        told = []
    return "\n".join([platform.machine(), platform.processor(), *told])
