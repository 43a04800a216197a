"""`irrepnet bench`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, arg

from irrepnet._errors import OptionError
from irrepnet.cli._network import Network
from irrepnet.cli._output import is_file

_ALL = "all of them unless given"


@dataclass(frozen=True)
class Bench(Network):
    """Measure the time and memory of networks against their dense twins.

    All networks of a comparison run in turn in one fresh process, the order reversed every round,
    so that a disturbance of the machine meets all of them; medians count, and the shortest runs
    stand beside them. glibc's allocator is told to keep memory, on both sides.

    `--suite speed` is the table of goals: each row with its FLOP ratio (the bound), what published
    code reached on another machine, the goal, and what is reached here. The dense network is
    written by hand as well, so that no ratio is won by a slow baseline. Expect an hour for all of
    it; results are written to --json after every row, and --resume goes on where a run was ended.

    Examples:
      irrepnet bench --suite speed --json speed.json
      irrepnet bench --suite speed --json speed.json --resume       (go on)
      irrepnet bench --suite speed --only 'ViT-S*1 thread' --rounds 3
      irrepnet bench --suite speed --threads 1 --modes eager --steps inference
      irrepnet bench --suite speed --variants frozen                (two networks a row: quick)
    """

    suite: Annotated[
        str, arg(metavar="speed", help="Measure a named set of networks.", help_behavior_hint="")
    ] = ""
    only: Annotated[
        str,
        arg(
            metavar="PATTERN",
            help="Only rows of the suite whose titles hold this; * stands for anything.",
            help_behavior_hint="",
        ),
    ] = ""
    rounds: Annotated[int, arg(metavar="INT", help="Timed runs of each network.")] = 7
    batch: Annotated[int, arg(metavar="INT", help="Images a run.")] = 8
    threads: Annotated[
        str, arg(metavar="INT[,INT..]", help="Threads of torch.", help_behavior_hint="default: 1,2")
    ] = ""
    modes: Annotated[
        str, arg(metavar="eager,compiled", help="How they run.", help_behavior_hint=_ALL)
    ] = ""
    dtypes: Annotated[
        str, arg(metavar="float32,bfloat16", help="In which dtype.", help_behavior_hint=_ALL)
    ] = ""
    steps: Annotated[
        str,
        arg(
            metavar="inference,training",
            help="A forward pass, or forward and backward.",
            help_behavior_hint=_ALL,
        ),
    ] = ""
    variants: Annotated[
        str,
        arg(
            metavar="frozen,unfrozen,hand-written",
            help="Which networks stand beside each other: folded for inference or not, and the "
            "dense one written by hand.",
            help_behavior_hint=_ALL,
        ),
    ] = ""
    json: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Write the results as JSON; - prints them instead of the table.",
            help_behavior_hint="",
        ),
    ] = ""
    resume: Annotated[
        bool,
        FlagCreatePairsOff,
        arg(help="Keep the rows that the file of --json holds.", help_behavior_hint=""),
    ] = False

    def run(self) -> int:
        """Measure, print, write."""
        if is_file(self.json):
            from irrepnet.report import check_writable

            check_writable(self.json)
        for name in ("rounds", "batch"):
            if getattr(self, name) < 1:
                raise OptionError(
                    f"got --{name} {getattr(self, name)}: expected a whole number of at least 1."
                )
        if self.suite == "speed":
            return self._speed()
        raise OptionError(
            f"got --suite {self.suite or '(nothing)'}: expected --suite speed, the table of goals."
        )

    def _speed(self) -> int:
        from irrepnet import report
        from irrepnet.cli._bench_speed import SpeedSuite

        threads = [int(n) for n in words("threads", self.threads or "1,2", None)]
        modes = words("modes", self.modes, ("eager", "compiled"))
        dtypes = words("dtypes", self.dtypes, ("float32", "bfloat16"))
        steps = words("steps", self.steps, ("inference", "training"))
        variants = words("variants", self.variants, report.VARIANTS)
        chosen = [
            case
            for case in report.speed_cases(threads)
            if case.mode in modes and case.dtype in dtypes and case.step in steps
        ]
        cases = report.matching(chosen, self.only)
        return SpeedSuite(cases, self.rounds, self.batch, variants, self.json, self.resume).run()


def words(name: str, text: str, known: tuple[str, ...] | None) -> list[str]:
    """The words of an option, all that are known for an empty one; numbers where none are named.

    Raises:
        OptionError: If a word is not known.

    Examples:
        >>> words("modes", "", ("eager", "compiled")), words("threads", "1,2", None)
        (['eager', 'compiled'], ['1', '2'])
    """
    found = [piece.strip() for piece in text.split(",") if piece.strip()] or list(known or ())
    wrong = [w for w in found if (w not in known if known else not w.isdigit() or int(w) < 1)]
    if wrong or not found:
        expected = f"some of {', '.join(known)}" if known else "numbers of at least 1, such as 1,2"
        raise OptionError(f"got --{name} {text}: expected {expected}.")
    return found
