"""Rules of activations without points, and of invariants."""

from __future__ import annotations

from dataclasses import replace

from irrepnet import nn, specs
from irrepnet.compiler._cost_of_basis import basis_flops
from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._meet import require_features
from irrepnet.compiler._rule import Cost, Factory, register
from irrepnet.types import (
    FeatureType,
    PolynomialInvariants,
    absolute_type,
    check_count,
    check_pointwise,
    polynomial_invariants,
    smallest_part,
)


class DirectActivationRule:
    """`specs.DirectActivation`: the theorem."""

    def source(self, spec: specs.DirectActivation) -> Edge:
        return Features(spec.feature_type)

    def check(
        self, spec: specs.DirectActivation, edge: Edge
    ) -> tuple[specs.DirectActivation, Edge]:
        nn.check_function(spec.function)
        at = require_features(edge, spec.feature_type)
        if check_pointwise(spec.feature_type, spec.function) != "even":
            return spec, at
        return spec, replace(at, type=absolute_type(spec.feature_type).gset.feature_type)

    def decide(self, spec: specs.DirectActivation, edge: Edge) -> str:
        reason = {
            "any": "the group leaves every channel alone",
            "odd": "odd, where the group permutes channels up to sign",
            "even": "even, where the group permutes channels up to sign: signs vanish",
        }
        return f"{spec.function}: {reason[check_pointwise(spec.feature_type, spec.function)]}"

    def cost(self, spec: specs.DirectActivation, edge: Edge, positions: int) -> Cost:
        x, products, additions = spec.feature_type, 0, 0
        if check_pointwise(x, spec.function) == "even":
            products, additions = basis_flops(absolute_type(x).gset)
        other = (("activation", positions * x.dim), ("basis change", positions * additions))
        moved = positions * products
        return Cost(matmul=moved, other=other, on_features=moved)

    def emit(self, spec: specs.DirectActivation, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.DirectActivation(spec.feature_type, spec.function, **factory.kwargs)


class GatedRule:
    """`specs.Gated`: products with functions of invariants."""

    def source(self, spec: specs.Gated) -> Edge:
        return Features(spec.in_type)

    def check(self, spec: specs.Gated, edge: Edge) -> tuple[specs.Gated, Edge]:
        nn.check_function(spec.function)
        nn.check_function(spec.gate)
        at = require_features(edge, spec.in_type)
        return spec, replace(at, type=spec.feature_type)

    def decide(self, spec: specs.Gated, edge: Edge) -> str:
        return (
            f"{spec.function} on {spec.feature_type.num_invariants} trivial copies, "
            f"{spec.gate} of {spec.gates} gates"
        )

    def cost(self, spec: specs.Gated, edge: Edge, positions: int) -> Cost:
        x = spec.feature_type
        evaluated = x.num_invariants + spec.gates
        return Cost(
            other=(
                ("activation", positions * evaluated),
                ("elementwise", positions * (x.dim - x.num_invariants)),
            )
        )

    def emit(self, spec: specs.Gated, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.Gated(spec.feature_type, spec.function, spec.gate)


class NormActivationRule:
    """`specs.NormActivation`: products with functions of norms."""

    def source(self, spec: specs.NormActivation) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.NormActivation, edge: Edge) -> tuple[specs.NormActivation, Edge]:
        nn.check_function(spec.function)
        return spec, require_features(edge, spec.feature_type)

    def decide(self, spec: specs.NormActivation, edge: Edge) -> str:
        return f"{spec.function} of the norm of each copy plus a bias"

    def cost(self, spec: specs.NormActivation, edge: Edge, positions: int) -> Cost:
        x = spec.feature_type
        copies = sum(x.multiplicities)
        # |a| is one operation; a norm of d components is d squares, d - 1 additions and a root.
        norms = sum(
            b.multiplicity * (2 * b.irrep.dim if b.irrep.dim > 1 else 1)
            for b in x.blocks
            if b.irrep.index
        )
        return Cost(
            params=copies,
            other=(
                ("activation", positions * copies),
                ("elementwise", positions * (norms + copies + x.dim)),
            ),
        )

    def emit(self, spec: specs.NormActivation, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.NormActivation(spec.feature_type, spec.function, **factory.kwargs)


class MaxFilterRule:
    """`specs.MaxFilter`: a linear map in every position, then a maximum."""

    def source(self, spec: specs.MaxFilter) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.MaxFilter, edge: Edge) -> tuple[specs.MaxFilter, Edge]:
        at = require_features(edge, spec.feature_type)
        check_count(spec.filters, "filters")
        return spec, replace(at, type=FeatureType.trivial(at.group, spec.filters))

    def decide(self, spec: specs.MaxFilter, edge: Edge) -> str:
        return f"{spec.filters} vectors in {spec.feature_type.group.order} positions"

    def cost(self, spec: specs.MaxFilter, edge: Edge, positions: int) -> Cost:
        x = spec.feature_type
        moved = sum(b.irrep.dim**2 * b.multiplicity for b in x.blocks)
        fits = x.group.order * spec.filters
        return Cost(
            params=spec.filters * x.dim,
            matmul=2 * fits * (positions * x.dim + moved),
            other=(("elementwise", positions * fits),),
            on_weights=2 * fits * moved,
            weights=fits * x.dim,
        )

    def emit(self, spec: specs.MaxFilter, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.MaxFilter(spec.feature_type, spec.filters, **factory.kwargs)


class PolynomialMapRule:
    """`specs.PolynomialMap`: monomials, then a product with the generators' coefficients."""

    def source(self, spec: specs.PolynomialMap) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: specs.PolynomialMap, edge: Edge) -> tuple[specs.PolynomialMap, Edge]:
        at = require_features(edge, spec.feature_type)
        found, times = _generators(spec)
        return spec, replace(at, type=FeatureType.trivial(at.group, len(found.degrees) * times))

    def decide(self, spec: specs.PolynomialMap, edge: Edge) -> str:
        found, times = _generators(spec)
        degrees = sorted(set(found.degrees))
        numbers = ", ".join(f"{found.degrees.count(k)} of degree {k}" for k in degrees)
        return f"generators of each of {times} parts: {numbers}"

    def cost(self, spec: specs.PolynomialMap, edge: Edge, positions: int) -> Cost:
        found, times = _generators(spec)
        terms = len(found.monomials) * times * positions
        return Cost(
            matmul=2 * len(found.degrees) * terms,
            on_features=2 * len(found.degrees) * terms,
            other=(("elementwise", (found.max_degree - 1) * terms),),
        )

    def emit(self, spec: specs.PolynomialMap, edge: Edge, factory: Factory) -> nn.Layer:
        return nn.PolynomialMap(spec.feature_type, spec.degree, **factory.kwargs)


def _generators(spec: specs.PolynomialMap) -> tuple[PolynomialInvariants, int]:
    part, times = smallest_part(spec.feature_type)
    return polynomial_invariants(part, spec.degree), times


register(specs.DirectActivation, DirectActivationRule())
register(specs.Gated, GatedRule())
register(specs.NormActivation, NormActivationRule())
register(specs.MaxFilter, MaxFilterRule())
register(specs.PolynomialMap, PolynomialMapRule())
