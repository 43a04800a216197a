"""Kernels for CPUs are compiled when they are first needed: without a compiler there are none."""

import pytest
import torch

from irrepnet.nn.native import compiler


@pytest.fixture(autouse=True)
def _needs_a_compiler() -> None:
    if compiler() is None:
        pytest.skip("needs a C compiler (CC, cc, gcc or clang) and IRREPNET_NATIVE other than 0")
    torch.manual_seed(0)
