"""`irrepnet bench`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, arg

from irrepnet._errors import OptionError
from irrepnet.cli._network import Network
from irrepnet.cli._output import Steps, is_file, show, table

if TYPE_CHECKING:
    from irrepnet.report import Case

_ALL = "all of them unless given"


@dataclass(frozen=True)
class Bench(Network):
    """Measure the time and memory of networks against their dense twins.

    All networks of a comparison run in turn in one fresh process, the order reversed every round,
    so that a disturbance of the machine meets all of them; medians count, and the shortest runs
    stand beside them. glibc's allocator is told to keep memory, on both sides.

    MODEL is measured whole and block by block, eager and compiled, in both dtypes, in inference and
    in training: FLOP ratio, time ratio, the share of the saving that is realised, and beside each
    block's time what a cost model expects from its FLOPs and bytes. The ordinary network is written
    by hand as well, and timm's own stands beside it where timm is installed.

    The cost model knows nominal rates until --calibrate has measured this machine (30 seconds).

    `--suite speed` is a table of goals: each row with its FLOP ratio (the bound), what published
    code reached on another machine, the goal, and what is reached here. Expect an hour for all of
    it. Results are written to --json after every row, and --resume goes on where a run was ended.

    Examples:
      irrepnet bench vit_small_patch16_224 --group D4 --modes eager --steps inference
      irrepnet bench vit_base_patch16_224 --json base.json              (everything: some minutes)
      irrepnet bench vit_small_patch16_224 --widths 192,384,768 --plot widths.svg --modes eager
      irrepnet bench --calibrate
      irrepnet bench --suite speed --json speed.json
      irrepnet bench --suite speed --json speed.json --resume           (go on)
      irrepnet bench --suite speed --only 'ViT-S*1 thread' --rounds 3
      irrepnet bench --suite speed --variants frozen --modes eager      (two networks a row: quick)
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
    calibrate: Annotated[
        bool,
        FlagCreatePairsOff,
        arg(
            help="Measure this machine's peak FLOPs, bandwidth and cost of a call, and keep them "
            "for the cost model.",
            help_behavior_hint="",
        ),
    ] = False
    widths: Annotated[
        str,
        arg(
            metavar="INT,..",
            help="Measure MODEL at these widths; heads keep theirs, later stages their ratio.",
            help_behavior_hint="",
        ),
    ] = ""
    plot: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Draw speed-ups against FLOP ratios (.svg, .png, .pdf; needs matplotlib).",
            help_behavior_hint="",
        ),
    ] = ""
    cost_model: Annotated[
        Literal["roofline", "alpha", "flops"],
        arg(
            help="What predicts a block's time: the roofline of FLOPs and bytes, FLOPs corrected "
            "for rows that share weights (arXiv 2107.11949), or FLOPs alone."
        ),
    ] = "roofline"
    rounds: Annotated[int, arg(metavar="INT", help="Timed runs of each network.")] = 7
    batch: Annotated[int, arg(metavar="INT", help="Images a run.")] = 8
    threads: Annotated[
        str,
        arg(
            metavar="INT[,INT..]",
            help="Threads of torch.",
            help_behavior_hint="default: 1; 1,2 for the suite",
        ),
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
            metavar="frozen,unfrozen,hand-written,timm",
            help="Which networks stand beside each other: folded for inference or not, and the "
            "dense one written by hand, or timm's.",
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
        if self.plot:
            from irrepnet.report import check_plot, check_writable

            check_plot(Path(self.plot))
            check_writable(self.plot)
        if self.calibrate:
            return self._calibrate()
        if self.suite not in ("", "speed"):
            raise OptionError(f"got --suite {self.suite}: expected speed.")
        return self._speed() if self.suite else self._model()

    def _calibrate(self) -> int:
        from irrepnet.measure import calibrate

        with Steps() as steps:
            machine = calibrate(lambda done, total: steps("Calibration", done, total))
        path = machine.save()
        rows = table("one thread", "#GFLOP/s", "#GB/s", "#us a call", "#beta", "#gamma")
        for name in ("float32", "bfloat16"):
            r = machine.rates(name)
            cells = (r.flops / 1e9, r.bandwidth / 1e9, 1e6 * r.call, r.beta, r.gamma)
            rows.add_row(name, *(f"{cell:.3g}" for cell in cells))
        show(rows, f"Kept in {path}.")
        return 0

    def _model(self) -> int:
        from irrepnet import report

        subject = self.subject()
        subject.build("meta")  # a group that does not fit is said before anything is measured
        if self.widths and not all(w.isdigit() for w in self.widths.split(",")):
            raise OptionError(f"got --widths {self.widths}: expected numbers, such as 192,384,768.")
        cases = [
            report.Case(
                f"{subject.model} {subject.group}",
                subject.model,
                subject.group,
                dtype,
                compiled=mode == "compiled",
                training=step == "training",
                threads=threads,
                sizes=subject.sizes,
                break_at=subject.break_at,
            )
            for step, mode, dtype, threads in itertools.product(
                self._steps, self._modes, self._dtypes, self._threads("1")
            )
        ]
        if self.widths:
            wide = [int(width) for width in self.widths.split(",")]
            cases = [report.widened(case, width) for case in cases for width in wide]
        return self._run(cases, "" if self.widths else self.cost_model)

    def _speed(self) -> int:
        from irrepnet import report

        chosen = [
            case
            for case in report.speed_cases(self._threads("1,2"))
            if case.mode in self._modes and case.dtype in self._dtypes and case.step in self._steps
        ]
        return self._run(report.matching(chosen, self.only), "")

    def _run(self, cases: Sequence[Case], cost_model: str) -> int:
        from irrepnet import report
        from irrepnet.cli._bench_cases import CaseRun

        variants = words("variants", self.variants, report.VARIANTS)
        options = (self.rounds, self.batch, variants, self.json, self.resume)
        return CaseRun(cases, *options, cost_model, self.plot).run()

    @property
    def _modes(self) -> list[str]:
        return words("modes", self.modes, ("eager", "compiled"))

    @property
    def _dtypes(self) -> list[str]:
        return words("dtypes", self.dtypes, ("float32", "bfloat16"))

    @property
    def _steps(self) -> list[str]:
        return words("steps", self.steps, ("inference", "training"))

    def _threads(self, default: str) -> list[int]:
        return [int(n) for n in words("threads", self.threads or default, None)]


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
