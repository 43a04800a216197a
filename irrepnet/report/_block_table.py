"""Blocks of two networks on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from irrepnet.report._numbers import mebibytes, millions, milliseconds, times
from irrepnet.report._speed_row import SpeedRow

_NOTES = """\
Dense, then equivariant. MFLOPs: products and other work of the {step} for the batch (1 MAC = 2
FLOPs). ms: median of the block by itself, on the input that it sees in place;
expected: by the cost model `{model}` from FLOPs and bytes and this machine's rates ({source});
memory: the most by which torch's memory grew while it ran. Blocks are eager."""


def block_table(row: SpeedRow, source: str) -> list[RenderableType]:
    """The blocks of one measured row, and the whole networks below them.

    Args:
        row: A row with blocks.
        source: Where the machine's rates are from, in words.
    """
    table = Table(box=None, padding=(0, 1), pad_edge=False, collapse_padding=True)
    table.add_column("block")
    for column in (
        "MFLOPs", "", "ratio", "ms", "", "ratio", "expected", "", "ratio", "memory", ""
    ):  # fmt: skip
        table.add_column(column, justify="right", no_wrap=True)
    for pair in row.blocks:
        left, right = pair.dense, pair.equivariant
        expected = left.predicted_ms / right.predicted_ms if right.predicted_ms else None
        table.add_row(
            pair.path,
            *(millions(side.flops) for side in (left, right)),
            times(pair.flop_ratio),
            *(milliseconds(side.measured_ms) for side in (left, right)),
            times(pair.speedup),
            *(milliseconds(side.predicted_ms) for side in (left, right)),
            times(expected),
            *(mebibytes(side.peak_bytes) for side in (left, right)),
        )
    table.add_row("whole", *_whole(row))
    title = Text(row.case.title, style="bold")
    step = "forward and backward pass" if row.case.training else "forward pass"
    notes = _NOTES.format(step=step, model=row.cost_model, source=source)
    return [title, table, Text(notes, style="dim")]


def _whole(row: SpeedRow) -> list[str]:
    flops, expected = ([0.0, 0.0], [0.0, 0.0])
    for pair in row.blocks:
        for side, block in enumerate((pair.dense, pair.equivariant)):
            flops[side] += block.flops
            expected[side] += block.predicted_ms
    timings = [row.timings[f"{row.headline} {role}"] for role in ("dense", "equivariant")]
    return [
        *(millions(int(n)) for n in flops),
        times(flops[0] / flops[1]),
        *(milliseconds(timing.median_ms) for timing in timings),
        times(row.speedup(row.headline)),
        *(milliseconds(n) for n in expected),
        times(expected[0] / expected[1]),
        *(mebibytes(row.grown_bytes.get(role)) for role in ("dense", "equivariant")),
    ]
