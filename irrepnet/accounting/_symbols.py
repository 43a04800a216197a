"""Which sizes of a network become symbols: the same layers, at `D` channels and `N` tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from sympy import Expr, Integer, Rational, Symbol

from irrepnet.actions import PointAction
from irrepnet.compiler import Features, Images, Place, Plan, Stop, stops
from irrepnet.specs import Classifier, Linear, Spec
from irrepnet.types import CountedPoints, FeatureType, ScaledType, SymbolicGrid, grid_orbits

#: What each symbol stands for.
MEANINGS = {
    "B": "samples in a batch",
    "D": "channels of a token (embedding dimension)",
    "N": "tokens, class token included",
    "H": "height of the image, or of the grid of tokens",
    "W": "width of the image, or of the grid of tokens",
    "C": "channels of the image",
    "K": "classes",
    "h": "attention heads",
    "s": "bytes of a number",
}


def symbol(name: str) -> Symbol:
    """A symbol of sizes: two reports share it, so that their formulas can be divided."""
    return Symbol(name, positive=True)


class Sizes:
    """Symbols for the sizes of one plan, and their values there.

    Every feature type is a multiple of the embedding dimension `D`, whatever its group, but for the
    logits (`K`) and the pixels (`C`). Where no classifier says so, types whose dimension is no
    multiple or fraction of the first type's have symbols of their own, `D_2` and so on. Numbers
    that a spec holds besides (kernels, depth, ratios, register tokens) stay numbers.

    Attributes:
        values: What each symbol is in this plan.
        definitions: Symbols that follow from others.
    """

    def __init__(self, plan: Plan, positions: int | None) -> None:
        self.values: dict[Symbol, int] = {}
        self.definitions: dict[Symbol, Expr] = {}
        self._plan = plan
        self._given = tuple(stops(plan, positions))
        self._dims: list[tuple[int, Symbol]] = []
        self._sides: tuple[Any, Any] | None = None
        self._base: tuple[int, int] = (0, 0)
        self._grid: SymbolicGrid | None = None
        self._prefix = max((_prefix(stop.target) for stop in self._given), default=0)
        self._last = self._given[-1] if self._given else None
        self._counted: dict[PointAction, CountedPoints] = {}

    def stops(self) -> Iterator[tuple[Stop, Stop]]:
        """Each layer as it is, and in symbols."""
        for stop in self._given:
            source, target = self._place(stop.source), self._place(stop.target)
            held = tuple(self._place(place) for place in stop.held)
            spec = stop.spec and self._spec(stop.spec)
            if stop is self._last and isinstance(spec, Linear) and self._classifies:
                logits = self._logits(stop.target.edge.type)  # type: ignore[union-attr]
                spec = replace(spec, out_type=logits)
                target = replace(target, edge=replace(target.edge, type=logits))
            yield stop, Stop(stop.path, stop.kind, spec, source, target, held)

    @property
    def _classifies(self) -> bool:
        root = self._plan.spec
        return isinstance(root, Classifier) and root.num_classes > 0

    def _new(self, name: str, value: int) -> Symbol:
        found = symbol(name)
        self.values.setdefault(found, value)
        return found

    # -- channels -----------------------------------------------------------------------------

    def _type(self, x: FeatureType) -> FeatureType:
        return ScaledType(x, self._scale(x)) if x.dim else x

    def _scale(self, x: FeatureType) -> Expr:
        """What a type's multiplicities are multiplied by: `D` over its value."""
        known = isinstance(self._plan.spec, Classifier)
        for dim, d in self._dims:
            if known or x.dim % dim == 0 or dim % x.dim == 0:
                return d / Integer(dim)
        number = len(self._dims) + 1
        d = self._new("D" if number == 1 else f"D_{number}", x.dim)
        self._dims.append((x.dim, d))
        return d / Integer(x.dim)

    def _logits(self, x: FeatureType) -> FeatureType:
        return ScaledType(x, self._new("K", x.dim) / Integer(x.dim))

    # -- positions ----------------------------------------------------------------------------

    def _size(self, size: tuple[int, int]) -> Any:
        """A grid's sides over those of the image, or of the first grid."""
        if self._sides is None:
            self._sides = (self._new("H", size[0]), self._new("W", size[1]))
            self._base = size
        pairs = list(zip(self._sides, size, self._base, strict=True))
        if any(base % n and n % base for _, n, base in pairs):
            return size  # an uneven stride: no multiple or fraction
        height, width = (side * Rational(n, base) for side, n, base in pairs)
        return SymbolicGrid((height, width), size)

    def _place(self, place: Place) -> Place:
        edge = place.edge
        if isinstance(edge, Images):
            size, channels = self._size(edge.size), self._new("C", edge.channels)
            return Place(replace(edge, channels=channels, size=size), 0)
        if edge.grid is not None:
            self._grid = self._size(edge.grid)
        points = edge.points and self._points(edge.points, edge)
        positions = self._positions(edge, place.positions)
        return Place(
            replace(
                edge,
                type=self._type(edge.type),
                positions=positions,
                grid=edge.grid and self._grid,
                points=points,
                gset=None,
            ),
            positions,
        )

    def _positions(self, edge: Features, positions: int) -> Any:
        """Tokens: cells of the last grid, and `N` where class tokens stand before them."""
        if edge.positions is None:
            start = self._given[0].source.positions
            return self._new("N", start) + (positions - start)
        grid = self._grid
        if not isinstance(grid, SymbolicGrid):
            return positions
        cells = grid.origin[0] * grid.origin[1]
        if positions - edge.prefix != cells:
            return positions
        if not edge.prefix:
            return grid[0] * grid[1]
        tokens = self._new("N", cells + self._prefix)
        self.definitions.setdefault(tokens, grid[0] * grid[1] + self._prefix)
        return tokens - (self._prefix - edge.prefix)

    def _points(self, points: PointAction, edge: Features) -> Any:
        """The points of the last grid, by their kinds of orbits; other points stay as they are."""
        grid = self._grid
        if points not in self._counted:
            if edge.action is None or not isinstance(grid, SymbolicGrid):
                return points
            if points.num_points != grid.origin[0] * grid.origin[1]:
                return points
            kinds = grid_orbits(edge.action, grid)  # type: ignore[arg-type]
            self._counted[points] = CountedPoints(points.name, points.group, kinds)  # type: ignore[arg-type]
        return self._counted[points]

    # -- specs --------------------------------------------------------------------------------

    def _spec(self, spec: Spec) -> Spec:
        return replace(spec, **{f.name: self._field(spec, f.name) for f in fields(spec)})

    def _field(self, spec: Spec, name: str) -> Any:
        value = getattr(spec, name)
        if isinstance(value, FeatureType):
            return self._type(value)
        if isinstance(value, PointAction):
            return self._counted.get(value, value)
        if name in ("grid", "image_size") and value:
            return self._size(value)
        if name == "gset" and value:
            scale = self._scale(getattr(spec, "feature_type"))  # noqa: B009
            return tuple((stabiliser, count * scale) for stabiliser, count in value)
        if name == "channels":
            return self._new("C", value)
        if name == "heads":
            h = self._new("h", value)
            return h if self.values[h] == value else value
        return value


def _prefix(place: Place) -> int:
    return place.edge.prefix if isinstance(place.edge, Features) else 0
