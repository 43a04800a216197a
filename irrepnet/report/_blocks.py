"""Blocks of two networks: FLOPs, time measured and predicted, memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from irrepnet.compiler import Machine, Plan, cost
from irrepnet.measure import Settings, Subject, Units, unit_paths
from irrepnet.planning import predicted_seconds


@dataclass(frozen=True)
class BlockCost:
    """One block of one network, for a batch.

    Attributes:
        flops: All FLOPs of what was timed: the forward pass, in training the backward pass too.
        measured_ms: Median time of the block by itself.
        predicted_ms: What the cost model expects.
        peak_bytes: The most by which memory grew while it ran.
    """

    flops: int
    measured_ms: float
    predicted_ms: float
    peak_bytes: int


@dataclass(frozen=True)
class BlockPair:
    """The same block of the dense and of the equivariant network.

    Attributes:
        path: Module path; blocks that only one of them has are no pair.
        dense: In the dense network.
        equivariant: In the equivariant one.
    """

    path: str
    dense: BlockCost
    equivariant: BlockCost

    @property
    def flop_ratio(self) -> float | None:
        """FLOPs, dense over equivariant."""
        return self.dense.flops / self.equivariant.flops if self.equivariant.flops else None

    @property
    def speedup(self) -> float:
        """Time, dense over equivariant."""
        return self.dense.measured_ms / self.equivariant.measured_ms

    def to_dict(self) -> dict[str, Any]:
        """The pair as plain values."""
        return {**asdict(self), "flop_ratio": self.flop_ratio, "speedup": self.speedup}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BlockPair:
        """The pair that `to_dict` wrote."""
        return cls(values["path"], BlockCost(**values["dense"]), BlockCost(**values["equivariant"]))


def block_pairs(
    subjects: Sequence[Subject],
    found: Sequence[Units],
    settings: Settings,
    machine: Machine,
    cost_model: str,
) -> tuple[BlockPair, ...]:
    """What was measured of the blocks of two networks, beside what was expected.

    Args:
        subjects: The dense and the equivariant network.
        found: Their blocks as `irrepnet.measure.units` found them.
        settings: The conditions.
        machine: The rates of the machine.
        cost_model: One of `irrepnet.planning.COST_MODELS`.
    """
    dense, equivariant = (
        _costs(subject, one, settings, machine, cost_model)
        for subject, one in zip(subjects, found, strict=True)
    )
    return tuple(
        BlockPair(path, dense[path], equivariant[path]) for path in dense if path in equivariant
    )


def _costs(
    subject: Subject, found: Units, settings: Settings, machine: Machine, cost_model: str
) -> dict[str, BlockCost]:
    plan: Plan = subject.build("meta").plan
    rates = machine.rates(settings.dtype)
    seconds = predicted_seconds(
        plan, rates, settings.batch, settings.dtype, cost_model, settings.training
    )
    flops = {
        row.path: settings.batch * (row.flops + settings.training * row.backward_flops)
        for row in cost(plan)
    }
    return {
        path: BlockCost(
            _inside(path, flops),
            found.timings[path].median_ms,
            1e3 * _inside(path, seconds),
            found.peak_bytes[path],
        )
        for path in unit_paths(plan.root)
    }


def _inside(path: str, values: Mapping[str, Any]) -> Any:
    """The sum over a block's layers."""
    return sum(v for p, v in values.items() if p == path or p.startswith(f"{path}."))
