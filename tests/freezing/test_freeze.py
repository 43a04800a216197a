"""Freezing: every folding by itself and all together compute the same, equally equivariant."""

import pytest
import torch

import irrepnet as ir
from irrepnet import freezing, nn, specs, testing
from irrepnet.freezing import FOLDINGS, Frozen
from tests.models.narrow import FIVE_GROUPS, ONE_OF_EACH, images
from tests.models.test_families import random_small

TINY = {"depth": 2, "width": 64, "heads": 2, "img_size": 48, "num_classes": 5}
CASES = [
    ("trivial", {}),
    ("flop", {}),
    ("C4", {}),
    ("D4", {"global_pool": "avg"}),
    ("flop", {"break_at": [("trivial", 1)]}),
    ("flop", {"feature_type": "40*sym + 24*asym", "invariants": "norm", "qkv_bias": False}),
]
ALONE = [(folding,) for folding in FOLDINGS]


def model(group, **options):
    made = ir.create_model(
        "vit_tiny_patch16_224", group=group, dtype=torch.float64, **TINY, **options
    )
    return testing.randomise_(made).eval()


@pytest.mark.parametrize(
    "foldings", [*ALONE, FOLDINGS], ids=lambda fs: fs[-1].__name__ + str(len(fs))
)
@pytest.mark.parametrize(("group", "options"), CASES)
def test_foldings_change_no_output(group, options, foldings):
    net = model(group, **options)
    x = torch.randn(2, 3, 48, 48, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    frozen = ir.freeze(net, foldings)
    with torch.no_grad():
        torch.testing.assert_close(frozen(x), net(x), rtol=1e-12, atol=1e-12)
    testing.assert_flops(frozen, (3, 48, 48))


@pytest.mark.parametrize("group", ["flop", "D4"])
def test_a_frozen_network_is_a_network(group, tmp_path):
    net = model(group)
    frozen = ir.freeze(net)
    testing.assert_equivariant(frozen)
    testing.assert_matches_dense(frozen)
    ir.save(frozen, tmp_path / "frozen.safetensors")
    x = torch.ones(1, 3, 48, 48, dtype=torch.float64)
    assert torch.equal(ir.load(tmp_path / "frozen.safetensors")(x), frozen(x))
    assert not frozen.training
    assert not any(p.requires_grad for p in frozen.parameters())


def test_freezing_leaves_the_original_alone():
    net = model("flop").train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    ir.freeze(net)
    assert net.training
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


def test_everything_that_can_go_goes():
    frozen = ir.freeze(model("flop"))
    kinds = {type(layer) for layer in frozen.modules()}
    assert nn.LayerScale not in kinds
    assert nn.DropPath not in kinds
    norms = [m for m in frozen.modules() if isinstance(m, nn.IsotypicLayerNorm)]
    assert [norm.affine for norm in norms] == [False, False, False, False, True]  # the last: no map
    specs_of = [node.spec for node in frozen.plan.leaves()]
    assert all(s.centred_input for s in specs_of if isinstance(s, specs.LayerNorm))
    assert not any(s.normalised for s in specs_of if isinstance(s, specs.Activation))
    assert (
        ir.flops(frozen, (3, 48, 48)).other_flops < ir.flops(model("flop"), (3, 48, 48)).other_flops
    )


def test_a_stream_that_a_restriction_reads_is_not_centred():
    frozen = ir.freeze(model("flop", break_at=[("trivial", 1)]))
    norms = [n.spec for n in frozen.plan.leaves() if isinstance(n.spec, specs.LayerNorm)]
    assert not any(norm.centred_input for norm in norms)


def test_single_chains_freeze_too():
    X = ir.FeatureType(ir.groups.octic(), "4*A1 + 2*B1 + 4*E")
    spec = specs.Chain(
        (
            ("norm", specs.LayerNorm(X)),
            ("linear", specs.Linear(X, 2 * X)),
            ("scale", specs.LayerScale(2 * X)),
        )
    )
    net = testing.randomise_(ir.compile(spec, dtype=torch.float64))
    frozen = ir.freeze(net)
    assert frozen.names == ("norm", "linear")
    x = torch.randn(3, X.dim, dtype=torch.float64)
    torch.testing.assert_close(frozen(x), net(x), rtol=1e-12, atol=1e-12)


def test_only_compiled_networks_freeze():
    with pytest.raises(ir.IrrepnetError, match=r"Linear has no plan: expected a network made by"):
        ir.freeze(torch.nn.Linear(2, 2))


def test_a_wrong_folding_is_caught_by_types():
    X = ir.FeatureType(ir.groups.flop(), "2*sym")

    def wrong(frozen: Frozen) -> Frozen:
        return frozen.edit({"a": specs.Linear(X, 2 * X)}, frozen.state)

    net = ir.compile(specs.Chain((("a", specs.Linear(X, X)), ("b", specs.Linear(X, X)))))
    with pytest.raises(ir.IrrepnetError, match=r"b \(Linear\): got 4\*sym"):
        freezing.freeze(net, (wrong,))


@pytest.mark.parametrize("group", FIVE_GROUPS)
@pytest.mark.parametrize("name", ONE_OF_EACH[1:])
def test_foldings_over_the_registry(name, group):
    net = random_small(name, group)
    x = images(net)
    with torch.no_grad():
        expected = net(x)
        for foldings in (*ALONE, FOLDINGS):
            got = ir.freeze(net, foldings)(x)
            assert (got - expected).abs().max() < 1e-11 * expected.abs().max(), foldings


def test_a_resmlp_keeps_no_scale_before_its_channels():
    frozen = ir.freeze(random_small("resmlp_12_224", "D4"))
    for block in frozen.blocks:
        assert "norm" not in block.mlp.names
        assert "scale" not in block.mlp.names


@pytest.mark.parametrize("group", ["flop", "D4"])
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_meta_networks_freeze(name, group):
    """What counts FLOPs of a frozen network needs no memory."""
    frozen = ir.freeze(random_small(name, group).to("meta"))
    assert all(p.is_meta for p in frozen.parameters())
