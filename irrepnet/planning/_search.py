"""The cheapest feature type with a basis of points: an exact search over whole numbers.

A type has such a basis if it is a sum of coset representations `R[G/H]`. In those, irreps that are
Galois conjugates occur equally often (their sum is rational), so one whole number stands for each
such class: one for each class of cyclic subgroups (Artin). The cost is a sum of convex functions of
these numbers. For any vector `a` and `L = min_H (a . x_H) / |G/H|`, every legal type `x` with `D`
channels has

    cost(x)  =  a . x + sum_k (cost_k(x_k) - a_k x_k)  >=  L D + sum_k (cost_k(x_k) - a_k x_k),

a bound that is a sum as well. With `a` the slope at the real optimum it is tight there, and the
search visits only numbers whose excess over the bound is within what is still to be won.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from irrepnet._errors import ActivationError
from irrepnet.groups import Group
from irrepnet.planning._relaxation import Cost, gradient, real_optimum
from irrepnet.types import FeatureType, cone_facets, gset_for, transitive_types

#: Relative slack of bounds in floating point, far above their rounding.
_SLACK = 1e-9


@dataclass(frozen=True)
class Demands:
    """What a type must be.

    Attributes:
        dim: Its channels.
        heads: A divisor of every multiplicity.
        least: The least multiplicity of every irrep.
        points: Whether it must have a basis that the group permutes.
    """

    dim: int
    heads: int = 1
    least: int = 0
    points: bool = True


@dataclass(frozen=True)
class Galois:
    """The multiplicities that coset representations can tell apart.

    Attributes:
        classes: Indices of the irreps that occur equally often in all of them; the trivial irrep
            last, the others by falling dimension.
        dims: Channels of one copy of each irrep of a class.
        orbits: Multiplicity of each class in each `R[G/H]`.
    """

    classes: tuple[tuple[int, ...], ...]
    dims: tuple[int, ...]
    orbits: np.ndarray

    @cached_property
    def facets(self) -> np.ndarray:
        """Inequalities that sums of coset representations meet."""
        return cone_facets(self.orbits)


@lru_cache(maxsize=64)
def galois_classes(group: Group) -> Galois:
    """The classes of a group's irreps.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 13.1, theorem 30: there are as many
        as classes of cyclic subgroups.
    """
    table = np.array([multiplicities for _, multiplicities in transitive_types(group)])
    columns: dict[tuple[int, ...], list[int]] = {}
    for index, column in enumerate(map(tuple, table.T.tolist())):
        columns.setdefault(column, []).append(index)
    dims = {c: sum(group.irreps[i].dim for i in members) for c, members in columns.items()}
    order = sorted(columns, key=lambda c: (columns[c] == [0], -dims[c], columns[c]))
    return Galois(
        tuple(tuple(columns[c]) for c in order),
        tuple(dims[c] for c in order),
        np.array(order).T,
    )


@lru_cache(maxsize=1 << 16)
def has_points(group: Group, multiplicities: tuple[int, ...]) -> bool:
    """Whether a type is a permutation representation."""
    try:
        gset_for(FeatureType(group, multiplicities))
    except ActivationError:
        return False
    return True


def cheapest(
    group: Group, costs: Sequence[Cost], demands: Demands, most: float = math.inf
) -> tuple[int, ...] | None:
    """The multiplicities of least cost that meet the demands; the first in order among equals.

    Args:
        group: The group.
        costs: What a multiplicity of each irrep costs; convex. Whole numbers are added exactly.
        demands: What the type must be.
        most: A cost that may not be exceeded.

    Returns:
        One multiplicity for each irrep, or `None` if there is no such type.

    Cost:
        A branch and bound; a few thousand steps for the groups of images, at any width.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 13.1 (Artin's theorem) for the
        classes; the bound is Lagrangian duality.
    """
    return _Search(group, costs, demands, most).solve()


def widest(
    group: Group, costs: Sequence[Cost], demands: Demands, budget: float
) -> tuple[tuple[int, ...], int] | None:
    """The most channels within a budget, at most those demanded, and the cheapest type of them.

    The bound at one width is linear in the width: widths that it rules out are skipped.

    Args:
        group: The group.
        costs: As for `cheapest`; rising.
        demands: What the type must be; its width is the most.
        budget: The cost that may not be exceeded.

    Returns:
        Multiplicities and the width, or `None` if nothing fits.

    Cost:
        One search for each width between the bound and the answer, few.
    """
    width = demands.dim
    while (width := width - width % demands.heads) > 0:
        search = _Search(group, costs, replace(demands, dim=width), budget)
        reach = search.most_channels(budget)
        if reach < width:
            width = reach
            continue
        found = search.solve()
        if found is not None:
            return found, width
        width -= 1
    return None


class _Search:
    def __init__(self, group: Group, costs: Sequence[Cost], demands: Demands, most: float) -> None:
        self.group, self.demands = group, demands
        self.galois = galois_classes(group) if demands.points else _separate(group)
        self.costs = [_summed([costs[i] for i in members]) for members in self.galois.classes]
        self.best: tuple[float, tuple[int, ...]] = (most, ())
        self.facets = self.galois.facets
        self.base, self.choices = self._bounds()
        self.last = {x: excess for excess, x in self.choices[-1]} if self.choices else {}

    def solve(self) -> tuple[int, ...] | None:
        if self.choices is not None and self.demands.dim % self.demands.heads == 0:
            self._extend([], self.demands.dim, 0.0)
        return self.best[1] or None

    def _bounds(self) -> tuple[float, list[list[tuple[float, int]]] | None]:
        """The bound's constant, and for each class its numbers by rising excess over the bound."""
        dims, d = self.galois.dims, self.demands
        self.slopes, self.rate = self._dual()
        slopes, base = self.slopes, self.rate * d.dim
        choices = []
        first = -(-d.least // d.heads) * d.heads
        for cost, slope, size in zip(self.costs, slopes.tolist(), dims, strict=True):
            numbers = range(first, d.dim // size + 1, d.heads)
            excess = sorted((cost(x) - slope * x, x) for x in numbers)
            if not excess:
                return base, None
            base += excess[0][0]
            choices.append([(value - excess[0][0], x) for value, x in excess])
        return base, choices

    def _dual(self) -> tuple[np.ndarray, float]:
        """The slopes `a` at the real optimum, and the cost of a channel `L`."""
        dims, orbits, dim = self.galois.dims, self.galois.orbits, self.demands.dim
        vertices = orbits * (dim / (orbits @ dims))[:, None]
        slopes = gradient(self.costs, real_optimum(self.costs, vertices))
        return slopes, float((vertices @ slopes).min()) / dim

    def most_channels(self, budget: float) -> int:
        """A width, at most the demanded one, above which the bound exceeds the budget."""
        constant = sum(
            min(cost(x) - slope * x for x in range(self.demands.dim // size + 1))
            for cost, slope, size in zip(
                self.costs, self.slopes.tolist(), self.galois.dims, strict=True
            )
        )
        reach = (budget - constant) / self.rate * (1 + _SLACK)
        return min(self.demands.dim, math.floor(reach))

    def _extend(self, chosen: list[int], rest: int, excess: float) -> None:
        """Choose a number for the next class; `rest` channels are left for it and those after."""
        assert self.choices is not None
        k = len(chosen)
        for more, x in self._numbers(k, rest):
            bound = self.base + excess + more
            if bound > self.best[0] + _SLACK * abs(bound):
                return
            left = rest - x * self.galois.dims[k]
            if left < 0:
                continue
            if k + 1 == len(self.choices):
                self._finish([*chosen, x])
            else:
                self._extend([*chosen, x], left, excess + more)

    def _numbers(self, k: int, rest: int) -> Iterator[tuple[float, int]]:
        """Numbers of a class; the trivial one, which comes last, takes what is left."""
        assert self.choices is not None
        if k + 1 < len(self.choices):
            yield from self.choices[k]
        else:
            yield from ((self.last[x], x) for x in (rest,) if x in self.last)

    def _finish(self, chosen: list[int]) -> None:
        if (self.facets @ chosen < 0).any():
            return  # outside the cone of coset representations
        found = [0] * len(self.group.irreps)
        for x, members in zip(chosen, self.galois.classes, strict=True):
            for index in members:
                found[index] = x
        total = sum(cost(x) for cost, x in zip(self.costs, chosen, strict=True))
        candidate = (total, tuple(found))
        if self.best[1]:
            better = candidate < self.best
        else:
            better = total <= self.best[0]
        if better and (not self.demands.points or has_points(self.group, candidate[1])):
            self.best = candidate


def _separate(group: Group) -> Galois:
    """Every irrep by itself, in any number: what types could be without activations."""
    order = sorted(range(len(group.irreps)), key=lambda i: (i == 0, -group.irreps[i].dim, i))
    dims = tuple(group.irreps[i].dim for i in order)
    return Galois(tuple((i,) for i in order), dims, np.eye(len(order), dtype=int))


def _summed(costs: Sequence[Cost]) -> Cost:
    return costs[0] if len(costs) == 1 else lambda x: sum(cost(x) for cost in costs)
