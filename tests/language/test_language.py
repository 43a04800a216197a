"""The language of specs and types: composing, printing as code, types in and out, algebra."""

import random
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import irrepnet as ir
from irrepnet import actions, groups, reps, specs
from irrepnet._errors import GroupError, IrrepMismatchError, SpecError
from irrepnet.compiler import Features
from irrepnet.types import FeatureType

NAMES = {"specs": specs, "groups": groups, "actions": actions, "FeatureType": FeatureType}
G = groups.flop()
X = FeatureType(G, "2*sym + 2*asym")
FC, ACT, NORM = specs.Linear(X, X), specs.Activation(X), specs.LayerNorm(X)
SMALL = {"img_size": 32, "patch": 8, "width": 32, "heads": 2, "depth": 2, "num_classes": 3}


def model_spec(group: str = "D4", **options: object) -> specs.Classifier:
    return ir.models.model_spec("vit_tiny_patch16_224", group, **{**SMALL, **options})


# -- composing ----------------------------------------------------------------------------------


def test_composition_is_associative() -> None:
    whole = (FC >> ACT) >> (NORM >> FC)
    assert whole == FC >> (ACT >> (NORM >> FC)) == ((FC >> ACT) >> NORM) >> FC
    assert [name for name, _ in whole.steps] == ["0", "1", "2", "3"]


def test_named_chains_stay_one_step() -> None:
    named = specs.chain(fc=FC, act=ACT)
    assert (named >> NORM).steps == (("0", named), ("1", NORM))
    assert specs.chain(NORM, fc=FC).steps == (("0", NORM), ("fc", FC))


def test_repetition_is_a_chain_of_copies() -> None:
    block = specs.residual(NORM >> FC >> ACT)
    net = ir.compile(3 * block >> NORM, dtype=torch.float64)
    assert (3 * block) == (block * 3)
    assert [name for name, _ in net.named_children()] == ["0", "1"]
    assert len(list(net.get_submodule("0").children())) == 3
    ir.testing.assert_equivariant(ir.testing.randomise_(net))


def test_a_composed_network_computes_what_its_layers_do() -> None:
    net = ir.compile(specs.residual(FC >> ACT) >> FC)
    x = torch.randn(5, 4)
    inner, last = net.get_submodule("0"), net.get_submodule("1")
    fc, act = inner.get_submodule("0"), inner.get_submodule("1")
    assert torch.equal(net(x), last(x + act(fc(x))))


@pytest.mark.parametrize("times", [0, -1])
def test_no_copies_are_refused(times: int) -> None:
    with pytest.raises(SpecError, match=f"got {times} copies of a spec: expected at least one"):
        times * FC
    with pytest.raises(TypeError):
        FC >> 3  # type: ignore[operator]
    with pytest.raises(TypeError):
        FC * 1.5  # type: ignore[operator]


# -- printing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["trivial", "flop", "C4", "klein_four", "D4"])
def test_models_print_as_code(group: str) -> None:
    spec = model_spec(group)
    assert eval(repr(spec), NAMES) == spec
    assert eval(repr(spec.features), NAMES) == spec.features


def test_layers_print_as_short_code() -> None:
    assert repr(FC) == f"specs.Linear({X!r}, {X!r})"
    assert repr(specs.LayerNorm(X, affine=False)) == f"specs.LayerNorm({X!r}, affine=False)"
    assert repr(actions.image("D4")) == "actions.image('D4')"
    other = actions.image("D4").restrict(actions.image("D4").group.subgroup([2]))
    points = actions.natural(groups.symmetric(3))
    embed = specs.PositionalEmbedding(FeatureType(other.group, "2*chi0"), other, (2, 2))
    for value in (other, points, embed, 2 * FC >> ACT, specs.residual(a=FC)):
        assert eval(repr(value), NAMES) == value


def test_your_own_spec_prints_its_own_name() -> None:
    @dataclass(frozen=True)
    class Mine(specs.Spec):
        feature_type: FeatureType
        size: int = 3

    assert repr(Mine(X)) == f"Mine({X!r})"
    assert repr(Mine(X, 4)) == f"Mine({X!r}, size=4)"
    with pytest.raises(SpecError, match="is no layer that the compiler knows"):
        _ = Mine(X).out_type
    del specs.Spec.known["Mine"]


# -- types in and out ---------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"invariant_at": ("rms", 1), "register_tokens": 2}])
def test_every_spec_of_a_model_knows_its_types(options: dict) -> None:
    plan = ir.compile(model_spec(**options)).plan
    for node in plan.root.walk():
        if type(node.spec) in (specs.TokenPool, specs.Activation, specs.ToIrreps):
            continue  # as parts of a network they depend on what stands before
        for edge, found in ((node.source, "in_type"), (node.target, "out_type")):
            expected = edge.type if isinstance(edge, Features) else None
            assert getattr(node.spec, found) == expected, (node.path, found)


def test_types_of_small_specs() -> None:
    assert FC.in_type == FC.out_type == X
    assert str(specs.Attention(X, 2).in_type) == "6*sym + 6*asym"
    assert str(specs.InvariantMap(X, "norm").out_type) == "4*sym"
    assert str(specs.Gated(X).in_type) == "4*sym + 2*asym"
    assert (FC >> specs.InvariantMap(X)).out_type == FeatureType.trivial(G, 2)
    assert model_spec().in_type is None


def test_a_spec_that_does_not_fit_says_where() -> None:
    with pytest.raises(IrrepMismatchError, match=r"1 \(Activation\): got 2\*sym \+ 2\*asym"):
        _ = (FC >> specs.Activation(2 * X)).out_type


# -- algebra of types ---------------------------------------------------------------------------

GROUPS = [groups.flop(), groups.cyclic(4), groups.dihedral(4), groups.quaternion()]


@pytest.mark.parametrize("group", [*GROUPS, groups.alternating(5)], ids=str)
def test_products_and_restrictions_have_the_right_characters(group: groups.Group) -> None:
    drawn = random.Random(0)
    a, b = (FeatureType(group, [drawn.randint(0, 2) for _ in group.irreps]) for _ in range(2))
    sub = group.subgroup([group.generators[-1]])
    for g in range(group.order):
        traces = [np.trace(t.matrix(g)) for t in (a @ b, a, b)]
        assert traces[0] == pytest.approx(traces[1] * traces[2])
    for small, large in enumerate(sub.elements):
        assert np.trace(a.restrict(sub).matrix(small)) == pytest.approx(np.trace(a.matrix(large)))
    one = FeatureType.trivial(group, 1)
    assert a @ one == a
    assert a @ b == b @ a
    assert (a + b).restrict(sub) == a.restrict(sub) + b.restrict(sub)
    assert (a @ b).dim == a.dim * b.dim


def test_regular_absorbs() -> None:
    """`R[G] (x) V` is `dim V` times regular."""
    for group in GROUPS:
        regular = FeatureType.regular(group, group.order)
        v = FeatureType(group, [1] * len(group.irreps))
        assert regular @ v == v.dim * regular


def test_comparison_is_containment() -> None:
    small, large = FeatureType(G, "sym + asym"), FeatureType(G, "2*sym + asym")
    assert small < large
    assert small <= large
    assert large >= small
    assert large > small
    assert not small < small
    assert not FeatureType(G, "3*asym") <= large
    with pytest.raises(TypeError):
        _ = small <= FeatureType(groups.cyclic(4), "chi0")


def test_algebra_between_groups_is_refused() -> None:
    other = FeatureType(groups.cyclic(4), "chi0")
    with pytest.raises(
        IrrepMismatchError, match=r"cannot multiply .* over flop by 1\*chi0 over C4"
    ):
        X @ other
    with pytest.raises(GroupError, match="the subgroup lies in C4: expected a subgroup of flop"):
        X.restrict(groups.cyclic(4).subgroup([]))
    assert reps.tensor  # the oracle of `@` for single irreps, tested with representations
