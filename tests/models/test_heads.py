"""Every kind of invariants, asked of a registered model by name."""

import pytest
import torch

import irrepnet as ir
from irrepnet import specs, testing
from irrepnet._errors import FeatureTypeError, SpecError
from irrepnet.types import FeatureType, polynomial_invariants
from tests.models.narrow import images
from tests.models.test_families import random_small, small

KINDS = ("rms", "max_filter", ("max_filter", 5), "polynomial", ("polynomial", 2))
MODELS = ("vit_tiny_patch16_224", "resmlp_12_224", "convnext_tiny")


def keeps_its_promises(model: ir.nn.Classifier) -> None:
    testing.assert_equivariant(model)
    testing.assert_matches_dense(model)
    testing.assert_flops(model, (3, *model.plan.source.size))


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_heads(name: str, kind: specs.Invariants) -> None:
    model = random_small(name, "flop", invariants=kind)
    keeps_its_promises(model)
    x = model.plan.spec.feature_type  # as many copies of sym as of asym
    expected = {"rms": x.dim, "max_filter": x.dim, ("max_filter", 5): 5}
    # Of s and a, up to degree 3: s and a^2 generate all.
    width = expected.get(kind, x.dim)
    assert model.head.fc.in_dim == width
    assert ir.specs.from_json(model.plan.spec.to_json()) == model.plan.spec


@pytest.mark.parametrize("group", ["C4", "D4"])
@pytest.mark.parametrize("kind", ["max_filter", ("polynomial", 2)], ids=str)
def test_early_invariants(group: str, kind: specs.Invariants) -> None:
    model = random_small("vit_tiny_patch16_224", group, invariant_at=(kind, 1))
    keeps_its_promises(model)
    assert model.plan.spec.feature_type == FeatureType.trivial(model.plan.target.group, 32)


def test_the_octic_regular_type_has_32_polynomials_up_to_degree_5() -> None:
    x = FeatureType.regular(ir.groups.octic(), 16)
    layer, seen = specs.invariants(x, ("polynomial", 5))
    assert layer == specs.PolynomialMap(x, 5)
    assert str(seen) == "64*A1"
    assert seen == layer.out_type
    assert len(polynomial_invariants(FeatureType.regular(x.group, 8), 5).degrees) == 32


def test_the_logits_do_not_change_with_the_image() -> None:
    model = random_small("vit_tiny_patch16_224", "D4", invariants=("max_filter", 8))
    x = images(model)
    for moved in (x.rot90(1, (2, 3)), x.flip(3)):
        assert torch.allclose(model(moved), model(x), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("cubic", SpecError, r"^head.invariants: unknown invariant 'cubic': expected one of tri"),
        (("norm", 3), SpecError, r"unknown invariant \('norm', 3\): .* the last two alone or with"),
        (("max_filter", 0), SpecError, r"a number above zero: \('max_filter', filters\), \('pol"),
        (("polynomial", 2.5), SpecError, r"unknown invariant \('polynomial', 2.5\)"),
        (("polynomial", 9999), FeatureTypeError, r"^head.invariants: .* has 10000 monomials of d"),
        (3, SpecError, r"unknown invariant 3"),
    ],
)
@pytest.mark.parametrize("name", MODELS)
def test_what_is_refused(
    name: str, kind: specs.Invariants, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        small(name, "flop", invariants=kind, device="meta")
