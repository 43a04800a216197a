"""A report in symbols on paper: as text, in LaTeX, and as plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy
from rich.table import Table
from sympy import Expr

from irrepnet._text import plain_text
from irrepnet.accounting._symbols import meaning, symbol
from irrepnet.accounting._table import UNITS, check_unit

if TYPE_CHECKING:
    from irrepnet.accounting._symbolic import SymbolicReport, SymbolicRow

_BLOCK = re.compile(r"\.(\d+)(?=\.|$)")

#: A row's expressions, as they are called in `to_dict`.
EXPRESSIONS = (
    "params",
    "matmul_flops",
    "other_flops",
    "backward_matmul_flops",
    "backward_other_flops",
    "bytes_read",
    "bytes_written",
    "live_bytes",
)


@dataclass(frozen=True)
class Columns:
    """Which formulas stand beside each other.

    Attributes:
        unit: One of `UNITS`.
        training: Whether the backward pass has columns.
    """

    unit: str = "FLOPs"
    training: bool = False

    def __post_init__(self) -> None:
        check_unit(self.unit)

    @property
    def titles(self) -> list[str]:
        """What stands above them, with units."""
        work = [f"products ({self.unit})", "other (FLOPs)"]
        backward = [f"backward {title}" for title in work] if self.training else []
        return ["parameters", *work, *backward]

    def of(self, costs: SymbolicReport | SymbolicRow) -> list[Expr]:
        """The formulas of one layer, or the totals."""
        each = 2 if self.unit == "MACs" else 1
        found = [costs.params, costs.matmul_flops / each, costs.other_flops]
        if self.training:
            found += [costs.backward_matmul_flops / each, costs.backward_other_flops]
        return found


def merged(rows: Iterable[SymbolicRow]) -> list[tuple[int, str, SymbolicRow]]:
    """Equal layers of different blocks together: how many, where, and one of them."""
    found: dict[Any, list[SymbolicRow]] = {}
    for row in rows:
        place = _BLOCK.sub(".*", row.path, count=1)
        key = (place, row.kind, *(getattr(row, name) for name in EXPRESSIONS[:5]))
        found.setdefault(key, []).append(row)
    return [(len(rows), _path([row.path for row in rows]), rows[0]) for rows in found.values()]


def _path(paths: list[str]) -> str:
    """`blocks.0-11.mlp.fc1` of the same layer in twelve blocks."""
    numbers = [int(match[1]) for path in paths if (match := _BLOCK.search(path))]
    several = len(paths) > 1
    where = _BLOCK.sub(f".{min(numbers)}-{max(numbers)}", paths[0], count=1) if several else ""
    return where or paths[0] or "(network)"


def text(report: SymbolicReport, columns: Columns) -> str:
    """A table for a terminal, what its symbols are below it."""
    table = Table(title=UNITS[columns.unit], title_justify="left")
    table.add_column("", justify="right")
    for title in ("layer", "kind", *columns.titles):
        table.add_column(title, overflow="fold")
    for count, path, row in report.groups():
        times = f"{count} x" if count > 1 else ""
        table.add_row(times, path, row.kind, *map(_written, columns.of(row)))
    table.add_section()
    table.add_row("", "total", "", *map(_written, columns.of(report)))
    return "\n".join((plain_text(table, width=160 + 60 * columns.training), *legend(report)))


def latex(report: SymbolicReport, columns: Columns) -> str:
    r"""A LaTeX `array`, what its symbols are as comments before it."""
    head = " & ".join(f"\\text{{{title}}}" for title in ("layer", *columns.titles))
    lines = [
        f"{_times(count)} & \\text{{{path.replace('_', chr(92) + '_')}}} & "
        f"{' & '.join(map(_latex, columns.of(row)))} \\\\"
        for count, path, row in report.groups()
    ]
    totals = " & ".join(map(_latex, columns.of(report)))
    return "\n".join(
        (
            *(f"% {line}" for line in (UNITS[columns.unit], *legend(report))),
            rf"\begin{{array}}{{rl{'r' * len(columns.titles)}}}",
            rf" & {head} \\ \hline",
            *lines,
            rf"\hline & \text{{total}} & {totals} \\",
            r"\end{array}",
        )
    )


def legend(report: SymbolicReport) -> Iterator[str]:
    """What each symbol is; and which layers have no formula, if there are such."""
    for s in sorted(report.values, key=str):
        by = f" = {_plain(report.definitions[s])}" if s in report.definitions else ""
        yield f"{s}{by} = {report.values[s]}: {meaning(str(s))}"
    numbers = [row.path or "(network)" for row in report.rows if not row.is_symbolic]
    if numbers:
        yield f"numbers instead of formulas, which their rules do not give: {', '.join(numbers)}"


def to_dict(report: SymbolicReport) -> dict[str, Any]:
    """Everything as plain values; formulas as text that sympy reads."""
    return {
        "unit": f"{UNITS['FLOPs']}, B samples",
        "symbols": {str(s): meaning(str(s)) for s in report.values},
        "values": {str(s): value for s, value in report.values.items()},
        "definitions": {str(s): str(e) for s, e in report.definitions.items()},
        "rows": [
            {
                "path": row.path,
                "kind": row.kind,
                "is_symbolic": row.is_symbolic,
                **{name: str(getattr(row, name)) for name in EXPRESSIONS},
            }
            for row in report.rows
        ],
        "total": {name: str(report.sum(name)) for name in EXPRESSIONS[:-1]},
    }


def _times(count: int) -> str:
    return rf"{count} \times" if count > 1 else ""


def _factored(expression: Expr) -> Expr:
    """A sum as powers of `D` with what multiplies them."""
    return sympy.collect(sympy.expand(expression), symbol("D"), sympy.factor)


def _written(expression: Expr) -> str:
    return _plain(_factored(expression))


def _plain(expression: Expr) -> str:
    return str(expression).replace("**", "^").replace("*", " ")


def _latex(expression: Expr) -> str:
    return sympy.latex(_factored(expression))
