"""Passes: each gives a plan that computes the same, with the same parameters."""

from dataclasses import dataclass, replace

import pytest
import torch

import irrepnet as ir
from irrepnet import compiler, specs, testing
from irrepnet.compiler import Factory, Plan, check, passes
from irrepnet.compiler._check import _typed
from irrepnet.compiler._emit import emit
from irrepnet.compiler._graph import layer_graph, retyped
from tests.compiler.same import assert_same

D4 = ir.groups.octic()
FLOP = ir.groups.flop()


def two_activations():
    X = ir.FeatureType.regular(D4, 16)
    return specs.Chain(
        (
            ("first", specs.Activation(X, "gelu")),
            ("drop", specs.DropPath(X, 0.0)),
            ("second", specs.Activation(X, "relu")),
            ("linear", specs.Linear(X, X)),
        )
    )


def test_bases_cancels_between_two_activations():
    plan = assert_same(two_activations(), passes.bases)
    first, _, second, _ = plan.root.children
    assert (first.spec.leave, second.spec.enter) == ("points", "points")
    assert first.target.gset == second.source.gset is not None
    assert second.target.gset is None


def test_bases_saves_the_flops_of_two_changes():
    spec = two_activations()
    before = sum(row.matmul_flops for row in compiler.cost(Plan(check(spec)), 1))
    after = sum(row.matmul_flops for row in compiler.cost(passes.bases(Plan(check(spec))), 1))
    assert before - after == 2 * (2 * 8**2 * 2)


def test_bases_cancels_between_equal_points_only():
    X = ir.FeatureType(FLOP, "4*sym + 2*asym")
    other = (((0,), 2), ((0, 1), 2))
    same = specs.Chain((("a", specs.Activation(X)), ("b", specs.Activation(X, gset=other))))
    assert passes.bases(Plan(check(same))).root.children[0].spec.leave == "points"
    different = (((0,), 1), ((0, 1), 2))
    Z = ir.types.GSetType(FLOP, different).feature_type
    spec = specs.Chain((("a", specs.Activation(Z)), ("l", specs.Linear(Z, X)), ("b", same)))
    assert passes.bases(Plan(check(spec))).root.children[0].spec.leave == "irreps"


def test_bases_moves_the_change_behind_pooling():
    A = ir.actions.image("D4")
    X = ir.FeatureType.regular(D4, 16)
    spec = specs.Chain(
        (
            ("embed", specs.PatchEmbed(A, 3, (8, 8), (4, 4), X)),
            ("act", specs.Activation(X)),
            ("pool", specs.TokenPool(X, "avg")),
            ("linear", specs.Linear(X, X)),
        )
    )
    plan = assert_same(spec, passes.bases)
    assert [n.path for n in plan.root.children] == [
        "embed",
        "act",
        "pool",
        "act_to_irreps",
        "linear",
    ]
    back = plan.root.children[3]
    assert back.source.positions == 1
    assert back.source.gset is not None
    net = testing.randomise_(emit(plan, Factory(dtype=torch.float64)))
    testing.assert_equivariant(net)


def test_bases_joins_an_activation_and_a_break_through_points():
    X = ir.FeatureType.regular(FLOP, 8)
    spec = specs.Chain(
        (
            ("act", specs.Activation(X)),
            ("restrict", specs.Restrict(X, ir.groups.trivial(), (0,), "gset")),
        )
    )
    plan = assert_same(spec, passes.bases)
    assert plan.root.children[1].spec.enter == "points"


def test_a_layer_in_irreps_refuses_features_on_points():
    X = ir.FeatureType.regular(FLOP, 8)
    spec = specs.Chain((("act", specs.Activation(X, leave="points")), ("l", specs.Linear(X, X))))
    with pytest.raises(ir.IrrepnetError, match=r"l \(Linear\): got .* on points.* put a ToIrreps"):
        ir.compile(spec)


def test_fold_leaves_out_layers_that_do_nothing():
    plan = assert_same(two_activations(), passes.fold)
    assert [n.path for n in plan.root.children] == ["first", "second", "linear"]
    X = ir.FeatureType.regular(FLOP, 8)
    kept = specs.Chain((("drop", specs.DropPath(X, 0.5)),))
    assert passes.fold(Plan(check(kept))).root.spec == kept


def test_fold_keeps_a_chain_that_would_be_empty():
    X = ir.FeatureType.regular(FLOP, 8)
    spec = specs.Chain((("drop", specs.DropPath(X, 0.0)),))
    assert assert_same(spec, passes.fold).root.spec == spec


def test_a_pass_that_breaks_types_raises():
    X = ir.FeatureType.regular(FLOP, 8)
    plan = Plan(check(specs.Chain((("a", specs.Linear(X, X)), ("b", specs.Linear(X, X))))))
    graph = layer_graph(plan.root)
    graph.nodes["a"]["spec"] = specs.Linear(X, 2 * X)
    with pytest.raises(ir.IrrepnetError, match=r"b \(Linear\): got 8\*sym"):
        retyped(plan, graph, [])


def test_check_types_finds_an_edge_that_lies():
    X = ir.FeatureType.regular(FLOP, 8)
    plan = Plan(check(specs.residual(a=specs.Linear(X, 2 * X), b=specs.Linear(2 * X, X))))
    assert passes.check_types(plan) is plan
    first, second = plan.root.children
    lying = replace(first, target=replace(first.target, positions=3))
    wrong = replace(plan, root=replace(plan.root, children=(lying, second)))
    assert passes.check_types(wrong) is wrong  # edges are what a layer takes
    taking = replace(second, source=replace(second.source, positions=3))
    wrong = replace(plan, root=replace(plan.root, children=(first, taking)))
    with pytest.raises(ir.IrrepnetError, match=r"^a: got both .* for what goes out: expected one"):
        passes.check_types(wrong)


# -- across chains and skip connections ------------------------------------------------------------


def act(X, function="gelu"):
    return specs.Activation(X, function)


def paths(plan):
    return [node.path for node in plan.leaves()]


def on_points(plan):
    """Edges that carry features on points."""
    edges = layer_graph(plan.root).edges(data="type")
    return {(a, b) for a, b, edge in edges if getattr(edge, "gset", None) is not None}


def test_bases_cancels_across_chains():
    X = ir.FeatureType.regular(D4, 16)
    first = specs.chain(fc=specs.Linear(X, X), act=act(X))
    second = specs.chain(drop=specs.DropPath(X, 0.0), act=act(X, "relu"))
    plan = assert_same(specs.chain(first=first, second=second), passes.bases)
    assert on_points(plan) == {("first.act", "second.drop"), ("second.drop", "second.act")}


def test_bases_joins_on_points():
    X = ir.FeatureType.regular(D4, 16)
    spec = specs.chain(a=act(X), b=specs.residual(act=act(X, "relu")), c=act(X, "tanh"))
    plan = assert_same(spec, passes.bases)
    assert on_points(plan) == {
        ("a", "b.act"),
        ("a", "b.skip"),
        ("b.act", "b.skip"),
        ("b.skip", "c"),
    }


def test_bases_goes_back_inside_a_residual_where_its_input_stays_on_points():
    X = ir.FeatureType.regular(D4, 16)
    inside = specs.residual(fc=specs.Linear(X, X), act=act(X))
    plan = assert_same(specs.chain(a=act(X), b=inside, c=act(X, "tanh")), passes.bases)
    assert paths(plan) == ["a", "b.a_to_irreps", "b.fc", "b.act", "c"]
    assert ("a", "b.skip") in on_points(plan)
    assert "the change of a, moved here, where it is cheapest" in plan.explain()


def test_bases_stays_in_irreps_where_points_save_nothing():
    X = ir.FeatureType.regular(D4, 16)
    # Both summands would have to be on points, and one is the network's input.
    spec = specs.chain(b=specs.residual(act=act(X)), c=act(X))
    assert not on_points(assert_same(spec, passes.bases))
    trivial = ir.FeatureType.regular(ir.groups.trivial(), 4)
    assert not on_points(assert_same(specs.chain(a=act(trivial), b=act(trivial)), passes.bases))


def test_users_see_irreps():
    """What a classifier's features give is in irreps, though pooling on points would be cheaper."""
    A, X = ir.actions.image("D4"), ir.FeatureType.regular(D4, 16)
    embed = specs.PatchEmbed(A, 3, (8, 8), (4, 4), X)
    features = specs.chain(embed=embed, act=act(X))
    spec = specs.Classifier(features, X, 3, global_pool="avg")
    assert not on_points(assert_same(spec, passes.bases))
    assert not on_points(assert_same(act(X), passes.bases))


def test_fold_composes_restrictions():
    X = ir.FeatureType(D4, "A1 + 2*A2 + B1 + 3*E")
    A = ir.actions.image("D4")
    B, C = A.restrict("klein_four"), A.restrict("klein_four").restrict("flop")
    first = specs.Restrict(X, B.group, B.embedding(A))
    second = specs.Restrict(first.restriction.out_type, C.group, C.embedding(B))
    fc = specs.Linear(second.restriction.out_type, second.restriction.out_type)
    spec = specs.chain(a=specs.chain(r=first), b=specs.chain(r=second, fc=fc))
    assert paths(assert_same(spec, passes.fold)) == ["a.r", "b.fc"]
    plan = assert_same(specs.chain(one=first, two=second, fc=fc), passes.fold)
    assert paths(plan) == ["two", "fc"]
    assert plan.root.children[0].spec.through == first
    assert "together with one, as one change of basis" in plan.explain()
    json = plan.root.spec.to_json()
    assert specs.from_json(json) == plan.root.spec
    testing.assert_equivariant(testing.randomise_(emit(plan, Factory(dtype=torch.float64))))


@pytest.mark.parametrize("kind", ["avg", "token"])
def test_fold_pools_where_it_is_cheapest(kind):
    A, X = ir.actions.image("D4"), ir.FeatureType.regular(D4, 16)
    spec = specs.chain(
        embed=specs.PatchEmbed(A, 3, (8, 8), (4, 4), X),
        cls=specs.ClassToken(X),
        pool=specs.TokenPool(X, kind),
        invariants=specs.InvariantMap(X),
    )
    names = [path for path in paths(assert_same(spec, passes.fold)) if path != "embed"]
    late = ["cls", "invariants", "pool"]
    assert names == (late if kind == "avg" else ["cls", "pool", "invariants"])
    B = A.restrict("C4")
    restrict = specs.Restrict(X, B.group, B.embedding(A))
    after = specs.TokenPool(restrict.restriction.out_type, kind)
    spec = specs.Chain((*spec.steps[:2], ("restrict", restrict), ("pool", after)))
    assert paths(assert_same(spec, passes.fold))[-2:] == ["pool", "restrict"]


def test_fold_works_in_the_head():
    A, X = ir.actions.image("flop"), ir.FeatureType.regular(FLOP, 8)
    embed = specs.PatchEmbed(A, 3, (8, 8), (4, 4), X)
    plan = assert_same(specs.Classifier(specs.chain(embed=embed), X, 3, "avg"), passes.fold)
    assert paths(plan) == ["embed", "head.invariants", "head.pool", "head.fc"]
    assert "    head Chain" in plan.explain()
    assert "        drop left out: with rate 0 it does nothing" in plan.explain()


# -- on whole networks -----------------------------------------------------------------------------


def network(name):
    """Two blocks around a restriction, with something to do for every pass."""
    G = ir.groups.parse(name)
    X = ir.FeatureType.regular(G, 2 * G.order)
    half = G.subgroup([1]).as_group(), tuple(G.subgroup([1]).elements)
    restrict = specs.Restrict(X, *half)
    Y = restrict.restriction.out_type
    again = specs.Restrict(Y, ir.groups.trivial(), (0,))
    Z = again.restriction.out_type
    return specs.chain(
        mlp=specs.residual(
            norm=specs.LayerNorm(X),
            fc1=specs.Linear(X, X),
            act=act(X),
            drop=specs.DropPath(X, 0.0),
        ),
        tail=specs.chain(act=act(X, "tanh"), scale=specs.LayerScale(X), act2=act(X, "silu")),
        more=specs.residual(relu=act(X, "relu"), drop=specs.DropPath(X, 0.0)),
        end=specs.chain(act=act(X, "sigmoid"), fc=specs.Linear(X, X, bias=False)),
        smaller=restrict,
        none=again,
        last=specs.Linear(Z, Z),
    )


@pytest.mark.parametrize("lowering", ["block", "auto"])
@pytest.mark.parametrize("name", ["flop", "C4", "D4", "Q8", "A5"])
def test_all_passes_together(name, lowering):
    spec = network(name)
    plan = assert_same(spec, passes.run, lowering)
    assert {"mlp.drop", "more.drop", "smaller"}.isdisjoint(paths(plan))
    assert {("tail.act2", "more.relu"), ("more.skip", "end.act")} <= on_points(plan)
    assert plan.spec == check(spec).spec


@pytest.mark.parametrize("pass_", passes.PASSES, ids=lambda p: p.__name__)
@pytest.mark.parametrize("name", ["flop", "C4", "D4", "Q8", "A5"])
def test_each_pass_alone(name, pass_):
    assert_same(network(name), pass_, "auto")


def test_layers_are_typed_once_by_value():
    options = {"group": "D4", "device": "meta", "width": 64, "num_classes": 7}
    ir.create_model("resmlp_12_224", depth=2, **options)
    before = _typed.cache_info().misses
    ir.create_model("resmlp_12_224", depth=12, **options)
    assert _typed.cache_info().misses == before


def test_plans_are_kept_by_value():
    assert ir.compile(network("D4")).plan is ir.compile(network("D4")).plan
    X = ir.FeatureType.regular(FLOP, 8)

    @dataclass(frozen=True)
    class Listed(specs.Spec):
        feature_type: ir.FeatureType
        numbers: list

    with pytest.raises(ir.IrrepnetError, match=r"cannot be compared by value .*lists into tuples"):
        ir.compile(specs.chain(a=Listed(X, [1])))
    del specs.Spec.known["Listed"]
