"""Passes: each gives a plan that computes the same, with the same parameters."""

from dataclasses import replace

import pytest
import torch

import irrepnet as ir
from irrepnet import compiler, nn, specs, testing
from irrepnet.compiler import Factory, Plan, check, passes
from irrepnet.compiler._emit import emit
from irrepnet.compiler._graph import layer_graph, retyped
from irrepnet.compiler.passes._lower import seconds

D4 = ir.groups.octic()
FLOP = ir.groups.flop()


def plain(spec):
    """The network as declared, without any pass."""
    root = check(spec)
    return emit(Plan(root, "block", root.spec), Factory(dtype=torch.float64))


def assert_same(spec, pass_, lowering="block"):
    """A pass changes neither keys nor values; the plan types."""
    before = testing.randomise_(plain(spec))
    plan = pass_(Plan(before.plan.root, lowering, before.plan.root.spec))
    after = emit(plan, Factory(dtype=torch.float64))
    assert list(after.state_dict()) == list(before.state_dict())
    after.load_state_dict(before.state_dict())
    generator = torch.Generator().manual_seed(1)
    x = ir.certificate.random_input(before.plan.source, 3, generator, torch.float64)
    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            torch.testing.assert_close(after(x), before(x), rtol=1e-12, atol=1e-12)
    testing.assert_matches_dense(after, x)
    testing.assert_flops(after, tuple(x.shape[1:]))
    return plan


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


@pytest.mark.parametrize("lowering", ["block", "auto"])
def test_lower_changes_no_result(lowering):
    X = ir.FeatureType.regular(D4, 16)
    spec = specs.Chain((("a", specs.Linear(X, 2 * X)), ("b", specs.Linear(2 * X, X, bias=False))))
    plan = assert_same(spec, passes.lower, lowering)
    assert all(n.spec.lowering in ("separate", "batched", "dense") for n in plan.leaves())
    if lowering == "block":
        assert {n.spec.lowering for n in plan.leaves()} == {"separate"}


def test_lower_leaves_a_choice_of_the_user():
    X = ir.FeatureType.regular(D4, 16)
    plan = assert_same(specs.Linear(X, X, lowering="dense"), passes.lower)
    assert plan.root.spec.lowering == "dense"
    assert "lowered dense" in plan.explain()


@pytest.mark.parametrize("lowering", ["separate", "batched", "dense"])
@pytest.mark.parametrize("name", ["flop", "C4", "D4", "Q8", "C3xD3", "Q8xD3", "trivial"])
def test_every_lowering_of_a_linear_map_is_the_same_map(name, lowering):
    G = ir.groups.parse(name)
    X = ir.FeatureType.regular(G, 2 * G.order)
    assert_same(specs.Linear(X, 3 * X, lowering=lowering), passes.lower)


def test_the_cost_model_prefers_dense_only_where_blocks_are_tiny():
    def predicted(width, positions, way):
        X = ir.FeatureType.regular(D4, width)
        return seconds(specs.Linear(X, X), positions, way)

    assert predicted(8, 1, "dense") < predicted(8, 1, "separate")
    assert predicted(1024, 1000, "separate") < predicted(1024, 1000, "dense")


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


def test_whole_models_pass_through_all_passes():
    options = {"depth": 1, "width": 64, "heads": 2, "img_size": 32, "num_classes": 3}
    block = testing.randomise_(ir.create_model("vit_tiny_patch16_224", group="D4", **options))
    auto = ir.create_model("vit_tiny_patch16_224", group="D4", lowering="auto", **options)
    auto.load_state_dict(block.state_dict())
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(auto(x), block(x), rtol=1e-4, atol=1e-5)
    assert auto.plan.spec == block.plan.spec
    assert isinstance(auto.get_submodule("blocks.0.mlp.fc1"), nn.IsotypicLinear)
