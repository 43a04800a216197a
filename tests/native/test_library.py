"""What is kept of compiled libraries, where, and what of it is loaded."""

import os
import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from irrepnet.nn.native import _kept, compiler
from irrepnet.nn.native._library import library


def text(number: int) -> str:
    return f"int answer(void) {{ return {number}; }}"


def answer(number: int) -> int | None:
    """What freshly loaded code says, or `None` if there is none."""
    library.cache_clear()
    loaded = library(text(number))
    return None if loaded is None else loaded.answer()


def fails(*_: object, **__: object) -> None:
    raise AssertionError("compiled again")


def test_compiled_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [answer(k) for k in (3, 4)] == [3, 4]
    files = sorted(cache.iterdir())
    assert len(files) == 2
    assert all(path.suffix == ".so" for path in files)  # nothing else is left
    monkeypatch.setattr(subprocess, "run", fails)
    assert [answer(k) for k in (3, 4)] == [3, 4]
    assert library(text(4)) is library(text(4))
    # Another compiler, or other options, is another library.
    found = compiler()
    assert found is not None
    monkeypatch.setenv("CC", f"{found[0]} -DANYTHING")
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
    return status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == 0o700


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
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)


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
