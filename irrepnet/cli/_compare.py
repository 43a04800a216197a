"""`irrepnet compare`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, arg

from irrepnet._errors import OptionError
from irrepnet.cli._network import Network
from irrepnet.cli._output import STDOUT, Steps, is_file, show, write_report

if TYPE_CHECKING:
    from irrepnet.report import Request


@dataclass(frozen=True)
class Compare(Network):
    """Build an equivariant network and its ordinary twin, and show both side by side on a photo.

    Parameters and FLOPs of each part; latency, interleaved in a fresh process; peak memory, each
    network in a process of its own; and how much the logits move when the photo is moved by the
    group. Both networks come from the same compiler and the same seed. It takes about a minute for
    a small model.

    Examples:
      irrepnet compare vit_small_patch16_224 --group flop
      irrepnet compare vit_base_patch16_224 --html report.html --json report.json
      irrepnet compare vit_small_patch16_224 --group D4 --image cat.jpg --brief
      irrepnet compare vit_small_patch16_224 --break-at trivial:6 --batch 1 --threads 2
      irrepnet compare vit_tiny_patch16_224 --dtype bfloat16 --compile --runs 20
      irrepnet compare vit_tiny_patch16_224 --depth 2 --runs 3        (a quick look)
    """

    image: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Your own picture, of any size; by default a photo that scikit-image brings.",
            help_behavior_hint="",
        ),
    ] = ""
    batch: Annotated[
        int, arg(metavar="INT", help="Images a forward pass, for time and memory.")
    ] = 8
    dtype: Annotated[
        Literal["float32", "bfloat16", "float64"],
        arg(help="Dtype of weights and images, for time and memory."),
    ] = "float32"
    threads: Annotated[int, arg(metavar="INT", help="Threads that torch may use.")] = 1
    compiled: Annotated[
        bool,
        FlagCreatePairsOff,
        arg(
            name="compile",
            help="Time both networks under torch.compile (needs a C++ compiler).",
            help_behavior_hint="",
        ),
    ] = False
    runs: Annotated[int, arg(metavar="INT", help="Timed runs of each network.")] = 10
    brief: Annotated[
        bool,
        FlagCreatePairsOff,
        arg(help="Show sums over the blocks only, not each block.", help_behavior_hint=""),
    ] = False
    json: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Write everything as JSON; - prints it instead of the tables.",
            help_behavior_hint="",
        ),
    ] = ""
    html: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Write a page with pictures and charts, all in one file.",
            help_behavior_hint="",
        ),
    ] = ""

    def run(self) -> int:
        """Compare, print, write."""
        request = self._request()
        self._check_outputs()
        from irrepnet import report

        with Steps() as steps:
            comparison = report.compare(request, steps)
        if self.json != STDOUT:
            show(report.terminal(comparison, per_block=not self.brief))
        if self.json:
            write_report(self.json, comparison.to_json())
        if self.html:
            write_report(self.html, report.html(comparison))
        return 0 if all(change.kept for change in comparison.changes) else 1

    def _request(self) -> Request:
        from irrepnet.measure import Settings
        from irrepnet.report import Request

        subject = self.subject()
        settings = Settings(self.batch, self.dtype, self.threads, self.compiled, self.runs)
        return Request(
            subject.model,
            subject.group,
            subject.break_at,
            subject.sizes,
            self.image or None,
            settings,
            subject.seed,
        )

    def _check_outputs(self) -> None:
        """Find a file that cannot be written before the long work, not after it."""
        from irrepnet import report

        if self.html == STDOUT:
            raise OptionError("got --html -: expected a file, such as --html report.html.")
        if self.html:
            report.check_html()
        files = [Path(file) for file in (self.json, self.html) if is_file(file)]
        for file in files:
            report.check_writable(file)
        if len(files) == 2 and files[0].resolve() == files[1].resolve():
            raise OptionError(
                f"--json and --html both name {files[0]}: expected two different files."
            )
