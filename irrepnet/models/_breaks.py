"""Where a network gives up part of its symmetry, and the types on the way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from irrepnet import specs
from irrepnet._errors import IrrepnetError, SpecError
from irrepnet.actions import ImageAction
from irrepnet.types import FeatureType

#: Pairs of a subgroup and the block before which a network descends to it.
Breaks = Sequence[tuple[str | ImageAction, int]]


def stream_type(action: ImageAction, given: FeatureType | str | None, width: int) -> FeatureType:
    """The type of the tokens: as given, or copies of the regular representation."""
    if isinstance(given, FeatureType):
        return given
    if given is not None:
        return FeatureType(action.group, given)
    return FeatureType.regular(action.group, width)


def breaks_by_block(
    break_at: Breaks | None, action: ImageAction, depth: int
) -> dict[int, ImageAction]:
    """For each block with a break before it the smaller action.

    Raises:
        SpecError: If the blocks do not increase or do not exist, or a break gives up nothing.
        GroupError: If a group is no subgroup of the one before.
    """
    break_at = _pairs(break_at or ())
    places = [index for _, index in break_at]
    if any(a >= b for a, b in pairwise(places)) or any(not 0 <= p < depth for p in places):
        raise SpecError(
            f"break_at={break_at!r} names the blocks {places}: expected increasing block "
            f"indices between 0 and {depth - 1}."
        )
    found = {}
    for given, index in break_at:
        smaller = action.restrict(given)
        if smaller.group.order == action.group.order:
            raise SpecError(
                f"break_at={break_at!r} goes from {action.name!r} to {smaller.name!r} at "
                f"block {index}, which gives up nothing: expected a smaller group each time."
            )
        found[index] = action = smaller
    return found


def _pairs(break_at: Any) -> list[tuple[str | ImageAction, int]]:
    """The breaks as pairs."""
    pairs = break_at if isinstance(break_at, list | tuple) else [break_at]
    if not all(isinstance(p, list | tuple) and len(p) == 2 and type(p[1]) is int for p in pairs):
        raise SpecError(
            f"got break_at={break_at!r}: expected pairs of a subgroup and a block, such as "
            f"[('flop', 4), ('trivial', 8)]."
        )
    return [(p[0], p[1]) for p in pairs]


def restricted(
    x: FeatureType, action: ImageAction, smaller: ImageAction, path: str
) -> tuple[specs.Restrict, FeatureType]:
    """A break to a subgroup, and the type after it; points where no symmetry is left."""
    basis = "gset" if smaller.group.order == 1 else "irrep"
    spec = specs.Restrict(x, smaller.group, smaller.embedding(action), basis, smaller.name)
    try:
        return spec, spec.restriction.out_type
    except IrrepnetError as problem:
        raise type(problem)(f"{path} (Restrict): {problem}") from None
