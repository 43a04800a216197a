"""`load_flopping` against a slow network of other sizes and seeds, and what it refuses."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet._errors import CheckpointError
from tests.interop.published import forward, random_state

KINDS = ("deit3.vit", "flopping.d2_vit", "flopping.hybrid_vit")
BASE = {
    "img_size": 16,
    "patch_size": 4,
    "in_chans": 3,
    "num_classes": 5,
    "embed_dim": 16,
    "depth": 2,
    "num_heads": 2,
    "mlp_ratio": 4,
    "qkv_bias": True,
    "init_scale": 0.1,
    "norm_eps": 1e-6,
    "use_symmetrized_asym_feats": False,
}
OTHERS = {
    "base": {},
    "large": {"img_size": 48, "patch_size": 8, "embed_dim": 24, "num_heads": 3},
    "deep": {"depth": 3, "mlp_ratio": 2},
    "deeper": {"depth": 5, "num_heads": 4},
    "shallow": {"depth": 1},
    "no qkv bias": {"qkv_bias": False},
    "grey": {"in_chans": 1, "num_classes": 1},
    "symmetrised": {"use_symmetrized_asym_feats": True},
    "eps": {"norm_eps": 0.3, "init_scale": 1e-5},
    "tall": {"img_size": (24, 16)},
    "wide": {"img_size": [12, 32]},
    "two columns": {"img_size": (20, 8)},
    "fractions": {"mlp_ratio": 2.5},
    "float": {"mlp_ratio": 4.0},
    "patch 2": {"patch_size": 2, "img_size": 8},
    "rates": {"drop_rate": 0.1, "drop_path_rate": 0.2},
    "the published defaults": {"use_fused_attn": True, "attn_drop_rate": 0.0, "qk_scale": None},
}


def check(state: dict[str, Tensor], kind: str, config: dict, seed: int = 0) -> None:
    model = ir.interop.load_flopping(state, kind, config)
    size = config["img_size"]
    height, width = (size, size) if isinstance(size, int) else size
    generator = torch.Generator().manual_seed(seed)
    shape = (2, config["in_chans"], height, width)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    expected = forward(kind, config, state, x)
    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            error = (model(x) - expected).abs().max()
        assert error <= 1e-12 * expected.abs().max()


@pytest.mark.parametrize("options", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_slow_network(kind: str, options: dict) -> None:
    config = {**BASE, **options}
    check(random_state(kind, config, seed=1), kind, config)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_other_seeds(kind: str, seed: int) -> None:
    check(random_state(kind, BASE, seed), kind, BASE, seed)


def test_keys_left_out_take_the_published_defaults() -> None:
    config = {**BASE, "in_chans": 3, "qkv_bias": False}
    state = random_state("flopping.d2_vit", config, 0)
    given = ("img_size", "patch_size", "num_classes", "embed_dim", "depth", "num_heads")
    model = ir.interop.load_flopping(state, "flopping.d2_vit", {k: config[k] for k in given})
    full = ir.interop.load_flopping(state, "flopping.d2_vit", config)
    x = torch.randn(1, 3, 16, 16, dtype=torch.float64)
    assert torch.equal(model(x), full(x))


# -- errors -----------------------------------------------------------------------------------


def damaged(kind: str, damage: Callable[[dict[str, Tensor]], object], **options: object) -> str:
    """The error's text for a state that was changed."""
    config = {**BASE, **options}
    state = random_state(kind, BASE, 0)
    damage(state)
    with pytest.raises(CheckpointError) as caught:
        ir.interop.load_flopping(state, kind, config)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_wrong_is_listed_at_once(kind: str) -> None:
    typed = kind != "deit3.vit"
    missing = "blocks.0.norm1.scaling.beta" if typed else "blocks.0.norm1.bias"
    position = "pos_embed.1" if typed else "pos_embed"
    weight = "blocks.0.attn.proj." + ("linear_asym.weight" if typed else "weight")
    scale = "blocks.0.gamma_2.alpha_sym" if typed else "blocks.0.gamma_2"

    def damage(state: dict[str, Tensor]) -> None:
        del state[missing], state["head.bias"]
        state["surprise"] = torch.zeros(1)
        state["blocks.7.more"] = torch.zeros(1)
        state[position] = state[position][:, 1:]
        state[weight] = state[weight][:-1]
        state[scale] = torch.zeros(3, dtype=torch.float64)

    text = damaged(kind, damage)
    first, missed, unknown, wrong, last = text.splitlines()
    assert first == f"the state dict is not that of a {kind} network with this config."
    assert missed.strip().startswith("missing keys: ")
    assert missing in missed
    assert "head.bias" in missed
    assert unknown == "  unknown keys: blocks.7.more, surprise"
    assert wrong.strip().startswith("wrong tensors: ")
    for key in (position, weight, scale):
        assert f"{key}: got shape" in wrong
    assert f"{scale}: got shape (3,), expected ({8 if typed else 16},)" in wrong
    assert last == "  Check kind= and config= against the network that wrote it."


def test_an_empty_state() -> None:
    text = damaged("flopping.d2_vit", dict.clear)
    assert "missing keys: patch_embed.proj_sym.weight, patch_embed.proj_asym.weight" in text
    assert "head.weight, head.bias" in text
    assert "unknown" not in text


def test_another_kind() -> None:
    state = random_state("flopping.d2_vit", BASE, 0)
    for kind in ("deit3.vit", "flopping.hybrid_vit"):
        with pytest.raises(CheckpointError, match=r"missing keys: (.|\n)*unknown keys: "):
            ir.interop.load_flopping(state, kind, BASE)


@pytest.mark.parametrize("kind", KINDS)
def test_another_depth(kind: str) -> None:
    assert "missing keys: blocks.2." in damaged(kind, lambda _: None, depth=3)
    shallow = damaged(kind, lambda _: None, depth=1).splitlines()
    assert any("unknown keys: " in line and "blocks.1.attn.qkv" in line for line in shallow)


@pytest.mark.parametrize("kind", KINDS)
def test_another_image_size(kind: str) -> None:
    text = damaged(kind, lambda _: None, img_size=24)
    assert "pos_embed" in text
    assert "got shape" in text


def test_another_qkv_bias() -> None:
    text = damaged("flopping.d2_vit", lambda _: None, qkv_bias=False)
    assert "unknown keys: blocks.0.attn.qkv.linear_sym.bias, blocks.1" in text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("patch_embed.flatten_and_permute.permutation", torch.arange(16)),
        ("patch_embed.flatten_and_permute.permutation", torch.arange(4)),
        ("patch_embed.flatten_and_permute.permutation", torch.zeros(0)),
        ("cls_token.1", torch.full((1, 1, 8), 1e-9, dtype=torch.float64)),
        ("cls_token.1", torch.full((1, 1, 8), torch.nan, dtype=torch.float64)),
    ],
)
@pytest.mark.parametrize("kind", KINDS[1:])
def test_tensors_without_freedom_are_checked(kind: str, key: str, value: Tensor) -> None:
    text = damaged(kind, lambda state: state.update({key: value}))
    assert f"wrong tensors: {key}: got values other than the only ones that the network" in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_without_classes(kind: str) -> None:
    state = random_state(kind, BASE, 0)
    logits = ir.interop.load_flopping(state, kind, BASE)
    weight, bias = state.pop("head.weight"), state.pop("head.bias")
    model = ir.interop.load_flopping(state, kind, {**BASE, "num_classes": 0})
    x = torch.randn(1, 3, 16, 16, dtype=torch.float64)
    torch.testing.assert_close(model(x) @ weight.t() + bias, logits(x), rtol=1e-11, atol=1e-11)


def test_configs_that_are_none() -> None:
    with pytest.raises(
        CheckpointError, match="got config=None: expected the published constructor"
    ):
        ir.interop.load_flopping({}, "deit3.vit", None)
    with pytest.raises(ir.IrrepnetError, match="got img_size='16': expected height and width"):
        ir.interop.load_flopping({}, "deit3.vit", {"img_size": "16"})


def test_unknown_kind() -> None:
    with pytest.raises(CheckpointError, match=r"unknown kind 'd2_vit': expected one of deit3\.vit"):
        ir.interop.load_flopping({}, "d2_vit", {})


def test_unknown_config_keys() -> None:
    with pytest.raises(
        CheckpointError,
        match=r"unknown config keys colour, width for deit3\.vit: expected some of img_size, ",
    ):
        ir.interop.load_flopping({}, "deit3.vit", {"width": 3, "colour": 1})


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [("qk_scale", 0.5, "None"), ("use_attn_mixer", True, "False"), ("attn_drop_rate", 0.1, "0.0")],
)
def test_values_that_are_not_supported(key: str, value: object, expected: str) -> None:
    with pytest.raises(CheckpointError, match=rf"{key}={value} of .*: expected {expected}\."):
        ir.interop.load_flopping({}, "flopping.d2_vit", {key: value})


@pytest.mark.parametrize("options", [{"img_size": 12}, {"patch_size": 1, "img_size": 4}])
@pytest.mark.parametrize("kind", KINDS[1:])
def test_grids_that_the_published_network_refuses(kind: str, options: dict) -> None:
    with pytest.raises(CheckpointError, match="an even number of patches in a row"):
        ir.interop.load_flopping({}, kind, {**BASE, **options})


def test_sizes_that_do_not_fit() -> None:
    with pytest.raises(ir.IrrepnetError, match="7 channels cannot hold whole copies"):
        ir.interop.load_flopping({}, "flopping.d2_vit", {**BASE, "embed_dim": 7})
    with pytest.raises(ir.IrrepnetError, match="does not split into 3 heads"):
        ir.interop.load_flopping({}, "flopping.d2_vit", {**BASE, "num_heads": 3})
