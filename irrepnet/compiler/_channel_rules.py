"""Rules of the layers that act on channels, position by position."""

from __future__ import annotations

from dataclasses import replace

from irrepnet import nn, specs
from irrepnet._errors import FeatureTypeError, SpecError
from irrepnet.compiler._cost_of_basis import (
    basis_flops,
    common_blocks,
    gset_of,
    lowered,
    num_weights,
    product_flops,
)
from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._meet import require_features
from irrepnet.compiler._mixing_rules import on_tokens, require_tokens, token_bias_cost
from irrepnet.compiler._rule import NOTHING, Cost, Factory, register
from irrepnet.types import (
    ACTIVATION_BASES,
    INITIALISATIONS,
    FeatureType,
    GSetType,
    acts_directly,
    check_choice,
    check_eps,
    check_invariants,
    check_linear,
    check_lowering,
    check_norm,
    check_rate,
    chosen_gset,
    describe_lowering,
)


class LinearRule:
    """`specs.Linear`: one product for each irrep."""

    def source(self, spec: specs.Linear) -> Edge:
        return Features(spec.in_type)

    def check(self, spec: specs.Linear, edge: Edge) -> tuple[specs.Linear, Edge]:
        at = require_features(edge, spec.in_type)
        check_linear(spec.in_type, spec.out_type)
        check_lowering(spec.lowering or "separate", spec.out_type)
        check_choice("initialisation", spec.init, INITIALISATIONS)
        return spec, replace(at, type=spec.out_type)

    def decide(self, spec: specs.Linear, edge: Edge) -> str:
        blocks = "; ".join(
            f"{a.irrep.name}: {b.multiplicity} x {a.multiplicity} "
            f"{ {1: 'real', 2: 'complex', 4: 'quaternionic'}[a.irrep.end_dim] }"
            + (f", {a.irrep.dim} components" if a.irrep.dim > 1 else "")
            for a, b in common_blocks(spec.in_type, spec.out_type)
        )
        dense = spec.in_type.dim * spec.out_type.dim
        bias = spec.out_type.num_invariants if spec.bias else 0
        lowered = (
            ""
            if spec.lowering in (None, "separate")
            else f"\nlowered {describe_lowering(spec.lowering)}"
        )
        return (
            f"{blocks}\n{num_weights(spec.in_type, spec.out_type)} of {dense} weights of the dense "
            f"map, {product_flops(spec.in_type, spec.out_type)} of {2 * dense} FLOPs a position; "
            f"bias on {bias} of {spec.out_type.dim} channels{lowered}"
        )

    def cost(self, spec: specs.Linear, edge: Edge, positions: int) -> Cost:
        bias = spec.out_type.num_invariants if spec.bias else 0
        products, read = lowered(spec.in_type, spec.out_type, spec.lowering)
        return Cost(
            params=num_weights(spec.in_type, spec.out_type) + bias,
            matmul=positions * products,
            other=(("bias", positions * bias),),
            weights=read + bias,
        )

    def emit(self, spec: specs.Linear, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.IsotypicLinear(
            spec.in_type,
            spec.out_type,
            spec.bias,
            spec.init,
            spec.lowering or "separate",
            **factory.kwargs,
        )


class LayerNormRule:
    """`specs.LayerNorm`: centring, one joint scale, affine."""

    def source(self, spec: specs.LayerNorm) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.LayerNorm, edge: Edge) -> tuple[specs.LayerNorm, Edge]:
        at = require_features(edge, spec.feature_type)
        check_norm(spec.feature_type, spec.centring, spec.weighting)
        check_eps(spec.eps)
        return spec, at

    def decide(self, spec: specs.LayerNorm, edge: Edge) -> str:
        return f"centring {spec.centring}, variance weighted by {spec.weighting}"

    def cost(self, spec: specs.LayerNorm, edge: Edge, positions: int) -> Cost:
        x = spec.feature_type
        params = sum(x.multiplicities) + x.num_invariants if spec.affine else 0
        # Mean and subtraction where centred; square, sum, scaling; affine scale and shift.
        centred = {"every_irrep": x.dim, "invariant": x.num_invariants, "none": 0}[spec.centring]
        centred = 0 if spec.centred_input else centred
        affine = x.dim + x.num_invariants if spec.affine else 0
        return Cost(params, other=(("norm", positions * (2 * centred + 3 * x.dim + affine)),))

    def emit(self, spec: specs.LayerNorm, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.IsotypicLayerNorm(
            spec.feature_type,
            spec.centring,
            spec.weighting,
            spec.eps,
            spec.affine,
            spec.centred_input,
            **factory.kwargs,
        )


class ActivationRule:
    """`specs.Activation`: a pointwise function on the points of a G-set.

    Where there is no such G-set an odd function may still act on the stored channels, if the group
    permutes them up to sign; the resolved spec then has no points, `gset=()`.
    """

    def source(self, spec: specs.Activation) -> Edge:
        if spec.points is not None:
            return on_tokens(spec.feature_type, spec.points)
        return Features(spec.feature_type)

    def check(self, spec: specs.Activation, edge: Edge) -> tuple[specs.Activation, Edge]:
        nn.check_function(spec.function)
        for side in (spec.enter, spec.leave):
            check_choice("basis", side, ACTIVATION_BASES)
        if spec.points is not None:
            require_tokens(edge, spec.feature_type, spec.points)
            if spec.gset == () or spec.enter == "points":
                raise SpecError(
                    "got an activation that adds a bias on tokens to features which are not in "
                    "irreps, or have no points: expected a TokenBias before it."
                )
        if acts_directly(spec.feature_type, spec.function, spec.gset):
            return replace(spec, gset=()), require_features(edge, spec.feature_type)
        gset = chosen_gset(spec.feature_type, spec.gset)
        on_points = gset if spec.enter == "points" else None
        at = require_features(edge, spec.feature_type, gset=on_points)
        left = gset if spec.leave == "points" else None
        return replace(spec, gset=gset.counts), replace(at, gset=left)

    def points_in(self, spec: specs.Activation) -> GSetType | None:
        """The points on which the input is needed, if any; a bias is added in irreps."""
        return self.points_out(spec) if spec.points is None else None

    def points_out(self, spec: specs.Activation) -> GSetType | None:
        """The points on which the output could stay."""
        return gset_of(spec) if spec.gset else None

    def decide(self, spec: specs.Activation, edge: Edge) -> str:
        if not spec.gset:
            return (
                f"{spec.function} on the stored channels: it is odd, the group permutes them up to "
                f"sign, and they are no permutation representation"
            )
        shifted = "" if spec.points is None else "bias on tokens, then "
        return f"{shifted}{spec.function} on {gset_of(spec)}"

    def cost(self, spec: specs.Activation, edge: Edge, positions: int) -> Cost:
        products, additions = basis_flops(gset_of(spec))  # none without points
        if not spec.normalised:  # one addition for each channel, no factor
            additions //= 2
        changes = [spec.enter, spec.leave].count("irreps")
        bias = Cost() if spec.points is None else token_bias_cost(spec.feature_type, spec.points)
        on_features = changes * positions * products
        return Cost(
            bias.params,
            matmul=on_features + bias.matmul,
            on_features=on_features,
            on_products=0 if spec.points is None else on_features,
            on_weights=bias.on_weights,
            recomputed=positions * products if changes == 2 else 0,
            other=(
                *bias.other,
                ("basis change", changes * positions * additions),
                ("activation", positions * spec.feature_type.dim),
            ),
        )

    def emit(self, spec: specs.Activation, edge: Edge, factory: Factory) -> nn.Layer:
        if not spec.gset:
            return nn.DirectActivation(spec.feature_type, spec.function, **factory.kwargs)
        return nn.GSetActivation(
            gset_of(spec),
            spec.function,
            spec.enter,
            spec.leave,
            spec.normalised,
            spec.overwrite,
            spec.points,
            **factory.kwargs,
        )


class ToIrrepsRule:
    """`specs.ToIrreps`: a change of basis."""

    def source(self, spec: specs.ToIrreps) -> Edge:
        return Features(spec.feature_type, gset=GSetType(spec.feature_type.group, spec.gset))

    def check(self, spec: specs.ToIrreps, edge: Edge) -> tuple[specs.ToIrreps, Edge]:
        gset = GSetType(spec.feature_type.group, spec.gset)
        at = require_features(edge, spec.feature_type, gset=gset)
        return spec, replace(at, gset=None)

    def decide(self, spec: specs.ToIrreps, edge: Edge) -> str:
        return f"from {GSetType(spec.feature_type.group, spec.gset)}"

    def cost(self, spec: specs.ToIrreps, edge: Edge, positions: int) -> Cost:
        products, additions = basis_flops(GSetType(spec.feature_type.group, spec.gset))
        moved = positions * products
        other = (("basis change", positions * additions),)
        return Cost(matmul=moved, other=other, on_features=moved)

    def emit(self, spec: specs.ToIrreps, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.ToIrreps(GSetType(spec.feature_type.group, spec.gset), **factory.kwargs)


class LayerScaleRule:
    """`specs.LayerScale`: one factor a copy."""

    def source(self, spec: specs.LayerScale) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.LayerScale, edge: Edge) -> tuple[specs.LayerScale, Edge]:
        return spec, require_features(edge, spec.feature_type)

    def decide(self, spec: specs.LayerScale, edge: Edge) -> str:
        return "one factor for each copy"

    def cost(self, spec: specs.LayerScale, edge: Edge, positions: int) -> Cost:
        x = spec.feature_type
        return Cost(sum(x.multiplicities), other=(("elementwise", positions * x.dim),))

    def emit(self, spec: specs.LayerScale, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.LayerScale(spec.feature_type, spec.init, **factory.kwargs)


class DropPathRule:
    """`specs.DropPath`: nothing at inference."""

    def source(self, spec: specs.DropPath) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.DropPath, edge: Edge) -> tuple[specs.DropPath, Edge]:
        check_rate(spec.rate)
        return spec, require_features(edge, spec.feature_type, any_basis=True)

    def decide(self, spec: specs.DropPath, edge: Edge) -> str:
        return f"one draw a sample, rate {spec.rate:g}"

    def cost(self, spec: specs.DropPath, edge: Edge, positions: int) -> Cost:
        return NOTHING

    def emit(self, spec: specs.DropPath, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.DropPath(spec.rate)


class InvariantDropoutRule:
    """`specs.InvariantDropout`: nothing at inference."""

    def source(self, spec: specs.InvariantDropout) -> Edge:
        return Features(spec.feature_type)

    def check(
        self, spec: specs.InvariantDropout, edge: Edge
    ) -> tuple[specs.InvariantDropout, Edge]:
        check_rate(spec.rate)
        x = spec.feature_type
        if x.num_invariants != x.dim:
            raise FeatureTypeError(
                f"dropping single channels of {x} is not equivariant: expected trivial irreps "
                f"only; take invariants first (InvariantMap)."
            )
        return spec, require_features(edge, x)

    def decide(self, spec: specs.InvariantDropout, edge: Edge) -> str:
        return f"rate {spec.rate:g}"

    def cost(self, spec: specs.InvariantDropout, edge: Edge, positions: int) -> Cost:
        return NOTHING

    def emit(self, spec: specs.InvariantDropout, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.InvariantDropout(spec.rate)


class InvariantMapRule:
    """`specs.InvariantMap`: trivial copies, and norms."""

    def source(self, spec: specs.InvariantMap) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.InvariantMap, edge: Edge) -> tuple[specs.InvariantMap, Edge]:
        at = require_features(edge, spec.feature_type)
        count = check_invariants(spec.feature_type, spec.kind)
        return spec, replace(at, type=FeatureType.trivial(at.group, count))

    def decide(self, spec: specs.InvariantMap, edge: Edge) -> str:
        return {
            "trivial": "trivial copies",
            "norm": "trivial copies and norms",
            "rms": "trivial copies and root mean squares",
        }[spec.kind]

    def cost(self, spec: specs.InvariantMap, edge: Edge, positions: int) -> Cost:
        if spec.kind == "trivial":  # the first channels of the input
            return NOTHING
        x = spec.feature_type
        # |a| is one operation a copy; a norm of d components is d squares, d - 1 additions, a root.
        norm = sum(b.multiplicity * (2 * b.irrep.dim if b.irrep.dim > 1 else 1) for b in x.blocks)
        scaled = sum(b.multiplicity for b in x.blocks if b.irrep.dim > 1)
        found = norm - x.num_invariants + (scaled if spec.kind == "rms" else 0)
        return Cost(other=(("elementwise", positions * found),))

    def emit(self, spec: specs.InvariantMap, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.InvariantMap(spec.feature_type, spec.kind)


register(specs.Linear, LinearRule())
register(specs.LayerNorm, LayerNormRule())
register(specs.Activation, ActivationRule())
register(specs.ToIrreps, ToIrrepsRule())
register(specs.LayerScale, LayerScaleRule())
register(specs.DropPath, DropPathRule())
register(specs.InvariantDropout, InvariantDropoutRule())
register(specs.InvariantMap, InvariantMapRule())
