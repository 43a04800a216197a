"""Max filters, polynomial invariants and root mean squares."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import nn, specs
from irrepnet._errors import FeatureTypeError, SpecError
from irrepnet.types import FeatureType, molien, polynomial_invariants, smallest_part
from tests.activations.test_nonlinear import split
from tests.nn.contract import GROUPS, LayerContract, group, rho, typed


class InvariantContract(LayerContract):
    def in_repr(self, layer: nn.Layer) -> list[str]:
        return [str(layer.plan.source.type)]


class TestMaxFilter(InvariantContract):
    CASES = tuple(GROUPS)
    ANY_AXES = True

    def make(self, case: str) -> specs.Spec:
        return specs.MaxFilter(typed(case), 4)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.MaxFilter)
        moved = [
            x @ torch.tensor(rho(layer.feature_type, a)).t() @ layer.weight.t()
            for a in range(layer.feature_type.group.order)
        ]
        return torch.stack(moved).amax(0)


class TestPolynomialMap(InvariantContract):
    CASES = ("flop", "C4", "D3", "D4", "Q8", "regular D4")
    ANY_AXES = True

    def make(self, case: str) -> specs.Spec:
        texts = {
            "flop": "2*sym + 4*asym",
            "C4": "2*chi0 + 2*chi2",
            "D3": "3*A2 + 3*E",
            "D4": "2*A1 + 2*B2 + 2*E",
            "Q8": "chi0 + chi4",
        }
        if case == "regular D4":
            return specs.PolynomialMap(FeatureType.regular(group("D4"), 16), 2)
        return specs.PolynomialMap(typed(case, texts[case]), 3)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        """Each generator of each part, monomial by monomial."""
        assert isinstance(layer, nn.PolynomialMap)
        part, times = smallest_part(layer.feature_type)
        found = polynomial_invariants(part, layer.degree)
        outs = []
        for row in found.coefficients:
            for t in range(times):
                values = [p[..., t::times].flatten(-2) for p in split(x, layer.feature_type)]
                v = torch.cat([p for p in values if p.shape[-1]], -1)
                terms = [
                    c * torch.stack([v[..., i] for i in m]).prod(0)
                    for c, m in zip(row, found.monomials, strict=True)
                ]
                outs.append(sum(terms))
        return torch.stack(outs, -1)


class TestRMS(InvariantContract):
    CASES = tuple(GROUPS)
    ANY_AXES = True

    def make(self, case: str) -> specs.Spec:
        return specs.InvariantMap(typed(case), "rms")

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        trivial, *others = split(x, layer.plan.source.type)
        parts = [trivial.flatten(-2), *(p.square().mean(-2).sqrt() for p in others if p.numel())]
        return torch.cat(parts, -1)


def test_the_power_spectrum_is_the_norm_of_each_copy() -> None:
    """Squared, it is the diagonal of the Gram matrices of the copies of each irrep."""
    x = typed("D4", "A1 + 3*E")
    value = torch.randn(x.dim, dtype=torch.float64)
    e = value[1:].view(2, 3)
    got = ir.compile(specs.InvariantMap(x, "norm"))(value)[1:]
    assert torch.allclose(got.square(), (e.t() @ e).diagonal())


def test_molien_counts_averages() -> None:
    """The rank of the averages of all monomials, by evaluation at random points."""
    for name, text in (("D4", "A2 + E"), ("C4", "chi1 + chi2"), ("D3", "A1 + E"), ("Q8", "chi4")):
        x = typed(name, text)
        matrices = np.stack([rho(x, a) for a in range(x.group.order)])
        points = np.random.default_rng(0).normal(size=(80, x.dim))
        orbits = np.einsum("gij,nj->gni", matrices, points)
        for k in range(1, 5):
            columns = [
                orbits[..., list(m)].prod(-1).mean(0)
                for m in itertools.combinations_with_replacement(range(x.dim), k)
            ]
            assert np.linalg.matrix_rank(np.stack(columns), tol=1e-8) == molien(x, k)[k]


def test_the_octic_paper_has_32_generators() -> None:
    found = polynomial_invariants(FeatureType.regular(group("D4"), 8), 5)
    assert len(found.degrees) == 32
    assert [found.degrees.count(k) for k in (1, 2, 3, 4, 5)] == [1, 6, 8, 12, 5]


def test_generators_separate_orbits_of_the_quarter_turn() -> None:
    """Norms do not see the angle between two copies; degree two does."""
    x = typed("C4", "2*chi2")
    apart = torch.tensor([1.0, 1, 0, 0], dtype=torch.float64)  # both copies along one axis
    across = torch.tensor([1.0, 0, 0, 1], dtype=torch.float64)  # at a right angle
    norms = ir.compile(specs.InvariantMap(x, "norm"))
    assert torch.equal(norms(apart), norms(across))
    part = FeatureType(x.group, "2*chi2 + chi0")  # no common divisor: one part, copies together
    found = ir.compile(specs.PolynomialMap(part, 2), dtype=torch.float64)
    pad = torch.zeros(1, dtype=torch.float64)
    assert not torch.allclose(found(torch.cat([pad, apart])), found(torch.cat([pad, across])))


def test_polynomials_are_deterministic_and_independent_of_each_other() -> None:
    first = polynomial_invariants(typed("D4", "A2 + E"), 4)
    polynomial_invariants.cache_clear()
    again = polynomial_invariants(typed("D4", "A2 + E"), 4)
    assert first.monomials == again.monomials
    assert (first.coefficients == again.coefficients).all()


@pytest.mark.parametrize(
    ("text", "degree", "message"),
    [
        ("A1 + E", 0, "has 0 monomials of degree 0: expected between 1 and 5000"),
        ("7*A1 + 15*E", 4, "has 91390 monomials of degree 4"),
        ("A2", 1, "A2 has no invariant polynomial of degree 1 to 1: expected a larger degree"),
    ],
)
def test_polynomials_that_are_refused(text: str, degree: int, message: str) -> None:
    with pytest.raises(FeatureTypeError, match=message):
        ir.compile(specs.PolynomialMap(typed("D4", text), degree))


def test_other_refusals() -> None:
    with pytest.raises(SpecError, match="got 0 filters: expected at least one"):
        ir.compile(specs.MaxFilter(typed("D4"), 0))
    with pytest.raises(FeatureTypeError, match="the type 0 over D4 has no channels"):
        ir.compile(specs.PolynomialMap(typed("D4", "0")))


def test_a_polynomial_that_is_not_invariant_is_found() -> None:
    net = ir.compile(specs.PolynomialMap(typed("D4", "A2 + E"), 2), dtype=torch.float64)
    assert isinstance(net, nn.PolynomialMap)
    net.coefficients[1, -1] = 0.0
    net._sources["coefficients"] = net.coefficients.numpy()
    assert ir.certify(net).worst > 1e-2
