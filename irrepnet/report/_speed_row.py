"""`SpeedRow`: two networks against each other, as measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from irrepnet.measure import Memory, Timing
from irrepnet.report._blocks import BlockPair
from irrepnet.report._speed_suite import Case

#: Changes when a key of a row is renamed or removed.
SCHEMA = "irrepnet.speed/1"

#: A row whose quartiles are further apart than this share of the median is marked.
NOISE = 0.2


@dataclass(frozen=True)
class SpeedRow:
    """A measured row of the suite.

    Attributes:
        case: What was measured.
        rounds: Timed runs of each network.
        batch: Images a run.
        flop_ratio: FLOPs of matrix products, dense over equivariant.
        timings: By variant and role (`"dense"`, `"equivariant"`), joined by a space.
        memories: By role, for a row about memory.
        grown_bytes: By role, the most by which torch's memory grew in a run; with the blocks.
        blocks: The networks block by block, if that was asked for.
        cost_model: What predicted the blocks' times.
        error: Why it could not be measured, if it could not.
    """

    case: Case
    rounds: int
    batch: int
    flop_ratio: float
    timings: Mapping[str, Timing] = field(default_factory=dict)
    memories: Mapping[str, Memory] = field(default_factory=dict)
    grown_bytes: Mapping[str, int] = field(default_factory=dict)
    blocks: tuple[BlockPair, ...] = ()
    cost_model: str = ""
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
            "batch": self.batch,
            "timings": {name: self._timing(timing) for name, timing in self.timings.items()},
            "memory": {role: found.to_dict() for role, found in self.memories.items()},
            "grown_bytes": dict(self.grown_bytes),
            "cost_model": self.cost_model,
            "blocks": [pair.to_dict() for pair in self.blocks],
            "error": self.error,
        }

    def _timing(self, timing: Timing) -> dict[str, Any]:
        return {**timing.to_dict(), "images_per_s": 1e3 * self.batch / timing.median_ms}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SpeedRow:
        """The row that `to_dict` wrote."""
        case = dict(values["case"])
        case["published"] = tuple(case["published"])
        for pairs in ("sizes", "break_at"):
            case[pairs] = tuple((name, value) for name, value in case[pairs])
        timings = {n: Timing(tuple(t["samples_ms"])) for n, t in values["timings"].items()}
        kept = ("peak_bytes", "baseline_bytes", "activation_bytes", "tensor_bytes")
        memories = {r: Memory(*(m[k] for k in kept)) for r, m in values["memory"].items()}
        return cls(
            Case(**case),
            values["rounds"],
            values["batch"],
            values["flop_ratio"],
            timings,
            memories,
            values["grown_bytes"],
            tuple(BlockPair.from_dict(pair) for pair in values["blocks"]),
            values["cost_model"],
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
