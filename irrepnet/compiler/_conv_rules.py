"""Rules of convolutions: dense and depthwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from irrepnet import nn, specs
from irrepnet._errors import SpecError
from irrepnet.compiler._cost_of_basis import basis_flops, gset_of, num_weights, run_flops
from irrepnet.compiler._edge import Edge
from irrepnet.compiler._rule import Cost, Factory, register
from irrepnet.compiler._window_rules import on_grid, require_tokens
from irrepnet.types import (
    ACTIVATION_BASES,
    PAIRINGS,
    GSetType,
    WindowType,
    check_choice,
    check_group,
    check_linear,
    chosen_gset,
    convolved_grid,
    convolved_size,
    default_pairing,
    gset_kernels,
    paired_counts,
    paired_kernels,
)


class ConvRule:
    """`specs.Conv`: block weights, expanded to one dense kernel."""

    def source(self, spec: specs.Conv) -> Edge:
        return on_grid(spec.in_type, spec.action, spec.grid)

    def check(self, spec: specs.Conv, edge: Edge) -> tuple[specs.Conv, Edge]:
        check_group(spec.in_type, spec.action)
        at = require_tokens(edge, spec.in_type, spec.action, spec.grid)
        grid = _out_grid(spec)
        check_linear(self._window(spec).feature_type, spec.out_type)
        return spec, replace(at, type=spec.out_type, positions=grid[0] * grid[1], grid=grid)

    def _window(self, spec: specs.Conv) -> WindowType:
        return WindowType.of(spec.action, spec.kernel, spec.in_type)

    def decide(self, spec: specs.Conv, edge: Edge) -> str:
        window = self._window(spec)
        return (
            f"{num_weights(window.feature_type, spec.out_type)} weights from a window as "
            f"{window.feature_type}, expanded to a dense kernel of "
            f"{window.feature_type.dim * spec.out_type.dim}"
        )

    def cost(self, spec: specs.Conv, edge: Edge, positions: int) -> Cost:
        window, (rows, columns) = self._window(spec), _out_size(spec)
        out_dim, tokens = spec.out_type.dim, rows * columns
        products, additions = run_flops(window.runs)
        bias = spec.out_type.num_invariants if spec.bias else 0
        return Cost(
            params=num_weights(window.feature_type, spec.out_type) + bias,
            matmul=2 * tokens * window.feature_type.dim * out_dim + out_dim * products,
            other=(("basis change", out_dim * additions), ("bias", tokens * bias)),
            on_weights=out_dim * products,
            weights=window.feature_type.dim * out_dim + bias,
        )

    def emit(self, spec: specs.Conv, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.Conv(
            spec.in_type,
            spec.action,
            spec.grid,
            spec.out_type,
            spec.kernel,
            spec.stride,
            spec.padding,
            spec.bias,
            spec.init,
            **factory.kwargs,
        )


def _out_grid(spec: specs.Conv | specs.DepthwiseConv) -> tuple[int, int]:
    return convolved_grid(spec.action, spec.grid, spec.kernel, spec.stride, spec.padding)


def _out_size(spec: specs.Conv | specs.DepthwiseConv) -> tuple[int, int]:
    """The same of a spec that was checked."""
    sizes = zip(spec.grid, spec.kernel, spec.stride, spec.padding, strict=True)
    rows, columns = (convolved_size(*size) for size in sizes)
    return rows, columns


class DepthwiseConvRule:
    """`specs.DepthwiseConv`: paired channels, or points of a G-set."""

    def source(self, spec: specs.DepthwiseConv) -> Edge:
        return on_grid(spec.feature_type, spec.action, spec.grid)

    def check(self, spec: specs.DepthwiseConv, edge: Edge) -> tuple[specs.DepthwiseConv, Edge]:
        x = spec.feature_type
        check_group(x, spec.action)
        for side in (spec.enter, spec.leave):
            check_choice("basis", side, ACTIVATION_BASES)
        pairing = spec.pairing or default_pairing(x)
        check_choice("pairing", pairing, PAIRINGS)
        gset = chosen_gset(x, spec.gset) if pairing == "gset" else None
        if gset is None:
            if "points" in (spec.enter, spec.leave):
                raise SpecError(
                    "pairing='pairs' works in irreps: expected enter and leave 'irreps'."
                )
            paired_kernels(x, spec.action, spec.kernel)
        on_points = gset if spec.enter == "points" else None
        at = require_tokens(edge, x, spec.action, spec.grid, on_points)
        grid = _out_grid(spec)
        left = gset if spec.leave == "points" else None
        resolved = replace(spec, pairing=pairing, gset=None if gset is None else gset.counts)
        return resolved, replace(at, positions=grid[0] * grid[1], grid=grid, gset=left)

    def points_in(self, spec: specs.DepthwiseConv) -> GSetType | None:
        """The points on which the input is needed, for `pairing="gset"`."""
        return gset_of(spec) if spec.pairing == "gset" else None

    def points_out(self, spec: specs.DepthwiseConv) -> GSetType | None:
        """The points on which the output could stay."""
        return self.points_in(spec)

    def decide(self, spec: specs.DepthwiseConv, edge: Edge) -> str:
        if spec.pairing == "gset":
            return f"kernels moved along {gset_of(spec)}"
        paired = paired_kernels(spec.feature_type, spec.action, spec.kernel)
        return "; ".join(
            f"{len(rows)} {ties.name} kernels of {ties.size} free pixels"
            for ties, rows in zip(paired.ties, paired.rows, strict=True)
        )

    def cost(self, spec: specs.DepthwiseConv, edge: Edge, positions: int) -> Cost:
        rows, columns = _out_size(spec)
        x, tokens, size = spec.feature_type, rows * columns, spec.kernel[0] * spec.kernel[1]
        bias = x.num_invariants if spec.bias else 0
        products = 2 * tokens * x.dim * size
        if spec.pairing == "gset":
            gset = gset_of(spec)
            index = gset_kernels(gset, spec.action, spec.kernel)
            counts = [o.count for o in gset.orbits]
            free = sum(n * (int(i.max()) + 1) for n, i in zip(counts, index, strict=True))
            moved, added = basis_flops(gset)
            # Of every token that goes in, and of every one that comes out.
            enters, leaves = int(spec.enter == "irreps"), int(spec.leave == "irreps")
            both = positions * enters + tokens * leaves
            biases = tokens * x.dim if bias else 0
            other = (("basis change", both * added), ("bias", biases))
            return Cost(
                free + bias,
                products + both * moved,
                other,
                on_features=both * moved,
                on_products=tokens * leaves * moved,
                weights=x.dim * size + bias,
            )
        paired = paired_counts(x, spec.action, spec.kernel)
        free = sum(n * ties.size for ties, n in paired)
        signed = sum(n * size for ties, n in paired if np.any(ties.signs != 1))
        other = (("elementwise", signed), ("bias", tokens * bias))
        return Cost(free + bias, products, other, weights=x.dim * size + bias)

    def emit(self, spec: specs.DepthwiseConv, edge: Edge, factory: Factory) -> nn.Layer:
        sizes = (spec.action, spec.grid, spec.kernel, spec.stride, spec.padding, spec.bias)
        if spec.pairing == "gset":
            sides = (spec.enter, spec.leave)
            return nn.GSetDepthwiseConv(gset_of(spec), *sizes, *sides, **factory.kwargs)
        return nn.PairedDepthwiseConv(spec.feature_type, *sizes, **factory.kwargs)


register(specs.Conv, ConvRule())
register(specs.DepthwiseConv, DepthwiseConvRule())
