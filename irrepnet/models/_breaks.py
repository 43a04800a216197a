"""Where a network gives up part of its symmetry, and the types on the way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from irrepnet import specs
from irrepnet._errors import IrrepnetError, SpecError
from irrepnet.actions import ImageAction
from irrepnet.types import FeatureType

BreakAt = Sequence[tuple[str | ImageAction, int]]


def type_of(action: ImageAction, given: FeatureType | str | None, width: int) -> FeatureType:
    """The type of the tokens: as given, or copies of the regular representation."""
    if isinstance(given, FeatureType):
        return given
    if given is not None:
        return FeatureType(action.group, given)
    return FeatureType.regular(action.group, width)


class Breaks:
    """The blocks before which a network descends to a subgroup.

    Args:
        break_at: Pairs `(subgroup, block)`.
        depth: Number of blocks.

    Raises:
        SpecError: If the blocks do not increase, or do not exist.
    """

    def __init__(self, break_at: BreakAt, depth: int) -> None:
        places = [index for _, index in break_at]
        if any(a >= b for a, b in pairwise(places)) or any(not 0 <= p < depth for p in places):
            raise SpecError(
                f"break_at={list(break_at)!r} names the blocks {places}: expected increasing block "
                f"indices between 0 and {depth - 1}."
            )
        self.break_at = list(break_at)
        self.subgroups = {index: smaller for smaller, index in break_at}

    def before(
        self, index: int, x: FeatureType, action: ImageAction
    ) -> tuple[list[tuple[str, specs.Spec]], FeatureType, ImageAction]:
        """Steps before a block, and the type and action after them.

        Raises:
            IrrepnetError: If the group given is no smaller one, or the type has no points to go to.
        """
        if index not in self.subgroups:
            return [], x, action
        smaller = action.restrict(self.subgroups[index])
        if smaller.group.order == action.group.order:
            raise SpecError(
                f"break_at={self.break_at!r} goes from {action.name!r} to {smaller.name!r} at "
                f"block {index}, which gives up nothing: expected a smaller group each time."
            )
        name = f"restrict{index}"
        # Ordinary channels where no symmetry is left, as in the papers' hybrids.
        basis = "gset" if smaller.group.order == 1 else "irrep"
        spec = specs.Restrict(x, smaller.group, smaller.embedding(action), basis, smaller.name)
        try:
            return [(name, spec)], spec.restriction.out_type, smaller
        except IrrepnetError as problem:
            raise type(problem)(f"blocks.{name} (Restrict): {problem}") from None
