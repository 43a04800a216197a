"""`Spec`: what a layer is, without tensors; and how specs become JSON and come back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

from irrepnet import groups
from irrepnet._errors import SpecError
from irrepnet.actions import ImageAction, PointAction
from irrepnet.groups import Group
from irrepnet.types import FeatureType


@dataclass(frozen=True)
class Spec:
    """Base of all specs: frozen dataclasses that say what to build and hold no tensors.

    A subclass with a fixed feature type on its input calls that field `in_type` or
    `feature_type`; the compiler reads it (see `irrepnet.compiler.LayerRule`).
    """

    #: Spec classes by name, for `from_json`.
    known: ClassVar[dict[str, type[Spec]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Spec.known[cls.__name__] = cls

    def to_json(self) -> dict[str, Any]:
        """The spec as plain JSON values; `from_json` gives it back.

        Examples:
            >>> from irrepnet import groups, specs
            >>> from irrepnet.types import FeatureType
            >>> spec = specs.LayerScale(FeatureType(groups.flop(), "2*sym"))
            >>> specs.from_json(spec.to_json()) == spec
            True
        """
        fields = {f.name: _encode(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return {"$spec": type(self).__name__, **fields}

    def map(self, change: Callable[[Spec], Spec]) -> Self:
        """The spec with every spec inside it, and then itself, changed.

        Args:
            change: What to put in a spec's place; called for the parts before the whole.

        Examples:
            >>> from dataclasses import replace
            >>> from irrepnet import groups, specs
            >>> from irrepnet.types import FeatureType
            >>> X = FeatureType(groups.flop(), "2*sym")
            >>> net = specs.Chain((("norm", specs.LayerNorm(X)), ("scale", specs.LayerScale(X))))
            >>> net.map(
            ...     lambda s: replace(s, eps=1e-5) if isinstance(s, specs.LayerNorm) else s
            ... ).steps[0][1].eps
            1e-05
        """
        inside = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        changed = {name: _map(value, change) for name, value in inside.items()}
        same = all(changed[name] is value for name, value in inside.items())
        return cast(Self, change(self if same else dataclasses.replace(self, **changed)))


def _map(value: Any, change: Callable[[Spec], Spec]) -> Any:
    if isinstance(value, Spec):
        return value.map(change)
    if isinstance(value, tuple):
        parts = tuple(_map(item, change) for item in value)
        return value if all(a is b for a, b in zip(parts, value, strict=True)) else parts
    return value


def from_json(data: Any) -> Any:
    """Rebuild what `Spec.to_json` wrote; nothing is unpickled or evaluated.

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
    if "$points" in data:
        name, group, images = data["$points"]
        return PointAction(name, groups.from_recipe(group), from_json(images))
    if "$action" in data:
        name, group, matrices = data["$action"]
        return ImageAction(name, groups.from_recipe(group), from_json(matrices))
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


def _encode(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.to_json()
    if isinstance(value, FeatureType):
        return {"$type": [_encode(value.group.recipe), str(value)]}
    if isinstance(value, ImageAction):
        return {"$action": [value.name, _encode(value.group.recipe), _encode(value.matrices)]}
    if isinstance(value, PointAction):
        return {"$points": [value.name, _encode(value.group.recipe), _encode(value.images)]}
    if isinstance(value, Group):
        return {"$group": _encode(value.recipe)}
    if isinstance(value, tuple | list):
        return [_encode(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise SpecError(
        f"a spec cannot hold {value!r}: expected numbers, text, types, groups or specs."
    )
