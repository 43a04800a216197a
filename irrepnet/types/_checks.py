"""Checks of single arguments, shared by specs' rules and by layers that are built by hand."""

from __future__ import annotations

from typing import Any

from irrepnet._errors import FeatureTypeError, SpecError
from irrepnet.actions import ImageAction
from irrepnet.types._feature_type import FeatureType


def check_group(feature_type: FeatureType, action: ImageAction) -> None:
    """Raise `SpecError` unless the type lies over the action's group."""
    if not isinstance(action, ImageAction):
        raise SpecError(
            f"got {action!r} as an action: expected an ImageAction, such as actions.image('flop')."
        )
    if feature_type.group != action.group:
        raise SpecError(
            f"the tokens' type {feature_type} lies over {feature_type.group.name}: expected "
            f"a type over {action.group.name}, the group of {action.name!r}."
        )


def check_channels_exist(feature_type: FeatureType) -> None:
    """Raise `FeatureTypeError` for a type without channels."""
    if feature_type.dim == 0:
        raise FeatureTypeError(
            f"the type {feature_type} over {feature_type.group.name} has no channels: expected a "
            f"type with at least one."
        )


def check_invariants_exist(feature_type: FeatureType, what: str, instead: str) -> None:
    """Raise `FeatureTypeError` unless the group fixes some vector.

    Args:
        feature_type: The type.
        what: What would be zero without.
        instead: What else a user could do.
    """
    if feature_type.num_invariants == 0:
        raise FeatureTypeError(
            f"{feature_type} has no trivial copy, so {what} zero: expected a type with trivial "
            f"copies, or {instead}."
        )


def check_rate(rate: float, what: str = "a dropping rate of ") -> None:
    """Raise `SpecError` unless a probability lies in `[0, 1)`."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise SpecError(f"got {what}{rate}: expected 0 <= rate < 1.")


def check_eps(eps: float) -> None:
    """Raise `SpecError` for a negative epsilon."""
    if not eps >= 0:
        raise SpecError(f"got eps={eps}: expected a number >= 0, such as 1e-6.")


def check_count(count: Any, what: str) -> None:
    """Raise `SpecError` unless there is at least one of something."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise SpecError(f"got {count} {what}: expected at least one.")
