"""Every public function and class of the algebra says what it costs, where it is from, and how."""

import inspect
from collections.abc import Callable, Iterator
from functools import cached_property
from types import ModuleType
from typing import Any

import pytest

from irrepnet import groups, reps


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Functions and classes that a module lists."""
    for name, value in vars(module).items():
        ours = getattr(value, "__module__", "").startswith("irrepnet.")
        if not name.startswith("_") and ours and callable(value):
            yield f"{module.__name__.removeprefix('irrepnet.')}.{name}", value


PUBLIC = dict([*public(groups), *public(reps)])
CLASSES = {name: value for name, value in PUBLIC.items() if inspect.isclass(value)}


def sections(value: Any) -> list[str]:
    """Sections that the docstring lacks."""
    text = "\n" + inspect.cleandoc(value.__doc__ or "") + "\n"
    missing = [name for name in ("Cost", "References", "Examples") if f"\n{name}:\n" not in text]
    return missing if ">>>" in text else [*missing, "a doctest"]


def test_the_names_are_found() -> None:
    assert len(PUBLIC) > 60
    assert {"groups.Group", "groups.parse", "reps.Irrep", "reps.hom"} <= set(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_source_cost_and_doctest(name: str) -> None:
    missing = sections(PUBLIC[name])
    assert not missing, f"the docstring of {name} lacks {', '.join(missing)}"


def function_of(value: Any) -> Callable | None:
    """The function behind what a class holds, or None."""
    if isinstance(value, property):
        return value.fget
    if isinstance(value, cached_property):
        return value.func
    if isinstance(value, classmethod | staticmethod):
        return value.__func__
    return value if inspect.isfunction(value) else None


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_methods_have_docstrings(name: str) -> None:
    held = ((key, function_of(value)) for key, value in vars(CLASSES[name]).items())
    bare = [key for key, f in held if f and not key.startswith("_") and not f.__doc__]
    assert not bare, f"{name}: no docstring on {', '.join(bare)}"


def test_the_check_can_fail() -> None:
    def bare() -> None:
        """Do something.

        Cost:
            Nothing.
        """

    assert sections(bare) == ["References", "Examples", "a doctest"]
