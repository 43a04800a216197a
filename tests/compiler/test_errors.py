"""What the compiler refuses: each message names the layer, what it got and what it needs."""

import re
from dataclasses import dataclass

import pytest

import irrepnet as ir
from irrepnet import actions, groups, specs
from irrepnet._errors import (
    ActivationError,
    FeatureTypeError,
    GridError,
    GroupError,
    HeadsError,
    IrrepMismatchError,
    IrrepnetError,
    SpecError,
)
from irrepnet.compiler import Cost, LayerRule
from irrepnet.types import FeatureType

G = groups.flop()
D4 = groups.dihedral(4)
C2 = groups.cyclic(2)
X = FeatureType(G, "2*sym + 2*asym")
Y = FeatureType(G, "2*sym + 3*asym")
Z = FeatureType.regular(D4, 16)
FLOP = actions.image("flop")
SQUARE = actions.image("D4")
EMBED = specs.PatchEmbed(FLOP, 3, (8, 8), (4, 4), X)


def chain(*steps: specs.Spec) -> specs.Chain:
    return specs.Chain(tuple((f"s{i}", step) for i, step in enumerate(steps)))


def residual(*steps: specs.Spec) -> specs.Residual:
    return specs.Residual(tuple((f"s{i}", step) for i, step in enumerate(steps)))


CASES = [
    # -- types meet
    (
        chain(specs.LayerNorm(X), specs.Linear(Y, X)),
        IrrepMismatchError,
        "s1 (Linear): got 2*sym + 2*asym over flop, expected 2*sym + 3*asym.\n"
        "  They differ at asym: multiplicity 2 against 3.\n"
        "  Declare the same type on both sides, or put a Linear between them.",
    ),
    (
        chain(specs.LayerScale(X), chain(specs.LayerScale(X), chain(specs.LayerScale(Y)))),
        IrrepMismatchError,
        "s1.s1.s0 (LayerScale): got 2*sym + 2*asym over flop, expected 2*sym + 3*asym.",
    ),
    (
        chain(specs.LayerScale(X), specs.LayerScale(FeatureType(C2, "2*chi0 + 2*chi1"))),
        IrrepMismatchError,
        "s1 (LayerScale): got 2*sym + 2*asym over flop, expected 2*chi0 + 2*chi1 over "
        f"{C2.name}: put a Restrict between them if {C2.name} is a subgroup.",
    ),
    (
        chain(EMBED, EMBED),
        SpecError,
        "s1 (PatchEmbed): got 4 x (2*sym + 2*asym) over flop: expected images 3 x 8 x 8 under "
        "'flop'.",
    ),
    # -- skip connections
    (
        residual(specs.Linear(X, Y)),
        IrrepMismatchError,
        "Residual: cannot add a skip connection: got 2*sym + 3*asym over flop, expected "
        "2*sym + 2*asym.\n  They differ at asym: multiplicity 3 against 2.",
    ),
    (
        chain(specs.LayerScale(X), residual(specs.LayerScale(X), specs.Linear(X, 2 * X))),
        IrrepMismatchError,
        "s1: cannot add a skip connection: got 4*sym + 4*asym over flop, expected 2*sym + 2*asym.",
    ),
    (
        residual(specs.Restrict(Z, D4.subgroup([4]).as_group(), (0, 4))),
        IrrepMismatchError,
        "Residual: cannot add a skip connection: got ",
    ),
    (
        chain(EMBED, residual(specs.ClassToken(X))),
        SpecError,
        "s1: cannot add a skip connection: got 5 x (2*sym + 2*asym) over flop after the layers "
        "and 4 x (2*sym + 2*asym) over flop before them: expected the same.",
    ),
    (
        residual(EMBED),
        SpecError,
        "Residual: cannot add a skip connection: got 4 x (2*sym + 2*asym) over flop after the "
        "layers and images 3 x 8 x 8 under 'flop' before them: expected the same.",
    ),
    # -- names and steps
    (specs.Chain(()), SpecError, "got a Chain without steps: expected at least one."),
    (specs.Residual(()), SpecError, "got a Residual without steps: expected at least one."),
    (
        chain(specs.LayerScale(X), specs.Residual(())),
        SpecError,
        "s1 (Residual): got no steps: expected at least one.",
    ),
    (
        specs.Chain((("a", specs.LayerScale(X)), ("a", specs.LayerScale(X)))),
        SpecError,
        "Chain: got the step names ['a', 'a']: expected distinct names without dots, since they",
    ),
    (
        chain(specs.LayerScale(X), specs.Residual((("a.b", specs.LayerScale(X)),))),
        SpecError,
        "s1 (Residual): got the step names ['a.b']: expected distinct names without dots",
    ),
    (
        specs.Chain((("", specs.LayerScale(X)),)),
        SpecError,
        "Chain: got the step names ['']: expected distinct names",
    ),
    (
        specs.Chain((("forward", specs.LayerScale(X)), ("b", specs.LayerScale(X)))),
        SpecError,
        "Chain: got the step names ['forward']: expected names that a module does not use itself",
    ),
    (
        specs.Chain((("names", specs.LayerScale(X)),)),
        SpecError,
        "Chain: got the step names ['names']",
    ),
    (
        specs.Chain((("plan", specs.LayerScale(X)),)),
        SpecError,
        "Chain: got the step names ['plan']",
    ),
    # -- linear maps
    (
        specs.Linear(X, FeatureType(C2, "2*chi0")),
        IrrepMismatchError,
        f"Linear: a linear map from 2*sym + 2*asym over flop to 2*chi0 over {C2.name} has no "
        "common group: expected both types over one group",
    ),
    (
        specs.Linear(X, FeatureType(G, "0")),
        FeatureTypeError,
        "Linear: the output type of a linear map is empty: expected a channel.",
    ),
    (
        specs.Linear(FeatureType(G, "2*sym"), FeatureType(G, "2*asym")),
        IrrepMismatchError,
        "Linear: every equivariant map from 2*sym to 2*asym is zero (Schur's lemma): expected "
        "types that share an irrep.",
    ),
    (
        specs.Linear(X, X, init="zeros"),
        SpecError,
        "unknown initialisation 'zeros': expected one of normal, uniform",
    ),
    # -- norms
    (
        specs.LayerNorm(FeatureType(G, "4*sym + asym")),
        FeatureTypeError,
        "LayerNorm: centring='every_irrep' would turn asym of 4*sym + 1*asym into zero, since the "
        "mean over one copy is that copy: expected at least two copies of each irrep",
    ),
    (
        specs.LayerNorm(X, centring="all"),
        SpecError,
        "LayerNorm: unknown centring 'all': expected one of every_irrep, invariant, none.",
    ),
    (
        specs.LayerNorm(X, weighting="all"),
        SpecError,
        "LayerNorm: unknown weighting 'all': expected one of share, irrep.",
    ),
    # -- activations
    (
        specs.Activation(Y),
        ActivationError,
        "Activation: 2*sym + 3*asym over flop is no permutation representation, so no basis exists "
        "in which the group permutes the channels",
    ),
    (
        specs.Activation(X, "softsign"),
        ActivationError,
        "Activation: unknown pointwise function 'softsign': expected one of gelu, quick_gelu, relu",
    ),
    (
        specs.Activation(X, gset=(((0,), 1),)),
        ActivationError,
        "Activation: the given G-set (1 x G/H, |G/H| = 2) is 1*sym + 1*asym: expected "
        "2*sym + 2*asym; leave gset=None to let the compiler choose.",
    ),
    # -- attention
    (
        specs.Attention(X, 3),
        HeadsError,
        "Attention: 2*sym + 2*asym does not split into 3 heads: 2 copies of sym, 2 copies of asym "
        "are not a multiple of 3. Expected one of these head counts: 1, 2.",
    ),
    (
        specs.Attention(FeatureType(G, "6*sym + 4*asym"), 3),
        HeadsError,
        "6*sym + 4*asym does not split into 3 heads: 4 copies of asym are not a multiple of 3. "
        "Expected one of these head counts: 1, 2.",
    ),
    (specs.Attention(X, 0), HeadsError, "does not split into 0 heads"),
    (
        chain(specs.LayerNorm(X), specs.Attention(X, 2)),
        IrrepMismatchError,
        "s1 (Attention): got 2*sym + 2*asym over flop, expected 6*sym + 6*asym.",
    ),
    # -- rates
    (
        specs.DropPath(X, 1.0),
        SpecError,
        "DropPath: got a dropping rate of 1.0: expected 0 <= rate < 1.",
    ),
    (
        specs.InvariantDropout(FeatureType(G, "2*sym"), -0.1),
        SpecError,
        "InvariantDropout: got a dropping rate of -0.1: expected 0 <= rate < 1.",
    ),
    (
        specs.InvariantDropout(X, 0.1),
        FeatureTypeError,
        "InvariantDropout: dropping single channels of 2*sym + 2*asym is not equivariant: expected "
        "trivial irreps only; take invariants first (InvariantMap).",
    ),
    # -- images and grids
    (
        specs.PatchEmbed(FLOP, 3, (8, 10), (4, 4), X),
        GridError,
        "of 4 x 4 do not tile an image of 8 x 10: expected a size such as 8 x 8.",
    ),
    (specs.PatchEmbed(FLOP, 3, (2, 2), (4, 4), X), GridError, "do not tile an image of 2 x 2"),
    (specs.PatchEmbed(FLOP, 3, (8, 8), (0, 4), X), GridError, "do not tile an image"),
    (
        specs.PatchEmbed(SQUARE, 3, (8, 8), (4, 2), FeatureType.regular(SQUARE.group, 16)),
        GridError,
        "PatchEmbed: 'D4' exchanges rows and columns, so it does not preserve a patch of 4 x 2: "
        "expected a square patch, such as 2 x 2, or a group without quarter turns and diagonal "
        "mirrors.",
    ),
    (
        specs.PatchEmbed(SQUARE, 3, (8, 12), (4, 4), FeatureType.regular(SQUARE.group, 16)),
        GridError,
        "so it does not preserve a token grid of 2 x 3: expected a square token grid, such as "
        "2 x 2",
    ),
    (
        specs.PatchEmbed(FLOP, 3, (8, 8), (4, 4), FeatureType(C2, "2*chi0")),
        SpecError,
        f"PatchEmbed: the tokens' type 2*chi0 lies over {C2.name}: expected a type over flop, the "
        "group of 'flop'.",
    ),
    (
        specs.PositionalEmbedding(Z, SQUARE, (2, 3)),
        GridError,
        "does not preserve a token grid of 2 x 3",
    ),
    (
        chain(EMBED, specs.PositionalEmbedding(X, FLOP, (4, 1))),
        SpecError,
        "s1 (PositionalEmbedding): got tokens on a (2, 2) grid under 'flop' with 0 prefix tokens: "
        "expected (4, 1) under 'flop' with none; put it right after PatchEmbed.",
    ),
    (
        chain(EMBED, specs.ClassToken(X), specs.PositionalEmbedding(X, FLOP, (2, 2))),
        SpecError,
        "s2 (PositionalEmbedding): got tokens on a (2, 2) grid under 'flop' with 1 prefix tokens",
    ),
    (
        chain(specs.LayerScale(X), specs.PositionalEmbedding(X, FLOP, (2, 2))),
        SpecError,
        "s1 (PositionalEmbedding): got (2*sym + 2*asym) over flop without a grid: expected tokens, "
        "as PatchEmbed or PositionalEmbedding gives them.",
    ),
    # -- tokens and invariants
    (
        specs.ClassToken(FeatureType(G, "2*asym")),
        FeatureTypeError,
        "ClassToken: 2*asym has no trivial copy, so an invariant class token is zero: expected a "
        "type with trivial copies, or global_pool='avg'.",
    ),
    (
        chain(EMBED, specs.TokenPool(X)),
        SpecError,
        "s1 (TokenPool): got pooling 'token' without a class token: expected kind='avg' "
        "(global_pool='avg'), or a ClassToken before.",
    ),
    (
        specs.TokenPool(X, "max"),
        SpecError,
        "TokenPool: unknown pooling 'max': expected one of token, avg.",
    ),
    (
        specs.InvariantMap(FeatureType(G, "2*asym")),
        IrrepMismatchError,
        "InvariantMap: 2*asym has no trivial copy, so kind='trivial' gives nothing: expected "
        "kind='norm', or a type with trivial copies.",
    ),
    (
        specs.InvariantMap(X, "square"),
        SpecError,
        "InvariantMap: unknown invariant 'square': expected one of trivial, norm",
    ),
    # -- restrictions
    (
        specs.Restrict(X, C2, (0, 0)),
        GroupError,
        f"Restrict: the embedding of {C2.name} into flop has 1 distinct images: expected 2, one "
        "for each element.",
    ),
    (
        specs.Restrict(FeatureType.regular(groups.cyclic(4), 8), C2, (0, 1)),
        GroupError,
        "is no homomorphism: elements 1 and 1 do not multiply as their images 1, 1.",
    ),
    (
        specs.Restrict(X, groups.trivial(), (0,), "points"),
        SpecError,
        "Restrict: unknown basis 'points': expected one of ",
    ),
    # -- classifiers
    (
        specs.Classifier(chain(EMBED), Y, 5, "avg"),
        IrrepMismatchError,
        "got 2*sym + 2*asym over flop, expected 2*sym + 3*asym.",
    ),
    (
        specs.Classifier(specs.Chain((("embed", EMBED), ("norm", specs.LayerNorm(Y)))), Y, 5),
        IrrepMismatchError,
        "norm (LayerNorm): got 2*sym + 2*asym over flop, expected 2*sym + 3*asym.",
    ),
]


@pytest.mark.parametrize(("spec", "error", "message"), CASES)
def test_message(spec: specs.Spec, error: type[IrrepnetError], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)) as caught:
        ir.compile(spec)
    assert issubclass(caught.type, ValueError)


def test_a_layer_deep_inside_a_model_is_named() -> None:
    with pytest.raises(HeadsError, match=r"^blocks\.0\.attention\.attend \(Attention\): "):
        ir.create_model("vit_small_patch16_224", "flop", heads=5)


@pytest.mark.parametrize("lowering", ["dense", "", "Block"])
def test_unknown_lowering(lowering: str) -> None:
    with pytest.raises(SpecError, match=f"unknown lowering '{lowering}': expected one of 'block'"):
        ir.compile(specs.LayerScale(X), lowering)


@pytest.mark.parametrize("value", [X, None, "Linear", specs.Linear])
def test_something_that_is_no_spec(value: object) -> None:
    with pytest.raises(SpecError, match=r"expected a spec, such as irrepnet\.specs\.Linear"):
        ir.compile(value)


@dataclass(frozen=True)
class Unregistered(specs.Spec):
    feature_type: FeatureType


def test_a_spec_without_a_rule() -> None:
    with pytest.raises(
        SpecError,
        match=r"is no layer that the compiler knows: expected one of Activation, (.|\n)*, or your "
        r"own spec with a rule given to irrepnet\.compiler\.register\.",
    ):
        ir.compile(Unregistered(X))
    with pytest.raises(SpecError, match="is no layer that the compiler knows"):
        ir.compile(chain(specs.LayerScale(X), Unregistered(X)))


def test_protocol_and_cost_have_defaults() -> None:
    assert Cost() == Cost(0, 0, ())
    assert {"source", "check", "decide", "cost", "emit"} <= set(dir(LayerRule))
