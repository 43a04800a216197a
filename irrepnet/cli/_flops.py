"""`irrepnet flops`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from irrepnet.cli._network import Network
from irrepnet.cli._output import STDOUT, is_file, show_text, write_report


@dataclass(frozen=True)
class Flops(Network):
    """Count parameters and FLOPs of a network, layer by layer, without running it.

    1 MAC = 2 FLOPs, for one image. Matrix products are checked against torch's own counter; norms,
    softmax, activations, biases and basis changes are counted beside them.

    Examples:
      irrepnet flops vit_small_patch16_224 --group flop
      irrepnet flops vit_small_patch16_224 --group trivial        (the ordinary network)
      irrepnet flops vit_huge_patch14_224 --group D4 --json costs.json
      irrepnet flops vit_base_patch16_224 --break-at trivial:6 --json - | jq .total
    """

    json: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Write the counts as JSON; - prints them instead of the table.",
            help_behavior_hint="",
        ),
    ] = ""

    def run(self) -> int:
        """Count, print, write."""
        from irrepnet.accounting import flops
        from irrepnet.report import check_writable

        if is_file(self.json):
            check_writable(self.json)
        model = self.subject().build("meta")
        counts = flops(model, model.default_cfg["input_size"])
        if self.json != STDOUT:
            show_text(counts.table())
        if self.json:
            write_report(self.json, counts.to_json())
        return 0
