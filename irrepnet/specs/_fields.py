"""What the fields of a spec may hold, by their annotations: a mistake is told where it is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from sympy import Expr

from irrepnet._errors import SpecError
from irrepnet.actions import ImageAction, PointAction
from irrepnet.groups import Group
from irrepnet.types import CountedPoints, FeatureType


class _UnfitError(Exception):
    """A value that a field may not hold."""


def _instance(*kinds: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not isinstance(value, kinds):
            raise _UnfitError
        return value

    return check


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | np.integer | Expr):
        raise _UnfitError
    return value if isinstance(value, Expr) else int(value)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise _UnfitError
    return value.item() if isinstance(value, np.number) else value


def _pair(value: Any) -> Any:
    """Two whole numbers; one stands for both."""
    if not isinstance(value, tuple | list):
        return (_whole(value),) * 2
    if len(value) != 2:
        raise _UnfitError
    pair = tuple(_whole(v) for v in value)
    return value if isinstance(value, tuple) and pair == tuple(value) else pair


def _wholes(value: Any) -> Any:
    if not isinstance(value, tuple | list):
        raise _UnfitError
    wholes = tuple(_whole(v) for v in value)
    return value if isinstance(value, tuple) and wholes == value else wholes


def _steps(value: Any) -> Any:
    if not isinstance(value, tuple | list) or isinstance(value, str):
        raise _UnfitError
    for step in value:
        if not (isinstance(step, tuple | list) and len(step) == 2 and isinstance(step[0], str)):
            raise _UnfitError
        if not hasattr(step[1], "to_json"):
            raise _UnfitError
    return tuple(map(tuple, value))


#: For each annotation: what fits, perhaps in another form, and how to say so.
CHECKS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "FeatureType": (
        _instance(FeatureType),
        "a FeatureType, such as FeatureType(groups.flop(), '2*sym + 2*asym')",
    ),
    "ImageAction": (_instance(ImageAction), "an ImageAction, such as actions.image('flop')"),
    "PointAction": (
        _instance(PointAction, CountedPoints),
        "a PointAction, such as actions.image('flop').on_grid(4, 4)",
    ),
    "Group": (_instance(Group), "a Group, such as groups.flop()"),
    "tuple[int, int]": (_pair, "two whole numbers, height and width, or one for both"),
    "tuple[int, ...]": (_wholes, "whole numbers, such as (96, 192)"),
    "int": (_whole, "a whole number"),
    "float": (_number, "a number"),
    "bool": (_instance(bool), "True or False"),
    "str": (_instance(str), "text"),
    "Steps": (_steps, "pairs of a name and a spec; specs.chain(a, b) makes them"),
}


@lru_cache(maxsize=256)
def _checks(kind: type) -> tuple[tuple[str, bool, Callable[[Any], Any], str], ...]:
    """Name, whether `None` is allowed, check and description of each field that has a check."""
    found = []
    for field in dataclasses.fields(kind):
        annotation = field.type if isinstance(field.type, str) else _name(field.type)
        plain = annotation.removesuffix(" | None")
        known = CHECKS.get(plain if "[" in plain else plain.rpartition(".")[2])
        if known is not None:
            found.append((field.name, plain != annotation, *known))
    return tuple(found)


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def check_fields(spec: Any) -> None:
    """Bring a new spec's fields into form.

    Raises:
        SpecError: If one holds what its annotation does not allow.
    """
    for name, optional, check, expected in _checks(type(spec)):
        value = getattr(spec, name)
        if optional and value is None:
            continue
        try:
            fit = check(value)
        except _UnfitError:
            raise SpecError(
                f"{type(spec).__name__}: got {name}={value!r}: expected {expected}"
                f"{', or None' if optional else ''}."
            ) from None
        if fit is not value:
            object.__setattr__(spec, name, fit)
