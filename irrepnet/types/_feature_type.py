"""`FeatureType`: a group and how often each of its real irreps occurs in a feature vector."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from sympy import Expr

from irrepnet import reps
from irrepnet._errors import FeatureTypeError, GroupError, IrrepMismatchError
from irrepnet.groups import Group, Subgroup
from irrepnet.reps import Irrep

_TERM = re.compile(r"\s*(?:(\d+)\s*\*\s*)?([A-Za-z_]\w*)\s*")


@dataclass(frozen=True)
class Block:
    """The channels of one irrep: `irrep.dim` components outermost, `multiplicity` copies innermost.

    Channel `start + component * multiplicity + copy` holds one component of one copy.
    """

    irrep: Irrep
    multiplicity: int
    start: int

    @property
    def width(self) -> int:
        """Number of channels of the block."""
        return self.irrep.dim * self.multiplicity

    @property
    def stop(self) -> int:
        """First channel after the block."""
        return self.start + self.width

    def component(self, index: int) -> slice:
        """Channels that hold component `index` of every copy."""
        first = self.start + index * self.multiplicity
        return slice(first, first + self.multiplicity)


@dataclass(frozen=True, init=False, repr=False)
class FeatureType:
    """A real representation written as multiplicities of irreps: the type of a feature axis.

    A feature tensor of this type is a plain tensor whose last axis has `dim` channels: blocks in
    irrep order, inside a block the irrep's components outermost and its copies innermost. Group
    element `g` acts on it by `matrix(g) = (+)_i rho_i(g) (x) I_{m_i}`.

    Args:
        group: The group.
        multiplicities: `"192*sym + 192*asym"`, a mapping from irrep names to multiplicities, or
            one multiplicity for each irrep in the order of `group.irreps`. Zero is allowed, and
            so are sympy expressions where only costs are asked for.

    Raises:
        FeatureTypeError: If an irrep is unknown or a multiplicity is negative or no integer.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.6 (canonical decomposition).

    Examples:
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.flop(), "192*sym + 192*asym")
        >>> X.dim, str(2 * X)
        (384, '384*sym + 384*asym')
    """

    group: Group
    multiplicities: tuple[int, ...]

    def __init__(
        self, group: Group, multiplicities: str | Mapping[str, int] | Sequence[int]
    ) -> None:
        if not isinstance(group, Group):
            raise FeatureTypeError(
                f"got {group!r} as the group of a feature type: expected a Group, such as "
                f"irrepnet.groups.flop() or irrepnet.groups.parse('D4')."
            )
        if not isinstance(multiplicities, str | Mapping | Sequence):
            raise FeatureTypeError(
                f"got {multiplicities!r} as multiplicities: expected text such as "
                f"'4*{group.irreps[0].name}', a mapping by name, or one number for each irrep."
            )
        if isinstance(multiplicities, str):
            multiplicities = _parse(group, multiplicities)
        if isinstance(multiplicities, Mapping):
            multiplicities = _in_order(group, multiplicities)
        object.__setattr__(self, "group", group)
        object.__setattr__(self, "multiplicities", _checked(group, multiplicities))

    @classmethod
    def regular(cls, group: Group, dim: int) -> FeatureType:
        """Copies of the regular representation, `dim` channels in all.

        Raises:
            FeatureTypeError: If `dim` is no positive multiple of the group's order.

        Examples:
            >>> from irrepnet import groups
            >>> str(FeatureType.regular(groups.cyclic(4), 8))
            '2*chi0 + 2*chi1 + 2*chi2'
        """
        copies, rest = divmod(dim, group.order)
        if rest or copies < 1:
            near = sorted({max(1, copies) * group.order, max(1, copies + 1) * group.order})
            raise FeatureTypeError(
                f"{dim} channels cannot hold whole copies of the regular representation of "
                f"{group.name}: expected a positive multiple of its order {group.order}, "
                f"such as {' or '.join(map(str, near))}."
            )
        return cls(group, [copies * i.dim // i.end_dim for i in group.irreps])

    @classmethod
    def trivial(cls, group: Group, dim: int) -> FeatureType:
        """`dim` invariant channels.

        Examples:
            >>> from irrepnet import groups
            >>> str(FeatureType.trivial(groups.dihedral(4), 10))
            '10*A1'
        """
        return cls(group, [dim, *[0] * (len(group.irreps) - 1)])

    @property
    def dim(self) -> int:
        """Number of channels: the sum over irreps of dimension times multiplicity."""
        return sum(i.dim * m for i, m in zip(self.group.irreps, self.multiplicities, strict=True))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The isotypic blocks of nonzero multiplicity, in irrep order."""
        blocks, start = [], 0
        for irrep, multiplicity in zip(self.group.irreps, self.multiplicities, strict=True):
            if multiplicity:
                blocks.append(Block(irrep, multiplicity, start))
                start += irrep.dim * multiplicity
        return tuple(blocks)

    @property
    def num_invariants(self) -> int:
        """Multiplicity of the trivial irrep: the dimension of the invariant subspace."""
        return self.multiplicities[0]

    def matrix(self, a: int) -> np.ndarray:
        """How element `a` acts on a feature vector: float64 of shape `(dim, dim)`.

        Examples:
            >>> from irrepnet import groups
            >>> FeatureType(groups.flop(), "sym + asym").matrix(1).tolist()
            [[1.0, 0.0], [0.0, -1.0]]
        """
        matrix = np.zeros((self.dim, self.dim))
        for b in self.blocks:
            part = np.kron(b.irrep.matrix(a), np.eye(b.multiplicity))
            matrix[b.start : b.stop, b.start : b.stop] = part
        return matrix

    # -- algebra ----------------------------------------------------------------------------

    def __add__(self, other: FeatureType) -> FeatureType:
        if not isinstance(other, FeatureType):
            return NotImplemented
        if other.group != self.group:
            raise IrrepMismatchError(
                f"cannot add {self} over {self.group.name} to {other} over {other.group.name}: "
                f"expected two types over one group; restrict one to the other's group first."
            )
        return FeatureType(
            self.group,
            [a + b for a, b in zip(self.multiplicities, other.multiplicities, strict=True)],
        )

    def __mul__(self, times: int) -> FeatureType:
        if not isinstance(times, int):
            return NotImplemented
        return FeatureType(self.group, [times * m for m in self.multiplicities])

    __rmul__ = __mul__

    def __matmul__(self, other: FeatureType) -> FeatureType:
        """The tensor product: the type of products of channels of one and of the other."""
        if not isinstance(other, FeatureType):
            return NotImplemented
        if other.group != self.group:
            raise IrrepMismatchError(
                f"cannot multiply {self} over {self.group.name} by {other} over "
                f"{other.group.name}: expected two types over one group; restrict one to the "
                f"other's group first."
            )
        total = np.zeros(len(self.group.irreps), dtype=int)
        for a in self.blocks:
            for b in other.blocks:
                parts = np.array(_product(self.group, a.irrep.index, b.irrep.index))
                total += a.multiplicity * b.multiplicity * parts
        return FeatureType(self.group, total.tolist())

    def restrict(self, subgroup: Subgroup) -> FeatureType:
        """The type when only a subgroup's elements act.

        Raises:
            GroupError: If it is no subgroup of the type's group.

        Examples:
            >>> from irrepnet import groups
            >>> D4 = groups.octic()
            >>> str(FeatureType(D4, "2*A2 + 3*E").restrict(D4.subgroup([4])))
            '3*chi0 + 5*chi1'
        """
        if subgroup.parent != self.group:
            raise GroupError(
                f"the subgroup lies in {subgroup.parent.name}: expected a subgroup of "
                f"{self.group.name}, the group of {self}."
            )
        total = np.zeros(len(subgroup.as_group().irreps), dtype=int)
        for b in self.blocks:
            total += b.multiplicity * np.array(_restricted(subgroup, b.irrep.index))
        return FeatureType(subgroup.as_group(), total.tolist())

    def __le__(self, other: FeatureType) -> bool:
        """Whether it is a sub-representation: no irrep occurs more often."""
        if not isinstance(other, FeatureType) or other.group != self.group:
            return NotImplemented
        pairs = zip(self.multiplicities, other.multiplicities, strict=True)
        return all(a <= b for a, b in pairs)

    def __lt__(self, other: FeatureType) -> bool:
        return self <= other and self != other

    def __str__(self) -> str:
        terms = (
            f"{m}*{i.name}"
            for i, m in zip(self.group.irreps, self.multiplicities, strict=True)
            if m
        )
        return " + ".join(terms) or "0"

    def __repr__(self) -> str:
        return f"FeatureType({self.group!r}, {str(self)!r})"


@lru_cache(maxsize=4096)
def _product(group: Group, first: int, second: int) -> tuple[int, ...]:
    """Multiplicities of the tensor product of two irreps."""
    a, b = (reps.of_irrep(group.irreps[i]) for i in (first, second))
    return tuple(reps.tensor(a, b).multiplicities)


@lru_cache(maxsize=4096)
def _restricted(subgroup: Subgroup, index: int) -> tuple[int, ...]:
    """Multiplicities over a subgroup of one irrep of its parent."""
    irrep = reps.of_irrep(subgroup.parent.irreps[index])
    return tuple(reps.restrict(irrep, subgroup).multiplicities)


def _parse(group: Group, text: str) -> dict[str, int]:
    """Multiplicities by name from `"2*A1 + E"`; `"0"` is the zero type."""
    found: dict[str, int] = {}
    if text.strip() == "0":
        return found
    for term in text.split("+"):
        match = _TERM.fullmatch(term)
        if match is None:
            names = " + ".join(f"4*{i.name}" for i in group.irreps[:2])
            raise FeatureTypeError(
                f"cannot read {term.strip()!r} in the feature type {text!r}: expected terms like "
                f"'3*name' joined by '+', for example {names!r}."
            )
        number, name = match.groups()
        found[name] = found.get(name, 0) + int(number or 1)
    return found


def _in_order(group: Group, by_name: Mapping[str, int]) -> list[int]:
    names = [i.name for i in group.irreps]
    unknown = [name for name in by_name if name not in names]
    if unknown:
        raise FeatureTypeError(
            f"{group.name} has no irrep named {', '.join(map(repr, unknown))}: expected "
            f"names among {', '.join(names)}."
        )
    return [by_name.get(name, 0) for name in names]


def _checked(group: Group, multiplicities: Sequence[int]) -> tuple[int, ...]:
    values = tuple(multiplicities)
    if len(values) != len(group.irreps):
        raise FeatureTypeError(
            f"got {len(values)} multiplicities for {group.name}: expected {len(group.irreps)}, "
            f"one for each of {', '.join(i.name for i in group.irreps)}."
        )
    for irrep, value in zip(group.irreps, values, strict=True):
        if isinstance(value, Expr):
            continue
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise FeatureTypeError(
                f"the multiplicity of {irrep.name} is {value!r}: expected a whole number >= 0."
            )
    return tuple(v if isinstance(v, Expr) else int(v) for v in values)  # type: ignore[misc]
