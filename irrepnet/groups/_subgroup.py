"""`Subgroup`: some elements of a group, closed under multiplication."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._closure import closure
from irrepnet.groups._orbits import least_in_orbit

if TYPE_CHECKING:
    from irrepnet.groups._group import Group


@dataclass(frozen=True, repr=False)
class Subgroup:
    """A subgroup as the sorted elements of its parent; use `G.subgroup(generators)` to build one.

    Attributes:
        parent: The group it lies in.
        elements: Its elements as elements of the parent, sorted; trusted to be closed.

    Cost:
        O(order) memory; masks and cosets take O(parent.order) more when they are first asked for.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 3.3 (cosets and systems of
        representatives).

    Examples:
        >>> from irrepnet import groups
        >>> H = groups.dihedral(4).subgroup([4])  # a mirror
        >>> H.order, H.index, H.generators, H.left_transversal
        (2, 4, (4,), (0, 1, 2, 3))
        >>> H.is_normal, H.normaliser.elements, H.conjugate(1).elements, H.contains(2)
        (False, (0, 2, 4, 6), (0, 6), False)
        >>> H.as_group().order
        2
    """

    parent: Group
    elements: tuple[int, ...]

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self.elements)

    @property
    def index(self) -> int:
        """Number of cosets in the parent."""
        return self.parent.order // self.order

    @cached_property
    def mask(self) -> np.ndarray:
        """Which elements of the parent it contains, bool of shape `(parent.order,)`, read-only."""
        mask = np.zeros(self.parent.order, dtype=bool)
        mask[list(self.elements)] = True
        mask.setflags(write=False)
        return mask

    def contains(self, other: int | Subgroup) -> bool:
        """Whether an element of the parent, or another subgroup of it, lies in this subgroup."""
        if isinstance(other, Subgroup):
            return other.parent == self.parent and bool(self.mask[list(other.elements)].all())
        return bool(self.mask[self.parent._check(other)])

    @cached_property
    def generators(self) -> tuple[int, ...]:
        """Generators as elements of the parent: each is the least element not yet generated."""
        found, generated = [], np.zeros(self.parent.order, dtype=bool)
        generated[0] = True
        for a in self.elements:
            if not generated[a]:
                found.append(a)
                generated[generated_elements(self.parent, found)] = True
                if np.count_nonzero(generated) == self.order:
                    break
        return tuple(found)

    def as_group(self) -> Group:
        """This subgroup as a group of its own, on the same points.

        Its element `i` is element `self.elements[i]` of the parent.
        """
        return self._as_group

    @cached_property
    def _as_group(self) -> Group:
        from irrepnet.groups._generated import generated  # it imports this file

        return generated(self.parent, self.generators)

    # -- conjugation ------------------------------------------------------------------------

    def conjugate(self, by: int) -> Subgroup:
        """The subgroup `g H g^-1` for an element `g` of the parent."""
        parent = self.parent
        moved = parent.products(parent._check(by), self.elements)
        moved = parent.products(moved, parent.inverse(by))
        return Subgroup(parent, tuple(np.sort(moved).tolist()))

    @cached_property
    def normaliser(self) -> Subgroup:
        """The elements of the parent that map this subgroup to itself by conjugation.

        Cost:
            Two products per element of the parent and generator.
        """
        parent, mask = self.parent, np.ones(self.parent.order, dtype=bool)
        for h in self.generators:
            mask &= self.mask[parent.products(parent.right_multiply(h), parent.inverses)]
        return Subgroup(parent, tuple(np.flatnonzero(mask).tolist()))

    @property
    def is_normal(self) -> bool:
        """Whether conjugation by every element of the parent maps it to itself."""
        return self.normaliser.order == self.parent.order

    def intersection(self, other: Subgroup) -> Subgroup:
        """The elements that both subgroups contain.

        Raises:
            GroupError: If the other lies in another group.
        """
        if other.parent != self.parent:
            raise GroupError(
                f"cannot intersect a subgroup of {self.parent.name} with one of "
                f"{other.parent.name}: expected the same parent."
            )
        return Subgroup(self.parent, tuple(np.flatnonzero(self.mask & other.mask).tolist()))

    # -- cosets -----------------------------------------------------------------------------

    @cached_property
    def _least_in_coset(self) -> np.ndarray:
        right = [self.parent.right_multiply(h) for h in self.generators]
        return least_in_orbit(right, self.parent.order)

    @cached_property
    def left_transversal(self) -> tuple[int, ...]:
        """The least element of every left coset `a H`, sorted; the first is the identity."""
        least = self._least_in_coset
        return tuple(np.flatnonzero(least == np.arange(len(least))).tolist())

    @cached_property
    def left_cosets(self) -> np.ndarray:
        """Left coset of every element of the parent, as an index into `left_transversal`."""
        numbers = np.zeros(self.parent.order, dtype=np.int32)
        numbers[list(self.left_transversal)] = np.arange(self.index)
        numbers = numbers[self._least_in_coset]
        numbers.setflags(write=False)
        return numbers

    @cached_property
    def coset_action(self) -> np.ndarray:
        """The parent acting on left cosets: `a` maps coset `j` to coset `coset_action[a, j]`.

        Returns:
            int32 array of shape `(parent.order, index)`, read-only.

        Cost:
            O(parent.order * index * base length) time, parent.order * index memory.

        References:
            Serre, *Linear Representations of Finite Groups*, sec. 1.2 and 3.3.

        Examples:
            >>> from irrepnet import groups
            >>> groups.symmetric(3).subgroup([1]).coset_action.tolist()
            [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
        """
        parent = self.parent
        columns = [self.left_cosets[parent.right_multiply(t)] for t in self.left_transversal]
        action = np.stack(columns, axis=1)
        action.setflags(write=False)
        return action

    def __repr__(self) -> str:
        return f"{self.parent!r}.subgroup({self.generators!r})"

    def __hash__(self) -> int:
        return hash((self.parent, self.elements))

    def __reduce__(self) -> tuple:
        return Subgroup, (self.parent, self.elements)


def subgroup(group: Group, generators: Iterable[int]) -> Subgroup:
    """The subgroup that elements of a group generate.

    Raises:
        GroupError: If a generator is not an element of the group.

    Cost:
        O(generators * order of the subgroup * degree).

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 4.1 and 4.4.

    Examples:
        >>> from irrepnet import groups
        >>> groups.subgroup(groups.dihedral(4), [2, 4]).elements
        (0, 2, 4, 6)
    """
    chosen = [int(g) for g in generators]
    for g in chosen:
        if not 0 <= g < group.order:
            raise GroupError(
                f"{g} cannot generate a subgroup of {group.name}: expected its elements as numbers "
                f"0..{group.order - 1}.\n  G.index(image_list) gives an element's number."
            )
    return Subgroup(group, tuple(np.sort(generated_elements(group, chosen)).tolist()))


def generated_elements(group: Group, generators: Sequence[int] | np.ndarray) -> np.ndarray:
    """Elements of the subgroup that `generators` generate, unsorted."""
    if not len(generators):
        return np.zeros(1, dtype=np.int32)
    images = closure(group._images.rows(np.array(generators)))
    return group._find(images.columns(group._find.base))


def double_cosets(left: Subgroup, right: Subgroup) -> tuple[int, ...]:
    """The least element of every double coset `H a K`, sorted.

    Args:
        left: The subgroup `H`.
        right: The subgroup `K` of the same group.

    Raises:
        GroupError: If the subgroups lie in different groups.

    Cost:
        One product per element of the group and generator of either subgroup.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 7.3 (Mackey's theorem).

    Examples:
        >>> from irrepnet import groups
        >>> S4 = groups.symmetric(4)
        >>> H = S4.subgroup([1, 2])  # S_3, which fixes point 0
        >>> groups.double_cosets(H, H)
        (0, 6)
    """
    parent = left.parent
    if right.parent != parent:
        raise GroupError(
            f"no double cosets of a subgroup of {parent.name} and one of {right.parent.name}: "
            "expected the same parent."
        )
    maps = [parent.left_multiply(h) for h in left.generators]
    maps += [parent.right_multiply(k) for k in right.generators]
    least = least_in_orbit(maps, parent.order)
    return tuple(np.flatnonzero(least == np.arange(parent.order)).tolist())
