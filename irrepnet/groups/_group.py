"""`Group`: a finite group as a value, with its elements numbered `0 .. order-1`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from irrepnet._errors import GroupError
from irrepnet.groups._arithmetic import prime_divisors
from irrepnet.groups._image_lists import ImageLists
from irrepnet.groups._lookup import Lookup
from irrepnet.groups._orbits import least_in_orbit
from irrepnet.groups._recipes import from_recipe, show_recipe
from irrepnet.groups._subgroup import Subgroup, subgroup

if TYPE_CHECKING:
    from irrepnet.reps import CharacterTable, Irrep

#: Above this order no Cayley table is stored (2048^2 int32 is 16 MiB); products go through images.
CAYLEY_LIMIT = 2048

#: Entries of a Cayley table looked at together.
CAYLEY_CHUNK = 1 << 20


@dataclass(frozen=True)
class ConjugacyClass:
    """One conjugacy class: its smallest element, its size, the order of its elements.

    Cost:
        O(order * generators) for all classes of a group together.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 4.1 (orbits,
        here of conjugation).

    Examples:
        >>> from irrepnet import groups
        >>> groups.symmetric(3).conjugacy_classes[1]
        ConjugacyClass(representative=1, size=3, element_order=2)
    """

    representative: int
    size: int
    element_order: int


class Group:
    """A finite group acting faithfully on points, so that every element is an image list.

    Groups are values: two are equal when their elements, generators and irrep names are equal.
    They are immutable, hashable, picklable, and `repr` rebuilds them.

    Args:
        elements: Image lists of all elements, an array of shape `(order, degree)` or `ImageLists`;
            `elements[a][i]` is the image of point `i` under element `a`, and element 0 the
            identity. Trusted to be closed.
        generators: Indices of elements that generate the group.
        recipe: How to build the group again: `(constructor name, *arguments)`, made of strings,
            integers, and tuples of them (a nested group is its own recipe).
        name: What people call it.

    Cost:
        O(order * degree) memory up to `STORED_LIMIT` images, about O(sqrt(order) * degree) beyond
        until `elements` is asked for; two gathers per base point and product, four beyond.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 4.1 and 4.4.

    Examples:
        >>> from irrepnet import groups
        >>> G = groups.symmetric(3)
        >>> G.order, G.degree, G.generators, G.is_abelian, G.exponent
        (6, 3, (2, 3), False, 6)
        >>> a, b = G.index([1, 0, 2]), G.index([1, 2, 0])
        >>> G.multiply(a, b), G.inverse(b), G.permutation(G.multiply(a, b))
        (1, 4, (0, 2, 1))
        >>> [(c.representative, c.size, c.element_order) for c in G.conjugacy_classes]
        [(0, 1, 1), (1, 3, 2), (3, 2, 3)]
        >>> [H.order for H in G.subgroup_classes]
        [1, 2, 3, 6]
    """

    #: Filled in by `irrepnet.reps`: the functions behind `irreps` and `character_table`. `groups`
    #: comes before `reps` in the house, so it cannot import them.
    theory: ClassVar[dict[str, Callable[[Group], Any]]] = {}

    def __init__(
        self, elements: np.ndarray | ImageLists, generators: Iterable[int], recipe: tuple, name: str
    ) -> None:
        self._images = elements if isinstance(elements, ImageLists) else ImageLists(elements)
        self.generators: tuple[int, ...] = tuple(int(g) for g in generators)
        self.recipe = recipe
        self.name = name

    @classmethod
    def from_images(
        cls, elements: np.ndarray | ImageLists, generators: np.ndarray, recipe: tuple, name: str
    ) -> Group:
        """A group whose generators are given as image lists, shape `(count, degree)`."""
        group = cls(elements, (), recipe, name)
        group.generators = tuple(group._lookup(generators).tolist())
        return group

    # -- elements ---------------------------------------------------------------------------

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self._images)

    @property
    def degree(self) -> int:
        """Number of points that the elements permute."""
        return self._images.degree

    @property
    def identity(self) -> int:
        """The identity element, always 0."""
        return 0

    @cached_property
    def elements(self) -> np.ndarray:
        """All elements as image lists, int32, shape `(order, degree)`, read-only."""
        return _read_only(self._images.stored())

    def permutation(self, a: int) -> tuple[int, ...]:
        """Image list of element `a`."""
        return tuple(self._row(a).tolist())

    def index(self, permutation: Sequence[int]) -> int:
        """Element with the given image list.

        Raises:
            GroupError: If no element of the group has it.
        """
        images = np.asarray(permutation)
        if images.shape == (self.degree,) and images.dtype.kind in "iu":
            if ((images >= 0) & (images < self.degree)).all():
                found = int(self._find(images[self._find.base]))
                if (self._row(found) == images).all():
                    return found
        raise GroupError(
            f"{list(permutation)} is not an element of {self.name}: expected one of its "
            f"{self.order} image lists on points 0..{self.degree - 1} (see G.elements)."
        )

    @cached_property
    def _find(self) -> Lookup:
        return Lookup(self._images)

    def _row(self, a: int) -> np.ndarray:
        """Image list of element `a`."""
        return self._images.rows(self._check(a))

    def _check(self, a: int) -> int:
        if not 0 <= a < self.order:
            raise GroupError(f"{a} is not an element of {self.name}: expected 0..{self.order - 1}.")
        return a

    # -- products ---------------------------------------------------------------------------

    def multiply(self, a: int, b: int) -> int:
        """The product `a b`: first `b` acts, then `a` (`(a*b)[i] = a[b[i]]`)."""
        return int(self.products(self._check(a), self._check(b)))

    def products(self, a: ArrayLike, b: ArrayLike) -> np.ndarray:
        """Products `a b` of arrays of elements, broadcast together, int32.

        Cost:
            One gather per base point and product.

        Examples:
            >>> from irrepnet import groups
            >>> groups.cyclic(5).products([1, 2, 3], 4).tolist()
            [0, 1, 2]
        """
        first, second = np.asarray(a)[..., None], np.asarray(b)[..., None]
        return self._find(self._images.at(first, self._images.at(second, self._find.base)))

    def powers(self, a: ArrayLike, exponents: ArrayLike) -> np.ndarray:
        """Powers of arrays of elements, broadcast together, int32; exponents may be negative.

        Cost:
            Two products per bit of the exponents.

        Examples:
            >>> from irrepnet import groups
            >>> groups.cyclic(5).powers([1, 2, 3], -1).tolist()
            [4, 3, 2]
        """
        square = np.asarray(a)
        rest = np.asarray(exponents) % self.element_orders[square]
        result = np.zeros(rest.shape, dtype=np.int32)
        while rest.any():
            result = np.where(rest % 2 == 1, self.products(result, square), result)
            square, rest = self.products(square, square), rest // 2
        return result

    def inverse(self, a: int) -> int:
        """The inverse of `a`."""
        return int(self.inverses[self._check(a)])

    def left_multiply(self, a: int) -> np.ndarray:
        """`[a b for all b]` as int32 of shape `(order,)`: the left regular permutation of `a`."""
        return self._find(self._row(a)[self._find.base_images])

    def right_multiply(self, a: int) -> np.ndarray:
        """`[b a for all b]` as int32 of shape `(order,)`."""
        return self._find(self._images.columns(self._find.base_images[self._check(a)]))

    @cached_property
    def inverses(self) -> np.ndarray:
        """Inverse of every element, int32 of shape `(order,)`, read-only."""
        return _read_only(self._find(self._images.inverses_at(self._find.base)))

    @cached_property
    def cayley_table(self) -> np.ndarray:
        """`table[a, b] = a b`, int32 of shape `(order, order)`, read-only; for small orders only.

        Raises:
            GroupError: If the order exceeds `CAYLEY_LIMIT`.
        """
        if self.order > CAYLEY_LIMIT:
            raise GroupError(
                f"{self.name} has order {self.order}: its Cayley table is not stored above "
                f"{CAYLEY_LIMIT}; use G.multiply, G.left_multiply or G.right_multiply."
            )
        table = np.empty((self.order, self.order), dtype=np.int32)
        base_images = self._find.base_images
        rows = max(1, CAYLEY_CHUNK // max(1, base_images.size))
        for start in range(0, self.order, rows):
            some = slice(start, start + rows)
            table[some] = self._find(self._images.rows(some)[:, base_images])
        return _read_only(table)

    def _lookup(self, images: np.ndarray) -> np.ndarray:
        """Elements whose image lists are the rows of `images`; trusted to lie in the group."""
        return self._find(images[..., self._find.base])

    # -- classes ----------------------------------------------------------------------------

    @cached_property
    def element_orders(self) -> np.ndarray:
        """Order of every element, int64 of shape `(order,)`, read-only.

        An element's order is the same for its whole class.

        Cost:
            O(classes * log(order)^2) products: every prime is taken out of the group's order.
        """
        labels, representatives = self._class_data
        orders = np.ones(len(representatives), dtype=np.int64)
        for q in prime_divisors(self.order):
            part = self.order
            while part % q == 0:
                part //= q
            power = self._power(representatives, part)
            while power.any():
                orders[power != 0] *= q
                power = self._power(power, q)
        return _read_only(orders[labels])

    def _power(self, a: np.ndarray, exponent: int) -> np.ndarray:
        """One positive power of several elements."""
        result = a
        for bit in bin(exponent)[3:]:
            result = self.products(result, result)
            if bit == "1":
                result = self.products(result, a)
        return result

    @property
    def class_labels(self) -> np.ndarray:
        """Class of every element, shape `(order,)`; classes are in order of smallest element."""
        return self._class_data[0]

    @cached_property
    def _class_data(self) -> tuple[np.ndarray, np.ndarray]:
        """Class of every element, and the smallest element of every class."""
        conjugations = [
            self.left_multiply(g)[self.right_multiply(self.inverse(g))] for g in self.generators
        ]
        least = least_in_orbit(conjugations, self.order)
        representatives = np.flatnonzero(least == np.arange(self.order))
        labels = np.empty(self.order, dtype=np.int64)
        labels[representatives] = np.arange(len(representatives))
        return _read_only(labels[least]), _read_only(representatives)

    @cached_property
    def conjugacy_classes(self) -> tuple[ConjugacyClass, ...]:
        """Conjugacy classes; the first is that of the identity."""
        labels, representatives = self._class_data
        sizes, orders = np.bincount(labels), self.element_orders[representatives]
        return tuple(map(ConjugacyClass, representatives.tolist(), sizes.tolist(), orders.tolist()))

    def class_of(self, a: int) -> int:
        """Index of the conjugacy class of element `a`."""
        return int(self.class_labels[self._check(a)])

    # -- subgroups --------------------------------------------------------------------------

    def subgroup(self, generators: Iterable[int]) -> Subgroup:
        """The subgroup that elements generate."""
        return subgroup(self, generators)

    @cached_property
    def subgroup_classes(self) -> tuple[Subgroup, ...]:
        """One subgroup per conjugacy class, as `conjugacy_classes_of_subgroups` gives them."""
        from irrepnet.groups._subgroup_classes import conjugacy_classes_of_subgroups

        return conjugacy_classes_of_subgroups(self)

    # -- invariants -------------------------------------------------------------------------

    @cached_property
    def is_abelian(self) -> bool:
        """Whether all elements commute; the generators decide."""
        a = np.array(self.generators, dtype=np.int64)
        return bool((self.products(a[:, None], a) == self.products(a, a[:, None])).all())

    @cached_property
    def exponent(self) -> int:
        """The least positive number `e` with `a^e = 1` for every element `a`."""
        return math.lcm(*(c.element_order for c in self.conjugacy_classes))

    def power_map(self, exponent: int) -> np.ndarray:
        """Class of the powers of every class, shape `(number of classes,)`.

        The characters of a group and its power maps distinguish more groups than characters alone.

        Cost:
            Two products per class and bit of the exponent.

        References:
            Isaacs, *Character Theory of Finite Groups*, ch. 4.

        Examples:
            >>> from irrepnet import groups
            >>> groups.dihedral(4).power_map(2).tolist(), groups.quaternion().power_map(2).tolist()
            ([0, 2, 0, 0, 0], [0, 0, 1, 1, 1])
        """
        representatives = self._class_data[1]
        return self.class_labels[self.powers(representatives, exponent)]

    # -- what representation theory says (irrepnet.reps) -----------------------------------

    @cached_property
    def character_table(self) -> CharacterTable:
        """Complex irreducible characters (rows) on conjugacy classes (columns)."""
        return self.theory["character_table"](self)

    @cached_property
    def irreps(self) -> tuple[Irrep, ...]:
        """Real irreducible representations in the group's fixed order."""
        return self.theory["irreps"](self)

    def irrep(self, name: str) -> Irrep:
        """The real irrep of that name."""
        for irrep in self.irreps:
            if irrep.name == name:
                return irrep
        raise GroupError(
            f"{self.name} has no irrep {name!r}: expected one of "
            f"{', '.join(i.name for i in self.irreps)}."
        )

    # -- value semantics --------------------------------------------------------------------

    # Constructors are deterministic, so the recipe decides elements, generators and irrep names.

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Group) and self.recipe == other.recipe)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.recipe)

    def __reduce__(self) -> tuple:
        return from_recipe, (self.recipe,)

    def __repr__(self) -> str:
        return show_recipe(self.recipe)


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
