"""How long group theory takes here, beside the times that GAP took for the same groups."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from irrepnet._errors import OptionError

if TYPE_CHECKING:
    from irrepnet.groups import Group

_FIELDS = ("name", "order", "generators", "degrees", "fs", "class_sizes", "class_orders")


@dataclass(frozen=True)
class GroupTime:
    """One group of the file.

    Attributes:
        name: Its name in the file.
        order: Number of elements.
        table_ms: CPU time from generators to the exact character table with indicators, in ms.
        irreps_ms: CPU time from there to the matrices of all real irreps on all elements, in ms.
        wall_ms: Both by the wall clock, in ms.
        gap_ms: GAP's time for the character table, in ms.
        agrees: Whether classes, degrees and Frobenius-Schur indicators are GAP's.
    """

    name: str
    order: int
    table_ms: float
    irreps_ms: float
    wall_ms: float
    gap_ms: float
    agrees: bool


def read_records(path: str) -> tuple[str, list[dict[str, Any]]]:
    """The version of GAP, and the groups of a data file; of the file in the package for "".

    Raises:
        OptionError: If there is no such file, or it is no such data.
    """
    try:
        file = Path(path) if path else files("irrepnet.cli") / "gap_times.json"
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise OptionError(
            f'cannot read groups from {path}: {problem}. Expected JSON such as {{"groups": [...]}}.'
        ) from None
    groups = data.get("groups") if isinstance(data, dict) else None
    if not isinstance(groups, list) or not groups:
        raise OptionError(f'got {path}, which lists no groups: expected {{"groups": [...]}}.')
    for record in groups:
        missing = [f for f in (*_FIELDS, "gap_ns_irr") if f not in record]
        if missing:
            raise OptionError(
                f"got a group without {', '.join(missing)} in {path}: expected name, generators "
                "(image lists), what GAP found, and its time gap_ns_irr."
            )
    return str(data.get("meta", {}).get("gap", "of an unknown version")), groups


def time_groups(records: Sequence[dict[str, Any]], runs: int) -> Iterator[GroupTime]:
    """Build each group from its generators `runs` times; medians, one group after the other."""
    for record in records:
        made = [_once(record) for _ in range(runs)]
        table, irreps, wall = (statistics.median(times) for times in zip(*made, strict=True))
        yield GroupTime(
            record["name"],
            record["order"],
            table,
            irreps,
            wall,
            record["gap_ns_irr"] / 1e6,
            _agrees(_group(record), record),
        )


def _once(record: dict[str, Any]) -> tuple[float, float, float]:
    """CPU time for the table, for the irreps, and the time of both, in ms."""
    wall, start = perf_counter(), process_time()
    group = _group(record)
    _ = group.character_table.frobenius_schur
    middle = process_time()
    for irrep in group.irreps:
        _ = irrep.matrices
    end = process_time()
    return (middle - start) * 1e3, (end - middle) * 1e3, (perf_counter() - wall) * 1e3


def _group(record: dict[str, Any]) -> Group:
    from irrepnet.groups import from_permutations

    return from_permutations(record["generators"] or [[0]])


def _agrees(group: Group, record: dict[str, Any]) -> bool:
    """Order, classes, degrees and indicators; the whole table is compared in the tests."""
    table = group.character_table
    classes = Counter((c.size, c.element_order) for c in group.conjugacy_classes)
    return (
        group.order == record["order"]
        and classes == Counter(zip(record["class_sizes"], record["class_orders"], strict=True))
        and Counter(zip(table.degrees, table.frobenius_schur, strict=True))
        == Counter(zip(record["degrees"], record["fs"], strict=True))
    )
