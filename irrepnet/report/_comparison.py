"""`compare`: everything that is known about an equivariant network and its ordinary twin."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from irrepnet.accounting import flops
from irrepnet.measure import MALLOC, Latency, Machine, Memory, Progress, latency, machine, memory
from irrepnet.report._costs import Summary, ratio, summarise
from irrepnet.report._invariance import Change, invariance
from irrepnet.report._photo import Photo, load_photo
from irrepnet.report._request import Request

#: Changes when a key of `Comparison.to_dict` is renamed or removed.
SCHEMA = "irrepnet.compare/1"

#: Told the name of a step, how many of its parts are done, and how many there are.
Steps = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Comparison:
    """An equivariant network and its ordinary twin, side by side.

    Attributes:
        request: What was asked for.
        photo: What the networks saw.
        costs: Parameters, FLOPs and times, part by part.
        latencies: Times of whole passes, ordinary network first.
        memories: Peak memory, ordinary network first.
        changes: Change of the logits when the photo is moved.
        machine: Where it was measured.
    """

    request: Request
    photo: Photo
    costs: Summary
    latencies: tuple[Latency, Latency]
    memories: tuple[Memory, Memory]
    changes: tuple[Change, ...]
    machine: Machine

    @property
    def speedup(self) -> float:
        """Median time of the ordinary network over that of the equivariant one."""
        dense, equivariant = self.latencies
        return dense.timing.median_ms / equivariant.timing.median_ms

    @property
    def speedup_of_minima(self) -> float:
        """The same of the shortest runs, which a busy machine disturbs less."""
        dense, equivariant = self.latencies
        return dense.timing.min_ms / equivariant.timing.min_ms

    @property
    def matmul_ratio(self) -> float | None:
        """FLOPs of matrix products, ordinary over equivariant."""
        total = self.costs.total
        return ratio(total.dense.matmul_flops, total.equivariant.matmul_flops)

    @property
    def realised(self) -> float | None:
        """Share of the saved FLOPs (of matrix products) that shows as saved time."""
        if self.matmul_ratio is None or abs(self.matmul_ratio - 1) < 1e-3:
            return None
        return (1 - 1 / self.speedup) / (1 - 1 / self.matmul_ratio)

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values; keys name their units."""
        return {
            "schema": SCHEMA,
            "request": self.request.to_dict(),
            "group": {"name": self.request.group, "order": self.request.action.group.order},
            "photo": {
                "caption": self.photo.caption,
                "original_width_px": self.photo.original_size[0],
                "original_height_px": self.photo.original_size[1],
                "width_px": self.photo.pixels.shape[1],
                "height_px": self.photo.pixels.shape[0],
            },
            "costs": self.costs.to_dict(),
            "latency": self._latency(),
            "memory": {
                "unit": "bytes, largest resident set of a fresh process",
                "dense": self.memories[0].to_dict(),
                "equivariant": self.memories[1].to_dict(),
            },
            "invariance": {
                "unit": "max |f(g x) - f(x)| / max |f(x)|, weights drawn at order one",
                "changes": [change.to_dict() for change in self.changes],
            },
            "machine": self.machine.to_dict(),
        }

    def _latency(self) -> dict[str, Any]:
        dense, equivariant = self.latencies
        return {
            "method": "interleaved in one fresh process, order reversed every round, no gradients",
            "malloc_environment": dict(MALLOC),
            "dense": {**dense.timing.to_dict(), "compile_s": dense.compile_s},
            "equivariant": {**equivariant.timing.to_dict(), "compile_s": equivariant.compile_s},
            "speedup_of_medians": self.speedup,
            "speedup_of_minima": self.speedup_of_minima,
            "matmul_flops_ratio": self.matmul_ratio,
            "share_of_saving_realised": self.realised,
        }

    def to_json(self) -> str:
        """The comparison as JSON."""
        return json.dumps(self.to_dict(), indent=2) + "\n"


def compare(request: Request, progress: Steps = lambda step, done, total: None) -> Comparison:
    """Build an equivariant network and its ordinary twin, and measure both.

    Args:
        request: The networks, the photo, the conditions.
        progress: Told the name of a step, how far it is, and how far it goes.

    Raises:
        IrrepnetError: If the request makes no sense (found at once), or a measurement fails.

    Cost:
        Both networks in memory twice over, and `2 (runs + 13)` forward passes of the batch.
    """
    models = request.check()
    config = models[0].default_cfg
    photo = load_photo(request.picture, config)
    counts = [flops(model, config["input_size"]) for model in models]

    def step(name: str) -> Progress:
        return lambda done, total: progress(name, done, total)

    changes = invariance(request, photo, step("Invariance of the logits"))
    settings = request.settings
    memories = (
        memory(request.dense, settings, step("Peak memory, dense")),
        memory(request.equivariant, settings, step(f"Peak memory, {request.group}")),
    )
    subjects = (request.dense, request.equivariant)
    dense, equivariant = latency(subjects, settings, step("Latency, interleaved"))
    costs = summarise(counts[0], counts[1], dense.layers_ms, equivariant.layers_ms)
    return Comparison(request, photo, costs, (dense, equivariant), memories, changes, machine())
