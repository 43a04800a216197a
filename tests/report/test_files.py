"""Files are checked early and replaced in one step."""

import os
import tempfile
from pathlib import Path

import pytest

from irrepnet._errors import OutputError
from irrepnet.report import check_writable, write_text


def test_a_new_text_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    check_writable(path)
    assert list(tmp_path.iterdir()) == []
    write_text(path, "old")
    check_writable(path)
    assert path.read_text() == "old"
    write_text(path, "new ±")
    assert path.read_text(encoding="utf-8") == "new ±"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_keeps_pointing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_text(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "text"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"it is a folder\. Give a file, such as"):
        check_writable(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"there is no folder .*no\. Create it first"):
        check_writable(tmp_path / "no" / "r.json")


def test_a_read_only_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.json"
    path.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match=r"the file is read-only\. Choose another name"):
        check_writable(path)


def test_a_closed_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", closed)
    with pytest.raises(
        OutputError, match=r"Permission denied\. Choose a folder that you may write"
    ):
        check_writable(tmp_path / "r.json")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_a_full_disk_is_an_error_that_names_the_file() -> None:
    check_writable("/dev/full")
    with pytest.raises(OutputError, match=r"cannot write /dev/full: No space left on device"):
        write_text("/dev/full", "x" * 10_000_000)


def test_the_old_text_survives_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.json"
    path.write_text("old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
