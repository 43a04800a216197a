"""The speed suite on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from irrepnet.report._numbers import mebibytes, milliseconds, times
from irrepnet.report._speed_row import SpeedRow, realised
from irrepnet.report._speed_suite import Case

_NOTES = """\
here: median time of the dense twin over the equivariant network's, interleaved in one process, both
as irrepnet.freeze leaves them (training steps: not frozen). FLOPs: of matrix products in a forward
pass, their ratio, which bounds it. published: the papers' code on another machine. min: of the
shortest runs. share of the saving that is realised: (1 - 1/here) / (1 - 1/FLOPs). by hand: time of
plain nn.Linear, nn.LayerNorm, nn.GELU and fused attention over the dense twin's; at 1 or above no
ratio is won by a slow baseline.
~: quartiles further apart than 20 % of the median; measure again."""

_MEMORY_NOTES = """\
Equivariant over dense; 1 or below is the goal. peak: the most that tensors hold at once in a step,
parameters aside; activations: what autograd keeps for the backward pass; process: largest resident
set of a fresh process, less what it was before the network, which is the allocator's doing, too."""


def speed_table(rows: Sequence[SpeedRow]) -> list[RenderableType]:
    """Times and memory as tables, with what the columns mean."""
    timed = [row for row in rows if not row.case.memory]
    rooms = [row for row in rows if row.case.memory]
    shown: list[RenderableType] = []
    if timed:
        shown += [_times(timed), Text(_NOTES, style="dim")]
    if rooms:
        shown += [Text(), _memories(rooms), Text(_MEMORY_NOTES, style="dim")]
    for row in rows:
        if row.error:
            shown.append(Text(f"{row.case.title}: {row.error}", style="red"))
    remarks = dict.fromkeys((row.case.name, row.case.published_is) for row in timed)
    shown += [Text(f"{name}, published: {text}.", style="dim") for name, text in remarks if text]
    return shown


def progress_line(row: SpeedRow) -> str:
    """A finished row in one line."""
    if row.error:
        return f"{row.case.title}: failed, {row.error.splitlines()[0]}"
    if row.case.memory:
        found = times(row.memory_ratio("activation_bytes"))
        return f"{row.case.title}: activations {found} of the dense network's"
    goal = f", goal {row.case.goal:.2f}x" if row.case.goal else ""
    return f"{row.case.title}: {_own(row)} of {row.flop_ratio:.2f}x{goal}"


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, collapse_padding=True)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _times(rows: Sequence[SpeedRow]) -> Table:
    table = _table(
        "", "FLOPs", "published", "goal", "here", "min", "unfrozen", "share", "by hand", "dense ms"
    )  # fmt: skip
    heading = ""
    for row in sorted(rows, key=lambda row: _order(row.case)):
        if heading != _heading(row.case):
            heading = _heading(row.case)
            table.add_row(Text(heading, style="bold"))
        found = row.speedup(row.headline)
        share = realised(found, row.flop_ratio)
        dense = row.timings.get(f"{row.headline} dense")
        table.add_row(
            f"  {row.case.name}{_how(row.case)}",
            f"{row.flop_ratio:.2f}",
            "-".join(f"{value:.2f}" for value in row.case.published),
            f"{row.case.goal:.2f}" if row.case.goal else "",
            _own(row),
            times(row.speedup(row.headline, minima=True)),
            times(row.speedup("unfrozen")),
            f"{share:.0%}" if share is not None else "",
            times(row.baseline),
            milliseconds(dense.median_ms if dense else None),
        )
    return table


def _order(case: Case) -> tuple[bool, int, int]:
    """Rows under one heading stand together; else the order stays."""
    return case.training, case.threads, ("float32", "bfloat16").index(case.dtype)


def _heading(case: Case) -> str:
    dtype = "bf16 autocast" if case.autocast else case.dtype
    return f"{case.threads} thread{'s' * (case.threads > 1)}, {case.step}, {dtype}"


def _how(case: Case) -> str:
    """What is not as usual about a row."""
    lowered = "" if case.lowering == "block" else f", {case.lowering}"
    return ", compiled" * case.compiled + lowered


def _own(row: SpeedRow) -> str:
    return "~" * row.noisy + times(row.speedup(row.headline))


def _memories(rows: Sequence[SpeedRow]) -> Table:
    table = _table(
        "memory in training", "peak", "dense", "equiv.", "activations", "dense", "equiv.", "process"
    )
    for row in rows:
        cells = []
        for what in ("tensor_bytes", "activation_bytes"):
            cells.append(times(row.memory_ratio(what)))
            for role in ("dense", "equivariant"):
                found = row.memories.get(role)
                cells.append(mebibytes(getattr(found, what)) if found else "")
        table.add_row(row.case.name, *cells, times(row.memory_ratio("above_baseline_bytes")))
    return table
