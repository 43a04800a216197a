"""`Spec`: what a layer is, without tensors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

from irrepnet._errors import SpecError
from irrepnet.specs._fields import check_fields
from irrepnet.types import FeatureType


@dataclass(frozen=True)
class Spec:
    """Base of all specs: frozen dataclasses that say what to build and hold no tensors.

    Fields are checked by their annotations where a spec is made; one number stands for a pair of
    sizes. A subclass with a fixed feature type on its input calls that field `in_type` or
    `feature_type`; the compiler reads it (see `irrepnet.compiler.LayerRule`).

    Every spec has `.in_type` and `.out_type`, as a field or computed by the compiler (`None` where
    images go in or out), prints as code, and composes: `a >> b` is a `Chain` of both, `n * a` one
    of `n` copies; their steps are called "0", "1", ...

    Examples:
        >>> from irrepnet import groups, specs
        >>> from irrepnet.types import FeatureType
        >>> X = FeatureType(groups.flop(), "2*sym + 2*asym")
        >>> mlp = specs.Linear(X, 4 * X) >> specs.Activation(4 * X) >> specs.Linear(4 * X, X)
        >>> [name for name, _ in mlp.steps], (3 * mlp).steps[2][1] == mlp
        (['0', '1', '2'], True)
        >>> specs.Activation(X)
        specs.Activation(FeatureType(groups.flop(), '2*sym + 2*asym'))
    """

    #: Spec classes by name, for `from_json`.
    known: ClassVar[dict[str, Callable[..., Spec]]] = {}

    #: What the compiler knows of specs; filled by `irrepnet.compiler`.
    theory: ClassVar[dict[str, Callable[[Spec], Any]]] = {}

    #: A field's value as plain JSON values; filled where JSON is defined.
    encode: ClassVar[Callable[[Any], Any]]

    #: Makes a chain of specs; filled where `Chain` is defined.
    compose: ClassVar[Callable[[tuple[Spec, ...]], Spec]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Spec.known[cls.__name__] = cls
        # Not inherited: dataclasses would take a base's property for the default of a field.
        for name in ("in_type", "out_type"):
            if not any(name in vars(c) or name in _annotations(c) for c in cls.__mro__):
                setattr(cls, name, _type_property(name))
        if "__repr__" not in vars(cls):
            cls.__repr__ = Spec._code

    def __post_init__(self) -> None:
        check_fields(self)

    def _code(self) -> str:
        """The spec as code, without what it would be anyway."""
        parts = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.default is dataclasses.MISSING:
                parts.append(repr(value))
            elif value != field.default:
                parts.append(f"{field.name}={value!r}")
        home = "specs." if type(self).__module__.startswith("irrepnet.specs.") else ""
        return f"{home}{type(self).__name__}({', '.join(parts)})"

    def __rshift__(self, other: Spec) -> Spec:
        return Spec.compose((self, other)) if isinstance(other, Spec) else NotImplemented

    def __mul__(self, times: int) -> Spec:
        if not isinstance(times, int):
            return NotImplemented
        if times < 1:
            raise SpecError(f"got {times} copies of a spec: expected at least one.")
        return Spec.known["Chain"](tuple((str(k), self) for k in range(times)))

    __rmul__ = __mul__

    def to_json(self) -> dict[str, Any]:
        """The spec as plain JSON values; `from_json` gives it back.

        Examples:
            >>> from irrepnet import groups, specs
            >>> from irrepnet.types import FeatureType
            >>> spec = specs.LayerScale(FeatureType(groups.flop(), "2*sym"))
            >>> specs.from_json(spec.to_json()) == spec
            True
        """
        fields = {f.name: Spec.encode(getattr(self, f.name)) for f in dataclasses.fields(self)}
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


def _annotations(cls: type) -> dict[str, Any]:
    return vars(cls).get("__annotations__", {})


def _type_property(name: str) -> property:
    def get(self: Spec) -> FeatureType | None:
        if name not in Spec.theory:
            raise SpecError(f"{name} is computed by the compiler: import irrepnet.compiler first.")
        return Spec.theory[name](self)

    sides = {"in_type": "what goes in", "out_type": "what goes out"}
    return property(get, doc=f"Type of {sides[name]}; `None` for images.")


def _map(value: Any, change: Callable[[Spec], Spec]) -> Any:
    if isinstance(value, Spec):
        return value.map(change)
    if isinstance(value, tuple):
        parts = tuple(_map(item, change) for item in value)
        return value if all(a is b for a, b in zip(parts, value, strict=True)) else parts
    return value
