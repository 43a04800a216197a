"""Costs as expressions: each layer's own formula, evaluated at symbols instead of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy
from rich.table import Table
from sympy import Expr, Symbol

from irrepnet._text import plain_text
from irrepnet.accounting._symbols import MEANINGS, Sizes, symbol
from irrepnet.compiler import Plan, Row, Stop, rows

#: What a formula can be asked for, as in `Row`.
NUMBERS = (
    "params",
    "matmul_flops",
    "other_flops",
    "backward_matmul_flops",
    "backward_other_flops",
    "reads",
    "writes",
    "weights",
    "live",
)
_BLOCK = re.compile(r"\.(\d+)(?=\.|$)")


@dataclass(frozen=True)
class SymbolicRow:
    """What one layer costs for a batch of `B` samples.

    Attributes:
        path: As in `Row`.
        kind: As in `Row`.
        params: Parameters.
        matmul_flops: FLOPs of products.
        other_flops: All other FLOPs.
        backward_matmul_flops: FLOPs of products in the backward pass.
        backward_other_flops: All other FLOPs in the backward pass.
        bytes_read: Bytes read, `s` a number.
        bytes_written: Bytes written.
        live_bytes: Bytes of features that exist meanwhile.
        is_symbolic: Whether the rule could be evaluated at symbols; if not, these are numbers.
    """

    path: str
    kind: str
    params: Expr
    matmul_flops: Expr
    other_flops: Expr
    backward_matmul_flops: Expr
    backward_other_flops: Expr
    bytes_read: Expr
    bytes_written: Expr
    live_bytes: Expr
    is_symbolic: bool = True

    @property
    def flops(self) -> Expr:
        """All FLOPs of the forward pass."""
        return sympy.expand(self.matmul_flops + self.other_flops)


@dataclass(frozen=True)
class SymbolicReport:
    """Costs of all layers of a network in symbols; `repr` of a total is what to read.

    Attributes:
        rows: One for each layer, as in the report in numbers.
        values: What each symbol is in this network; at these the formulas give its numbers.
        definitions: Symbols that others determine, such as `N = H W / 256 + 1`.
    """

    rows: tuple[SymbolicRow, ...]
    values: dict[Symbol, int]
    definitions: dict[Symbol, Expr]

    def sum(self, attribute: str) -> Expr:
        """The sum over all layers of one of a row's expressions."""
        return sympy.expand(sympy.Add(*(getattr(row, attribute) for row in self.rows)))

    @property
    def params(self) -> Expr:
        """Trainable parameters."""
        return self.sum("params")

    @property
    def matmul_flops(self) -> Expr:
        """FLOPs of products."""
        return self.sum("matmul_flops")

    @property
    def other_flops(self) -> Expr:
        """All other FLOPs."""
        return self.sum("other_flops")

    @property
    def total(self) -> Expr:
        """All FLOPs of the forward pass."""
        return self.matmul_flops + self.other_flops

    @property
    def backward_matmul_flops(self) -> Expr:
        """FLOPs of products in the backward pass."""
        return self.sum("backward_matmul_flops")

    def _sympy_(self) -> Expr:
        """The report as an expression, for sympy: all FLOPs."""
        return self.total

    def evaluate(self, expression: Expr, **sizes: int) -> Any:
        """An expression at this network's sizes, or at others: `evaluate(report.total, D=768)`.

        Symbols that others determine follow them, unless they are given themselves.
        """
        given = {symbol(name): value for name, value in sizes.items()}
        free = {**self.values, **given}
        values: Any = {s: v for s, v in free.items() if s not in self.definitions}
        follow = {s: d.subs(values) for s, d in self.definitions.items() if s not in given}
        return sympy.sympify(expression).subs({**values, **follow, **given})

    def groups(self) -> list[tuple[int, str, SymbolicRow]]:
        """Equal layers of different blocks together: how many, where, and one of them."""
        found: dict[Any, list[SymbolicRow]] = {}
        for row in self.rows:
            place = _BLOCK.sub(".*", row.path, count=1)
            found.setdefault((place, row.kind, row.params, row.flops), []).append(row)
        return [
            (len(rows), _merged(rows) if len(rows) > 1 else rows[0].path, rows[0])
            for rows in found.values()
        ]

    def table(self) -> str:
        """Formulas of all layers as text, equal ones of different blocks together."""
        table = Table(title=f"FLOPs (1 MAC = 2 FLOPs), {self._legend()}", title_justify="left")
        table.add_column("", justify="right")
        for column in ("layer", "kind", "parameters", "products", "other"):
            table.add_column(column, overflow="fold")
        for count, path, row in self.groups():
            formulas = (row.params, row.matmul_flops, row.other_flops)
            table.add_row(_times(count), path or "(network)", row.kind, *map(_written, formulas))
        table.add_section()
        totals = (self.params, self.matmul_flops, self.other_flops)
        table.add_row("", "total", "", *map(_written, totals))
        return plain_text(table, width=160)

    def latex(self) -> str:
        r"""Formulas of all layers as a LaTeX `array`, the totals below."""
        lines = [
            f"{_times(count)} & \\text{{{path.replace('_', chr(92) + '_') or '(network)'}}} & "
            f"{_latex(row.params)} & {_latex(row.matmul_flops)} & {_latex(row.other_flops)} \\\\"
            for count, path, row in self.groups()
        ]
        totals = " & ".join(map(_latex, (self.params, self.matmul_flops, self.other_flops)))
        head = " & ".join(f"\\text{{{t}}}" for t in ("layer", "parameters", "products", "other"))
        top = (r"\begin{array}{rlrrr}", rf" & {head} \\ \hline")
        bottom = (rf"\hline & \text{{total}} & {totals} \\", r"\end{array}")
        return "\n".join((*top, *lines, *bottom))

    def _legend(self) -> str:
        used = sorted(self.values, key=str)
        found = [f"{s} = {self.values[s]}" for s in used]
        return "at " + ", ".join(found)

    def meanings(self) -> dict[str, str]:
        """What the symbols stand for."""
        return {str(s): MEANINGS.get(str(s), "channels") for s in self.values}


def symbolic(plan: Plan, positions: int | None = None) -> SymbolicReport:
    """Costs of all layers in symbols.

    Each layer's rule, which counts the network in numbers, is evaluated once more at types of `D`
    channels and grids of `H x W`: there is no second formula. A rule that needs numbers gives
    numbers (`SymbolicRow.is_symbolic`).

    Args:
        plan: The network.
        positions: As in `irrepnet.compiler.cost`.

    Examples:
        >>> import irrepnet as ir
        >>> X = ir.FeatureType(ir.groups.octic(), [6, 6, 6, 6, 12])
        >>> net = ir.compile(ir.specs.Linear(X, 4 * X, bias=False))
        >>> ir.accounting.symbolic(net.plan, positions=10).matmul_flops
        3*B*D**2*N/2
    """
    sizes = Sizes(plan, positions)
    given, abstract = [], []
    for stop, in_symbols in sizes.stops():
        given.append(stop)
        abstract.append(in_symbols)
    for name in ("B", "s"):
        sizes.values[symbol(name)] = {"B": 1, "s": 4}[name]
    evaluated = _Evaluated(sizes.values)
    found = (
        evaluated.row(number, stop) for number, stop in zip(rows(given), abstract, strict=True)
    )
    return SymbolicReport(tuple(found), sizes.values, sizes.definitions)


class _Evaluated:
    """Rows in symbols; a layer that stands in many blocks is evaluated once."""

    def __init__(self, values: dict[Symbol, int]) -> None:
        self._values = values
        self._known: dict[Any, dict[str, Expr] | None] = {}

    def row(self, number: Row, stop: Stop) -> SymbolicRow:
        """One layer's expressions."""
        key = (stop.spec, stop.kind, stop.source, stop.target, stop.held, number.input_grad)
        if key not in self._known:
            self._known[key] = self._evaluate(number, stop)
        found = self._known[key]
        is_symbolic = found is not None
        if found is None:
            found = {name: sympy.Integer(getattr(number, name)) for name in NUMBERS}
        batch, size = symbol("B"), symbol("s")
        each = {name: sympy.expand(batch * value) for name, value in found.items()}
        return SymbolicRow(
            stop.path,
            stop.kind,
            found["params"],
            each["matmul_flops"],
            each["other_flops"],
            each["backward_matmul_flops"],
            each["backward_other_flops"],
            sympy.expand(size * (each["reads"] + found["weights"])),
            sympy.expand(size * each["writes"]),
            sympy.expand(size * each["live"]),
            is_symbolic,
        )

    def _evaluate(self, number: Row, stop: Stop) -> dict[str, Expr] | None:
        """The rule at symbols, or nothing if it needs numbers or branches on them."""
        try:
            (row,) = rows([stop], trainable=number.input_grad)
            found = {name: sympy.expand(getattr(row, name)) for name in NUMBERS}
        except (TypeError, ValueError, AttributeError):
            return None
        same = (found[n].subs(self._values) == getattr(number, n) for n in NUMBERS)
        return found if all(same) else None


def _merged(rows: Iterable[SymbolicRow]) -> str:
    """`blocks.0-11.mlp.fc1` of the same layer in twelve blocks."""
    paths = [row.path for row in rows]
    numbers = [int(match[1]) for path in paths if (match := _BLOCK.search(path))]
    return _BLOCK.sub(f".{min(numbers)}-{max(numbers)}", paths[0], count=1)


def _times(count: int) -> str:
    return f"{count} x" if count > 1 else ""


def _factored(expression: Expr) -> Expr:
    """A sum as powers of `D` with what multiplies them."""
    return sympy.collect(sympy.expand(expression), symbol("D"), sympy.factor)


def _written(expression: Expr) -> str:
    return str(_factored(expression)).replace("**", "^").replace("*", " ")


def _latex(expression: Expr) -> str:
    return sympy.latex(_factored(expression))
