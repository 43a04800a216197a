"""Rules of attention with permuted heads, register tokens, dropout and RMSNorm."""

from __future__ import annotations

from dataclasses import replace

from irrepnet import nn, specs
from irrepnet.compiler._channel_rules import LayerNormRule
from irrepnet.compiler._cost_of_basis import basis_flops, gset_of
from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._meet import require_features
from irrepnet.compiler._rule import NOTHING, Cost, Factory, register
from irrepnet.types import (
    check_count,
    check_eps,
    check_invariants_exist,
    check_norm,
    check_rate,
    chosen_gset,
)


class PermutedAttentionRule:
    """`specs.PermutedAttention`: attention on points."""

    def source(self, spec: specs.PermutedAttention) -> Edge:
        return Features(3 * spec.feature_type)

    def check(
        self, spec: specs.PermutedAttention, edge: Edge
    ) -> tuple[specs.PermutedAttention, Edge]:
        at = require_features(edge, 3 * spec.feature_type)
        gset = chosen_gset(spec.feature_type, spec.gset)
        nn.permuted_head_dim(gset, spec.heads)
        check_rate(spec.dropout, "dropout=")
        return replace(spec, gset=gset.counts), replace(at, type=spec.feature_type)

    def decide(self, spec: specs.PermutedAttention, edge: Edge) -> str:
        gset = gset_of(spec)
        return f"{spec.heads} heads of {nn.permuted_head_dim(gset, spec.heads)} channels on {gset}"

    def cost(self, spec: specs.PermutedAttention, edge: Edge, positions: int) -> Cost:
        gset = gset_of(spec)
        products, additions = (
            a + b for a, b in zip(basis_flops(nn.tripled(gset)), basis_flops(gset), strict=True)
        )
        return Cost(
            matmul=4 * positions**2 * spec.feature_type.dim + positions * products,
            other=(
                ("softmax", 6 * spec.heads * positions**2),
                ("basis change", positions * additions),
            ),
            on_features=positions * products,
        )

    def emit(self, spec: specs.PermutedAttention, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.PermutedAttention(gset_of(spec), spec.heads, spec.dropout, **factory.kwargs)


class RegisterTokensRule:
    """`specs.RegisterTokens`: more tokens, invariant."""

    def source(self, spec: specs.RegisterTokens) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.RegisterTokens, edge: Edge) -> tuple[specs.RegisterTokens, Edge]:
        at = require_features(edge, spec.feature_type)
        check_count(spec.count, "register tokens")
        check_invariants_exist(spec.feature_type, "invariant tokens are", "no register tokens")
        positions = None if at.positions is None else at.positions + spec.count
        return spec, replace(at, positions=positions, prefix=at.prefix + spec.count)

    def decide(self, spec: specs.RegisterTokens, edge: Edge) -> str:
        return f"{spec.count} learned on the {spec.feature_type.num_invariants} trivial copies"

    def cost(self, spec: specs.RegisterTokens, edge: Edge, positions: int) -> Cost:
        return Cost(spec.count * spec.feature_type.num_invariants)

    def emit(self, spec: specs.RegisterTokens, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.RegisterTokens(spec.feature_type, spec.count, **factory.kwargs)


class DropoutRule:
    """`specs.Dropout`: nothing at inference."""

    def source(self, spec: specs.Dropout) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.Dropout, edge: Edge) -> tuple[specs.Dropout, Edge]:
        check_rate(spec.rate)
        return spec, require_features(edge, spec.feature_type)

    def decide(self, spec: specs.Dropout, edge: Edge) -> str:
        return f"rate {spec.rate:g}, one draw for each copy and orbit of tokens"

    def cost(self, spec: specs.Dropout, edge: Edge, positions: int) -> Cost:
        return NOTHING

    def emit(self, spec: specs.Dropout, edge: Edge, factory: Factory) -> nn.Layer:
        assert isinstance(edge, Features)
        return nn.Dropout(spec.feature_type, spec.rate, edge.tokens, edge.prefix, factory.device)


class RMSNormRule:
    """`specs.RMSNorm`: LayerNorm without bias."""

    def source(self, spec: specs.RMSNorm) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.RMSNorm, edge: Edge) -> tuple[specs.RMSNorm, Edge]:
        at = require_features(edge, spec.feature_type)
        check_norm(spec.feature_type, spec.centring, spec.weighting)
        check_eps(spec.eps)
        return spec, at

    def decide(self, spec: specs.RMSNorm, edge: Edge) -> str:
        return f"centring {spec.centring}, mean square weighted by {spec.weighting}"

    def cost(self, spec: specs.RMSNorm, edge: Edge, positions: int) -> Cost:
        x = spec.feature_type
        same = specs.LayerNorm(x, spec.centring, spec.weighting, spec.eps, spec.affine)
        whole = LayerNormRule().cost(same, edge, positions)
        if not spec.affine:
            return whole
        ((kind, flops),) = whole.other
        less = flops - positions * x.num_invariants
        return replace(whole, params=sum(x.multiplicities), other=((kind, less),))

    def emit(self, spec: specs.RMSNorm, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.IsotypicLayerNorm(
            spec.feature_type,
            spec.centring,
            spec.weighting,
            spec.eps,
            spec.affine,
            bias=False,
            **factory.kwargs,
        )


register(specs.PermutedAttention, PermutedAttentionRule())
register(specs.RegisterTokens, RegisterTokensRule())
register(specs.Dropout, DropoutRule())
register(specs.RMSNorm, RMSNormRule())
