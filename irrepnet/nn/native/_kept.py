"""Compiled libraries in the user's cache: loaded only if they are ours and whole."""

from __future__ import annotations

import atexit
import ctypes
import functools
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from irrepnet._cache import cache_directory


def kept(name: str) -> ctypes.CDLL | None:
    """The library that was kept under a name, or `None`.

    The digest in a file's name is compared with its bytes: of a library that was cut short, by a
    full disk or a crash, the system may load the start, and then the process dies.
    """
    for path in sorted(folder().glob(f"{name}-*.so")):
        try:
            if _is_ours(path) and path.name == _full_name(path, name):
                return ctypes.CDLL(str(path))
        except OSError:  # for another system's C library, where machines share a home; or removed
            continue
    return None


def keep(made: Path, name: str) -> Path:
    """Move a library, in one step, to where `kept` finds it."""
    made.chmod(0o700)
    target = folder() / _full_name(made, name)
    os.replace(made, target)
    return target


def folder() -> Path:
    """Where libraries are kept: a folder that only this user writes, or one for this process."""
    try:
        path = cache_directory() / "native"
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_ours(path) and os.access(path, os.W_OK):
            return path
    except (OSError, RuntimeError):  # the latter where there is no home
        pass
    return _own_folder(os.getpid())


@functools.cache
def _own_folder(process: int) -> Path:
    """A folder for one process; a fork does not use, nor remove, that of its parent."""
    path = Path(tempfile.mkdtemp(prefix="irrepnet-"))
    atexit.register(lambda: os.getpid() == process and shutil.rmtree(path, ignore_errors=True))
    return path


def _full_name(path: Path, name: str) -> str:
    return f"{name}-{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}.so"


def _is_ours(path: Path) -> bool:
    """Whether this user owns it and nobody else may write it."""
    status = path.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022
