"""From which width on a group pays: predicted times of a block, dense against equivariant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from irrepnet.compiler import Machine, Plan, check, cost
from irrepnet.groups import Group, trivial
from irrepnet.planning._cost_models import predicted_seconds
from irrepnet.specs import Activation, LayerNorm, Linear, residual
from irrepnet.types import FeatureType

#: Widths that are asked about, in copies of the regular representation.
COPIES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)


@dataclass(frozen=True)
class BreakEven:
    """From which width on a group pays, for one number of rows.

    Attributes:
        group: The group's name.
        dtype: Dtype of weights and features.
        rows: Rows that are computed together: batch times tokens.
        bound: FLOPs of the dense block over the equivariant one's, at the largest width.
        speedups: Pairs of a width and the predicted speed-up.
        even: The least width from which on the group is never slower; `None` if there is none.
        half: The least width from which on half of the saved FLOPs are saved time.
    """

    group: str
    dtype: str
    rows: int
    bound: float
    speedups: tuple[tuple[int, float], ...]
    even: int | None
    half: int | None

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain values."""
        return asdict(self)


def break_even(
    group: Group,
    rows: Sequence[int] = (1, 197, 1576),
    dtypes: Sequence[str] = ("float32", "bfloat16"),
    machine: Machine | None = None,
    model: str = "roofline",
) -> tuple[BreakEven, ...]:
    """From which width on a block over a group is expected to be faster than the dense block.

    The block is the MLP of a transformer (norm, linear, GELU, linear, skip connection; four times
    as many channels inside) on regular types, one product for each isotypic block.

    Args:
        group: The group.
        rows: Rows of a batch: 1 is a single vector, 1576 eight images of 197 tokens.
        dtypes: Some of `"float32"`, `"bfloat16"`.
        machine: Rates; by default this machine's, see `irrepnet bench --calibrate`.
        model: One of `COST_MODELS`.

    Returns:
        One answer for each dtype and number of rows.

    Cost:
        Two plans for each width.

    Examples:
        >>> from irrepnet import groups
        >>> from irrepnet.compiler import NOMINAL
        >>> one, many = break_even(groups.flop(), (1, 1576), ("float32",), NOMINAL)
        >>> one.even > many.even
        True
    """
    machine = machine or Machine.load()
    widths = [copies * group.order for copies in COPIES if copies * group.order <= 4096]
    widths = widths or [2 * group.order]
    plans = [(_block(trivial(), width), _block(group, width)) for width in widths]
    return tuple(
        _answer(group, plans, widths, count, dtype, machine, model)
        for dtype in dtypes
        for count in rows
    )


def _block(group: Group, width: int) -> Plan:
    x = FeatureType.regular(group, width)
    steps = {
        "norm": LayerNorm(x),
        "fc1": Linear(x, 4 * x),
        "act": Activation(4 * x, "gelu"),
        "fc2": Linear(4 * x, x),
    }
    return Plan(check(residual(**steps)))


def _answer(
    group: Group,
    plans: Sequence[tuple[Plan, Plan]],
    widths: Sequence[int],
    rows: int,
    dtype: str,
    machine: Machine,
    model: str,
) -> BreakEven:
    rates = machine.rates(dtype)
    speedups, saved = [], []
    for width, pair in zip(widths, plans, strict=True):
        dense, own = (
            sum(predicted_seconds(p, rates, rows, dtype, model, positions=1).values()) for p in pair
        )
        speedups.append((width, dense / own))
        saved.append(_products(pair[0]) / _products(pair[1]))
    halves = [2 / (1 + 1 / bound) for bound in saved]  # half of 1 - 1/bound
    values = [s for _, s in speedups]
    return BreakEven(
        group.name,
        dtype,
        rows,
        saved[-1],
        tuple(speedups),
        _from(widths, [v >= 1 for v in values]),
        _from(widths, [v >= h for v, h in zip(values, halves, strict=True)]),
    )


def _products(plan: Plan) -> int:
    return sum(row.matmul_flops for row in cost(plan, 1))


def _from(widths: Sequence[int], holds: Sequence[bool]) -> int | None:
    """The least width from which on something holds."""
    found = None
    for width, true in zip(reversed(widths), reversed(holds), strict=True):
        if not true:
            break
        found = width
    return found
