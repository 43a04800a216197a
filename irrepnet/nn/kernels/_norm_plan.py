"""`NormPlan`: what the kernel of a typed LayerNorm must know, as plain numbers."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from functools import lru_cache

from irrepnet.nn._norm import IsotypicLayerNorm

#: A row's slots are written out one by one, and all its channels are held at the same time.
MAX_SLOTS, MAX_CHANNELS = 32, 16384


@dataclass(frozen=True)
class NormSlot:
    """Neighbouring channels: an irrep's component, or all that are treated alike.

    Attributes:
        start: First channel.
        width: Number of channels.
        padded: The next power of two.
        centred: Whether their mean is subtracted.
        share: Weight of each channel's square in the variance.
    """

    start: int
    width: int
    padded: int
    centred: bool
    share: float


@dataclass(frozen=True)
class NormPlan:
    """A norm over typed channels.

    Attributes:
        dim: Number of channels.
        eps: Added to the variance.
        slots: The channels, in order.
    """

    dim: int
    eps: float
    slots: tuple[NormSlot, ...]

    @property
    def key(self) -> str:
        """The plan as text, which an operator of torch takes as an argument."""
        return json.dumps(astuple(self), separators=(",", ":"))

    @property
    def padded(self) -> int:
        """Channels of a row, with each slot's padding."""
        return sum(slot.padded for slot in self.slots)

    @staticmethod
    @lru_cache(maxsize=256)
    def from_key(key: str) -> NormPlan:
        """The plan that has this key."""
        dim, eps, slots = json.loads(key)
        return NormPlan(dim, eps, tuple(NormSlot(*slot) for slot in slots))


def norm_plan(norm: IsotypicLayerNorm) -> NormPlan:
    """The plan of a norm."""
    if norm._native and norm._centres_itself:  # torch's own LayerNorm over all channels
        spans = [(0, norm.dim, True, 1 / norm.dim)]
    else:
        spans = [
            (start, run.width, run.centred and not norm._centres_itself, run.share)
            for run in norm._runs
            for start in range(run.start, run.stop, run.width)
        ]
    slots = (NormSlot(a, n, 1 << (n - 1).bit_length(), c, share) for a, n, c, share in spans)
    return NormPlan(norm.dim, norm.eps, tuple(slots))


def why_no_norm(plan: NormPlan) -> str | None:
    """Why no kernel serves a norm; `None` where one does."""
    if len(plan.slots) > MAX_SLOTS:
        return f"its irreps have {len(plan.slots)} components, more than {MAX_SLOTS}"
    if plan.padded > MAX_CHANNELS:
        return f"a row has {plan.padded} channels with padding, more than {MAX_CHANNELS}"
    return None
