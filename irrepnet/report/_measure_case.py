"""Measuring one row: whole networks, and their blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from irrepnet._errors import MeasurementError
from irrepnet.compiler import Machine
from irrepnet.measure import (
    Memory,
    Progress,
    Settings,
    Subject,
    latency,
    memory,
    silent,
    units,
)
from irrepnet.report._blocks import block_pairs
from irrepnet.report._speed_row import SpeedRow
from irrepnet.report._speed_suite import MAKER, ROLES, VARIANTS, Case


def measure_case(
    case: Case,
    rounds: int,
    batch: int = 8,
    variants: Sequence[str] = VARIANTS,
    progress: Progress = silent,
    cost_model: str = "",
) -> SpeedRow:
    """Measure one row; what fails is said in the row.

    Args:
        case: The row.
        rounds: Timed runs of each network.
        batch: Images a run.
        variants: Some of `VARIANTS`; training steps are never frozen, and timm's own network is
            left out where timm is not installed or has none.
        progress: Told how far it is.
        cost_model: One of `irrepnet.planning.COST_MODELS` to measure each block as well, and to
            predict its time; blocks are not compiled.
    """
    settings = Settings(
        batch, case.dtype, case.threads, case.compiled, rounds, case.training, case.autocast
    )
    row = SpeedRow(case, rounds, batch, case.flop_ratio)
    try:
        if case.memory:
            return replace(row, rounds=1, memories=_memories(case, settings, progress))
        networks = _networks(case, variants)
        found = latency(list(networks.values()), settings, progress, layers=False)
        timings = {name: one.timing for name, one in zip(networks, found, strict=True)}
        row = replace(row, timings=timings)
        if cost_model and not case.compiled:
            pair = [case.subject(row.headline, role) for role in ROLES]
            parts = units(pair, settings, progress)
            blocks = block_pairs(pair, parts, settings, Machine.load(), cost_model)
            grown = {r: p.whole_peak_bytes for r, p in zip(ROLES, parts, strict=True)}
            row = replace(row, blocks=blocks, cost_model=cost_model, grown_bytes=grown)
        return row
    except MeasurementError as problem:
        return replace(row, error=str(problem))


def _networks(case: Case, variants: Sequence[str]) -> dict[str, Subject]:
    """By variant and role, in the order in which they run."""
    chosen = {"unfrozen" if case.training and v == "frozen" else v for v in variants}
    networks: dict[str, Subject] = {}
    for variant in (v for v in VARIANTS if v in chosen):
        for role in ROLES[:1] if variant in MAKER else ROLES:
            networks[f"{variant} {role}"] = case.subject(variant, role)
    return {name: subject for name, subject in networks.items() if subject.exists}


def _memories(case: Case, settings: Settings, progress: Progress) -> dict[str, Memory]:
    return {role: memory(case.subject("unfrozen", role), settings, progress) for role in ROLES}
