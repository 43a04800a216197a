"""Homomorphisms between groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._group import Group
from irrepnet.groups._subgroup import Subgroup
from irrepnet.groups._words import word_levels


@dataclass(frozen=True, repr=False)
class Homomorphism:
    """A homomorphism by the image of every element; use `homomorphism` to build and check one.

    Attributes:
        source: The group it maps from.
        target: The group it maps to.
        images: Image of every element of the source; trusted to be a homomorphism.

    Cost:
        O(order of the source) memory; kernel, image and preimages take one pass.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 3.4.

    Examples:
        >>> from irrepnet import groups
        >>> f = groups.homomorphism(groups.cyclic(6), groups.cyclic(2), [1])
        >>> f(3), f.kernel.elements, f.image.order, f.is_injective, f.is_surjective
        (1, (0, 2, 4), 2, False, True)
    """

    source: Group
    target: Group
    images: tuple[int, ...]

    def __call__(self, a: int) -> int:
        """The image of element `a` of the source."""
        return self.images[self.source._check(a)]

    def __matmul__(self, first: Homomorphism) -> Homomorphism:
        """The composition `a -> self(first(a))`.

        Raises:
            GroupError: If `first` does not map to the source.
        """
        if first.target != self.source:
            raise GroupError(
                f"cannot compose: the first map ends in {first.target.name}, the second starts in "
                f"{self.source.name}.\n  Expected (second @ first) with the same group between."
            )
        return Homomorphism(first.source, self.target, tuple(self.images[a] for a in first.images))

    @property
    def kernel(self) -> Subgroup:
        """The elements that map to the identity; a normal subgroup of the source."""
        return self.preimage(Subgroup(self.target, (0,)))

    @property
    def image(self) -> Subgroup:
        """The elements of the target that are images."""
        return Subgroup(self.target, tuple(sorted(set(self.images))))

    def preimage(self, subgroup: Subgroup) -> Subgroup:
        """The elements that map into a subgroup of the target."""
        mask = subgroup.mask[list(self.images)]
        return Subgroup(self.source, tuple(np.flatnonzero(mask).tolist()))

    @property
    def is_injective(self) -> bool:
        """Whether different elements have different images."""
        return len(set(self.images)) == self.source.order

    @property
    def is_surjective(self) -> bool:
        """Whether every element of the target is an image."""
        return len(set(self.images)) == self.target.order

    @property
    def is_isomorphism(self) -> bool:
        """Whether it is injective and surjective."""
        return self.is_injective and self.is_surjective

    def __repr__(self) -> str:
        images = tuple(self.images[g] for g in self.source.generators)
        return f"groups.homomorphism({self.source!r}, {self.target!r}, {images!r})"


def homomorphism(source: Group, target: Group, images: Iterable[int]) -> Homomorphism:
    """The homomorphism that maps the generators of one group to given elements of another.

    The images of all elements follow along words in the generators. They form a homomorphism if and
    only if `f(g a) = f(g) f(a)` for every generator `g` and every element `a`, which is checked.

    Args:
        source: The group to map from.
        target: The group to map to.
        images: For every generator of `source`, in order, an element of `target`.

    Raises:
        GroupError: If the number of images is wrong, or one is no element of `target`, or no
            homomorphism maps the generators so; the message shows a product that fails.

    Cost:
        O(order * generators) products in the target.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 3.4.

    Examples:
        >>> from irrepnet import groups
        >>> sign = groups.homomorphism(groups.symmetric(3), groups.cyclic(2), [1, 0])
        >>> sign.kernel.elements
        (0, 3, 4)
    """
    chosen = [int(a) for a in images]
    if len(chosen) != len(source.generators):
        raise GroupError(
            f"{source.name} has {len(source.generators)} generators, but {len(chosen)} images were "
            f"given.\n  Give one element of {target.name} for each of {source.generators}."
        )
    for a in chosen:
        target._check(a)
    image = np.zeros(source.order, dtype=np.int32)
    for i, parents, children in word_levels(source):
        image[children] = target.products(chosen[i], image[parents])
    for g, b in zip(source.generators, chosen, strict=True):
        expected, found = target.products(b, image), image[source.left_multiply(g)]
        if (expected != found).any():
            a = int((expected != found).argmax())
            raise GroupError(
                f"no homomorphism from {source.name} to {target.name} maps the generators "
                f"{source.generators} to {tuple(chosen)}.\n"
                f"  {g} * {a} = {source.multiply(g, a)} would map to {found[a]} along one word and "
                f"to {b} * {image[a]} = {expected[a]} along another.\n"
                "  Choose images that satisfy the relations between the generators."
            )
    return Homomorphism(source, target, tuple(image.tolist()))
