"""`flops`: parameters and FLOPs of every layer, equal to what torch measures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from irrepnet import nn
from irrepnet._errors import FlopCountError
from irrepnet._text import plain_text
from irrepnet.accounting._audit import measure
from irrepnet.compiler import Features, Images, Plan, Row, cost

UNIT = "FLOPs (1 MAC = 2 FLOPs), one sample"


@dataclass(frozen=True)
class FlopReport:
    """Costs of all layers of a network for one sample (one image).

    Conventions: a multiply-accumulate of a matrix product is 2 FLOPs. Everything else counts one
    FLOP for each arithmetic operation or special function (exp, erf, square root) of an element:
    a norm 3 an element, 2 more where it is centred, 1 for each affine factor and bias; softmax 6 a
    logit; a pointwise activation 1; a basis change written in additions 2 a channel. Moving data
    costs none.

    Attributes:
        rows: One for each layer, without subtotals, in the order in which they run.
    """

    rows: tuple[Row, ...]

    @property
    def params(self) -> int:
        """Trainable parameters."""
        return sum(row.params for row in self.rows)

    @property
    def matmul_flops(self) -> int:
        """FLOPs of everything that torch's counter counts: products, convolutions, attention."""
        return sum(row.matmul_flops for row in self.rows)

    @property
    def other_flops(self) -> int:
        """FLOPs of norms, softmax, activations, basis changes, biases, elementwise work."""
        return sum(row.other_flops for row in self.rows)

    @property
    def total(self) -> int:
        """All FLOPs."""
        return self.matmul_flops + self.other_flops

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "unit": UNIT,
            "rows": [
                {
                    "path": row.path,
                    "kind": row.kind,
                    "params": row.params,
                    "matmul_flops": row.matmul_flops,
                    "other_flops": row.other_flops,
                    "other": dict(row.cost.other),
                    "flops": row.flops,
                }
                for row in self.rows
            ],
            "total": {
                "params": self.params,
                "matmul_flops": self.matmul_flops,
                "other_flops": self.other_flops,
                "flops": self.total,
            },
        }

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(self.to_dict(), indent=2)

    def table(self) -> str:
        """The report as text, one line a layer, in millions of FLOPs."""
        table = Table(title=f"Million {UNIT}", title_justify="left")
        table.add_column("layer")
        table.add_column("kind")
        for column in ("parameters", "products", "other", "share"):
            table.add_column(column, justify="right")
        for row in self.rows:
            table.add_row(row.path or "(network)", row.kind, *self._cells(row))
        table.add_section()
        table.add_row(
            "total",
            "",
            f"{self.params:,}",
            f"{self.matmul_flops / 1e6:,.2f}",
            f"{self.other_flops / 1e6:,.2f}",
            "100.0%",
        )
        return plain_text(table)

    def _cells(self, row: Row) -> list[str]:
        share = row.flops / self.total if self.total else 0.0
        return [
            f"{row.params:,}",
            f"{row.matmul_flops / 1e6:,.2f}",
            f"{row.other_flops / 1e6:,.2f}",
            f"{share:.1%}",
        ]


def flops(model: nn.Layer, input_size: tuple[int, ...]) -> FlopReport:
    """Count the FLOPs of a compiled network, layer by layer.

    The counts are formulas of the plan. Their matrix products are compared with
    `torch.utils.flop_counter` on the meta device, so a report that is returned is a true one.

    Args:
        model: A network made by `irrepnet.compile` or `irrepnet.create_model`.
        input_size: Shape of one sample, without batch: `(channels, height, width)` of an image, or
            `(..., dim)` of features.

    Returns:
        The report; its rows are layers, and their sum is the network's.

    Raises:
        FlopCountError: If the model has no plan, does not take that input, runs an operation of
            unknown cost, or does not do what its plan says.

    Examples:
        >>> import irrepnet as ir
        >>> X = ir.FeatureType(ir.groups.flop(), "2*sym + 2*asym")
        >>> ir.flops(ir.compile(ir.specs.Linear(X, X)), (10, 4)).matmul_flops
        160
    """
    plan = getattr(model, "plan", None)
    if not isinstance(plan, Plan):
        raise FlopCountError(
            f"{type(model).__name__} has no plan: expected a network made by irrepnet.compile or "
            f"irrepnet.create_model."
        )
    report = FlopReport(cost(plan, _positions(plan, tuple(input_size))))
    _compare(model, report, (1, *input_size))
    return report


def _positions(plan: Plan, input_size: tuple[int, ...]) -> int | None:
    """Positions of one sample, for a network that takes features."""
    source = plan.source
    if isinstance(source, Images):
        expected: tuple[Any, ...] = (source.channels, *source.size)
        if input_size != expected:
            raise FlopCountError(f"got input_size={input_size}: the network takes {expected}.")
        return None
    assert isinstance(source, Features)
    if source.maps and source.grid is not None:
        expected = (source.type.dim, *source.grid)
        if input_size != expected:
            raise FlopCountError(f"got input_size={input_size}: the network takes {expected}.")
        return source.positions
    expected = ("...", source.type.dim)
    positions = 1
    for size in input_size[:-1]:
        positions *= size
    if not input_size or input_size[-1] != source.type.dim:
        raise FlopCountError(
            f"got input_size={input_size}: the network takes ({', '.join(map(str, expected))})."
        )
    if source.positions not in (None, positions):
        raise FlopCountError(
            f"got input_size={input_size}: the network takes {source.positions} positions."
        )
    return positions


def _compare(model: nn.Layer, report: FlopReport, shape: tuple[int, ...]) -> None:
    measured = measure(model, shape)
    params = sum(p.numel() for p in model.parameters())
    for what, counted, found in (
        ("FLOPs of matrix products", report.matmul_flops, measured.matmul_flops),
        ("parameters", report.params, params),
    ):
        if counted != found:
            raise FlopCountError(
                f"the plan counts {counted:,} {what}, the model has {found:,}: the model does not "
                f"do what its plan says. Was a layer replaced after it was compiled? Compile a "
                f"changed spec instead."
            )
