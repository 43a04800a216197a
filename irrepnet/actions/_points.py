"""`PointAction`: a group that permutes the points of a finite set: tokens, pixels, players."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from irrepnet import reps
from irrepnet.groups import Group


@dataclass(frozen=True, repr=False)
class PointAction:
    """A group permuting points `0 .. num_points - 1`, any orbits, any stabilisers.

    Features on the points are tensors `(batch, points, dim)`; `(g x)(p) = rho(g) x(g^-1 p)`.

    Args:
        name: What people call it.
        group: The group.
        images: `images[a][i]` is where element `a` sends point `i`.
        made: How it was made, the kind and what it was made of, so that it need not be stored point
            by point; two actions that move alike are equal however they were made.

    Examples:
        >>> from irrepnet import groups
        >>> from_images("ring", groups.cyclic(4), [[1, 2, 3, 0]]).num_points
        4
    """

    name: str
    group: Group
    images: tuple[tuple[int, ...], ...]
    made: tuple[Any, ...] = field(default=(), compare=False)

    @property
    def recipe(self) -> tuple[Any, ...]:
        """How to make it again: a kind, and what it is made of; without one, by its generators."""
        generators = tuple(self.images[g] for g in self.group.generators) or self.images
        return self.made or ("images", self.name, self.group, generators)

    def __repr__(self) -> str:
        kind, *parts = self.recipe
        return _WORDS[kind].format(*map(repr, parts))

    @property
    def num_points(self) -> int:
        """Number of points."""
        return len(self.images[0])

    @cached_property
    def array(self) -> np.ndarray:
        """The images as an int64 array `(order, points)`."""
        return np.array(self.images, dtype=np.int64)

    @cached_property
    def orbit_types(self) -> tuple[reps.OrbitType, ...]:
        """The kinds of orbits."""
        return tuple(reps.permutation(self.group, self.array).decompose().orbit_types)

    def restrict(self, name: str, subgroup: Group, embedding: Sequence[int]) -> PointAction:
        """The same points under a subgroup, given for each of its elements the larger group's."""
        images = tuple(self.images[a] for a in embedding)
        made = ("restrict", self, name, subgroup, tuple(embedding))
        return PointAction(name, subgroup, images, made)


#: How an action prints, by what it was made of.
_WORDS = {
    "grid": "{}.on_grid({}, {})",
    "natural": "actions.natural({})",
    "in order": "types.TokenType.of({}).in_order",
    "restrict": "{}.restrict({}, {}, {})",
    "images": "actions.from_images({}, {}, {})",
}


def from_images(name: str, group: Group, images: Sequence[Sequence[int]]) -> PointAction:
    """The action of a group on points.

    Args:
        name: What to call it.
        group: The group.
        images: Where each element sends each point, or the same for `group.generators` only.

    Raises:
        RepresentationError: If it is no action.
    """
    full = reps.permutation(group, np.asarray(images)).images
    return PointAction(name, group, tuple(map(tuple, np.asarray(full).tolist())))


def natural(group: Group) -> PointAction:
    """A permutation group on its own points.

    Examples:
        >>> from irrepnet import groups
        >>> natural(groups.symmetric(3)).num_points
        3
    """
    images = tuple(map(tuple, group.elements.tolist()))
    return PointAction(group.name, group, images, ("natural", group))
