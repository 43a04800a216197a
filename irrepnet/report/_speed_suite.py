"""The speed suite: networks with a goal, beside what published hand-written code reached."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.resources import files
from typing import Any

from irrepnet._errors import OptionError
from irrepnet.compiler import Plan, check, cost
from irrepnet.measure import Subject
from irrepnet.models import model_spec

#: What can be timed beside each other, in this order.
VARIANTS = ("frozen", "unfrozen", "hand-written", "timm")

#: Variants that only the dense network has, and who makes them.
MAKER = {"hand-written": "reference", "timm": "timm"}

#: The two networks of a row.
ROLES = ("dense", "equivariant")


@dataclass(frozen=True)
class Case:
    """One row of the suite before it is measured.

    Attributes:
        name: Network and group, for people.
        model: One of `list_models()`.
        group: Name of an image action.
        dtype: Dtype of the computation.
        autocast: Whether weights stay float32.
        compiled: Whether `torch.compile` runs.
        training: Whether a run is a training step.
        threads: Threads of torch.
        published: Speed-ups of published code on another machine, at this number of threads.
        published_is: What differed there.
        goal: The speed-up to reach, if one is set at this number of threads.
        memory: Whether memory is measured instead of time.
        sizes: As in `Subject`.
        break_at: As in `Subject`, of the equivariant network.
        lowering: As in `Subject`, of both networks.
    """

    name: str
    model: str
    group: str
    dtype: str = "float32"
    autocast: bool = False
    compiled: bool = False
    training: bool = False
    threads: int = 1
    published: tuple[float, ...] = ()
    published_is: str = ""
    goal: float | None = None
    memory: bool = False
    sizes: tuple[tuple[str, Any], ...] = ()
    break_at: tuple[tuple[str, int], ...] = ()
    lowering: str = "block"

    @property
    def mode(self) -> str:
        """How it runs, in a word."""
        return "compiled" if self.compiled else "eager"

    @property
    def step(self) -> str:
        """What a run is, in a word."""
        return "training" if self.training else "inference"

    @property
    def title(self) -> str:
        """The whole row in words; what patterns are matched with."""
        if self.memory:
            return f"{self.name}, memory in training"
        cast = " autocast" * self.autocast
        plural = "s" * (self.threads > 1)
        lowered = "" if self.lowering == "block" else f" {self.lowering}"
        conditions = f"{self.dtype}{cast} {self.mode}{lowered} {self.step}"
        return f"{self.name}, {conditions}, {self.threads} thread{plural}"

    @property
    def flop_ratio(self) -> float:
        """FLOPs of matrix products, dense over equivariant: no speed-up is above it."""
        dense, equivariant = map(self._matmul_flops, ROLES)
        return dense / equivariant

    def _matmul_flops(self, role: str) -> int:
        subject = self.subject("unfrozen", role)
        options = {**dict(subject.sizes), "break_at": subject.break_at or None}
        plan = Plan(check(model_spec(self.model, subject.group, **options)))
        return sum(row.matmul_flops for row in cost(plan))

    def subject(self, variant: str, role: str) -> Subject:
        """One of the networks that run beside each other.

        Args:
            variant: One of `VARIANTS`.
            role: One of `ROLES`.
        """
        own = role == "equivariant"
        return Subject(
            self.model,
            self.group if own else "trivial",
            self.break_at if own else (),
            self.sizes,
            maker=MAKER.get(variant, "irrepnet"),
            frozen=variant == "frozen",
            lowering=self.lowering,
        )


def speed_cases(threads: Sequence[int] = (1, 2)) -> tuple[Case, ...]:
    """The rows of the suite: times at each number of threads, then memory."""
    data = json.loads((files("irrepnet.report") / "speed_suite.json").read_text(encoding="utf-8"))
    times = [_at(entry, count) for count in threads for entry in data["times"]]
    rooms = [Case(**entry, training=True, memory=True) for entry in data["memory"]]
    return (*times, *rooms)


def _at(entry: Mapping[str, Any], threads: int) -> Case:
    """A row of the data at a number of threads."""
    rest = {key: value for key, value in entry.items() if key not in ("published", "goal")}
    published = entry.get("published", {}).get(str(threads), ())
    goal = entry.get("goal", {}).get(str(threads))
    return Case(**rest, threads=threads, published=tuple(published), goal=goal)


def matching(cases: Sequence[Case], pattern: str) -> tuple[Case, ...]:
    """The cases whose titles contain a pattern; `*` stands for anything, case does not matter.

    Raises:
        OptionError: If there are none.

    Examples:
        >>> [case.title for case in matching(speed_cases(), "vit-s*bfloat16 autocast*1 thread")]
        ['ViT-S flop, bfloat16 autocast eager training, 1 thread']
    """
    found = tuple(c for c in cases if fnmatch(c.title.lower(), f"*{pattern.lower()}*"))
    if not found:
        titles = "\n".join(f"  {case.title}" for case in cases)
        raise OptionError(f"no row matches {pattern!r}: expected a part of one of\n{titles}")
    return found
