"""A report as a table: on a terminal, in Markdown, CSV or JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from irrepnet._errors import FlopCountError
from irrepnet._text import plain_text
from irrepnet.accounting._lines import GROUPINGS, Line, lines
from irrepnet.compiler import Row

FORMATS = ("text", "markdown", "csv", "json")

#: What the numbers are, by unit.
UNITS = {
    "FLOPs": "FLOPs (1 MAC = 2 FLOPs)",
    "MACs": "products in MACs (1 MAC = 2 FLOPs), other work in FLOPs",
}


def check_unit(unit: str) -> None:
    """Raise `FlopCountError` if a unit is none of `UNITS`."""
    _check("unit", unit, tuple(UNITS))


def _check(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise FlopCountError(
            f"got {what}={value!r}: expected one of {', '.join(map(repr, known))}."
        )


def si(value: float) -> str:
    """A number with four significant digits and a prefix of thousands; never a rounded zero.

    Examples:
        >>> si(4_957_300_000), si(37_632), si(192), si(0)
        ('4.957 G', '37.63 k', '192', '0')
    """
    for power, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if abs(value) >= 0.99995 * 10**power:
            return f"{value / 10**power:#.4g} {prefix}".replace(". ", " ")
    return f"{value:.4g}"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: Its name in CSV and JSON.
        title: Its name on paper.
        show: How a value is written there.
    """

    key: str
    title: str
    show: Callable[[Any], str] = si


@dataclass(frozen=True)
class Layout:
    """Which table.

    Attributes:
        by: One of `GROUPINGS`.
        unit: One of `UNITS`.
        itemsize: Bytes of a number.
        training: Whether the backward pass has columns.
    """

    by: str = "layer"
    unit: str = "FLOPs"
    itemsize: int = 4
    training: bool = False

    def __post_init__(self) -> None:
        _check("by", self.by, GROUPINGS)
        check_unit(self.unit)

    @property
    def meaning(self) -> str:
        """What the numbers are."""
        return f"{UNITS[self.unit]}, one sample; {self.itemsize} bytes a number"

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns but those of names."""
        products = "products" if self.unit == "FLOPs" else "products (MACs)"
        other = "other" if self.unit == "FLOPs" else "other (FLOPs)"
        backward = (
            Column("backward_matmul", f"backward {products}"),
            Column("backward_other", f"backward {other}"),
            Column("training_bytes", "kept bytes", lambda n: "" if n is None else si(n)),
        )
        return (
            Column("params", "parameters", lambda n: f"{n:,}"),
            Column("matmul", products),
            Column("other", other),
            Column("share", "share", lambda s: f"{s:.1%}"),
            Column("bytes_read", "bytes read"),
            Column("bytes_written", "written"),
            Column("intensity", "FLOPs/byte", lambda x: f"{x:.3g}"),
            Column("inference_bytes", "most live bytes"),
            *(backward if self.training else ()),
        )

    def values(self, line: Line, total: int) -> dict[str, Any]:
        """What stands in the columns; products in the layout's unit."""
        found = line.to_dict(self.itemsize)
        each = 2 if self.unit == "MACs" else 1
        return {
            **found,
            "matmul": found["matmul_flops"] // each,
            "other": found["other_flops"],
            "share": found["flops"] / total if total else 0.0,
            "backward_matmul": found["backward_matmul_flops"] // each,
            "backward_other": found["backward_other_flops"],
        }


def render(rows: Sequence[Row], layout: Layout, fmt: str) -> str:
    """A table of some layers.

    Args:
        rows: The layers.
        layout: Which table.
        fmt: One of `FORMATS` but `"json"`.
    """
    total = Line("total", "", tuple(rows))
    flops = total.sum("flops")
    body = [(line, layout.values(line, flops)) for line in lines(rows, layout.by)]
    return _RENDERERS[fmt](layout, [*body, (total, layout.values(total, flops))])


Body = list[tuple[Line, dict[str, Any]]]


def _names(layout: Layout) -> dict[str, str]:
    """Titles of the columns of names, and what of a line stands there."""
    return {
        "layer": {"layer": "name", "kind": "kind"},
        "part": {"block": "name", "part": "kind"},
        "block": {"block": "name"},
        "kind": {"part": "kind"},
    }[layout.by]


def _named(layout: Layout, line: Line) -> list[str]:
    """A line's names; the last line's is "total" in the first column."""
    first, *others = (getattr(line, attribute) for attribute in _names(layout).values())
    return [first or line.name, *others]


def _cells(layout: Layout, body: Body) -> list[list[str]]:
    return [
        [*_named(layout, line), *(column.show(values[column.key]) for column in layout.columns)]
        for line, values in body
    ]


def _text(layout: Layout, body: Body) -> str:
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    cells = _cells(layout, body)
    for title in _names(layout):
        table.add_column(title, overflow="fold")
    for column in layout.columns:
        table.add_column(column.title, justify="right")
    for row in cells:
        table.add_row(*row)
    return f"{layout.meaning}\n{plain_text(table, width=240)}"


def _markdown(layout: Layout, body: Body) -> str:
    names = [*_names(layout), *(column.title for column in layout.columns)]
    rule = [*("---" for _ in _names(layout)), *("---:" for _ in layout.columns)]
    rows = [names, rule, *_cells(layout, body)]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), "", f"{layout.meaning}."])


def _csv(layout: Layout, body: Body) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    unit = layout.unit
    named = {
        "matmul": f"matmul_{unit}",
        "other": "other_FLOPs",
        "intensity": "FLOPs_per_byte",
        "backward_matmul": f"backward_matmul_{unit}",
        "backward_other": "backward_other_FLOPs",
    }
    keys = [column.key for column in layout.columns]
    writer.writerow([*_names(layout), *(named.get(key, key) for key in keys)])
    for line, values in body:
        writer.writerow([*_named(layout, line), *(values[key] for key in keys)])
    return out.getvalue().rstrip("\n")


_RENDERERS: dict[str, Callable[[Layout, Body], str]] = {
    "text": _text,
    "markdown": _markdown,
    "csv": _csv,
}
