"""The speed suite: networks with a goal, beside what published hand-written code reached."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from importlib.resources import files
from typing import Any

from irrepnet._errors import MeasurementError, OptionError
from irrepnet.compiler import Plan, check, cost
from irrepnet.measure import Memory, Progress, Settings, Subject, Timing, latency, memory, silent
from irrepnet.models import model_spec

#: Changes when a key of a row is renamed or removed.
SCHEMA = "irrepnet.speed/1"

#: What can be timed beside each other, in this order.
VARIANTS = ("frozen", "unfrozen", "hand-written")

#: A row whose quartiles are further apart than this share of the median is marked.
NOISE = 0.2


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
        conditions = f"{self.dtype}{cast} {self.mode} {self.step}"
        return f"{self.name}, {conditions}, {self.threads} thread{plural}"

    @property
    def flop_ratio(self) -> float:
        """FLOPs of matrix products, dense over equivariant: no speed-up is above it."""
        dense, equivariant = (self._matmul_flops(group) for group in ("trivial", self.group))
        return dense / equivariant

    def _matmul_flops(self, group: str) -> int:
        plan = Plan(check(model_spec(self.model, group, **dict(self.sizes))))
        return sum(row.matmul_flops for row in cost(plan))

    def subject(self, variant: str, group: str) -> Subject:
        """One of the networks that run beside each other."""
        maker = "reference" if variant == "hand-written" else "irrepnet"
        return Subject(self.model, group, sizes=self.sizes, maker=maker, frozen=variant == "frozen")


@dataclass(frozen=True)
class SpeedRow:
    """A measured row of the suite.

    Attributes:
        case: What was measured.
        rounds: Timed runs of each network.
        flop_ratio: FLOPs of matrix products, dense over equivariant.
        timings: By variant and role (`"dense"`, `"equivariant"`), joined by a space.
        memories: By role, for a row about memory.
        error: Why it could not be measured, if it could not.
    """

    case: Case
    rounds: int
    flop_ratio: float
    timings: Mapping[str, Timing] = field(default_factory=dict)
    memories: Mapping[str, Memory] = field(default_factory=dict)
    error: str = ""

    def speedup(self, variant: str, minima: bool = False) -> float | None:
        """Time of the dense network over the equivariant one's, both of one variant."""
        pair = [self.timings.get(f"{variant} {role}") for role in ("dense", "equivariant")]
        if pair[0] is None or pair[1] is None:
            return None
        if minima:
            return pair[0].min_ms / pair[1].min_ms
        return pair[0].median_ms / pair[1].median_ms

    @property
    def headline(self) -> str:
        """The variant that the goal is about: frozen networks in inference."""
        return "frozen" if "frozen dense" in self.timings else "unfrozen"

    @property
    def noisy(self) -> bool:
        """Whether the machine was too busy for the row to mean much."""
        return any(timing.spread > NOISE for timing in self.timings.values())

    @property
    def baseline(self) -> float | None:
        """Time of hand-written code over the dense network's: above 1 the baseline is fair."""
        hand = self.timings.get("hand-written dense")
        own = self.timings.get("unfrozen dense") or self.timings.get("frozen dense")
        return hand.median_ms / own.median_ms if hand and own else None

    def memory_ratio(self, what: str) -> float | None:
        """Memory of the equivariant network over the dense one's; at most 1 is the goal."""
        pair = [getattr(self.memories.get(role), what, None) for role in ("equivariant", "dense")]
        return pair[0] / pair[1] if pair[0] and pair[1] else None

    def to_dict(self) -> dict[str, Any]:
        """The row as plain values."""
        speedups = {
            variant: {
                "medians": self.speedup(variant),
                "minima": self.speedup(variant, minima=True),
                "share_of_saving_realised": realised(self.speedup(variant), self.flop_ratio),
            }
            for variant in ("frozen", "unfrozen")
            if self.speedup(variant) is not None
        }
        return {
            "title": self.case.title,
            "case": asdict(self.case),
            "rounds": self.rounds,
            "flop_ratio": self.flop_ratio,
            "speedup": speedups,
            "hand_written_over_dense": self.baseline,
            "noisy": self.noisy,
            "timings": {name: timing.to_dict() for name, timing in self.timings.items()},
            "memory": {role: found.to_dict() for role, found in self.memories.items()},
            "error": self.error,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SpeedRow:
        """The row that `to_dict` wrote."""
        case = dict(values["case"])
        case["published"] = tuple(case["published"])
        case["sizes"] = tuple((name, value) for name, value in case["sizes"])
        timings = {n: Timing(tuple(t["samples_ms"])) for n, t in values["timings"].items()}
        kept = ("peak_bytes", "baseline_bytes", "activation_bytes")
        memories = {r: Memory(*(m[k] for k in kept)) for r, m in values["memory"].items()}
        return cls(
            Case(**case),
            values["rounds"],
            values["flop_ratio"],
            timings,
            memories,
            values["error"],
        )


def realised(speedup: float | None, flop_ratio: float) -> float | None:
    """Share of the saved FLOPs that shows as saved time: `(1 - 1/speedup) / (1 - 1/ratio)`.

    Examples:
        >>> realised(1.5, 2.0)
        0.6666666666666667
    """
    if speedup is None or abs(flop_ratio - 1) < 1e-3:
        return None
    return (1 - 1 / speedup) / (1 - 1 / flop_ratio)


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


def measure_case(
    case: Case,
    rounds: int,
    batch: int = 8,
    variants: Sequence[str] = VARIANTS,
    progress: Progress = silent,
) -> SpeedRow:
    """Measure one row; what fails is said in the row.

    Args:
        case: The row.
        rounds: Timed runs of each network.
        batch: Images a run.
        variants: Some of `VARIANTS`; training steps are never frozen.
        progress: Told how far it is.
    """
    settings = Settings(
        batch, case.dtype, case.threads, case.compiled, rounds, case.training, case.autocast
    )
    row = SpeedRow(case, rounds, case.flop_ratio)
    try:
        if case.memory:
            return SpeedRow(case, 1, row.flop_ratio, memories=_memories(case, settings, progress))
        networks = dict(_networks(case, variants))
        found = latency(list(networks.values()), settings, progress, layers=False)
    except MeasurementError as problem:
        return SpeedRow(case, rounds, row.flop_ratio, error=str(problem))
    timings = {name: one.timing for name, one in zip(networks, found, strict=True)}
    return SpeedRow(case, rounds, row.flop_ratio, timings)


def _networks(case: Case, variants: Sequence[str]) -> Iterator[tuple[str, Subject]]:
    chosen = {"unfrozen" if case.training and v == "frozen" else v for v in variants}
    for variant in (v for v in VARIANTS if v in chosen):
        yield f"{variant} dense", case.subject(variant, "trivial")
        if variant != "hand-written":
            yield f"{variant} equivariant", case.subject(variant, case.group)


def _memories(case: Case, settings: Settings, progress: Progress) -> dict[str, Memory]:
    groups = {"dense": "trivial", "equivariant": case.group}
    return {
        role: memory(case.subject("unfrozen", group), settings, progress)
        for role, group in groups.items()
    }
