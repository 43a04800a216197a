"""`Timing`: what repeated runs of one function took."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True)
class Timing:
    """Times of repeated runs.

    Attributes:
        samples_ms: One time for each run, in milliseconds, in the order of the runs.

    Examples:
        >>> Timing((3.0, 1.0, 2.0)).median_ms
        2.0
    """

    samples_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """Half of the runs took longer."""
        return median(self.samples_ms)

    @property
    def min_ms(self) -> float:
        """The shortest run: what the machine can do undisturbed."""
        return min(self.samples_ms)

    @property
    def quartiles_ms(self) -> tuple[float, float]:
        """A quarter of the runs took less than the first, a quarter more than the second."""
        if len(self.samples_ms) == 1:
            return self.samples_ms[0], self.samples_ms[0]
        first, _, third = quantiles(self.samples_ms, n=4, method="inclusive")
        return first, third

    @property
    def spread(self) -> float:
        """Distance of the quartiles over the median; above 0.2 the machine was busy."""
        first, third = self.quartiles_ms
        return (third - first) / self.median_ms

    def to_dict(self) -> dict[str, Any]:
        """The times as plain values."""
        return {
            "median_ms": self.median_ms,
            "min_ms": self.min_ms,
            "quartiles_ms": list(self.quartiles_ms),
            "samples_ms": list(self.samples_ms),
        }
