"""Kernels for CPUs are compiled when they are first needed: without a compiler there are none."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from irrepnet.nn.native import _attention, _conjugation, _heads, _typed_norm, compiler
from irrepnet.nn.native._library import library


@pytest.fixture(autouse=True)
def _needs_a_compiler() -> None:
    if compiler() is None:
        pytest.skip("needs a C compiler (CC, cc, gcc or clang) and IRREPNET_NATIVE other than 0")
    torch.manual_seed(0)


@pytest.fixture
def forget() -> Iterator[Callable[[], None]]:
    """Call it, and no library is loaded yet."""

    def clear() -> None:
        for loaded in (
            library,
            _attention._core,
            _attention._moves,
            _conjugation._kernel,
            _heads._moves,
            _typed_norm._norm,
        ):
            loaded.cache_clear()

    clear()
    yield clear
    clear()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget: Callable[[], None]) -> Path:
    """Where libraries are kept by a user who has none yet."""
    if sys.platform != "linux":
        pytest.skip("sets XDG_CACHE_HOME, which is Linux's")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "irrepnet" / "native"
