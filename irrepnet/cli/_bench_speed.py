"""`irrepnet bench --suite speed`: measuring the rows, one after another."""

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
class SpeedSuite:
    """What of the suite is run, and how."""

    cases: Sequence[Case]
    rounds: int
    batch: int
    variants: Sequence[str]
    json: str
    resume: bool

    def run(self) -> int:
        """Measure, print, write; status 1 if a row could not be measured."""
        from irrepnet import report

        rows = {row.case.title: row for row in self._known()}
        missing = [case for case in self.cases if case.title not in rows]
        for number, case in enumerate(missing, 1):
            with Steps() as steps:
                label = f"{number} of {len(missing)}: {case.title}"
                rows[case.title] = report.measure_case(
                    case,
                    self.rounds,
                    self.batch,
                    self.variants,
                    lambda done, total, label=label, steps=steps: steps(label, done, total),
                )
            line = report.progress_line(rows[case.title])
            print(f"[{number}/{len(missing)}] {line}", file=sys.stderr, flush=True)
            if is_file(self.json):  # after every row: a run that is killed loses nothing
                write_report(self.json, self._json(list(rows.values())))
        if self.json == STDOUT:
            write_report(STDOUT, self._json(list(rows.values())))
        else:
            show(*report.speed_table(list(rows.values())))
        return 1 if any(row.error for row in rows.values()) else 0

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
                f"cannot go on with {file}: {problem}. Expected what `irrepnet bench --suite speed "
                f"--json` wrote; leave out --resume to measure everything anew."
            ) from None
        return [row for row in rows if not row.error]

    def _json(self, rows: Sequence[SpeedRow]) -> str:
        from irrepnet import measure
        from irrepnet.report import SCHEMA

        return json.dumps(
            {
                "schema": SCHEMA,
                "method": "interleaved in one fresh process a row, order reversed every round",
                "batch": self.batch,
                "malloc_environment": dict(measure.MALLOC),
                "machine": measure.machine().to_dict(),
                "rows": [row.to_dict() for row in rows],
            },
            indent=2,
        )
