"""`irrepnet certify`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, arg

from irrepnet.cli._network import Network
from irrepnet.cli._output import STDOUT, is_file, show_text, write_report


@dataclass(frozen=True)
class Certify(Network):
    """Measure how far a network is from equivariant, block by block, on random images.

    Every parameter is drawn at order one first: zero biases and a LayerScale of 1e-6 would hide
    errors. The exit status is 1 if an error in float64 is larger than rounding explains.

    Examples:
      irrepnet certify vit_tiny_patch16_224 --group flop
      irrepnet certify vit_small_patch16_224 --group D4 --every-element
      irrepnet certify vit_base_patch16_224 --group D4 --break-at flop:6 --depth 8
      irrepnet certify vit_tiny_patch16_224 --depth 2 --json certificate.json
    """

    every_element: Annotated[
        bool,
        FlagCreatePairsOff,
        arg(help="Try all elements of the group, not only its generators.", help_behavior_hint=""),
    ] = False
    json: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Write the errors as JSON; - prints them instead of the table.",
            help_behavior_hint="",
        ),
    ] = ""

    def run(self) -> int:
        """Measure, print, write."""
        import torch

        from irrepnet.certificate import certify
        from irrepnet.report import check_writable
        from irrepnet.testing import TOLERANCES, randomise_

        if is_file(self.json):
            check_writable(self.json)
        model = self.subject().build()
        randomise_(model, self.seed)
        certificate = certify(model, seed=self.seed, every_element=self.every_element)
        bound = TOLERANCES[torch.float64]
        good = certificate.worst <= bound
        if self.json != STDOUT:
            show_text(certificate.table())
            verdict = "equivariant up to rounding" if good else "NOT equivariant"
            show_text(
                f"{verdict}: worst error {certificate.worst:.1e} in float64, where rounding "
                f"explains {bound:.0e}."
            )
        if self.json:
            write_report(self.json, json.dumps(certificate.to_dict(), indent=2))
        return 0 if good else 1
