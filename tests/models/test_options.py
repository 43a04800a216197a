"""Sizes, groups and breaks that a user may ask for."""

import numpy as np
import pytest
import torch

import irrepnet as ir
from irrepnet import actions, groups
from irrepnet._errors import (
    ActivationError,
    FeatureTypeError,
    GridError,
    GroupError,
    HeadsError,
    IrrepMismatchError,
    SpecError,
)
from tests.models.narrow import images, narrow, random_narrow


def keeps_every_promise(model: ir.nn.Classifier) -> None:
    source = model.plan.source
    ir.testing.assert_equivariant(model)
    ir.testing.assert_matches_dense(model)
    ir.testing.assert_flops(model, (source.channels, *source.size))


@pytest.mark.parametrize("group", ["klein_four", "D4"])
@pytest.mark.parametrize("sizes", [(12, 4), (4, 4), (10, 5), (9, 3), (3, 1)])
def test_odd_grids_and_patches(group: str, sizes: tuple[int, int]) -> None:
    image, patch = sizes
    keeps_every_promise(random_narrow(group, img_size=image, patch=patch, depth=1))


@pytest.mark.parametrize(("image", "tokens"), [(48, 9), (80, 25)])
def test_odd_grids_of_the_registered_patch(image: int, tokens: int) -> None:
    model = random_narrow("D4", img_size=image, patch=16, depth=1)
    assert model.forward_features(images(model)).shape[1] == tokens + 1
    ir.testing.assert_equivariant(model)


@pytest.mark.parametrize("group", ["flop", "vflip", "rot180", "klein_four"])
@pytest.mark.parametrize("size", [(12, 8), (20, 12)])
def test_images_that_are_not_square(group: str, size: tuple[int, int]) -> None:
    keeps_every_promise(random_narrow(group, img_size=size, depth=1))


def test_flop_moves_columns_and_vflip_rows() -> None:
    for group, axis in (("flop", 3), ("vflip", 2)):
        model = random_narrow(group, img_size=(16, 24))
        x = images(model)
        torch.testing.assert_close(model(x.flip(axis)), model(x), rtol=1e-11, atol=1e-11)
        assert (model(x.flip(5 - axis)) - model(x)).abs().max() > 1e-2


def test_a_flopping_model_is_not_invariant_to_quarter_turns() -> None:
    for group, invariant in (("flop", False), ("C4", True), ("D4", True)):
        model = random_narrow(group)
        x = images(model)
        change = (model(x.rot90(1, (2, 3))) - model(x)).abs().max()
        assert (change < 1e-11) == invariant


@pytest.mark.parametrize("channels", [1, 5])
def test_image_channels(channels: int) -> None:
    keeps_every_promise(random_narrow("D4", in_chans=channels, depth=1))


@pytest.mark.parametrize("ratio", [1, 2.0, 2.5])
def test_mlp_ratio(ratio: float) -> None:
    model = random_narrow("flop", mlp_ratio=ratio, depth=1)
    assert model.blocks[0].mlp.fc1.out_dim == int(64 * ratio)
    keeps_every_promise(model)


@pytest.mark.parametrize(
    ("text", "group"),
    [("40*sym + 24*asym", "flop"), ("64*sym", "flop"), ("36*A1 + 8*B1 + 4*A2 + 4*B2 + 4*E", "D4")],
)
def test_free_multiplicities(text: str, group: str) -> None:
    model = random_narrow(group, feature_type=text, invariants="norm", depth=1)
    assert str(model.plan.spec.feature_type) == str(
        ir.FeatureType(actions.image(group).group, text)
    )
    keeps_every_promise(model)


def test_a_type_instead_of_its_name() -> None:
    X = ir.FeatureType(groups.flop(), "40*sym + 24*asym")
    assert narrow("flop", feature_type=X).plan == narrow("flop", feature_type=str(X)).plan


def test_qkv_bias_and_eps() -> None:
    model = random_narrow("flop", qkv_bias=False, norm_eps=0.5)
    assert model.blocks[0].attention.qkv.bias is None
    keeps_every_promise(model)


# -- groups ---------------------------------------------------------------------------------


def test_own_action() -> None:
    turn = actions.from_generators("turns", groups.cyclic(4), [((0, 1), (-1, 0))])
    model = random_narrow(turn)
    keeps_every_promise(model)
    x = images(model)
    torch.testing.assert_close(model(x.rot90(1, (2, 3))), model(x), rtol=1e-11, atol=1e-11)


def test_action_that_is_not_faithful() -> None:
    """C4 acting through its quotient: half of the group does nothing to images."""
    half = actions.from_generators("through C2", groups.cyclic(4), [((1, 0), (0, -1))])
    model = random_narrow(half)
    ir.testing.assert_equivariant(model)
    ir.testing.assert_matches_dense(model)
    x = images(model)
    torch.testing.assert_close(model(x.flip(3)), model(x), rtol=1e-11, atol=1e-11)


def test_action_of_a_direct_product() -> None:
    both = groups.direct_product(groups.cyclic(2), groups.cyclic(2))
    action = actions.from_generators("both", both, [((1, 0), (0, -1)), ((-1, 0), (0, 1))])
    keeps_every_promise(random_narrow(action))


@pytest.mark.parametrize("name", ["transpose", "antitranspose"])
def test_diagonal_mirrors(name: str) -> None:
    keeps_every_promise(random_narrow(name, img_size=12))


def test_subgroup_of_an_action() -> None:
    square = actions.image("D4")
    for chosen in square.group.subgroup_classes:
        action = square.restrict(groups.Subgroup(square.group, chosen.elements))
        keeps_every_promise(random_narrow(action, depth=1))


# -- breaks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "breaks", "pool"),
    [
        ("flop", [("trivial", 0)], "token"),
        ("D4", [("klein_four", 1), ("flop", 2), ("trivial", 3)], "avg"),
        ("D4", [("C4", 0), ("rot180", 1), ("trivial", 2)], "token"),
        ("D4", [("vflip", 0), ("trivial", 1)], "avg"),
        ("D4", [("transpose", 0)], "token"),
        ("C4", [("rot180", 0)], "token"),
        ("klein_four", [("vflip", 0)], "token"),
    ],
)
def test_chains_of_subgroups(group: str, breaks: list, pool: str) -> None:
    depth = breaks[-1][1] + 1
    model = random_narrow(group, depth=depth, break_at=breaks, global_pool=pool)
    keeps_every_promise(model)
    last = actions.image(breaks[-1][0]).group
    assert model.plan.spec.feature_type.group.order == last.order
    assert model.plan.target.group == last


def test_break_to_a_subgroup_object() -> None:
    square = actions.image("D4")
    mirror = square.restrict("transpose")
    model = random_narrow("D4", break_at=[(mirror, 1)])
    keeps_every_promise(model)
    x = images(model)
    torch.testing.assert_close(model(x.transpose(2, 3)), model(x), rtol=1e-11, atol=1e-11)
    assert (model(x.flip(3)) - model(x)).abs().max() > 1e-3


def test_broken_symmetry_is_really_given_up() -> None:
    model = random_narrow("D4", break_at=[("flop", 1)])
    x = images(model)
    assert (model(x.flip(3)) - model(x)).abs().max() < 1e-11
    assert (model(x.flip(2)) - model(x)).abs().max() > 1e-3
    early = model.blocks[0](model.cls_token(model.pos_embed(model.patch_embed(x))))
    turned = model.blocks[0](model.cls_token(model.pos_embed(model.patch_embed(x.flip(2)))))
    assert torch.allclose(early[:, 0, :8], turned[:, 0, :8], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("basis", ["irrep", "gset"])
def test_restrictions_lose_nothing(basis: str) -> None:
    model = random_narrow("D4", break_at=[("trivial" if basis == "gset" else "C4", 1)])
    matrix = model.blocks.restrict1.restriction.matrix()
    assert model.blocks.restrict1.restriction.basis == basis
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(64), atol=1e-12)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"group": "flop", "break_at": [("D4", 1)]},
            GroupError,
            "the action 'D4' is no subgroup of 'flop': it moves images by",
        ),
        (
            {"group": "D4", "break_at": [("flop", 1), ("klein_four", 2)], "depth": 3},
            GroupError,
            "'klein_four' is no subgroup of 'flop'",
        ),
        (
            {"group": "flop", "break_at": [("vflip", 1)]},
            GroupError,
            "'vflip' is no subgroup of 'flop'",
        ),
        (
            {"group": "flop", "break_at": [("flop", 1)]},
            SpecError,
            "goes from 'flop' to 'flop' at block 1, which gives up nothing: expected a smaller",
        ),
        (
            {"group": "D4", "break_at": [("flop", 1), ("trivial", 1)]},
            SpecError,
            r"names the blocks \[1, 1\]: expected increasing block indices between 0 and 1",
        ),
        (
            {"group": "D4", "break_at": [("klein_four", 1), ("flop", 0)]},
            SpecError,
            r"names the blocks \[1, 0\]: expected increasing",
        ),
        ({"group": "flop", "break_at": [("trivial", 2)]}, SpecError, r"blocks \[2\]: expected"),
        ({"group": "flop", "break_at": [("trivial", -1)]}, SpecError, r"blocks \[-1\]: expected"),
        (
            {"group": "flop", "break_at": [("nothing", 1)]},
            GroupError,
            "'nothing' is no image action: expected one of trivial, flop",
        ),
        (
            {
                "group": "flop",
                "feature_type": "24*sym + 40*asym",
                "break_at": [("trivial", 0)],
            },
            ActivationError,
            r"^blocks.restrict0 \(Restrict\): 24\*sym \+ 40\*asym over flop is no permutation",
        ),
        (
            {"group": "flop", "feature_type": "24*sym + 40*asym"},
            ActivationError,
            r"^blocks.0.mlp.act \(Activation\): 96\*sym \+ 160\*asym over flop is no permutation",
        ),
        (
            {"group": "flop", "heads": 5},
            HeadsError,
            r"^blocks.0.attention.attend \(Attention\): .*does not split into 5 heads: 32 copies "
            r"of sym, 32 copies of asym are not a multiple of 5. Expected one of these head "
            r"counts: 1, 2, 4, 8, 16, 32\.",
        ),
        (
            {"group": "D4", "width": 60},
            FeatureTypeError,
            r"60 channels cannot hold whole copies of the regular representation of .*: expected "
            r"a positive multiple of its order 8, such as 56 or 64",
        ),
        (
            {"group": "flop", "img_size": 18},
            GridError,
            r"^patch_embed \(PatchEmbed\): patch\w* of 4 x 4 do not tile an image of 18 x 18: "
            r"expected a size such as 16 x 16",
        ),
        (
            {"group": "D4", "img_size": (16, 24)},
            GridError,
            r"^patch_embed \(PatchEmbed\): 'D4' exchanges rows and columns, so it does not "
            r"preserve a token grid of 4 x 6: expected a square token grid, such as 4 x 4",
        ),
        (
            {"group": "flop", "global_pool": "max"},
            SpecError,
            r"^head.pool \(TokenPool\): unknown pooling 'max': expected one of token, avg",
        ),
        (
            {"group": "flop", "invariants": "abs"},
            SpecError,
            r"^head.invariants: unknown invariant 'abs': expected one of trivial, norm, rms, max",
        ),
        (
            {"group": "flop", "drop_rate": 1.5},
            SpecError,
            r"^head.drop \(InvariantDropout\): got a dropping rate of 1.5: expected 0 <= rate < 1",
        ),
        (
            {"group": "flop", "drop_path_rate": -0.5},
            SpecError,
            r"^blocks.1.attention.drop_path \(DropPath\): got a dropping rate of -0.5",
        ),
        (
            {"group": "flop", "depth": 0},
            SpecError,
            r"^blocks \(Chain\): got no steps: expected at least one",
        ),
        (
            {"group": "flop", "feature_type": "64*asym"},
            FeatureTypeError,
            r"^cls_token \(ClassToken\): 64\*asym has no trivial copy, so an invariant class token",
        ),
        (
            {"group": "flop", "feature_type": "64*asym", "global_pool": "avg"},
            ActivationError,
            r"^blocks.0.mlp.act",
        ),
        (
            {"group": "flop", "feature_type": "3*sim"},
            FeatureTypeError,
            "flop has no irrep named 'sim': expected names among sym, asym",
        ),
        (
            {"group": "flop", "feature_type": ir.FeatureType(groups.cyclic(3), "8*chi0")},
            SpecError,
            r"^patch_embed \(PatchEmbed\): the tokens' type 8\*chi0 lies over .*: expected a type "
            r"over flop, the group of 'flop'",
        ),
        ({"img_size": "16"}, SpecError, "got img_size='16': expected height and width above zero"),
        ({"img_size": (3, 16, 16)}, SpecError, r"got img_size=\(3, 16, 16\): expected height and"),
        (
            {"in_chans": 0},
            SpecError,
            r"^patch_embed \(PatchEmbed\): got 0 image channels: expected",
        ),
        ({"num_classes": -1}, SpecError, "got num_classes=-1: expected 0 .no logits. or more"),
        ({"depth": 2.5}, SpecError, "ViTSize: got depth=2.5: expected a whole number"),
        ({"patch": 0}, SpecError, "got patch=0: expected at least one pixel"),
        (
            {"break_at": "flop"},
            SpecError,
            "got break_at='flop': expected pairs of a subgroup and a",
        ),
        (
            {"break_at": [("flop", 1.5)]},
            SpecError,
            r"got break_at=\[\('flop', 1.5\)\]: expected pai",
        ),
        ({"group": "D5"}, GroupError, "'D5' is no image action"),
        (
            {"group": groups.flop()},
            GroupError,
            "does not say how it moves an image: expected one of trivial, flop, vflip",
        ),
        (
            {"group": "flop", "imgsize": 3, "colour": 1},
            SpecError,
            "unknown option colour, imgsize for vit_tiny_patch16_224: expected some of break_at, ",
        ),
        (
            {"name": "vit_giant"},
            SpecError,
            "unknown model 'vit_giant': expected one of .*vit_base_patch16_224, ",
        ),
        (
            {"group": "flop", "width": 4, "heads": 2},
            None,
            "",
        ),
        (
            {"group": "flop", "width": 2, "heads": 1},
            FeatureTypeError,
            r"^blocks.0.attention.norm \(LayerNorm\): centring='every_irrep' would turn sym, asym",
        ),
    ],
)
def test_what_is_refused(options: dict, error: type[Exception] | None, message: str) -> None:
    if error is None:
        keeps_every_promise(random_narrow(**options))
        return
    with pytest.raises(error, match=message):
        narrow(**options)


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 1, 16, 16), (1, 3, 16, 24)])
def test_images_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(GridError, match=r"the network takes images of shape \(3, 16, 16\)"):
        narrow("flop")(torch.zeros(shape, dtype=torch.float64))


def test_norms_need_something_to_see() -> None:
    spec = ir.specs.InvariantMap(ir.FeatureType(groups.flop(), "2*asym"))
    with pytest.raises(IrrepMismatchError, match="no trivial copy, so kind='trivial' gives noth"):
        ir.compile(spec)
