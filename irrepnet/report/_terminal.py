"""A comparison as text for a terminal of 80 columns or more."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from irrepnet.report import _words as words
from irrepnet.report._comparison import Comparison
from irrepnet.report._costs import Line, ratio
from irrepnet.report._numbers import mebibytes, millions, milliseconds, share, times

#: Longer names of groups would make tables wider than a terminal.
_LONGEST_LABEL = 7


def terminal(comparison: Comparison, per_block: bool = True) -> RenderableType:
    """What `irrepnet compare` prints.

    Args:
        comparison: The comparison.
        per_block: Whether to list the parts of each block, not only their sums over the blocks.
    """
    photo = comparison.photo
    width, height = photo.original_size
    return Group(
        Text(words.headline(comparison), style="bold"),
        Text(f"photo: {photo.caption}, {width} x {height} pixels, cropped as for ImageNet"),
        Text(f"machine: {words.place(comparison)}"),
        *_section("Parameters and FLOPs", _costs(comparison, per_block), words.cost_unit()),
        *_section(f"Latency: {words.conditions(comparison)}", _latencies(comparison)),
        Text(words.latency_verdict(comparison), style="bold green"),
        Text(
            f"{words.latency_method(comparison)} {words.compile_times(comparison)}".strip(), "dim"
        ),
        *_section(
            "Time of each part, ms for the batch", _times(comparison), words.time_method(comparison)
        ),
        *_section("Peak memory", _memories(comparison), words.memory_method(comparison)),
        *_section("Change of the logits when the photo is moved", _changes(comparison)),
        *(Text(sentence, style="bold green") for sentence in words.invariance_verdicts(comparison)),
        Text(words.invariance_method(), style="dim"),
    )


def _section(title: str, table: Table, note: str = "") -> Iterable[RenderableType]:
    yield Text(f"\n{title}", style="bold cyan")
    yield table
    if note:
        yield Text(note, style="dim")


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _label(comparison: Comparison) -> str:
    """The equivariant network's name at the head of a column."""
    group = comparison.request.group
    return group if len(group) <= _LONGEST_LABEL else "equiv."


def _costs(comparison: Comparison, per_block: bool) -> Table:
    costs, group = comparison.costs, _label(comparison)
    table = _table(
        "\npart",
        "params M\ndense",
        f"\n{group}",
        "FLOPs M\ndense",
        f"\n{group}",
        "dense/\n" + group,
        "share\ndense",
        f"\n{group}",
    )
    total = costs.total
    for name, line in _named(costs.lines if per_block else costs.parts, per_block):
        table.add_row(name, *_cells(line, total))
    table.add_section()
    table.add_row("total", *_cells(total, total), style="bold")
    for name, kind in (("  products", "matmul_flops"), ("  other", "other_flops")):
        dense, equivariant = getattr(total.dense, kind), getattr(total.equivariant, kind)
        table.add_row(
            name,
            "",
            "",
            millions(dense),
            millions(equivariant),
            times(ratio(dense, equivariant)),
            share(dense, total.dense.flops),
            share(equivariant, total.equivariant.flops),
        )
    return table


def _named(lines: Iterable[Line], per_block: bool) -> Iterable[tuple[str, Line]]:
    """Lines under their parts' names; a block's name stands before its first part."""
    last = ""
    for line in lines:
        block = f"{line.block}: " if per_block and line.block != last else ""
        name = line.part if line.part != line.block else ""
        last = line.block
        yield f"{block}{name}".removesuffix(": ") if block else f"{'  ' * per_block}{name}", line


def _cells(line: Line, total: Line) -> tuple[str, ...]:
    dense, equivariant = line.dense, line.equivariant
    return (
        millions(dense.params),
        millions(equivariant.params),
        millions(dense.flops),
        millions(equivariant.flops),
        times(line.flops_ratio),
        share(dense.flops, total.dense.flops),
        share(equivariant.flops, total.equivariant.flops),
    )


def _times(comparison: Comparison) -> Table:
    costs, group = comparison.costs, _label(comparison)
    table = _table("part", "dense", group, f"dense/{group}")
    for name, line in (*_named(costs.parts, False), ("total", costs.total)):
        dense, equivariant = line.dense.time_ms, line.equivariant.time_ms
        table.add_row(
            name,
            milliseconds(dense),
            milliseconds(equivariant),
            times(ratio(dense, equivariant)),
            style="bold" if name == "total" else "",
        )
    return table


def _latencies(comparison: Comparison) -> Table:
    table = _table("ms for the batch", "median", "shortest", "quartiles", "images/s")
    names = ("dense", _label(comparison))
    for name, latency in zip(names, comparison.latencies, strict=True):
        timing = latency.timing
        table.add_row(
            name,
            milliseconds(timing.median_ms),
            milliseconds(timing.min_ms),
            " to ".join(map(milliseconds, timing.quartiles_ms)),
            f"{1e3 * comparison.request.settings.batch / timing.median_ms:.1f}",
        )
    return table


def _memories(comparison: Comparison) -> Table:
    table = _table("largest resident set", "peak", "baseline", "network and pass")
    names = ("dense", _label(comparison))
    for name, memory in zip(names, comparison.memories, strict=True):
        sizes = (memory.peak_bytes, memory.baseline_bytes, memory.above_baseline_bytes)
        table.add_row(name, *map(mebibytes, sizes))
    return table


def _changes(comparison: Comparison) -> Table:
    table = _table("photo", "dtype", "dense", _label(comparison))
    for change in comparison.changes:
        values = (f"{change.dense:.1e}", f"{change.equivariant:.1e}")
        table.add_row(change.move, change.dtype, *values)
    return table
