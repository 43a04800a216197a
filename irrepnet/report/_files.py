"""Where reports are written: checked before the long work, replaced in one step after it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from irrepnet._errors import OutputError


def check_writable(path: str | Path) -> None:
    """Refuse a file that cannot be written, while nothing is lost yet.

    Raises:
        OutputError: If the folder is missing or closed, or the path is a folder.
    """
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise OutputError(
            f"cannot write {path}: it is a folder. Give a file, such as {path}/report."
        )
    if not folder.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {folder}. Create it first.")
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputError(f"cannot write {path}: the file is read-only. Choose another name.")
    if path.exists() and not path.is_file():
        return  # a device or a pipe: written in place
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as problem:
        raise OutputError(
            f"cannot write {path}: {problem.strerror}. Choose a folder that you may write to."
        ) from None


def write_text(path: str | Path, text: str) -> None:
    """Write a file; what was there stays until the new text is complete.

    Raises:
        OutputError: If the system refuses.
    """
    path = Path(path).resolve()
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        partial = path.with_name(f".{path.name}.partial")
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as problem:
        raise OutputError(f"cannot write {path}: {problem.strerror}.") from None
