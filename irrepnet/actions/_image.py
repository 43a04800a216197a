"""`ImageAction`: a group whose elements move an image as signed 2x2 permutation matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from irrepnet import groups
from irrepnet._errors import GridError, GroupError
from irrepnet.actions._points import PointAction
from irrepnet.groups import Group, Subgroup

Matrix = tuple[tuple[int, int], tuple[int, int]]

#: Matrices act on (row, column) measured from the image's centre, rows pointing down.
IDENTITY: Matrix = ((1, 0), (0, 1))
FLOP: Matrix = ((1, 0), (0, -1))
VFLIP: Matrix = ((-1, 0), (0, 1))
ROT180: Matrix = ((-1, 0), (0, -1))
ROT90: Matrix = ((0, -1), (1, 0))
TRANSPOSE: Matrix = ((0, 1), (1, 0))
ANTITRANSPOSE: Matrix = ((0, -1), (-1, 0))


@dataclass(frozen=True, repr=False)
class ImageAction:
    """How each element of a group moves an image around its centre.

    A group alone does not say how it moves an image: mirror, upside-down and half turn are all
    cyclic of order 2. The pixel at `(row, column)` from the centre goes to `matrix @ (row, column)`
    and an image moves as `(g x)(p) = x(g^-1 p)`.

    Args:
        name: What people call it; two actions that move images alike are equal under any names.
        group: The group.
        matrices: For each element of the group a signed 2x2 permutation matrix; must be a
            homomorphism, checked.

    Raises:
        GroupError: If the matrices are not signed permutations or not a homomorphism.

    Examples:
        >>> from irrepnet import actions
        >>> A = actions.image("flop")
        >>> A.permutation(1, 3)[1].tolist()
        [2, 1, 0]
    """

    name: str = field(compare=False)
    group: Group
    matrices: tuple[Matrix, ...]

    def __post_init__(self) -> None:
        if len(self.matrices) != self.group.order:
            raise GroupError(
                f"the image action {self.name!r} got {len(self.matrices)} matrices: expected one "
                f"for each of the {self.group.order} elements of {self.group.name}."
            )
        for a, matrix in enumerate(self.matrices):
            if (
                sorted(abs(v) for row in matrix for v in row) != [0, 0, 1, 1]
                or abs(np.linalg.det(matrix)) != 1
            ):
                raise GroupError(
                    f"element {a} of the image action {self.name!r} is {matrix}: expected a signed "
                    f"permutation matrix, such as {FLOP}."
                )
        if self.matrices[self.group.identity] != IDENTITY:
            raise GroupError(
                f"the image action {self.name!r} moves images by "
                f"{self.matrices[self.group.identity]} under the group's identity: expected "
                f"{IDENTITY}."
            )
        for g in self.group.generators:
            for a in range(self.group.order):
                if _product(self.matrices[g], self.matrices[a]) != self.of(g, a):
                    raise GroupError(
                        f"the image action {self.name!r} is no homomorphism: the matrices of "
                        f"elements {g} and {a} do not multiply to that of their product."
                    )

    @property
    def is_named(self) -> bool:
        """Whether `image` knows it by its name."""
        return self.name in _NAMED and image(self.name) == self

    @property
    def generators(self) -> tuple[Matrix, ...]:
        """The matrices of the group's generators."""
        return tuple(self.matrices[g] for g in self.group.generators)

    def __repr__(self) -> str:
        if self.is_named:
            return f"actions.image({self.name!r})"
        return f"actions.from_generators({self.name!r}, {self.group!r}, {self.generators!r})"

    def of(self, a: int, b: int) -> Matrix:
        """Matrix of the product `a b`."""
        return self.matrices[self.group.multiply(a, b)]

    # -- on pixels --------------------------------------------------------------------------

    def swaps_axes(self) -> bool:
        """Whether some element exchanges rows and columns (a quarter turn, a diagonal mirror)."""
        return any(m[0][0] == 0 for m in self.matrices)

    def preserves(self, height: int, width: int) -> bool:
        """Whether every element maps a `height` x `width` grid to itself."""
        return height == width or not self.swaps_axes()

    def permutation(self, height: int, width: int) -> np.ndarray:
        """Where each element sends each pixel: int64 of shape `(order, height * width)`.

        Pixels are numbered row by row. Odd sizes are fine; the middle row or column is mapped to
        itself.

        Raises:
            GridError: If the grid is empty, or an element does not map it to itself.
        """
        if min(height, width) < 1:
            raise GridError(f"got a {height} x {width} grid: expected at least one cell.")
        if not self.preserves(height, width):
            raise GridError(
                f"the action {self.name!r} exchanges rows and columns, so it does not preserve a "
                f"{height} x {width} grid: expected a square one, such as "
                f"{min(height, width)} x {min(height, width)}."
            )
        rows, columns = np.divmod(np.arange(height * width), width)
        # Doubled coordinates from the centre stay integers for even and odd sizes alike.
        points = np.stack([2 * rows - (height - 1), 2 * columns - (width - 1)])
        moved = np.asarray(self.matrices) @ points
        return (moved[:, 0] + height - 1) // 2 * width + (moved[:, 1] + width - 1) // 2

    def move(self, a: int, images: np.ndarray) -> np.ndarray:
        """The images `a x`, `(a x)(p) = x(a^-1 p)`, over the last two axes.

        Raises:
            GroupError: If `a` is not an element of the group.
            GridError: If an element does not map the images' grid to itself.

        Examples:
            >>> image("flop").move(1, np.array([[1, 2, 3]])).tolist()
            [[3, 2, 1]]
        """
        images = np.asarray(images)
        if images.ndim < 2:
            raise GridError(
                f"cannot move an array of shape {images.shape}: expected rows and columns on the "
                f"last two axes."
            )
        origin = self.permutation(*images.shape[-2:])[self.group.inverse(a)]
        return images.reshape(*images.shape[:-2], -1)[..., origin].reshape(images.shape)

    def on_grid(self, height: int, width: int) -> PointAction:
        """The action on the cells of a grid, row by row, as a `PointAction`.

        Raises:
            GridError: If an element does not map the grid to itself.
        """
        images = tuple(map(tuple, self.permutation(height, width).tolist()))
        name = f"{self.name} on {height} x {width}"
        return PointAction(name, self.group, images, ("grid", self, height, width))

    # -- subgroups --------------------------------------------------------------------------

    @cached_property
    def _element_of(self) -> dict[Matrix, int]:
        return {matrix: a for a, matrix in reversed(list(enumerate(self.matrices)))}

    def embedding(self, larger: ImageAction) -> tuple[int, ...]:
        """For each element of this action's group, the element of `larger` that moves alike.

        Raises:
            GroupError: If some element of this action is none of `larger`, or elements of one of
                the actions cannot be told apart by how they move images.
        """
        if self == larger:
            return tuple(range(self.group.order))
        self._check_faithful(f"found in {larger.name!r}")
        larger._check_faithful(f"searched for {self.name!r}")
        try:
            return tuple(larger._element_of[matrix] for matrix in self.matrices)
        except KeyError as missing:
            raise GroupError(
                f"the action {self.name!r} is no subgroup of {larger.name!r}: it moves images by "
                f"{missing.args[0]}, which {larger.name!r} does not contain."
            ) from None

    @property
    def is_faithful(self) -> bool:
        """Whether different elements move images differently."""
        return len(set(self.matrices)) == self.group.order

    def _check_faithful(self, purpose: str) -> None:
        if not self.is_faithful:
            a, matrix = next(
                (a, m) for a, m in enumerate(self.matrices) if self._element_of[m] != a
            )
            raise GroupError(
                f"the action {self.name!r} cannot be {purpose}: its elements "
                f"{self._element_of[matrix]} and {a} both move images by {matrix}, expected "
                f"different matrices for different elements. Restrict by a subgroup of its group, "
                f"as G.subgroup(generators) makes one, or divide the group by what does not move "
                f"images."
            )

    def restrict(self, smaller: str | Subgroup | ImageAction) -> ImageAction:
        """The action of a subgroup.

        Args:
            smaller: A name ("flop"), a `Subgroup` of this action's group, or an `ImageAction`.

        Returns:
            The smaller action; its elements are some of this action's.

        Raises:
            GroupError: If it is no subgroup of this action, or the action is not faithful and
                `smaller` no `Subgroup`, so that the elements that it means are not known.

        Examples:
            >>> from irrepnet import actions
            >>> actions.image("D4").restrict("flop").group.order
            2
        """
        if isinstance(smaller, str):
            smaller = image(smaller)
        if isinstance(smaller, Subgroup):
            if smaller.parent != self.group:
                raise GroupError(
                    f"the subgroup lies in {smaller.parent.name}: expected a subgroup of "
                    f"{self.group.name}, the group of the action {self.name!r}."
                )
            matrices = tuple(self.matrices[a] for a in smaller.elements)
            return ImageAction(f"{self.name}{list(smaller.elements)}", smaller.as_group(), matrices)
        smaller.embedding(self)
        return smaller


def _product(a: Matrix, b: Matrix) -> Matrix:
    (p, q), (r, s) = (np.asarray(a) @ np.asarray(b)).tolist()
    return (p, q), (r, s)


def from_generators(name: str, group: Group, matrices: Sequence[Matrix]) -> ImageAction:
    """The action in which each generator of `group` moves the image by the given matrix.

    It need not be faithful (see `ImageAction.is_faithful`): features may turn under elements that
    leave the image where it is.

    Args:
        name: What to call it.
        group: The group.
        matrices: One signed 2x2 permutation matrix for each of `group.generators`.

    Raises:
        GroupError: If the matrices do not extend to a homomorphism.

    Examples:
        >>> from irrepnet import actions, groups
        >>> actions.from_generators("half turn", groups.cyclic(2), [((-1, 0), (0, -1))]).name
        'half turn'
    """
    if len(matrices) != len(group.generators):
        raise GroupError(
            f"the image action {name!r} got {len(matrices)} matrices: expected one for each of the "
            f"{len(group.generators)} generators of {group.name}."
        )
    found: dict[int, Matrix] = {group.identity: IDENTITY}
    queue = [group.identity]
    while queue:
        a = queue.pop()
        for g, matrix in zip(group.generators, matrices, strict=True):
            b = group.multiply(g, a)
            if b not in found:
                found[b] = _product(matrix, found[a])
                queue.append(b)
    return ImageAction(name, group, tuple(found[a] for a in range(group.order)))


def _octic() -> ImageAction:
    """The square's eight symmetries, moved as the two-dimensional irrep says."""
    group = groups.octic()
    natural = next(i for i in group.irreps if i.dim == 2)
    # The irrep's coordinates are (x to the right, y upwards); ours are (row down, column right).
    change = np.array([[0, -1], [1, 0]])
    matrices = [change @ natural.matrix(g) @ change.T for g in group.generators]
    return from_generators("D4", group, [_rounded(m) for m in matrices])


def _rounded(matrix: np.ndarray) -> Matrix:
    (p, q), (r, s) = np.rint(matrix).astype(int).tolist()
    return (p, q), (r, s)


_NAMED = {
    "trivial": lambda: from_generators("trivial", groups.trivial(), _identities(groups.trivial())),
    "flop": lambda: from_generators("flop", groups.flop(), [FLOP]),
    "vflip": lambda: from_generators("vflip", groups.cyclic(2), [VFLIP]),
    "rot180": lambda: from_generators("rot180", groups.cyclic(2), [ROT180]),
    "transpose": lambda: from_generators("transpose", groups.cyclic(2), [TRANSPOSE]),
    "antitranspose": lambda: from_generators("antitranspose", groups.cyclic(2), [ANTITRANSPOSE]),
    "klein_four": lambda: from_generators("klein_four", groups.klein_four(), [FLOP, VFLIP]),
    "C4": lambda: from_generators("C4", groups.cyclic(4), [ROT90]),
    "D4": _octic,
}


def _identities(group: Group) -> list[Matrix]:
    return [IDENTITY for _ in group.generators]


def image_names() -> tuple[str, ...]:
    """Names that `image` knows."""
    return tuple(_NAMED)


def image(name: str) -> ImageAction:
    """The image action of that name.

    Args:
        name: "trivial", "flop" (left-right mirror), "vflip" (upside-down mirror), "rot180" (half
            turn), "transpose" and "antitranspose" (diagonal mirrors), "klein_four" (both mirrors
            and the half turn), "C4" (quarter turns) or "D4" (all eight symmetries of the square).

    Raises:
        GroupError: If the name is none of these.

    Examples:
        >>> image("D4").group.order
        8
    """
    if name not in _NAMED:
        raise GroupError(
            f"{name!r} is no image action: expected one of {', '.join(_NAMED)}, or an ImageAction "
            f"(see irrepnet.actions.from_generators)."
        )
    return _named(name)


@lru_cache
def _named(name: str) -> ImageAction:
    return _NAMED[name]()


def as_image_action(group: str | ImageAction) -> ImageAction:
    """What `group=` of a model means: a name or an `ImageAction`.

    Raises:
        GroupError: If it is neither.
    """
    if isinstance(group, ImageAction):
        return group
    if isinstance(group, str):
        return image(group)
    raise GroupError(
        f"group={group!r} does not say how it moves an image: expected one of "
        f"{', '.join(_NAMED)}, or an ImageAction (see irrepnet.actions.from_generators)."
    )
