"""Invariants by name: which layer takes them, and what type comes out."""

from __future__ import annotations

from irrepnet._errors import SpecError
from irrepnet.specs._layers import InvariantMap
from irrepnet.specs._nonlinear import MaxFilter, PolynomialMap
from irrepnet.specs._spec import Spec
from irrepnet.types import (
    INVARIANTS,
    FeatureType,
    num_invariants,
    polynomial_invariants,
    smallest_part,
)

#: A kind of invariants; for `"max_filter"` and `"polynomial"` a number may follow.
Invariants = str | tuple[str, int]

KINDS = (*INVARIANTS, "max_filter", "polynomial")


def invariants(feature_type: FeatureType, kind: Invariants) -> tuple[Spec, FeatureType]:
    """The layer that takes invariants of a kind, and the type of its output.

    Args:
        feature_type: Type of the channels.
        kind: `"trivial"`, `"norm"` or `"rms"` (see `InvariantMap`); `("max_filter", filters)`, by
            default as many filters as there are copies (see `MaxFilter`); `("polynomial", degree)`,
            by default 3 (see `PolynomialMap`).

    Raises:
        SpecError: If the kind is unknown or its number is no whole number above zero.
        FeatureTypeError: If there are no such polynomials, or too many to search.

    Examples:
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.octic(), "2*A1 + 2*A2 + 2*E")
        >>> layer, seen = invariants(X, ("polynomial", 2))
        >>> layer.degree, str(seen)
        (2, '6*A1')
    """
    name, number = (kind, None) if isinstance(kind, str) else _pair(kind)
    if name not in KINDS or (name in INVARIANTS and number is not None):
        raise SpecError(_expected(kind))
    if name == "max_filter":
        filters = sum(feature_type.multiplicities) if number is None else number
        return MaxFilter(feature_type, filters), FeatureType.trivial(feature_type.group, filters)
    if name == "polynomial":
        degree = 3 if number is None else number
        part, times = smallest_part(feature_type)
        found = len(polynomial_invariants(part, degree).degrees) * times
        seen = FeatureType.trivial(feature_type.group, found)
        return PolynomialMap(feature_type, degree), seen
    seen = FeatureType.trivial(feature_type.group, num_invariants(feature_type, name))
    return InvariantMap(feature_type, name), seen


def _pair(kind: object) -> tuple[str, int]:
    if isinstance(kind, tuple) and len(kind) == 2:
        name, number = kind
        if isinstance(name, str) and type(number) is int and number > 0:
            return name, number
    raise SpecError(_expected(kind))


def _expected(kind: object) -> str:
    return (
        f"unknown invariant {kind!r}: expected one of {', '.join(KINDS)}, the last two alone or "
        f"with a number above zero: ('max_filter', filters), ('polynomial', degree)."
    )
