"""Writing to the terminal: results to standard output, everything else to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

#: Columns where no terminal says otherwise.
PIPE_WIDTH = 100

#: The file name that means standard output.
STDOUT = "-"


def show(*renderables: RenderableType) -> None:
    """Print results; plain text of a fixed width in a pipe."""
    if sys.stdout.isatty():
        Console(highlight=False).print(*renderables, sep="\n")
        return
    console = Console(width=PIPE_WIDTH, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(*renderables, sep="\n")
    for line in capture.get().splitlines():
        print(line.rstrip())


def table(*columns: str) -> Table:
    """A table without lines; columns whose titles start with # are numbers, aligned right."""
    rows = Table(box=None, padding=(0, 1), pad_edge=False)
    for column in columns:
        rows.add_column(column.removeprefix("#"), justify="right" if "#" in column else "left")
    return rows


def show_text(text: str) -> None:
    """Print text as it is."""
    print(text.rstrip("\n"))


def complain(message: str) -> None:
    """Print an error."""
    Console(stderr=True, highlight=False).print(Text(message, style="red"), soft_wrap=True)


def is_file(target: str) -> bool:
    """Whether a report goes to a file, not nowhere and not to standard output."""
    return target not in ("", STDOUT)


def write_report(target: str, text: str) -> None:
    """Write a report to a file, or to standard output for "-".

    Raises:
        OutputError: If the system refuses.
    """
    from irrepnet.report import write_text

    if target == STDOUT:
        show_text(text)
    else:
        write_text(Path(target), text)


@contextmanager
def quiet_pipe() -> Iterator[None]:
    """End without a traceback when the reader of a pipe has left (`irrepnet ... | head`)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old terminal shows `?` for what it lacks
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Steps:
    """Progress bars on a terminal; silent in a pipe."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Steps:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Say how far a step is; a total of 0 means that nobody knows yet."""
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(step, total=None)
        self._progress.update(self._tasks[step], completed=done, total=total or None)
