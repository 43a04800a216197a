"""Costs as expressions: each layer's own formula, evaluated at symbols instead of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Symbol

from irrepnet.accounting import _formulas
from irrepnet.accounting._formulas import Columns
from irrepnet.accounting._symbols import Sizes, meaning, symbol
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

    @property
    def backward_other_flops(self) -> Expr:
        """All other FLOPs in the backward pass."""
        return self.sum("backward_other_flops")

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
        return _formulas.merged(self.rows)

    def table(self, unit: str = "FLOPs", training: bool = False) -> str:
        """Formulas of all layers as text, equal ones of different blocks together.

        Args:
            unit: `"FLOPs"`, or `"MACs"` for the products.
            training: Whether the backward pass has columns.

        Raises:
            FlopCountError: If the unit is unknown.
        """
        return _formulas.text(self, Columns(unit, training))

    def latex(self, unit: str = "FLOPs", training: bool = False) -> str:
        r"""Formulas of all layers as a LaTeX `array`, the totals below; arguments as in `table`."""
        return _formulas.latex(self, Columns(unit, training))

    def meanings(self) -> dict[str, str]:
        """What the symbols stand for."""
        return {str(s): meaning(str(s)) for s in self.values}

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values; formulas as text that `sympy.sympify` reads."""
        return _formulas.to_dict(self)


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
