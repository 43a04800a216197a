"""Compiling, keeping and loading: every way it can go wrong ends in torch's own operations."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from irrepnet import groups, nn
from irrepnet.nn.native import _conjugation, _heads, _kept, _typed_norm, compiler
from irrepnet.nn.native._library import library
from irrepnet.types import FeatureType, gset_for

CACHES = (library, _conjugation._kernel, _typed_norm._norm, _heads._moves)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sets Linux's XDG_CACHE_HOME")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's cache of our own, and no library loaded yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for loaded in CACHES:
        loaded.cache_clear()
    yield tmp_path / "cache" / "irrepnet" / "native"
    for loaded in CACHES:
        loaded.cache_clear()


def text(number: int) -> str:
    return f"int answer(void) {{ return {number}; }}"


def answer(number: int) -> int | None:
    """What freshly loaded code says, or `None` if there is none."""
    library.cache_clear()
    loaded = library(text(number))
    return None if loaded is None else loaded.answer()


def fails(*_: object, **__: object) -> None:
    raise AssertionError("compiled again")


def fake_compiler(folder: Path, script: str) -> str:
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


# -- what is kept ----------------------------------------------------------------------------


def test_compiled_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [answer(k) for k in (3, 4)] == [3, 4]
    files = sorted(cache.iterdir())
    assert len(files) == 2
    assert all(path.suffix == ".so" for path in files)  # nothing else is left
    monkeypatch.setattr(subprocess, "run", fails)
    assert [answer(k) for k in (3, 4)] == [3, 4]
    assert library(text(4)) is library(text(4))
    # Another compiler, or other options, is another library.
    monkeypatch.setenv("CC", "cc -DANYTHING")
    with pytest.raises(AssertionError, match="compiled again"):
        answer(3)


@pytest.mark.parametrize("left", [0, 100, 0.5, -1])
def test_what_was_cut_short_is_compiled_again(cache: Path, left: float) -> None:
    """The system would map half a library, and the process would die when it is touched."""
    assert answer(5) == 5
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    path.unlink()  # what this process has loaded stays whole
    path.write_bytes(whole[: int(left * len(whole)) if left == 0.5 else int(left)])
    assert path.stat().st_size < len(whole)
    path.chmod(0o700)
    assert answer(5) == 5
    assert path.read_bytes() == whole


def test_what_does_not_load_is_compiled_again(cache: Path) -> None:
    assert answer(6) == 6
    (path,) = cache.iterdir()
    key = path.name.split("-")[0]
    path.unlink()  # what this process has loaded stays whole
    path.write_bytes(b"of another machine")
    path.chmod(0o700)
    path.rename(cache / _kept._full_name(path, key))
    assert answer(6) == 6
    assert len(list(cache.iterdir())) == 2


def test_a_file_that_others_may_write_is_not_loaded(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(7) == 7
    (path,) = cache.iterdir()
    path.chmod(0o770)
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", fails)
        with pytest.raises(AssertionError, match="compiled again"):
            answer(7)
    assert answer(7) == 7
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


# -- where ------------------------------------------------------------------------------------


def is_private(path: Path) -> bool:
    status = path.stat()
    return status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) == 0o700


def test_the_folder_is_this_users_alone(cache: Path) -> None:
    before = os.umask(0)
    try:
        assert answer(8) == 8
    finally:
        os.umask(before)
    assert _kept.folder() == cache
    assert is_private(cache)
    assert all(is_private(path) for path in cache.iterdir())


def open_to_all(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)


def somebody_elses(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir(parents=True)
    monkeypatch.setattr(_kept, "_is_ours", lambda path: path != cache)


def read_only(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o500)
    real = os.access  # root may write everywhere
    monkeypatch.setattr(os, "access", lambda path, mode: path != cache and real(path, mode))


def under_a_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.parent.parent.touch()


def under_proc(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc")  # root's too


def without_home(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)


@pytest.mark.parametrize(
    "spoil",
    [open_to_all, somebody_elses, read_only, under_a_file, under_proc, without_home],
    ids=lambda spoil: spoil.__name__,
)
def test_elsewhere_for_one_process(
    cache: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[..., None]
) -> None:
    spoil(cache, monkeypatch)
    folder = _kept.folder()
    assert folder != cache
    assert is_private(folder)
    assert answer(9) == 9
    assert _kept.folder() == folder
    assert not cache.is_dir() or not list(cache.iterdir())


def test_the_folder_may_be_removed_at_any_time(cache: Path) -> None:
    assert answer(10) == 10
    for path in cache.iterdir():
        path.unlink()
    cache.rmdir()
    assert answer(10) == 10


def test_several_threads_at_once(cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(library.__wrapped__, [text(11)] * 4))
    assert [loaded.answer() for loaded in found if loaded] == [11] * 4
    assert len(list(cache.iterdir())) == 1


# -- without a compiler ------------------------------------------------------------------------


def act_and_slope() -> torch.Tensor:
    """A layer's output and gradient, stacked."""
    gset = gset_for(FeatureType.regular(groups.flop(), 34))
    x = torch.linspace(-3, 3, 5 * 34).view(5, 34).requires_grad_()
    y = nn.GSetActivation(gset)(x)
    (slope,) = torch.autograd.grad(y.square().sum(), x)
    return torch.stack([y.detach(), slope])


def no_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(folder))


def no_such_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")


def switched_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRREPNET_NATIVE", "0")


@pytest.mark.parametrize("without", [no_path, no_such_compiler, switched_off])
def test_no_compiler_no_kernels_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: Callable[..., None]
) -> None:
    expected = act_and_slope()
    for loaded in CACHES:
        loaded.cache_clear()
    without(tmp_path, monkeypatch)
    assert compiler() is None
    assert answer(12) is None
    torch.testing.assert_close(act_and_slope(), expected)
    assert _conjugation._kernel.cache_info().currsize


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
def test_a_compiler_that_fails(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = act_and_slope()
    for loaded in CACHES:
        loaded.cache_clear()
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


def test_an_option_that_the_compiler_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without instructions of this processor, then."""
    real = compiler()
    assert real is not None
    script = f'for a in "$@"; do case $a in -m*) exit 1;; esac; done; exec {real[0]} "$@"'
    monkeypatch.setenv("CC", fake_compiler(tmp_path, script))
    expected = act_and_slope()
    monkeypatch.delenv("CC")
    for loaded in CACHES:
        loaded.cache_clear()
    torch.testing.assert_close(act_and_slope(), expected)


# -- processes ---------------------------------------------------------------------------------

FORKS = """
import atexit, os
import torch
from irrepnet.nn.native import Conjugation, _kept
from irrepnet.nn.native._library import library

def child(work):
    # Runs work in a fork and what Python does at exit, but not the destructors of C++: those of
    # torch wait for threads that a fork does not have.
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except Exception as problem:
            print(repr(problem), flush=True)
            os._exit(1)
        atexit._run_exitfuncs()
        os._exit(0)
    return pid

def wait(pids):
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * len(pids)

def same(text, number):
    assert library(text).answer() == number

# Several processes compile the same text at once.
wait([child(lambda: same("int answer(void) { return 13; }", 13)) for _ in range(4)])
assert len(list(_kept.folder().iterdir())) == 1

# A child of a process that has used two threads uses two of its own.
torch.set_num_threads(2)
kernel = Conjugation(((1.0, 1.0), (1.0, -1.0)), ((0.5, 0.5), (0.5, -0.5)), 64, (0, 64), (0, 64))
x = torch.randn(2000, 128)
def out():
    y = torch.empty_like(x)
    assert kernel.serves("gelu", x)
    kernel.write("gelu", y, x)
    return y
expected = out()
def compare():
    assert torch.equal(out(), expected)
    wait([child(lambda: None)])
wait([child(compare), child(compare)])
assert torch.equal(out(), expected)

# The folder of one process is not removed by its children, and removed by itself.
os.environ["XDG_CACHE_HOME"] = "/proc"
own = _kept.folder()
same("int answer(void) { return 14; }", 14)
def elsewhere():
    assert _kept.folder() != own
    same("int answer(void) { return 15; }", 15)
    print(_kept.folder(), flush=True)
wait([child(elsewhere)])
same("int answer(void) { return 16; }", 16)
print(own)
"""


def test_forks_and_processes_at_once(tmp_path: Path) -> None:
    script = tmp_path / "forks.py"
    script.write_text(FORKS)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", str(script)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folders = done.stdout.split()
    assert len(set(folders)) == 2
    assert not any(map(os.path.exists, folders))
