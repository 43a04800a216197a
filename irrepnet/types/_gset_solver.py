"""Which G-set a feature type is: an integer solution, most regular orbits first."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from irrepnet._errors import ActivationError
from irrepnet.groups import Group
from irrepnet.types._cone import cone_facets
from irrepnet.types._feature_type import FeatureType
from irrepnet.types._gset_type import GSetType, canonical_stabiliser, coset_representation
from irrepnet.types._scaled import ScaledType

#: Search nodes after which the solver gives up; types of real networks need a handful.
NODE_LIMIT = 200_000

#: Search nodes after which the remainder is tested against the cone of the rows still to choose.
QUICK_NODES = 50


@lru_cache(maxsize=64)
def transitive_types(group: Group) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """Stabiliser and multiplicities of each `R[G/H]`, `H` up to conjugacy, largest orbits first."""
    stabilisers = [canonical_stabiliser(group, h.elements) for h in group.subgroup_classes]
    found = [(h, coset_representation(group, h)[0]) for h in stabilisers]
    return tuple(sorted(found, key=lambda pair: (len(pair[0]), pair[0])))


def gset_for(feature_type: FeatureType) -> GSetType:
    """The G-set with the most regular orbits whose permutation representation is the type.

    Orbits are taken largest first, as many of each as possible, so the answer is the same on every
    machine.

    Raises:
        ActivationError: If no G-set has these multiplicities.

    Cost:
        Exact search over non-negative integers; multiples of the regular representation take one
        step.

    References:
        Pacini et al., ICLR 2024, Corollary 1: a non-odd pointwise function needs `(+) R[G/H_i]`.

    Examples:
        >>> from irrepnet import groups
        >>> str(gset_for(FeatureType(groups.flop(), "5*sym + 3*asym")))
        '3 x G/H, |G/H| = 2; 2 x G/H, |G/H| = 1'
    """
    if isinstance(feature_type, ScaledType):
        return scaled_gset(gset_for(feature_type.origin), feature_type.scale)
    candidates = transitive_types(feature_type.group)
    counts = _search(feature_type.group).solve(feature_type.multiplicities)
    if counts is None:
        raise ActivationError(
            f"{feature_type} over {feature_type.group.name} is no permutation representation, so "
            f"no basis exists in which the group permutes the channels and a function that is not "
            f"odd may act. {_advice(feature_type)}"
        )
    chosen = tuple((h, n) for (h, _), n in zip(candidates, counts, strict=True) if n)
    return GSetType(feature_type.group, chosen)


def scaled_gset(gset: GSetType, scale: Any) -> GSetType:
    """The same kinds of orbits, an expression times as many."""
    return GSetType(gset.group, tuple((h, n * scale) for h, n in gset.counts))


def chosen_gset(
    feature_type: FeatureType, counts: tuple[tuple[tuple[int, ...], int], ...] | None
) -> GSetType:
    """The G-set that a spec asks for, or the solver's where it leaves the choice open.

    Args:
        feature_type: Type of the channels.
        counts: Pairs of a stabiliser, any of its class, and a number of orbits; or `None`.

    Raises:
        ActivationError: If the given G-set has another type, or none has this one.
    """
    if counts is None:
        return gset_for(feature_type)
    group = feature_type.group
    gset = GSetType(group, tuple((canonical_stabiliser(group, h), n) for h, n in counts))
    if gset.feature_type != feature_type:
        raise ActivationError(
            f"the given G-set ({gset}) is {gset.feature_type}: expected {feature_type}; leave "
            f"gset=None to let the compiler choose."
        )
    return gset


def _advice(feature_type: FeatureType) -> str:
    """A nearby type that is legal."""
    group = feature_type.group
    regular = [i.dim // i.end_dim for i in group.irreps]
    need = [-(-m // r) for m, r in zip(feature_type.multiplicities, regular, strict=True)]
    legal = FeatureType(group, regular) * max(1, *need)
    return (
        f"Expected a function of norms or gates, legal on every type (specs.NormActivation, "
        f"specs.Gated), or, for example, a multiple of the regular representation such as {legal}."
    )


class _Search:
    """Depth-first search for non-negative integers `n` with `n @ table == target`."""

    def __init__(self, table: np.ndarray) -> None:
        self.table = table
        self.sizes = table.sum(axis=1)
        self.nodes = 0
        # Exact span test: the remainder must lie in the row space of the rows still to choose.
        self.normals = [_integer_normals(table[k:]) for k in range(len(table) + 1)]
        self.cones: dict[int, np.ndarray] = {}

    def solve(self, target: tuple[int, ...]) -> list[int] | None:
        self.nodes = 0
        return self._extend(np.array(target, dtype=np.int64), 0)

    def _extend(self, rest: np.ndarray, k: int) -> list[int] | None:
        if not rest.any():
            return [0] * (len(self.table) - k)
        if k == len(self.table) or (self.normals[k] @ rest).any():
            return None
        self.nodes += 1
        if self.nodes > NODE_LIMIT:
            raise ActivationError(
                f"no G-set was found for the multiplicities within {NODE_LIMIT} steps: expected a "
                f"type built from coset representations; give the G-set explicitly "
                f"(specs.Activation(..., gset=...))."
            )
        if self.nodes > QUICK_NODES and (self._facets(k) @ rest < 0).any():
            return None
        row = self.table[k]
        most = int((rest[row > 0] // row[row > 0]).min())
        for n in range(most, -1, -1):
            tail = self._extend(rest - n * row, k + 1)
            if tail is not None:
                return [n, *tail]
        return None

    def _facets(self, k: int) -> np.ndarray:
        """What every sum of the rows still to choose meets; found when it is first needed."""
        if k not in self.cones:
            self.cones[k] = cone_facets(self.table[k:])
        return self.cones[k]


@lru_cache(maxsize=64)
def _search(group: Group) -> _Search:
    return _Search(np.array([multiplicities for _, multiplicities in transitive_types(group)]))


def _integer_normals(rows: np.ndarray) -> np.ndarray:
    """Integer vectors orthogonal to all rows, spanning the orthogonal complement."""
    from sympy import Matrix, ilcm

    width = rows.shape[1]
    if len(rows) == 0:
        return np.eye(width, dtype=np.int64)
    null = Matrix(rows.tolist()).nullspace()
    scaled = [vector * ilcm(1, *[entry.q for entry in vector]) for vector in null]
    return np.array([[int(e) for e in v] for v in scaled], dtype=np.int64).reshape(-1, width)
