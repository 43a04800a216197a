"""`irrepnet models`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from rich.table import Table
from rich.text import Text
from tyro.conf import FlagCreatePairsOff, Positional, arg

from irrepnet._errors import IrrepnetError, SpecError
from irrepnet.cli._output import show, show_text


@dataclass(frozen=True)
class Models:
    """List the networks that `irrepnet` can build, with what they cost over a group.

    Parameters, and FLOPs of matrix products for one image (1 MAC = 2 FLOPs), of the ordinary
    network and of the one over the group.

    Examples:
      irrepnet models
      irrepnet models '*small*'
      irrepnet models 'vit_*' --group D4
    """

    pattern: Annotated[
        str, Positional, arg(metavar="PATTERN", help="Which names; * stands for anything.")
    ] = "*"
    group: Annotated[str, arg(metavar="GROUP", help="The group to compare with.")] = "flop"
    json: Annotated[bool, FlagCreatePairsOff, arg(help="Print as JSON.", help_behavior_hint="")] = (
        False
    )

    def run(self) -> int:
        """List and print."""
        from irrepnet.actions import image
        from irrepnet.models import list_models

        image(self.group)
        names = list_models(self.pattern)
        if not names:
            raise SpecError(
                f"no model matches {self.pattern!r}: expected a pattern such as '*small*'; "
                f"`irrepnet models` lists all of {len(list_models())}."
            )
        rows = [_row(name, self.group) for name in names]
        if self.json:
            show_text(json.dumps(rows, indent=2))
        else:
            show(_table(rows, self.group), *_misfits(rows, self.group))
        return 0


def _row(name: str, group: str) -> dict[str, Any]:
    row: dict[str, Any] = {"model": name, "dense": _costs(name, "trivial"), group: None}
    try:
        row[group] = _costs(name, group)
    except IrrepnetError as problem:
        row["why_not"] = str(problem)
    return row


def _costs(name: str, group: str) -> dict[str, int]:
    from irrepnet.compiler import Plan, check, cost
    from irrepnet.models import model_spec

    rows = cost(Plan(check(model_spec(name, group))))
    return {
        "params": sum(row.params for row in rows),
        "matmul_flops": sum(row.matmul_flops for row in rows),
    }


def _table(rows: Iterable[dict[str, Any]], group: str) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column("model")
    for column in (
        "params\ndense",
        f"\n{group}",
        "GFLOPs\ndense",
        f"\n{group}",
        "\ndense/" + group,
    ):
        table.add_column(column, justify="right")
    for row in rows:
        dense, other = row["dense"], row[group]
        table.add_row(
            row["model"],
            f"{dense['params']:,}",
            f"{other['params']:,}" if other else "does not fit",
            f"{dense['matmul_flops'] / 1e9:.2f}",
            f"{other['matmul_flops'] / 1e9:.2f}" if other else "",
            f"{dense['matmul_flops'] / other['matmul_flops']:.2f}x" if other else "",
        )
    return table


def _misfits(rows: Iterable[dict[str, Any]], group: str) -> list[Text]:
    """Why the group does not fit some models."""
    reasons = dict.fromkeys(row["why_not"] for row in rows if "why_not" in row)
    return [Text(f"\n{group} does not fit: {reason}", style="yellow") for reason in reasons]
