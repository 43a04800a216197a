"""Specs as JSON: every class comes back equal, and nothing else does."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import irrepnet as ir
from irrepnet import actions, groups, specs
from irrepnet._errors import FeatureTypeError, GroupError, IrrepnetError, SpecError
from irrepnet.types import FeatureType, TokenType

GROUPS = [
    groups.trivial(),
    groups.flop(),
    groups.cyclic(5),
    groups.dihedral(4),
    groups.quaternion(),
    groups.symmetric(4),
    groups.direct_product(groups.cyclic(3), groups.dihedral(3)),
    groups.from_permutations([[1, 2, 0, 3], [1, 0, 3, 2]]),
    groups.from_cayley_table([[0, 1, 2], [1, 2, 0], [2, 0, 1]]),
    groups.dihedral(4).subgroup([4]).as_group(),
]
FLOP = actions.image("flop")
X = FeatureType(FLOP.group, "4*sym + 4*asym")
EXAMPLES = {
    "Linear": specs.Linear(X, 2 * X, False, "uniform"),
    "LayerNorm": specs.LayerNorm(X, "invariant", "irrep", 1e-5, False),
    "Activation": specs.Activation(X, "relu", (((0,), 4),)),
    "Attention": specs.Attention(X, 2, 0.1),
    "LayerScale": specs.LayerScale(X, 0.25),
    "DropPath": specs.DropPath(X, 0.1),
    "InvariantDropout": specs.InvariantDropout(FeatureType(FLOP.group, "3*sym"), 0.5),
    "PatchEmbed": specs.PatchEmbed(FLOP, 3, (8, 16), (4, 8), X, False),
    "PositionalEmbedding": specs.PositionalEmbedding(X, FLOP, (2, 3)),
    "ClassToken": specs.ClassToken(X),
    "Restrict": specs.Restrict(X, groups.trivial(), (0,), "gset", "nothing"),
    "TokenPool": specs.TokenPool(X, "avg"),
    "InvariantMap": specs.InvariantMap(X, "norm"),
    "Chain": specs.Chain((("a", specs.LayerScale(X)), ("b", specs.Linear(X, X)))),
    "Residual": specs.Residual((("a", specs.LayerScale(X)),)),
    "Classifier": ir.models.model_spec("vit_tiny_patch16_224", "D4", break_at=[("flop", 6)]),
}


def through_json(spec: specs.Spec) -> Any:
    return specs.from_json(json.loads(json.dumps(spec.to_json())))


@pytest.mark.parametrize("spec", EXAMPLES.values(), ids=EXAMPLES)
def test_round_trip(spec: specs.Spec) -> None:
    again = through_json(spec)
    assert again == spec
    assert hash(again) == hash(spec)
    assert type(again) is type(spec)
    assert again.to_json() == spec.to_json()
    assert repr(again) == repr(spec)


def test_every_layer_of_a_vision_transformer_is_here() -> None:
    plan = ir.create_model("vit_tiny_patch16_224", "flop", break_at=[("trivial", 6)], device="meta")
    kinds = {node.kind for node in plan.plan.root.walk()}
    assert kinds <= set(EXAMPLES)


@pytest.mark.parametrize("name", specs.Spec.known)
def test_specs_are_frozen_and_hold_no_tensors(name: str) -> None:
    kind = specs.Spec.known[name]
    assert dataclasses.is_dataclass(kind)
    assert kind.__hash__ is not None
    if name in EXAMPLES:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(EXAMPLES[name], dataclasses.fields(kind)[0].name, None)


@st.composite
def types(draw: st.DrawFn) -> FeatureType:
    group = draw(st.sampled_from(GROUPS))
    size = len(group.irreps)
    return FeatureType(group, draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)))


names = st.text(min_size=1, max_size=8)
floats = st.floats(allow_nan=False)
layers = types().flatmap(
    lambda x: st.one_of(
        st.builds(specs.Linear, st.just(x), st.just(2 * x), st.booleans(), names),
        st.builds(specs.LayerNorm, st.just(x), names, names, st.floats(1e-12, 1), st.booleans()),
        st.builds(
            specs.Activation,
            st.just(x),
            names,
            st.none() | st.just((((0,), 2), ((0, 1), 3))),
        ),
        st.builds(specs.Attention, st.just(x), st.integers(), floats),
        st.builds(specs.LayerScale, st.just(x), floats),
        st.builds(specs.TokenPool, st.just(x), names),
    )
)
nets = st.recursive(
    layers,
    lambda inner: st.builds(
        lambda kind, steps: kind(tuple(steps)),
        st.sampled_from([specs.Chain, specs.Residual]),
        st.lists(st.tuples(names, inner), max_size=3),
    ),
    max_leaves=6,
)


@settings(max_examples=40)
@given(nets)
def test_any_spec_comes_back(spec: specs.Spec) -> None:
    assert through_json(spec) == spec


@given(types())
def test_types_and_groups_come_back(x: FeatureType) -> None:
    again = through_json(specs.ClassToken(x)).feature_type
    assert again == x
    assert [again.group.irreps[i].name for i in range(len(x.group.irreps))] == [
        i.name for i in x.group.irreps
    ]


@given(st.sampled_from(actions.image_names()))
def test_actions_come_back(name: str) -> None:
    action = actions.image(name)
    spec = specs.PositionalEmbedding(FeatureType.regular(action.group, 16), action, (2, 2))
    assert through_json(spec) == spec


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (
            {"$spec": "Convolution"},
            SpecError,
            r"unknown spec 'Convolution': expected one of Activation, .*; import the module that "
            r"defines your own specs before loading them\.",
        ),
        ({"feature_type": 3}, SpecError, "unknown spec None: expected one of"),
        (
            {"$spec": "ClassToken"},
            SpecError,
            r"the stored ClassToken does not fit this version: .*feature_type",
        ),
        (
            {**EXAMPLES["ClassToken"].to_json(), "colour": 1},
            SpecError,
            r"the stored ClassToken does not fit this version: .*colour",
        ),
        (
            {"$spec": "ClassToken", "feature_type": {"$type": [["flop"], "3*up"]}},
            FeatureTypeError,
            "flop has no irrep named 'up'",
        ),
        (
            {"$spec": "ClassToken", "feature_type": {"$type": [["nothing"], "3*sym"]}},
            GroupError,
            r"\['nothing'\] is not a group's recipe",
        ),
        ({"$group": ["cyclic"]}, GroupError, "is not a group's recipe"),
        (
            {"$points": ["sphere", 3]},
            SpecError,
            "unknown points 'sphere': expected one of grid, nat",
        ),
        (
            {"$action": ["turn", ["cyclic", 2], [[[0, -1], [1, 0]]]]},
            GroupError,
            "is no homomorphism",
        ),
    ],
)
def test_json_that_is_no_spec(data: Any, error: type[IrrepnetError], message: str) -> None:
    with pytest.raises(error, match=message):
        specs.from_json(data)


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, b"bytes"])
def test_a_spec_holds_plain_values_only(value: object) -> None:
    field = ("name", value), specs.LayerScale(X)  # of a kind that is not checked before
    spec = specs.Activation(X, gset=field)
    with pytest.raises(SpecError, match=r"a spec cannot hold .*: expected numbers, text, types, "):
        spec.to_json()


@pytest.mark.parametrize("value", [None, 3, 2.5, "text", True])
def test_plain_values_pass(value: object) -> None:
    assert specs.from_json(value) == value


POINTS = {
    "grid": lambda: actions.image("D4").on_grid(3, 3),
    "in order": lambda: TokenType.of(actions.image("flop").on_grid(2, 3)).in_order,
    "own action": lambda: actions.from_generators(
        "turns", groups.cyclic(4), [((0, 1), (-1, 0))]
    ).on_grid(2, 2),
    "restricted": lambda: (
        TokenType.of(
            actions.image("D4").on_grid(3, 3).restrict("flop", groups.flop(), (0, 4))
        ).in_order
    ),
    "natural": lambda: actions.natural(groups.symmetric(4)),
    "images": lambda: actions.from_images("ring", groups.cyclic(3), [[1, 2, 0, 3]]),
    "trivial": lambda: actions.from_images("still", groups.trivial(), [[0, 1]]),
}


@pytest.mark.parametrize("case", POINTS)
def test_points_are_stored_and_printed_by_how_they_were_made(case: str) -> None:
    points = POINTS[case]()
    x = FeatureType.trivial(points.group, 2)
    spec = specs.Tokens(x, points)
    again = specs.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    assert (again.points.name, again.points.images) == (points.name, points.images)
    names = {"actions": actions, "groups": groups, "types": ir.types, "irrepnet": ir}
    assert eval(repr(points), names) == points


def test_a_resmlps_spec_is_small() -> None:
    """Its points occur in every block: they are not listed one by one."""
    spec = ir.models.model_spec("resmlp_24_224", "D4")
    text = json.dumps(spec.to_json())
    assert len(text) < 3000 * 24
    assert len(repr(spec)) < 3000 * 24
    assert specs.from_json(json.loads(text)) == spec


def test_actions_that_move_alike_are_equal_whatever_their_names() -> None:
    mirror = actions.from_generators("mirror", groups.flop(), [((1, 0), (0, -1))])
    assert mirror == actions.image("flop")
    assert (
        mirror.name == specs.from_json(specs.PatchEmbed(mirror, 3, 4, 2, X).to_json()).action.name
    )
    assert repr(mirror).startswith("actions.from_generators('mirror', groups.flop(), ")
    assert mirror != actions.image("vflip")
