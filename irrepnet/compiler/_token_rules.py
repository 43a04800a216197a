"""Rules of the layers that know images and tokens."""

from __future__ import annotations

from dataclasses import replace

from irrepnet import nn, specs
from irrepnet._errors import SpecError
from irrepnet.actions import ImageAction
from irrepnet.compiler._cost_of_basis import basis_flops
from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._meet import require_features, require_grid
from irrepnet.compiler._rule import Cost, Factory, register
from irrepnet.types import (
    POOLS,
    GSetType,
    check_choice,
    check_invariants_exist,
    check_preserves,
    check_rate,
    fixed_dims,
    head_type,
)


class PositionalEmbeddingRule:
    """`specs.PositionalEmbedding`: an invariant vector of tokens (x) channels."""

    def source(self, spec: specs.PositionalEmbedding) -> Edge:
        rows, columns = spec.grid
        return Features(spec.feature_type, rows * columns, spec.action, spec.grid)

    def check(
        self, spec: specs.PositionalEmbedding, edge: Edge
    ) -> tuple[specs.PositionalEmbedding, Edge]:
        at = require_grid(require_features(edge, spec.feature_type))
        if (at.action, at.grid, at.prefix) != (spec.action, spec.grid, 0):
            raise SpecError(
                f"got tokens on a {at.grid} grid under {at.action and at.action.name!r} with "
                f"{at.prefix} prefix tokens: expected {spec.grid} under {spec.action.name!r} with "
                f"none; put it right after PatchEmbed."
            )
        check_preserves(spec.action, "token grid", spec.grid)
        return spec, at

    def decide(self, spec: specs.PositionalEmbedding, edge: Edge) -> str:
        free = spec.grid[0] * spec.grid[1] * spec.feature_type.dim
        return f"{self._params(spec)} of {free} numbers: vectors that the group fixes"

    def _params(self, spec: specs.PositionalEmbedding) -> int:
        return sum(
            orbits * fixed * block.multiplicity
            for orbits, _, dims in fixed_dims(spec.feature_type, spec.action, spec.grid)
            for block, fixed in zip(spec.feature_type.blocks, dims, strict=True)
        )

    def cost(self, spec: specs.PositionalEmbedding, edge: Edge, positions: int) -> Cost:
        moves = sum(
            orbits * points * block.irrep.dim * fixed * block.multiplicity
            for orbits, points, dims in fixed_dims(spec.feature_type, spec.action, spec.grid)
            for block, fixed in zip(spec.feature_type.blocks, dims, strict=True)
        )
        added = spec.grid[0] * spec.grid[1] * spec.feature_type.dim
        return Cost(self._params(spec), 2 * moves, (("elementwise", added),), on_weights=2 * moves)

    def emit(self, spec: specs.PositionalEmbedding, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.PositionalEmbedding(spec.feature_type, spec.action, spec.grid, **factory.kwargs)


class ClassTokenRule:
    """`specs.ClassToken`: one more token, invariant."""

    def source(self, spec: specs.ClassToken) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.ClassToken, edge: Edge) -> tuple[specs.ClassToken, Edge]:
        at = require_features(edge, spec.feature_type)
        check_invariants_exist(
            spec.feature_type, "an invariant class token is", "global_pool='avg'"
        )
        positions = None if at.positions is None else at.positions + 1
        return spec, replace(at, positions=positions, prefix=at.prefix + 1)

    def decide(self, spec: specs.ClassToken, edge: Edge) -> str:
        return f"learned on the {spec.feature_type.num_invariants} trivial copies"

    def cost(self, spec: specs.ClassToken, edge: Edge, positions: int) -> Cost:
        return Cost(spec.feature_type.num_invariants)

    def emit(self, spec: specs.ClassToken, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.ClassToken(spec.feature_type, **factory.kwargs)


class AttentionRule:
    """`specs.Attention`: heads that hold sub-representations."""

    def source(self, spec: specs.Attention) -> Edge:
        return Features(3 * spec.feature_type)

    def check(self, spec: specs.Attention, edge: Edge) -> tuple[specs.Attention, Edge]:
        at = require_features(edge, 3 * spec.feature_type)
        head_type(spec.feature_type, spec.heads)
        check_rate(spec.dropout, "dropout=")
        return spec, replace(at, type=spec.feature_type)

    def decide(self, spec: specs.Attention, edge: Edge) -> str:
        return f"{spec.heads} heads of {head_type(spec.feature_type, spec.heads)}"

    def cost(self, spec: specs.Attention, edge: Edge, positions: int) -> Cost:
        logits = spec.heads * positions**2
        # Scaling, maximum, subtraction, exponential, sum, division.
        return Cost(
            matmul=4 * positions**2 * spec.feature_type.dim, other=(("softmax", 6 * logits),)
        )

    def emit(self, spec: specs.Attention, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.IsotypicAttention(spec.feature_type, spec.heads, spec.dropout)


class RestrictRule:
    """`specs.Restrict`: the same features over a subgroup."""

    def source(self, spec: specs.Restrict) -> Edge:
        return Features(spec.in_type, gset=self._entry(spec))

    def _entry(self, spec: specs.Restrict) -> GSetType | None:
        """The points that the input is on, if it is."""
        return self.points_in(spec) if spec.enter == "points" else None

    def points_in(self, spec: specs.Restrict) -> GSetType | None:
        """The points on which the input is needed, if the restriction goes through points."""
        return spec.restriction.gset if spec.basis == "gset" else None

    def check(self, spec: specs.Restrict, edge: Edge) -> tuple[specs.Restrict, Edge]:
        restriction = spec.restriction
        at = require_features(edge, spec.in_type, gset=self._entry(spec))
        before = at.embedding or tuple(range(at.group.order))
        action = at.action and ImageAction(
            spec.name, spec.subgroup, tuple(at.action.matrices[a] for a in spec.embedding)
        )
        points = at.points and at.points.restrict(spec.name, spec.subgroup, spec.embedding)
        return spec, replace(
            at,
            type=restriction.out_type,
            gset=None,
            action=action,
            points=points,
            embedding=tuple(before[a] for a in spec.embedding),
        )

    def decide(self, spec: specs.Restrict, edge: Edge) -> str:
        return f"through {'points' if spec.basis == 'gset' else 'each irrep'}"

    def cost(self, spec: specs.Restrict, edge: Edge, positions: int) -> Cost:
        restriction = spec.restriction
        if spec.basis == "gset":
            before, after = basis_flops(restriction.gset), basis_flops(restriction.gset_after[0])
            before = (0, 0) if spec.enter == "points" else before
            moved = positions * (before[0] + after[0])
            other = (("basis change", positions * (before[1] + after[1])),)
            return Cost(matmul=moved, other=other, on_features=moved)
        products = sum(
            2 * block.irrep.dim**2 * block.multiplicity
            for block, monomial in zip(
                spec.in_type.blocks, restriction.monomial_alignments, strict=True
            )
            if monomial is None
        )
        return Cost(matmul=positions * products, on_features=positions * products)

    def emit(self, spec: specs.Restrict, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.Restrict(spec.restriction, spec.enter, **factory.kwargs)


class TokenPoolRule:
    """`specs.TokenPool`: one vector from all tokens."""

    def source(self, spec: specs.TokenPool) -> Edge:
        return Features(spec.feature_type, prefix=1)

    def check(self, spec: specs.TokenPool, edge: Edge) -> tuple[specs.TokenPool, Edge]:
        at = require_features(edge, spec.feature_type, any_basis=True)
        check_choice("pooling", spec.kind, POOLS)
        if spec.kind == "token" and at.prefix == 0:
            raise SpecError(
                "got pooling 'token' without a class token: expected kind='avg' (global_pool="
                "'avg'), or a ClassToken before."
            )
        return spec, replace(at, positions=1, grid=None, points=None, prefix=0)

    def decide(self, spec: specs.TokenPool, edge: Edge) -> str:
        return {"token": "the class token", "avg": "mean over the grid"}[spec.kind]

    def cost(self, spec: specs.TokenPool, edge: Edge, positions: int) -> Cost:
        assert isinstance(edge, Features)
        if spec.kind == "token":
            return Cost(reads=spec.feature_type.dim)
        summed = (positions - edge.prefix) * spec.feature_type.dim
        return Cost(other=(("elementwise", summed),), reads=summed)

    def emit(self, spec: specs.TokenPool, edge: Edge, factory: Factory) -> nn.Layer:
        assert isinstance(edge, Features)
        return nn.TokenPool(spec.kind, edge.prefix)


register(specs.PositionalEmbedding, PositionalEmbeddingRule())
register(specs.ClassToken, ClassTokenRule())
register(specs.Attention, AttentionRule())
register(specs.Restrict, RestrictRule())
register(specs.TokenPool, TokenPoolRule())
