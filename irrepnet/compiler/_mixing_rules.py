"""Rules of the layers on two axes, tokens (x) channels."""

from __future__ import annotations

from dataclasses import replace

from irrepnet import nn, specs
from irrepnet._errors import SpecError
from irrepnet.actions import PointAction
from irrepnet.compiler._cost_of_basis import basis_flops, gset_of, num_weights, product_flops
from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._meet import require_features
from irrepnet.compiler._rule import NOTHING, Cost, Factory, register
from irrepnet.types import (
    POOLED_INVARIANTS,
    FeatureType,
    TokenType,
    check_choice,
    check_points,
    chosen_gset,
    num_pooled,
    vectors_on_orbit,
)


def require_tokens(edge: Edge, feature_type: FeatureType, points: PointAction) -> Features:
    """The edge, if it carries features of the expected type on the expected tokens.

    Raises:
        SpecError: If the tokens are others, are moved otherwise, or follow prefix tokens.
    """
    check_points(feature_type, points)
    at = require_features(edge, feature_type)
    got = at.tokens
    if got is None:
        raise SpecError(
            f"got {at} without tokens that the group permutes: expected the {points.num_points} "
            f"of {points.name!r}."
        )
    if at.prefix:
        raise SpecError(
            f"got {at.prefix} prefix tokens before the {got.num_points} of {got.name!r}: expected "
            f"none; leave the ClassToken out."
        )
    if (got.group, got.images) != (points.group, points.images):
        raise SpecError(
            f"got {got.num_points} tokens permuted as {got.name!r}, expected {points.num_points} "
            f"permuted as {points.name!r}: give the layer the action that its input has."
        )
    return at


def on_tokens(feature_type: FeatureType, points: PointAction) -> Features:
    """Features on tokens that the group permutes."""
    return Features(feature_type, points.num_points, points=points)


class TokensRule:
    """`specs.Tokens`: what a network takes."""

    def source(self, spec: specs.Tokens) -> Edge:
        return on_tokens(spec.feature_type, spec.points)

    def check(self, spec: specs.Tokens, edge: Edge) -> tuple[specs.Tokens, Edge]:
        return spec, require_tokens(edge, spec.feature_type, spec.points)

    def decide(self, spec: specs.Tokens, edge: Edge) -> str:
        return f"{spec.points.num_points} tokens permuted as {spec.points.name!r}"

    def cost(self, spec: specs.Tokens, edge: Edge, positions: int) -> Cost:
        return NOTHING

    def emit(self, spec: specs.Tokens, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.Tokens(spec.feature_type, spec.points)


class TokenLinearRule:
    """`specs.TokenLinear`: one product for each irrep of the tokens."""

    def source(self, spec: specs.TokenLinear) -> Edge:
        return on_tokens(spec.feature_type, spec.points)

    def check(self, spec: specs.TokenLinear, edge: Edge) -> tuple[specs.TokenLinear, Edge]:
        return spec, require_tokens(edge, spec.feature_type, spec.points)

    def decide(self, spec: specs.TokenLinear, edge: Edge) -> str:
        tokens = TokenType.of(spec.points)
        t, dense = tokens.feature_type, tokens.feature_type.dim**2
        gather = "" if tokens.is_sorted else ", gathered by orbits on both sides"
        return (
            f"tokens as {t} ({tokens.carrying(1)}){gather}, then one product an irrep\n"
            f"{num_weights(t, t)} of {dense} weights of the dense map, {product_flops(t, t)} of "
            f"{2 * dense} FLOPs a channel; {self._bias(spec)} numbers of bias"
        )

    def _bias(self, spec: specs.TokenLinear) -> int:
        if not spec.bias:
            return 0
        x, t = spec.feature_type, TokenType.of(spec.points).feature_type
        shared = {b.irrep.index for b in x.blocks}
        return sum(b.irrep.end_dim * b.multiplicity for b in t.blocks if b.irrep.index in shared)

    def cost(self, spec: specs.TokenLinear, edge: Edge, positions: int) -> Cost:
        x, tokens = spec.feature_type, TokenType.of(spec.points)
        t = tokens.feature_type
        products, additions = basis_flops(tokens.carrying(x.dim))
        shared = {b.irrep.index for b in x.blocks} if spec.bias else set()
        biased = sum(b.width for b in t.blocks if b.irrep.index in shared) * x.dim
        return Cost(
            params=num_weights(t, t) + self._bias(spec),
            matmul=x.dim * product_flops(t, t) + 2 * products,
            other=(("basis change", 2 * additions), ("bias", biased)),
            on_features=2 * products,
            on_products=products,
        )

    def emit(self, spec: specs.TokenLinear, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.TokenLinear(
            spec.feature_type, spec.points, spec.bias, spec.init, **factory.kwargs
        )


class TokenBiasRule:
    """`specs.TokenBias`: a vector that the group fixes, alike on all orbits of a kind."""

    def source(self, spec: specs.TokenBias) -> Edge:
        return on_tokens(spec.feature_type, spec.points)

    def check(self, spec: specs.TokenBias, edge: Edge) -> tuple[specs.TokenBias, Edge]:
        return spec, require_tokens(edge, spec.feature_type, spec.points)

    def decide(self, spec: specs.TokenBias, edge: Edge) -> str:
        kinds = len(TokenType.of(spec.points).orbit_types)
        params = token_bias_cost(spec.feature_type, spec.points).params
        return f"{params} numbers, shared by all orbits of each of {kinds} kinds"

    def cost(self, spec: specs.TokenBias, edge: Edge, positions: int) -> Cost:
        return token_bias_cost(spec.feature_type, spec.points)

    def emit(self, spec: specs.TokenBias, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.TokenBias(
            spec.feature_type, spec.points, overwrite=spec.overwrite, **factory.kwargs
        )


def token_bias_cost(feature_type: FeatureType, points: PointAction) -> Cost:
    """What a `TokenBias` costs."""
    params = moves = 0
    for kind in TokenType.of(points).orbit_types:
        for b in feature_type.blocks:
            fixed = vectors_on_orbit(b.irrep, kind).shape[-1]
            params += fixed * b.multiplicity
            moves += kind.index * b.irrep.dim * fixed * b.multiplicity
    added = (("bias", points.num_points * feature_type.dim),)
    return Cost(params, 2 * moves, added, on_weights=2 * moves)


class AffineRule:
    """`specs.Affine`: one factor a copy, and a bias."""

    def source(self, spec: specs.Affine) -> Edge:
        if spec.points is None:
            return Features(spec.feature_type)
        return on_tokens(spec.feature_type, spec.points)

    def check(self, spec: specs.Affine, edge: Edge) -> tuple[specs.Affine, Edge]:
        if spec.points is None:
            return spec, require_features(edge, spec.feature_type)
        return spec, require_tokens(edge, spec.feature_type, spec.points)

    def decide(self, spec: specs.Affine, edge: Edge) -> str:
        bias = self._bias(spec, 1).params
        return f"one factor for each copy; {bias} numbers of bias"

    def _bias(self, spec: specs.Affine, positions: int) -> Cost:
        if not spec.bias:
            return Cost()
        if spec.points is None:
            invariants = spec.feature_type.num_invariants
            return Cost(invariants, other=(("bias", positions * invariants),))
        return token_bias_cost(spec.feature_type, spec.points)

    def cost(self, spec: specs.Affine, edge: Edge, positions: int) -> Cost:
        x, bias = spec.feature_type, self._bias(spec, positions)
        return Cost(
            sum(x.multiplicities) + bias.params,
            bias.matmul,
            (("elementwise", positions * x.dim), *bias.other),
            on_weights=bias.on_weights,
        )

    def emit(self, spec: specs.Affine, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.Affine(spec.feature_type, spec.points, spec.bias, **factory.kwargs)


class OrbitOrderRule:
    """`specs.OrbitOrder`: tokens sorted by orbits."""

    def source(self, spec: specs.OrbitOrder) -> Edge:
        return on_tokens(spec.feature_type, spec.points)

    def check(self, spec: specs.OrbitOrder, edge: Edge) -> tuple[specs.OrbitOrder, Edge]:
        at = require_tokens(edge, spec.feature_type, spec.points)
        return spec, replace(at, grid=None, points=TokenType.of(spec.points).in_order)

    def decide(self, spec: specs.OrbitOrder, edge: Edge) -> str:
        return f"tokens by orbits: {TokenType.of(spec.points).carrying(1)}"

    def cost(self, spec: specs.OrbitOrder, edge: Edge, positions: int) -> Cost:
        return Cost()

    def emit(self, spec: specs.OrbitOrder, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.OrbitOrder(spec.feature_type, spec.points, **factory.kwargs)


class OrbitPoolRule:
    """`specs.OrbitPool`: invariants of tokens (x) channels."""

    def source(self, spec: specs.OrbitPool) -> Edge:
        return on_tokens(spec.feature_type, spec.points)

    def check(self, spec: specs.OrbitPool, edge: Edge) -> tuple[specs.OrbitPool, Edge]:
        check_choice("invariant", spec.kind, POOLED_INVARIANTS)
        at = require_tokens(edge, spec.feature_type, spec.points)
        gset = chosen_gset(spec.feature_type, spec.gset)
        spec = replace(spec, gset=gset.counts)
        found = num_pooled(gset, TokenType.of(spec.points), spec.kind)
        pooled = FeatureType.trivial(at.group, found)
        return spec, replace(at, type=pooled, positions=1, grid=None, points=None)

    def decide(self, spec: specs.OrbitPool, edge: Edge) -> str:
        kind = {"trivial": "one sum", "norm": "one sum and norm"}[spec.kind]
        return f"{kind} over tokens for each orbit of {gset_of(spec)}"

    def cost(self, spec: specs.OrbitPool, edge: Edge, positions: int) -> Cost:
        x, tokens, gset = spec.feature_type, TokenType.of(spec.points), gset_of(spec)
        products, additions = basis_flops(gset)
        rows = sum(t.index for t in tokens.orbit_types)
        pairs = 2 * rows * x.dim
        other = [("elementwise", positions * x.dim + rows * x.dim)]
        if spec.kind == "norm":
            more = basis_flops(tokens.carrying(x.dim))
            pairs += more[0]
            additions += more[1]
            other.append(("elementwise", 2 * positions * x.dim))
        return Cost(
            matmul=rows * products + pairs,
            on_features=rows * products + pairs,
            other=(("basis change", rows * additions), *other),
        )

    def emit(self, spec: specs.OrbitPool, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.OrbitPool(gset_of(spec), spec.points, spec.kind, **factory.kwargs)


register(specs.Tokens, TokensRule())
register(specs.TokenLinear, TokenLinearRule())
register(specs.TokenBias, TokenBiasRule())
register(specs.Affine, AffineRule())
register(specs.OrbitOrder, OrbitOrderRule())
register(specs.OrbitPool, OrbitPoolRule())
