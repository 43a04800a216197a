"""When a kernel may run: Triton is there, and so is a GPU or Triton's interpreter."""

from __future__ import annotations

import importlib.util
import os

import torch
from torch import Tensor

from irrepnet.nn._eager import is_plain

#: The dtypes that kernels take; they add in float32.
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def interpreted() -> bool:
    """Whether Triton's interpreter was asked for, which runs kernels on a CPU, slowly."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def available() -> bool:
    """Whether kernels can run in this process. Triton is not imported to find out.

    Cost:
        A look at the environment; the first call looks for the package.

    Examples:
        >>> from irrepnet.nn import kernels
        >>> kernels.available() or not torch.cuda.is_available()
        True
    """
    return (torch.cuda.is_available() or interpreted()) and _installed()


def _installed() -> bool:
    return importlib.util.find_spec("triton") is not None


def serves(x: Tensor) -> bool:
    """Whether a kernel may take a tensor: by its device, and outside `torch.func` transforms.

    Kernels have no rule for those, nor for forward-mode derivatives.
    """
    device = x.device.type
    if not (device == "cuda" or (device == "cpu" and interpreted())) or not _installed():
        return False
    return torch.compiler.is_compiling() or is_plain(x)
