"""The kernels against their twins, on a CPU, through Triton's interpreter."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from irrepnet.nn.kernels import available

FOLDER = Path(__file__).parent / "running"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")
@pytest.mark.skipif(
    available(), reason="the tests run in this process, on a GPU or in the interpreter"
)
def test_kernels_equal_their_twins() -> None:
    # Triton reads the variable when it is imported; in this process it may be in use already.
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", FOLDER],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        cwd=FOLDER.parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
