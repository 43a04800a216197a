"""`irrepnet flops`."""

from __future__ import annotations

import json as json_
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import FlagCreatePairsOff, arg

from irrepnet.cli._network import Network
from irrepnet.cli._output import STDOUT, is_file, show_text, write_report

if TYPE_CHECKING:
    from irrepnet.accounting import FlopReport, SymbolicReport

#: Bytes of a number.
ITEMSIZES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}


def _file(text: str) -> Any:
    return arg(metavar="FILE", help=text, help_behavior_hint="")


def _flag(text: str) -> Any:
    return arg(help=text, help_behavior_hint="")


@dataclass(frozen=True)
class Flops(Network):
    """Count parameters, FLOPs and bytes of a network, layer by layer, without running it.

    1 MAC = 2 FLOPs, for one image. Matrix products are checked, layer by layer, against torch's own
    counter; norms, softmax, activations, biases and basis changes are counted beside them.

    Examples:
      irrepnet flops vit_small_patch16_224 --group flop
      irrepnet flops vit_small_patch16_224 --group trivial        (the ordinary network)
      irrepnet flops vit_huge_patch14_224 --group D4 --json costs.json
      irrepnet flops resmlp_24_224 --by part --unit MACs --format markdown
      irrepnet flops convnext_tiny --group C4 --by kind --training --dtype bfloat16
      irrepnet flops vit_small_patch16_224 --group D4 --symbolic text
      irrepnet flops vit_base_patch16_224 --break-at trivial:6 --picture bars.png
      irrepnet flops --published                      (our counts beside the papers')
    """

    format: Annotated[
        Literal["text", "markdown", "csv", "json"], arg(help="How the table is written.")
    ] = "text"
    by: Annotated[
        Literal["layer", "part", "block", "kind"],
        arg(help="A line for each layer, or sums: parts of each block, blocks, kinds of parts."),
    ] = "layer"
    unit: Annotated[
        Literal["FLOPs", "MACs"], arg(help="Unit of the matrix products; 1 MAC = 2 FLOPs.")
    ] = "FLOPs"
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16", "float64"], arg(help="Dtype, for bytes.")
    ] = "float32"
    training: Annotated[
        bool, FlagCreatePairsOff, _flag("Count the backward pass, and what autograd keeps for it.")
    ] = False
    symbolic: Annotated[
        Literal["", "text", "latex"],
        _flag(
            "Formulas in symbols (N tokens, D channels, ...) instead of numbers, layer by layer."
        ),
    ] = ""
    published: Annotated[
        bool, FlagCreatePairsOff, _flag("Print our counts beside published ones, for all models.")
    ] = False
    json: Annotated[str, _file("Write the counts as JSON; - prints them instead of the table.")] = (
        ""
    )
    picture: Annotated[
        str, _file("Draw bars for each block, dense beside equivariant (.png, .svg, .pdf).")
    ] = ""

    def run(self) -> int:
        """Count, print, write."""
        from irrepnet.report import check_picture, check_writable, published_table

        if self.published:
            show_text(published_table())
            return 0
        for file in filter(is_file, (self.json, self.picture)):
            check_writable(file)
        if self.picture:
            check_picture(Path(self.picture))
        counts, itemsize = self._count(), ITEMSIZES[self.dtype]
        if self.json != STDOUT:
            show_text(
                self._formulas(counts.symbolic)
                if self.symbolic
                else counts.table(self.format, by=self.by, unit=self.unit, itemsize=itemsize)
            )
        if self.json:
            formulas = json_.dumps(counts.symbolic.to_dict(), indent=2) if self.symbolic else ""
            write_report(self.json, formulas or counts.to_json(itemsize, self.by))
        if self.picture:
            self._draw(counts)
        return 0

    def _formulas(self, report: SymbolicReport) -> str:
        write = report.latex if self.symbolic == "latex" else report.table
        return write(self.unit, self.training)

    def _count(self) -> FlopReport:
        from irrepnet.accounting import flops

        model = self.subject().build("meta")
        return flops(model, model.default_cfg["input_size"], self.training)

    def _draw(self, counts: FlopReport) -> None:
        from irrepnet.report import draw_flops

        dense = replace(self, group="trivial", break_at="")._count()
        broken = f", {self.break_at}" if self.break_at else ""
        draw_flops(dense, counts, Path(self.picture), self.named, f"{self.group}{broken}")
