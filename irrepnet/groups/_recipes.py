"""Recipes: how a group was built, as plain data, so that it can be built again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from irrepnet._errors import GroupError

if TYPE_CHECKING:
    from irrepnet.groups._group import Group

#: Constructors by name, for `from_recipe`; `irrepnet.groups` fills it (see `constructor`).
CONSTRUCTORS: dict[str, Callable[..., Group]] = {}


def constructor(function: Callable[..., Group]) -> Callable[..., Group]:
    """Make a constructor known to `from_recipe` by its name (a decorator)."""
    CONSTRUCTORS[function.__name__] = function
    return function


def from_recipe(recipe: Sequence) -> Group:
    """Rebuild a group from its recipe; nested recipes (products) are rebuilt first.

    Args:
        recipe: `(constructor name, *arguments)`, tuples or lists; an argument that starts with a
            string is itself a recipe.

    Raises:
        GroupError: If the constructor is unknown, or does not take these arguments.

    Cost:
        That of building the group.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 3.1 (a group
        is stored as what defines it).

    Examples:
        >>> from irrepnet import groups
        >>> groups.from_recipe(["direct_product", ["cyclic", 2], ["flop"]]).order
        4
    """
    if not _is_recipe(recipe) or recipe[0] not in CONSTRUCTORS:
        raise GroupError(
            f"{recipe!r} is not a group's recipe: expected (constructor, *arguments), with one of "
            f"{', '.join(sorted(CONSTRUCTORS))}."
        )
    name, *args = recipe
    arguments = [from_recipe(a) if _is_recipe(a) else _freeze(a) for a in args]
    try:
        inspect.signature(CONSTRUCTORS[name]).bind(*arguments)
    except TypeError as error:
        raise GroupError(f"{recipe!r} is not a group's recipe: {error}.") from None
    return CONSTRUCTORS[name](*arguments)


def _is_recipe(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], str)


def _freeze(value: Any) -> Any:
    return tuple(_freeze(v) for v in value) if isinstance(value, list | tuple) else value


def show_recipe(recipe: Sequence) -> str:
    """The expression that builds the group again, after `from irrepnet import groups`.

    Examples:
        >>> show_recipe(("direct_product", ("cyclic", 2), ("flop",)))
        'groups.direct_product(groups.cyclic(2), groups.flop())'
    """
    name, *args = recipe
    shown = (show_recipe(a) if _is_recipe(a) else repr(_freeze(a)) for a in args)
    return f"groups.{name}({', '.join(shown)})"
