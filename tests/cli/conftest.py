"""One comparison of tiny networks, run once by the command itself."""

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from irrepnet.cli import main

#: Options that make any vision transformer tiny.
TINY = "--depth 2 --width 16 --heads 2 --patch 8 --img-size 32 --num-classes 10".split()


@dataclass(frozen=True)
class Compared:
    """What `irrepnet compare` printed and wrote."""

    status: int
    printed: str
    complaints: str
    json: dict[str, Any]
    html: str


@pytest.fixture(scope="session")
def tiny() -> list[str]:
    return ["vit_tiny_patch16_224", *TINY]


@pytest.fixture(scope="session")
def compared(tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Compared:
    folder: Path = tmp_path_factory.mktemp("compared")
    out, err = io.StringIO(), io.StringIO()
    options = ["--group", "flop", "--batch", "2", "--runs", "3"]
    files = ["--json", str(folder / "r.json"), "--html", str(folder / "r.html")]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["compare", *tiny, *options, *files])
    assert sorted(f.name for f in folder.iterdir()) == ["r.html", "r.json"]
    return Compared(
        status,
        out.getvalue(),
        err.getvalue(),
        json.loads((folder / "r.json").read_text(encoding="utf-8")),
        (folder / "r.html").read_text(encoding="utf-8"),
    )
