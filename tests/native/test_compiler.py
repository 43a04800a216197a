"""Compilers that are not there or fail: torch's own operations give the same results."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from irrepnet import groups, nn
from irrepnet.nn.native import _attention, _conjugation, compiler
from irrepnet.nn.native._library import library
from irrepnet.types import FeatureType, gset_for

pytestmark = pytest.mark.usefixtures("cache")


def fake_compiler(folder: Path, script: str) -> str:
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def act_and_slope() -> torch.Tensor:
    """A layer's output and gradient, stacked."""
    gset = gset_for(FeatureType.regular(groups.flop(), 34))
    x = torch.linspace(-3, 3, 5 * 34).view(5, 34).requires_grad_()
    y = nn.GSetActivation(gset)(x)
    (slope,) = torch.autograd.grad(y.square().sum(), x)
    return torch.stack([y.detach(), slope])


def attend_and_slope() -> torch.Tensor:
    """The same of attention, between tokens that make several tiles."""
    layer = nn.IsotypicAttention(FeatureType.regular(groups.octic(), 16), 2)
    x = torch.linspace(-40, 40, 2 * 37 * 48).sin().view(2, 37, 48).requires_grad_()
    y = layer(x)
    (slope,) = torch.autograd.grad(y.square().sum(), x)
    return torch.cat([y.detach(), slope], dim=-1)


WORK = [act_and_slope, attend_and_slope]


def no_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(folder))


def no_such_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")


def switched_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRREPNET_NATIVE", "0")


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("without", [no_path, no_such_compiler, switched_off])
def test_no_compiler_no_kernels_no_word(
    work: Callable[[], torch.Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    without: Callable[..., None],
    forget: Callable[[], None],
) -> None:
    expected = work()
    forget()
    without(tmp_path, monkeypatch)
    assert compiler() is None
    assert library("int answer(void) { return 12; }") is None
    torch.testing.assert_close(work(), expected)
    caches = _conjugation._kernel, _attention._core
    assert caches[WORK.index(work)].cache_info().currsize


def test_which_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_compiler(tmp_path, "exit 1")
    monkeypatch.setenv("CC", f"{fake} -O1 -DA='b c'")
    assert compiler() == (fake, "-O1", "-DA=b c")
    monkeypatch.delenv("CC")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compiler() == (fake,)
    (tmp_path / "cc").rename(tmp_path / "clang")
    assert compiler() == (str(tmp_path / "clang"),)


COMPILERS = {
    "says why": ("echo no such option >&2; exit 1", "no such option"),
    "says nothing": ("exit 3", "nothing, with exit status 3"),
    "speaks Latin-1": (r"printf 'Fehler: \374ber' >&2; exit 1", "Fehler: �ber"),
    "writes nothing": ("exit 0", "No such file"),
    "writes nonsense": ('while [ "$1" != -o ]; do shift; done; echo nonsense > "$2"', "too short"),
}


@pytest.mark.parametrize("case", COMPILERS)
def test_a_compiler_that_fails(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget: Callable[[], None]
) -> None:
    expected = act_and_slope()
    forget()
    script, said = COMPILERS[case]
    monkeypatch.setenv("CC", fake_compiler(tmp_path, script))
    with pytest.warns(RuntimeWarning) as caught:
        got = act_and_slope()
    (warning,) = caught  # once, for output and gradient
    for part in (
        "could not compile a kernel",
        "the same results",
        said,
        "Set CC",
        "IRREPNET_NATIVE=0",
    ):
        assert part in str(warning.message)
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("work", WORK)
def test_an_option_that_the_compiler_does_not_know(
    work: Callable[[], torch.Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forget: Callable[[], None],
) -> None:
    """Without instructions of this processor, then."""
    real = compiler()
    assert real is not None
    script = f'for a in "$@"; do case $a in -m*) exit 1;; esac; done; exec {real[0]} "$@"'
    monkeypatch.setenv("CC", fake_compiler(tmp_path, script))
    expected = work()
    monkeypatch.delenv("CC")
    forget()
    torch.testing.assert_close(work(), expected)
