"""Which sizes of a network become symbols: the same layers, at `D` channels and `N` tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from sympy import Expr, Integer, Rational, Symbol

from irrepnet.actions import PointAction
from irrepnet.compiler import Edge, Features, Images, Place, Plan, Stop, stops
from irrepnet.specs import Classifier, Conv, DepthwiseConv, Linear, Spec
from irrepnet.types import (
    CountedOrbits,
    CountedPoints,
    FeatureType,
    ScaledType,
    SymbolicGrid,
    TokenType,
    convolved_size,
    grid_orbits,
    with_counts,
)

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
    "n": "orbits of tokens, where these are no grid",
    "s": "bytes of a number",
}


def symbol(name: str) -> Symbol:
    """A symbol of sizes: two reports share it, so that their formulas can be divided."""
    return Symbol(name, positive=True)


def meaning(name: str) -> str:
    """What a symbol stands for.

    Examples:
        >>> meaning("D_2")
        'channels of a token (embedding dimension), where they differ from D'
    """
    first, _, number = name.partition("_")
    return MEANINGS[first] + (f", where they differ from {first}" if number else "")


class Sizes:
    """Symbols for the sizes of one plan, and their values there.

    Every feature type is a multiple of the embedding dimension `D`, whatever its group, but for the
    logits (`K`) and the pixels (`C`). Where no classifier says so, types whose dimension is no
    multiple or fraction of the first type's have symbols of their own, `D_2` and so on. Tokens that
    are no grid are known by how many orbits of each kind they have, `n`, `n_2` and so on. Numbers
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
        self._grids: dict[tuple[int, int], SymbolicGrid] = {}
        self._orbits: dict[Any, Any] = {}
        self._grid: SymbolicGrid | None = None
        self._prefix = max((_prefix(stop.target) for stop in self._given), default=0)
        self._last = self._given[-1] if self._given else None
        self._counted: dict[PointAction, CountedPoints] = {}

    def stops(self) -> Iterator[tuple[Stop, Stop]]:
        """Each layer as it is, and in symbols."""
        for stop in self._given:
            source = self._place(stop.source)
            self._convolve(stop.spec)
            target = self._place(stop.target)
            held = tuple(self._place(place) for place in stop.held)
            spec = stop.spec and self._spec(stop.spec, stop.source.edge)
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
        """A grid's sides over those of the image, or of another grid."""
        if not self._grids:
            sides = (self._new("H", size[0]), self._new("W", size[1]))
            self._grids[size] = SymbolicGrid(sides, size)
        for base, grid in self._grids.items():
            pairs = list(zip(grid, size, base, strict=True))
            if not any(b % n and n % b for _, n, b in pairs):
                height, width = (side * Rational(n, b) for side, n, b in pairs)
                return self._grids.setdefault(size, SymbolicGrid((height, width), size))
        return size

    def _convolve(self, spec: Spec | None) -> None:
        """The grid that comes out of a convolution has sides by the convolution's own formula."""
        if isinstance(spec, Conv | DepthwiseConv):
            sizes = list(zip(spec.kernel, spec.stride, spec.padding, strict=True))
            into = self._grids[spec.grid]
            out = [convolved_size(n, *size) for n, size in zip(spec.grid, sizes, strict=True)]
            sides = [convolved_size(n, *size) for n, size in zip(into, sizes, strict=True)]
            self._grids[(out[0], out[1])] = SymbolicGrid((sides[0], sides[1]), (out[0], out[1]))

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
        cells = grid.origin[0] * grid.origin[1] if grid is not None else 0
        if grid is None or positions - edge.prefix != cells:
            points = edge.points and self._points(edge.points, edge)
            return points.num_points + edge.prefix if points else positions
        if not edge.prefix:
            return grid[0] * grid[1]
        tokens = self._new("N", cells + self._prefix)
        self.definitions.setdefault(tokens, grid[0] * grid[1] + self._prefix)
        return tokens - (self._prefix - edge.prefix)

    def _points(self, points: PointAction, edge: Features) -> CountedPoints:
        """Tokens by their kinds of orbits: of the last grid if they are its cells."""
        if points not in self._counted:
            grid, kinds = self._grid, None
            if edge.action is not None and grid is not None:
                height, width = grid.origin
                if points.num_points == height * width:
                    kinds = grid_orbits(edge.action, grid)
            kinds = kinds or self._kinds(points)
            self._counted[points] = CountedPoints(points.name, points.group, kinds)  # type: ignore[arg-type]
        return self._counted[points]

    def _kinds(self, points: PointAction) -> tuple[CountedOrbits, ...]:
        """Kinds of orbits, each as often as a symbol says; the same ones in another order too."""
        kinds = TokenType.of(points).orbit_types
        key = (points.group, tuple((t.stabiliser, t.num_orbits) for t in kinds))
        if key not in self._orbits:
            counts = []
            for kind in kinds:
                number = sum(str(s).startswith("n") for s in self.values) + 1
                counts.append(self._new("n" if number == 1 else f"n_{number}", kind.num_orbits))
            self._orbits[key] = with_counts(kinds, counts)
        return self._orbits[key]

    # -- specs --------------------------------------------------------------------------------

    def _spec(self, spec: Spec, edge: Edge) -> Spec:
        return replace(spec, **{f.name: self._field(spec, f.name, edge) for f in fields(spec)})

    def _field(self, spec: Spec, name: str, edge: Edge) -> Any:
        value = getattr(spec, name)
        if isinstance(value, FeatureType):
            return self._type(value)
        if isinstance(value, PointAction):
            return self._points(value, edge) if isinstance(edge, Features) else value
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
