"""`irrepnet bench groups`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from rich.text import Text
from tyro.conf import FlagCreatePairsOff, arg

from irrepnet._errors import OptionError
from irrepnet.cli._group_times import GroupTime, read_records, time_groups
from irrepnet.cli._output import STDOUT, Steps, is_file, show, table, write_report


@dataclass(frozen=True)
class BenchGroups:
    """Time group theory on 46 groups, beside what GAP took for the same character tables.

    Each group is built from its generators, with conjugacy classes, the exact character table and
    Frobenius-Schur indicators; then the matrices of all real irreps on all elements. GAP's times
    are for the table alone (`Irr`), medians of 3, recorded on another day. Ours are medians too, in
    CPU time, which other work on the machine hardly changes; the wall clock is shown beside it.
    Classes, degrees and indicators are compared with GAP's.

    Examples:
      irrepnet bench groups
      irrepnet bench groups --all              (one row per group)
      irrepnet bench groups --runs 1           (nothing is measured twice)
      irrepnet bench groups --json - | jq .total
      irrepnet bench groups --data mine.json   (your own export from GAP)
    """

    all: Annotated[
        bool, FlagCreatePairsOff, arg(help="Show every group.", help_behavior_hint="")
    ] = False
    runs: Annotated[int, arg(metavar="INT", help="Runs per group; their median counts.")] = 3
    data: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Groups as GAP exported them; 46 groups of the package unless given.",
            help_behavior_hint="",
        ),
    ] = ""
    json: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Write the times as JSON; - prints them instead of the table.",
            help_behavior_hint="",
        ),
    ] = ""

    def run(self) -> int:
        """Measure, print, write; status 1 if a group disagrees with GAP."""
        if self.runs < 1:
            raise OptionError(f"got --runs {self.runs}: expected at least one.")
        if is_file(self.json):
            from irrepnet.report import check_writable

            check_writable(self.json)
        gap, records = read_records(self.data)
        times = self._measure(records)
        total = _total(times)
        if self.json != STDOUT:
            self._show(gap, times, total)
        if self.json:
            found = {"gap": gap, "runs": self.runs, "total": asdict(total)}
            found["groups"] = [asdict(time) for time in times]
            write_report(self.json, json.dumps(found, indent=2))
        return 0 if total.agrees else 1

    def _measure(self, records: Sequence[dict[str, Any]]) -> list[GroupTime]:
        times = []
        with Steps() as steps:
            steps("Groups", 0, len(records))
            for time in time_groups(records, self.runs):
                times.append(time)
                steps("Groups", len(times), len(records))
        return times

    def _show(self, gap: str, times: list[GroupTime], total: GroupTime) -> None:
        rows = table("group", "#order", "#table ms", "#GAP ms", "#irreps ms", "#wall ms", "agrees")
        for time in [*times * self.all, total]:
            rows.add_row(
                time.name,
                str(time.order) if time is not total else "",
                f"{time.table_ms:.2f}",
                f"{time.gap_ms:.2f}",
                f"{time.irreps_ms:.2f}",
                f"{time.wall_ms:.2f}",
                "yes" if time.agrees else "NO",
            )
        show(rows)
        ratio = total.gap_ms / total.table_ms
        faster = sum(time.table_ms < time.gap_ms for time in times)
        show(
            Text(
                f"\nCharacter tables: {ratio:.2f}x as fast as GAP in total, "
                f"faster on {faster} of {len(times)} groups."
            ),
            Text(f"table, irreps: CPU time; wall: both by the clock; GAP: {gap}.", style="dim"),
        )


def _total(times: Sequence[GroupTime]) -> GroupTime:
    """All groups together."""
    return GroupTime(
        f"{len(times)} groups",
        sum(time.order for time in times),
        sum(time.table_ms for time in times),
        sum(time.irreps_ms for time in times),
        sum(time.wall_ms for time in times),
        sum(time.gap_ms for time in times),
        all(time.agrees for time in times),
    )
