"""What two networks cost, part by part and block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from irrepnet.accounting import PARTS, FlopReport, places


@dataclass(frozen=True)
class Entry:
    """What one part of one network costs.

    Attributes:
        params: Trainable parameters.
        matmul_flops: FLOPs of matrix products, for one image.
        other_flops: All other FLOPs, for one image.
        time_ms: Time for the batch, if it was measured.
    """

    params: int = 0
    matmul_flops: int = 0
    other_flops: int = 0
    time_ms: float | None = None

    @property
    def flops(self) -> int:
        """All FLOPs, for one image."""
        return self.matmul_flops + self.other_flops

    def __add__(self, other: Entry) -> Entry:
        times = [t for t in (self.time_ms, other.time_ms) if t is not None]
        return Entry(
            self.params + other.params,
            self.matmul_flops + other.matmul_flops,
            self.other_flops + other.other_flops,
            sum(times) if times else None,
        )

    def to_dict(self, total: Entry) -> dict[str, Any]:
        """The entry as plain values, with its share of a total."""
        return {
            "params": self.params,
            "matmul_flops": self.matmul_flops,
            "other_flops": self.other_flops,
            "flops": self.flops,
            "share_of_flops": self.flops / total.flops if total.flops else 0.0,
            "time_ms": self.time_ms,
        }


@dataclass(frozen=True)
class Line:
    """One part of one block in both networks.

    Attributes:
        block: Name of the block, or empty for a sum over blocks.
        part: Name of the part, or empty for a sum over parts.
        dense: What it costs in the ordinary network.
        equivariant: What it costs in the equivariant network.
    """

    block: str
    part: str
    dense: Entry
    equivariant: Entry

    @property
    def flops_ratio(self) -> float | None:
        """Dense over equivariant FLOPs; `None` if the equivariant part costs none."""
        return ratio(self.dense.flops, self.equivariant.flops)


def ratio(dense: float | None, equivariant: float | None) -> float | None:
    """Dense over equivariant, if both exist and the second is not zero."""
    return dense / equivariant if dense is not None and equivariant else None


@dataclass(frozen=True)
class Summary:
    """Costs of two networks.

    Attributes:
        lines: One for each part of each block, in the order in which they run; they add up to the
            whole.
    """

    lines: tuple[Line, ...]

    @property
    def total(self) -> Line:
        """The whole networks."""
        return _sum("", "", self.lines)

    @property
    def parts(self) -> tuple[Line, ...]:
        """Each part, summed over the blocks."""
        return _sums(self.lines, lambda line: ("", line.part), _part_order)

    @property
    def blocks(self) -> tuple[Line, ...]:
        """Each block, summed over its parts."""
        return _sums(self.lines, lambda line: (line.block, ""))

    def to_dict(self) -> dict[str, Any]:
        """The costs as plain values."""
        return {
            "unit": "per image; 1 MAC = 2 FLOPs; time_ms is for the whole batch",
            "rows": [self._row(line) for line in self.lines],
            "parts": [self._row(line) for line in self.parts],
            "blocks": [self._row(line) for line in self.blocks],
            "total": self._row(self.total),
        }

    def _row(self, line: Line) -> dict[str, Any]:
        names = {"block": line.block, "part": line.part}
        return {
            **{key: name for key, name in names.items() if name},
            "dense": line.dense.to_dict(self.total.dense),
            "equivariant": line.equivariant.to_dict(self.total.equivariant),
            "flops_ratio": line.flops_ratio,
        }


def summarise(
    dense: FlopReport,
    equivariant: FlopReport,
    dense_ms: Mapping[str, float] | None = None,
    equivariant_ms: Mapping[str, float] | None = None,
) -> Summary:
    """Put the costs of two networks side by side.

    Args:
        dense: Costs of the ordinary network.
        equivariant: Costs of the equivariant one.
        dense_ms: Times of the ordinary network's layers, by module path.
        equivariant_ms: Times of the equivariant one's.
    """
    left, right = _entries(dense, dense_ms or {}), _entries(equivariant, equivariant_ms or {})
    places = sorted({**left, **right}, key=_block_order)
    lines = tuple(Line(*p, left.get(p, Entry()), right.get(p, Entry())) for p in places)
    return Summary(lines)


def _entries(report: FlopReport, times: Mapping[str, float]) -> dict[tuple[str, str], Entry]:
    """Entries by block and part, in the order in which they run."""
    entries: dict[tuple[str, str], Entry] = {}
    for row, place in zip(report.rows, places(report.rows), strict=True):
        entry = Entry(row.params, row.matmul_flops, row.other_flops, times.get(row.path))
        entries[place] = entries.get(place, Entry()) + entry
    return entries


def _block_order(place: tuple[str, str]) -> tuple[int, int]:
    """Embedding, numbered blocks, head; inside a block in the order of parts."""
    block, part = place
    number = block.removeprefix("block ")
    at = int(number) if number.isdigit() else (-1 if block == "embedding" else 1 << 30)
    return at, _part_position(part)


def _part_position(part: str) -> int:
    return PARTS.index(part) if part in PARTS else len(PARTS)


def _part_order(line: Line) -> int:
    return _part_position(line.part)


def _sums(
    lines: Iterable[Line],
    key: Callable[[Line], tuple[str, str]],
    order: Callable[[Line], int] = lambda line: 0,
) -> tuple[Line, ...]:
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault(key(line), []).append(line)
    return tuple(sorted((_sum(*names, found) for names, found in groups.items()), key=order))


def _sum(block: str, part: str, lines: Iterable[Line]) -> Line:
    lines = tuple(lines)
    return Line(
        block,
        part,
        reduce(Entry.__add__, (line.dense for line in lines), Entry()),
        reduce(Entry.__add__, (line.equivariant for line in lines), Entry()),
    )
