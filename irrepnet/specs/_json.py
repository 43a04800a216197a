"""Specs as plain JSON values, and back; nothing is unpickled or evaluated."""

from __future__ import annotations

from typing import Any

from irrepnet import actions, groups
from irrepnet._errors import SpecError
from irrepnet.actions import ImageAction, PointAction
from irrepnet.groups import Group
from irrepnet.specs._spec import Spec
from irrepnet.types import FeatureType, TokenType


def from_json(data: Any) -> Any:
    """Rebuild what `Spec.to_json` wrote.

    Raises:
        SpecError: If a spec is unknown or its fields do not fit.
    """
    if isinstance(data, list):
        return tuple(from_json(item) for item in data)
    if not isinstance(data, dict):
        return data
    if "$group" in data:
        return groups.from_recipe(data["$group"])
    if "$type" in data:
        group, text = data["$type"]
        return FeatureType(groups.from_recipe(group), text)
    if "$action" in data:
        return _action(data["$action"])
    if "$points" in data:
        kind, *parts = data["$points"]
        if kind not in _POINTS:
            raise SpecError(f"unknown points {kind!r}: expected one of {', '.join(_POINTS)}.")
        return _POINTS[kind](*from_json(parts))
    return _spec(data)


def _action(data: Any) -> ImageAction:
    if isinstance(data, str):
        return actions.image(data)
    name, group, matrices = data
    return actions.from_generators(name, groups.from_recipe(group), from_json(matrices))


#: How points are made again, by what they were made of.
_POINTS: dict[str, Any] = {
    "grid": lambda action, height, width: action.on_grid(height, width),
    "natural": actions.natural,
    "in order": lambda points: TokenType.of(points).in_order,
    "restrict": lambda points, *arguments: points.restrict(*arguments),
    "images": actions.from_images,
}


def _spec(data: dict[str, Any]) -> Spec:
    fields = {key: from_json(value) for key, value in data.items() if key != "$spec"}
    kind = Spec.known.get(data.get("$spec", ""))
    if kind is None:
        raise SpecError(
            f"unknown spec {data.get('$spec')!r}: expected one of {', '.join(sorted(Spec.known))}; "
            f"import the module that defines your own specs before loading them."
        )
    try:
        return kind(**fields)
    except TypeError as problem:
        raise SpecError(
            f"the stored {kind.__name__} does not fit this version: {problem}."
        ) from None


def to_json(value: Any) -> Any:
    """A spec's field as plain JSON values."""
    if isinstance(value, Spec):
        return value.to_json()
    if isinstance(value, FeatureType):
        return {"$type": [to_json(value.group.recipe), str(value)]}
    if isinstance(value, ImageAction):
        if value.is_named:
            return {"$action": value.name}
        return {"$action": [value.name, to_json(value.group.recipe), to_json(value.generators)]}
    if isinstance(value, PointAction):
        return {"$points": to_json(value.recipe)}
    if isinstance(value, Group):
        return {"$group": to_json(value.recipe)}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise SpecError(
        f"a spec cannot hold {value!r}: expected numbers, text, types, groups or specs."
    )


Spec.encode = to_json
