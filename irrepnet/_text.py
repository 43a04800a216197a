"""Tables as plain text."""

from io import StringIO

from rich.console import Console
from rich.table import Table


def plain_text(table: Table, width: int = 120) -> str:
    """A rich table as text without colours, at most `width` columns wide."""
    console = Console(file=StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).rstrip()
