"""Rules of the layers between windows and single positions."""

from __future__ import annotations

from dataclasses import replace

from irrepnet import nn, specs
from irrepnet._errors import SpecError
from irrepnet.actions import ImageAction
from irrepnet.compiler._cost_of_basis import num_weights, product_flops, quotient, run_flops
from irrepnet.compiler._edge import Edge, Features, Images
from irrepnet.compiler._meet import require_features
from irrepnet.compiler._rule import Cost, Factory, register
from irrepnet.types import (
    FeatureType,
    GSetType,
    WindowType,
    check_count,
    check_group,
    check_linear,
    grown_grid,
    tiled_grid,
)

Size = tuple[int, int]


def require_tokens(
    edge: Edge,
    expected: FeatureType,
    action: ImageAction,
    grid: Size,
    gset: GSetType | None = None,
) -> Features:
    """The edge, if it carries the expected features on the expected grid, and nothing else.

    Raises:
        SpecError: If the grid differs, or tokens stand before it.
        IrrepMismatchError: If the types differ.
    """
    at = require_features(edge, expected, gset=gset)
    if (at.action, at.grid, at.prefix) != (action, grid, 0):
        raise SpecError(
            f"got tokens on a {at.grid} grid under {at.action and at.action.name!r} with "
            f"{at.prefix} prefix tokens: expected {grid} under {action.name!r} with none."
        )
    return at


def on_grid(feature_type: FeatureType, action: ImageAction, grid: Size) -> Features:
    """Features on every cell of a grid."""
    return Features(feature_type, grid[0] * grid[1], action, grid)


def _window_cost(
    window: WindowType, other: FeatureType, windows: int, bias: int, into: bool = False
) -> Cost:
    """Intertwiner and change of basis, once for each window; `into` it or out of it."""
    products, additions = run_flops(window.runs)
    return Cost(
        params=num_weights(window.feature_type, other) + bias,
        matmul=windows * (product_flops(window.feature_type, other) + products),
        other=(("basis change", windows * additions), ("bias", windows * bias)),
        on_features=windows * products,
        on_products=windows * products if into else 0,
    )


def _decision(window: WindowType, what: str) -> str:
    products, additions = run_flops(window.runs)
    return f"{what} as {window.feature_type}: {products + additions} FLOPs a window"


class PatchEmbedRule:
    """`specs.PatchEmbed`: the decomposed patch, then an intertwiner."""

    def source(self, spec: specs.PatchEmbed) -> Edge:
        return Images(spec.action, spec.channels, spec.image_size)

    def check(self, spec: specs.PatchEmbed, edge: Edge) -> tuple[specs.PatchEmbed, Edge]:
        if edge != self.source(spec):
            raise SpecError(f"got {edge}: expected {self.source(spec)}.")
        check_group(spec.out_type, spec.action)
        check_count(spec.channels, "image channels")
        grid = tiled_grid(spec.action, spec.image_size, spec.patch, "image", "patch")
        check_linear(self._window(spec).feature_type, spec.out_type)
        return spec, on_grid(spec.out_type, spec.action, grid)

    def _window(self, spec: specs.PatchEmbed) -> WindowType:
        pixels = FeatureType.trivial(spec.action.group, spec.channels)
        return WindowType.of(spec.action, spec.patch, pixels)

    def decide(self, spec: specs.PatchEmbed, edge: Edge) -> str:
        return f"{_decision(self._window(spec), 'pixels of a patch')}, then one product an irrep"

    def cost(self, spec: specs.PatchEmbed, edge: Edge, positions: int) -> Cost:
        (height, width), (high, wide) = spec.image_size, spec.patch
        bias = spec.out_type.num_invariants if spec.bias else 0
        tokens = quotient(height, high) * quotient(width, wide)
        return _window_cost(self._window(spec), spec.out_type, tokens, bias)

    def emit(self, spec: specs.PatchEmbed, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.PatchEmbed(
            spec.action,
            spec.channels,
            spec.image_size,
            spec.patch,
            spec.out_type,
            spec.bias,
            spec.init,
            **factory.kwargs,
        )


class DownsampleRule:
    """`specs.Downsample`: the decomposed window, then an intertwiner."""

    def source(self, spec: specs.Downsample) -> Edge:
        return on_grid(spec.in_type, spec.action, spec.grid)

    def check(self, spec: specs.Downsample, edge: Edge) -> tuple[specs.Downsample, Edge]:
        check_group(spec.in_type, spec.action)
        at = require_tokens(edge, spec.in_type, spec.action, spec.grid)
        grid = tiled_grid(spec.action, spec.grid, spec.window)
        check_linear(self._window(spec).feature_type, spec.out_type)
        return spec, replace(at, type=spec.out_type, positions=grid[0] * grid[1], grid=grid)

    def _window(self, spec: specs.Downsample) -> WindowType:
        return WindowType.of(spec.action, spec.window, spec.in_type)

    def decide(self, spec: specs.Downsample, edge: Edge) -> str:
        return f"{_decision(self._window(spec), 'a window')}, then one product an irrep"

    def cost(self, spec: specs.Downsample, edge: Edge, positions: int) -> Cost:
        bias = spec.out_type.num_invariants if spec.bias else 0
        windows = quotient(positions, spec.window[0] * spec.window[1])
        return _window_cost(self._window(spec), spec.out_type, windows, bias)

    def emit(self, spec: specs.Downsample, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.Downsample(
            spec.in_type,
            spec.action,
            spec.grid,
            spec.window,
            spec.out_type,
            spec.bias,
            spec.init,
            **factory.kwargs,
        )


class UpsampleRule:
    """`specs.Upsample`: an intertwiner into the decomposed window."""

    def source(self, spec: specs.Upsample) -> Edge:
        return on_grid(spec.in_type, spec.action, spec.grid)

    def check(self, spec: specs.Upsample, edge: Edge) -> tuple[specs.Upsample, Edge]:
        check_group(spec.in_type, spec.action)
        at = require_tokens(edge, spec.in_type, spec.action, spec.grid)
        grid = grown_grid(spec.action, spec.grid, spec.window)
        check_linear(spec.in_type, self._window(spec).feature_type)
        return spec, replace(at, type=spec.out_type, positions=grid[0] * grid[1], grid=grid)

    def _window(self, spec: specs.Upsample) -> WindowType:
        return WindowType.of(spec.action, spec.window, spec.out_type)

    def decide(self, spec: specs.Upsample, edge: Edge) -> str:
        return f"one product an irrep, into {_decision(self._window(spec), 'a window')}"

    def cost(self, spec: specs.Upsample, edge: Edge, positions: int) -> Cost:
        window = self._window(spec)
        bias = window.feature_type.num_invariants if spec.bias else 0
        return _window_cost(window, spec.in_type, positions, bias, into=True)

    def emit(self, spec: specs.Upsample, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.Upsample(
            spec.in_type,
            spec.action,
            spec.grid,
            spec.window,
            spec.out_type,
            spec.bias,
            spec.init,
            **factory.kwargs,
        )


class UnpatchifyRule:
    """`specs.Unpatchify`: an intertwiner into the decomposed patch."""

    def source(self, spec: specs.Unpatchify) -> Edge:
        return on_grid(spec.in_type, spec.action, spec.grid)

    def check(self, spec: specs.Unpatchify, edge: Edge) -> tuple[specs.Unpatchify, Edge]:
        check_group(spec.in_type, spec.action)
        at = require_tokens(edge, spec.in_type, spec.action, spec.grid)
        check_count(spec.channels, "image channels")
        size = grown_grid(spec.action, spec.grid, spec.patch)
        check_linear(spec.in_type, self._window(spec).feature_type)
        return spec, Images(spec.action, spec.channels, size, at.embedding)

    def _window(self, spec: specs.Unpatchify) -> WindowType:
        pixels = FeatureType.trivial(spec.action.group, spec.channels)
        return WindowType.of(spec.action, spec.patch, pixels)

    def decide(self, spec: specs.Unpatchify, edge: Edge) -> str:
        return f"one product an irrep, into {_decision(self._window(spec), 'a patch')}"

    def cost(self, spec: specs.Unpatchify, edge: Edge, positions: int) -> Cost:
        window = self._window(spec)
        bias = window.feature_type.num_invariants if spec.bias else 0
        return _window_cost(window, spec.in_type, positions, bias, into=True)

    def emit(self, spec: specs.Unpatchify, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.Unpatchify(
            spec.action,
            spec.in_type,
            spec.grid,
            spec.patch,
            spec.channels,
            spec.bias,
            spec.init,
            **factory.kwargs,
        )


register(specs.PatchEmbed, PatchEmbedRule())
register(specs.Downsample, DownsampleRule())
register(specs.Upsample, UpsampleRule())
register(specs.Unpatchify, UnpatchifyRule())
