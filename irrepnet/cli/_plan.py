"""`irrepnet plan`."""

from __future__ import annotations

import json as json_
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from rich.text import Text
from tyro.conf import FlagCreatePairsOff, Positional, arg

from irrepnet._errors import OptionError
from irrepnet.cli._output import STDOUT, is_file, show, show_text, table, write_report

if TYPE_CHECKING:
    from irrepnet.groups import Group


@dataclass(frozen=True)
class PlanType:
    """Choose a feature type for a group: the cheapest that activations, heads and norms allow.

    A type has as many copies of each irrep as you like; the regular one is only a default. The
    search is exact. It says what each demand took, and under a budget how many channels fit.

    `--break-even` tells instead from which width on the group is expected to pay, for one row, one
    image and eight images of 197 tokens, from this machine's rates (`irrepnet bench --calibrate`).

    Examples:
      irrepnet plan D4 --dim 384 --heads 6
      irrepnet plan D4 --dim 384 --objective params                (the regular type)
      irrepnet plan A5 --dim 512 --budget 20000                    (FLOPs a position)
      irrepnet plan C4 --dim 384 --objective time --positions 1576 --dtype bfloat16
      irrepnet plan D4 --break-even
      irrepnet plan flop --break-even --cost-model alpha --json -
    """

    group: Annotated[
        str, Positional, arg(metavar="GROUP", help="A group, such as flop, C4, D4, Q8, A5, C2xC2.")
    ]
    dim: Annotated[int, arg(metavar="INT", help="Channels.")] = 384
    budget: Annotated[
        float,
        arg(
            metavar="NUMBER",
            help="The most that a linear map from the type to itself may cost, in the unit of the "
            "objective: FLOPs a position, parameters, seconds.",
            help_behavior_hint="no limit unless given",
        ),
    ] = 0.0
    objective: Annotated[Literal["flops", "params", "time"], arg(help="What is to be least.")] = (
        "flops"
    )
    heads: Annotated[int, arg(metavar="INT", help="Attention heads, which share alike.")] = 1
    least: Annotated[
        int, arg(metavar="INT", help="Copies of every irrep at least; norms that centre need 2.")
    ] = 2
    positions: Annotated[int, arg(metavar="INT", help="Rows of a batch, for times.")] = 197
    dtype: Annotated[Literal["float32", "bfloat16"], arg(help="Dtype, for times.")] = "float32"
    break_even: Annotated[
        bool,
        FlagCreatePairsOff,
        arg(help="From which width on the group pays.", help_behavior_hint=""),
    ] = False
    cost_model: Annotated[
        Literal["roofline", "alpha", "flops"], arg(help="What predicts times of --break-even.")
    ] = "roofline"
    json: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Write the answer as JSON; - prints it instead of the text.",
            help_behavior_hint="",
        ),
    ] = ""

    def run(self) -> int:
        """Plan, print, write."""
        if is_file(self.json):
            from irrepnet.report import check_writable

            check_writable(self.json)
        if self.budget < 0:
            raise OptionError(f"got --budget {self.budget:g}: expected a positive number.")
        from irrepnet.cli._groups import group_of

        group = group_of(self.group)
        found = self._break_even(group) if self.break_even else self._type(group)
        if self.json:
            write_report(self.json, json_.dumps(found, indent=2))
        return 0

    def _type(self, group: Group) -> dict[str, Any]:
        from irrepnet.planning import OBJECTIVES, plan_type

        plan = plan_type(
            group,
            self.dim,
            self.budget or None,
            self.objective,
            heads=self.heads,
            least=self.least,
            positions=self.positions,
            dtype=self.dtype,
        )
        if self.json != STDOUT:
            show_text(plan.explain())
        values = asdict(plan)
        t = plan.feature_type
        values["feature_type"] = {"group": t.group.name, "text": str(t), "dim": t.dim}
        values["gset"] = [{"stabiliser": list(h), "orbits": n} for h, n in plan.gset.counts]
        unit = OBJECTIVES[plan.objective]
        return {**values, "unit": unit, "saving": plan.saving, "gave_up": plan.gave_up}

    def _break_even(self, group: Group) -> dict[str, Any]:
        from irrepnet.compiler import Machine
        from irrepnet.planning import break_even

        machine = Machine.load()
        answers = break_even(group, machine=machine, model=self.cost_model)
        if self.json != STDOUT:
            rows = table("dtype", "#rows", "#pays from", "#half from", "#FLOP ratio", "#widest")
            for a in answers:
                cells = [str(w) if w else "never" for w in (a.even, a.half)]
                widest = f"{a.speedups[-1][1]:.2f}x at {a.speedups[-1][0]}"
                rows.add_row(a.dtype, str(a.rows), *cells, f"{a.bound:.2f}x", widest)
            notes = (
                f"MLP of a transformer over {group.name}, regular type: the width from which on it "
                f"is no slower than dense, and the one from which on half of the saved FLOPs are "
                f"saved time. Expected by {self.cost_model} from rates: {machine.source}. What "
                f"holds is measured by `irrepnet bench MODEL --group {self.group} --widths INT,..`."
            )
            show(rows, Text(notes, style="dim"))
        return {
            "cost_model": self.cost_model,
            "rates": machine.source,
            "answers": [a.to_dict() for a in answers],
        }
