"""`flops`: what every layer costs, equal to what torch measures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from irrepnet import nn
from irrepnet._errors import FlopCountError
from irrepnet.accounting._audit import measure, measure_training
from irrepnet.accounting._lines import Line, lines
from irrepnet.accounting._symbolic import SymbolicReport, symbolic
from irrepnet.accounting._table import FORMATS, UNITS, Layout, render
from irrepnet.compiler import Features, Images, Plan, Row, cost

UNIT = f"{UNITS['FLOPs']}, one sample"


@dataclass(frozen=True)
class FlopReport:
    """Costs of all layers of a network for one sample (one image).

    Conventions: a multiply-accumulate of a matrix product is 2 FLOPs. Everything else counts one
    FLOP for each arithmetic operation or special function (exp, erf, square root) of an element:
    a norm 3 an element, 2 more where it is centred, 1 for each affine factor and bias; softmax 6 a
    logit; a pointwise activation 1; a basis change written in additions 2 a channel. Moving data
    costs none. `docs/accounting.md` has them all, those of bytes and of the backward pass too.

    Attributes:
        rows: One for each layer, without subtotals, in the order in which they run.
        plan: The network, if the report is to be had in symbols.
        positions: Feature vectors of one sample, for a network that takes features.
    """

    rows: tuple[Row, ...]
    plan: Plan | None = field(default=None, repr=False, compare=False)
    positions: int | None = field(default=None, repr=False, compare=False)

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
        """All FLOPs of the forward pass."""
        return self.matmul_flops + self.other_flops

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the products: half of their FLOPs."""
        return self.matmul_flops // 2

    @property
    def backward_matmul_flops(self) -> int:
        """FLOPs of the backward pass that torch's counter counts."""
        return sum(row.backward_matmul_flops for row in self.rows)

    @cached_property
    def symbolic(self) -> SymbolicReport:
        """The same in symbols: each layer's formula, and the totals.

        Raises:
            FlopCountError: If the report does not know its network.
        """
        if self.plan is None:
            raise FlopCountError(
                "the report was made of rows alone: expected one that irrepnet.flops made, which "
                "knows the network whose sizes become symbols."
            )
        return symbolic(self.plan, self.positions)

    def to_dict(self, itemsize: int = 4, by: str = "layer") -> dict[str, Any]:
        """The report as plain values.

        Args:
            itemsize: Bytes of a number, 4 for float32.
            by: As in `table`.
        """
        Layout(by, itemsize=itemsize)  # its checks
        if by == "layer":
            rows = [
                {"path": row.path, "kind": row.kind, "other": dict(row.cost.other)}
                for row in self.rows
            ]
        else:
            rows = [{"block": line.name, "part": line.kind} for line in lines(self.rows, by)]
        sums = [line.to_dict(itemsize) for line in lines(self.rows, by)]
        return {
            "unit": UNIT,
            "itemsize": itemsize,
            "rows": [{**name, **found} for name, found in zip(rows, sums, strict=True)],
            "total": Line("", "", self.rows).to_dict(itemsize),
        }

    def to_json(self, itemsize: int = 4, by: str = "layer") -> str:
        """The report as JSON."""
        return json.dumps(self.to_dict(itemsize, by), indent=2)

    def table(
        self, format: str = "text", *, by: str = "layer", unit: str = "FLOPs", itemsize: int = 4
    ) -> str:
        """The report as a table.

        Args:
            format: `"text"`, `"markdown"`, `"csv"` or `"json"`; the last two give whole numbers.
            by: One line for each `"layer"`, or sums by `"part"` of a block, `"block"` or `"kind"`.
            unit: `"FLOPs"`, or `"MACs"` for the products; JSON has both.
            itemsize: Bytes of a number, 4 for float32.

        Raises:
            FlopCountError: If a choice is unknown.
        """
        if format not in FORMATS:
            raise FlopCountError(
                f"got format={format!r}: expected one of {', '.join(map(repr, FORMATS))}."
            )
        training = any(row.saved is not None for row in self.rows)
        layout = Layout(by, unit, itemsize, training)
        return self.to_json(itemsize, by) if format == "json" else render(self.rows, layout, format)


def flops(model: nn.Layer, input_size: tuple[int, ...], training: bool = False) -> FlopReport:
    """Count the FLOPs of a compiled network, layer by layer.

    The counts are formulas of the plan. Their matrix products are compared, layer by layer, with
    `torch.utils.flop_counter` on the meta device, so a report that is returned is a true one.

    Args:
        model: A network made by `irrepnet.compile` or `irrepnet.create_model`.
        input_size: Shape of one sample, without batch: `(channels, height, width)` of an image or
            a map, or `(..., dim)` of features.
        training: Whether to compare the backward pass as well, and to measure what autograd keeps.

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
    positions = _positions(plan, tuple(input_size))
    rows = cost(plan, positions)
    _compare(model, rows, (1, *input_size))
    if training:
        rows = _trained(model, rows, (1, *input_size))
    return FlopReport(rows, plan, positions)


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


def _compare(model: nn.Layer, rows: Sequence[Row], shape: tuple[int, ...]) -> None:
    measured = measure(model, shape)
    modules = dict(model.named_modules())
    for row in rows:
        _check(row, "FLOPs of matrix products", row.matmul_flops, measured.layers.get(row.path, 0))
        if row.kind != "Skip":
            found = sum(p.numel() for p in modules[row.path].parameters())
            _check(row, "parameters", row.params, found)
    products = sum(row.matmul_flops for row in rows)
    _check(None, "FLOPs of matrix products", products, measured.matmul_flops)
    params = sum(p.numel() for p in model.parameters())
    _check(None, "parameters", sum(row.params for row in rows), params)


def _trained(model: nn.Layer, rows: Sequence[Row], shape: tuple[int, ...]) -> tuple[Row, ...]:
    """The rows with what autograd keeps, after a check of their backward products."""
    measured = measure_training(model, shape, [row.path for row in rows])
    what = "FLOPs of matrix products in the backward pass"
    for row in rows:
        # torch's tracker gives what follows a layer that returns its very input to that layer.
        if row.matmul_flops:
            _check(row, what, row.backward_matmul_flops, measured.layers.get(row.path, 0))
    total = sum(row.backward_matmul_flops for row in rows)
    _check(None, what, total, measured.backward_flops)
    return tuple(replace(row, saved=measured.saved.get(row.path, 0)) for row in rows)


def _check(row: Row | None, what: str, counted: int, found: int) -> None:
    if counted != found:
        at = f"{row.path} ({row.kind}): " if row and row.path else ""
        raise FlopCountError(
            f"{at}the plan counts {counted:,} {what}, the model has {found:,}: the model does not "
            f"do what its plan says. Was a layer replaced after it was compiled? Compile a "
            f"changed spec instead. Is it your own layer? Then mend its rule's cost."
        )
