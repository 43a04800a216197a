"""Lines of a cost table: single layers, or sums over parts, blocks or kinds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from irrepnet.accounting._places import places
from irrepnet.compiler import Row

GROUPINGS = ("layer", "part", "block", "kind")


@dataclass(frozen=True)
class Line:
    """What some layers cost together, for one sample.

    Attributes:
        name: Where they stand.
        kind: What they are.
        rows: The layers.
    """

    name: str
    kind: str
    rows: tuple[Row, ...]

    def sum(self, attribute: str) -> int:
        """The sum over the layers of one of a `Row`'s numbers."""
        return sum(getattr(row, attribute) for row in self.rows)

    @property
    def saved(self) -> int | None:
        """Numbers that autograd keeps, if they were measured."""
        found = [row.saved for row in self.rows if row.saved is not None]
        return sum(found) if found else None

    def moved(self, itemsize: int) -> tuple[int, int]:
        """Bytes that are read, and written."""
        read = sum(row.bytes_read(itemsize) for row in self.rows)
        return read, sum(row.bytes_written(itemsize) for row in self.rows)

    def to_dict(self, itemsize: int) -> dict[str, Any]:
        """Everything as plain values."""
        read, written = self.moved(itemsize)
        flops, saved = self.sum("flops"), self.saved
        return {
            "params": self.sum("params"),
            "matmul_flops": self.sum("matmul_flops"),
            "matmul_macs": self.sum("matmul_flops") // 2,
            "other_flops": self.sum("other_flops"),
            "flops": flops,
            "backward_matmul_flops": self.sum("backward_matmul_flops"),
            "backward_matmul_macs": self.sum("backward_matmul_flops") // 2,
            "backward_other_flops": self.sum("backward_other_flops"),
            "backward_flops": self.sum("backward_flops"),
            "bytes_read": read,
            "bytes_written": written,
            "intensity": flops / (read + written) if read + written else 0.0,
            "inference_bytes": itemsize * max((row.live for row in self.rows), default=0),
            "training_bytes": None if saved is None else itemsize * saved,
        }


def lines(rows: Sequence[Row], by: str) -> tuple[Line, ...]:
    """The layers one by one (`"layer"`), or summed by `"part"` of a block, `"block"`, or `"kind"`.

    Args:
        rows: Layers in the order in which they run.
        by: One of `GROUPINGS`.
    """
    if by == "layer":
        return tuple(Line(row.path or "(network)", row.kind, (row,)) for row in rows)
    keep_block, keep_part = by in ("part", "block"), by in ("part", "kind")
    names = (
        (block if keep_block else "", part if keep_part else "") for block, part in places(rows)
    )
    return _grouped(zip(names, rows, strict=True))


def _grouped(named: Iterable[tuple[tuple[str, str], Row]]) -> tuple[Line, ...]:
    found: dict[tuple[str, str], list[Row]] = {}
    for name, row in named:
        found.setdefault(name, []).append(row)
    return tuple(Line(*name, tuple(rows)) for name, rows in found.items())
