"""Rules of the layers between tokens and maps."""

from __future__ import annotations

from dataclasses import replace

from irrepnet import nn, specs
from irrepnet._errors import SpecError
from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._meet import require_features
from irrepnet.compiler._rule import NOTHING, Cost, Factory, register
from irrepnet.compiler._window_rules import on_grid
from irrepnet.types import (
    check_group,
    check_preserves,
)


def _require(edge: Edge, spec: specs.ToMaps | specs.FromMaps, maps: bool) -> Features:
    """The edge, if it carries the spec's features on the spec's grid."""
    check_group(spec.feature_type, spec.action)
    check_preserves(spec.action, "grid", spec.grid)
    at = require_features(edge, spec.feature_type, maps=maps)
    if (at.action, at.grid) != (spec.action, spec.grid):
        raise SpecError(
            f"got features on a {at.grid} grid under {at.action and at.action.name!r}: expected "
            f"{spec.grid} under {spec.action.name!r}, row by row as PatchEmbed gives them."
        )
    return at


class ToMapsRule:
    """`specs.ToMaps`: another view."""

    def source(self, spec: specs.ToMaps) -> Edge:
        return on_grid(spec.feature_type, spec.action, spec.grid)

    def check(self, spec: specs.ToMaps, edge: Edge) -> tuple[specs.ToMaps, Edge]:
        at = _require(edge, spec, maps=False)
        return spec, replace(at, positions=spec.grid[0] * spec.grid[1], prefix=0, maps=True)

    def decide(self, spec: specs.ToMaps, edge: Edge) -> str:
        return "a view, channels on axis 1"

    def cost(self, spec: specs.ToMaps, edge: Edge, positions: int) -> Cost:
        return NOTHING

    def emit(self, spec: specs.ToMaps, edge: Edge, factory: Factory) -> nn.Layer:
        assert isinstance(edge, Features)
        return nn.ToMaps(spec.feature_type, spec.grid, edge.prefix)


class FromMapsRule:
    """`specs.FromMaps`: another view, or a copy."""

    def source(self, spec: specs.FromMaps) -> Edge:
        return replace(on_grid(spec.feature_type, spec.action, spec.grid), maps=True)

    def check(self, spec: specs.FromMaps, edge: Edge) -> tuple[specs.FromMaps, Edge]:
        return spec, replace(_require(edge, spec, maps=True), maps=False)

    def decide(self, spec: specs.FromMaps, edge: Edge) -> str:
        return "tokens row by row, channels on the last axis"

    def cost(self, spec: specs.FromMaps, edge: Edge, positions: int) -> Cost:
        return Cost()

    def emit(self, spec: specs.FromMaps, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.FromMaps(spec.feature_type, spec.grid)


register(specs.ToMaps, ToMapsRule())
register(specs.FromMaps, FromMapsRule())
