"""`irrepnet bench`: measuring rows, one after another."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from irrepnet._errors import OptionError
from irrepnet.cli._output import STDOUT, Steps, is_file, show, write_report

if TYPE_CHECKING:
    from irrepnet.report import Case, SpeedRow


@dataclass(frozen=True)
class CaseRun:
    """What is measured, and where the results go."""

    cases: Sequence[Case]
    rounds: int
    batch: int
    variants: Sequence[str]
    json: str
    resume: bool
    cost_model: str = ""
    plot: str = ""

    def run(self) -> int:
        """Measure, print, write; status 1 if a row could not be measured."""
        rows = {row.case.title: row for row in self._known()}
        missing = [case for case in self.cases if case.title not in rows]
        for number, case in enumerate(missing, 1):
            rows[case.title] = self._measure(case, number, len(missing))
            if is_file(self.json):  # after every row: a run that is killed loses nothing
                write_report(self.json, self._json(list(rows.values())))
        found = list(rows.values())
        if self.json == STDOUT:
            write_report(STDOUT, self._json(found))
        else:
            self._show(found)
        if self.plot:
            from irrepnet.report import plot_speedups

            plot_speedups(found, Path(self.plot))
        return 1 if any(row.error for row in found) else 0

    def _measure(self, case: Case, number: int, total: int) -> SpeedRow:
        from irrepnet import report

        label = f"{number} of {total}: {case.title}"
        with Steps() as steps:
            row = report.measure_case(
                case,
                self.rounds,
                self.batch,
                self.variants,
                lambda done, total: steps(label, done, total),
                self.cost_model,
            )
        line = f"[{number}/{total}] {report.progress_line(row)}"
        print(line, file=sys.stderr, flush=True)
        return row

    def _show(self, rows: Sequence[SpeedRow]) -> None:
        from irrepnet import report
        from irrepnet.compiler import Machine

        source = Machine.load().source
        for row in rows:
            if row.blocks:
                show(*report.block_table(row, source), "")
        show(*report.speed_table(rows))

    def _known(self) -> list[SpeedRow]:
        """Rows that an earlier run wrote, those that failed left out."""
        from irrepnet.report import SCHEMA, SpeedRow

        if not self.resume:
            return []
        if not is_file(self.json):
            raise OptionError("got --resume without --json FILE: expected the file to go on with.")
        file = Path(self.json)
        if not file.exists():
            return []
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            if data["schema"] != SCHEMA:
                raise ValueError(f"schema {data['schema']}")
            rows = [SpeedRow.from_dict(values) for values in data["rows"]]
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise OptionError(
                f"cannot go on with {file}: {problem}. Expected what `irrepnet bench --json` "
                f"wrote; leave out --resume to measure everything anew."
            ) from None
        return [row for row in rows if not row.error]

    def _json(self, rows: Sequence[SpeedRow]) -> str:
        from irrepnet import measure
        from irrepnet.compiler import Machine
        from irrepnet.report import SCHEMA

        return json.dumps(
            {
                "schema": SCHEMA,
                "method": "interleaved in one fresh process a row, order reversed every round",
                "malloc_environment": dict(measure.MALLOC),
                "machine": measure.machine().to_dict(),
                "rates": Machine.load().source,
                "rows": [row.to_dict() for row in rows],
            },
            indent=2,
        )
