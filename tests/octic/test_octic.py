"""Published octic networks: equal outputs, their symmetry, and the errors of a wrong file."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

import irrepnet as ir
from irrepnet._errors import CheckpointError, SpecError
from tests.octic import oracle

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
BASE = {
    "img_size": 16,
    "patch_size": 4,
    "in_chans": 3,
    "embed_dim": 32,
    "depth": 2,
    "num_heads": 2,
    "mlp_ratio": 2,
    "qkv_bias": True,
    "num_classes": 5,
    "norm_eps_octic": 1e-1,
    "norm_eps_standard": 1e-2,
}


def golden(name: str) -> tuple[dict[str, Tensor], dict[str, Any], Tensor, Tensor]:
    with safe_open(GOLDEN / f"{name}.safetensors", "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}
        config = json.loads(file.metadata()["config"])
    state = {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
    return state, config, tensors["input"], tensors["output"]


def error(a: Tensor, b: Tensor) -> float:
    return ((a - b).abs().max() / b.abs().max()).item()


@pytest.mark.parametrize("name", ["octic_vit_hybrid", "octic_vit_invariant"])
def test_golden_outputs(name: str) -> None:
    state, config, images, output = golden(name)
    model = ir.interop.load_flopping(state, "octic.vit", config)
    with torch.no_grad():
        assert error(model(images), output) < 1e-12
        assert error(oracle.run(state, {**config, "in_chans": 3}, images), output) < 1e-12
    ir.testing.assert_equivariant(model)
    ir.testing.assert_matches_dense(model)
    ir.testing.assert_flops(model, tuple(images.shape[1:]))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"qkv_bias": False, "in_chans": 1, "num_heads": 4},
        {"octic_equi_break_layer": 0},
        {"octic_equi_break_layer": 0, "invariant": True},
        {"octic_equi_break_layer": 1, "depth": 3, "invariant": True},
        {"global_pool": True, "patch_size": 2, "img_size": 8},
        {"global_pool": True, "invariant": True, "embed_dim": 48, "num_heads": 3},
        {"mlp_ratio": 2.5, "embed_dim": 64, "num_heads": 4, "num_classes": 1},
    ],
)
def test_other_sizes_equal_the_oracle(changes: dict[str, Any]) -> None:
    config = {**BASE, **changes}
    state = oracle.random_state(config, seed=len(str(changes)))
    shape = (2, config["in_chans"], config["img_size"], config["img_size"])
    images = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    model = ir.interop.load_flopping(state, "octic.vit", config)
    with torch.no_grad():
        assert error(model(images), oracle.run(state, config, images)) < 1e-12


def test_the_early_invariant_network_gives_up_nothing() -> None:
    state, config, _, _ = golden("octic_vit_invariant")
    model = ir.interop.load_flopping(state, "octic.vit", config)
    assert model.plan.target.group.order == 8
    state, config, images, _ = golden("octic_vit_hybrid")
    hybrid = ir.interop.load_flopping(state, "octic.vit", config)
    with torch.no_grad():
        assert error(model(images.rot90(1, (-2, -1))), model(images)) < 1e-12
        assert error(hybrid(images.rot90(1, (-2, -1))), hybrid(images)) > 1e-3


def test_our_irreps_are_the_published_ones() -> None:
    action = ir.actions.image("D4")
    turn, mirror = (action.matrices.index(m) for m in (((0, -1), (1, 0)), ((1, 0), (0, -1))))
    pixels = torch.arange(9).view(3, 3)
    for element, moved in ((turn, pixels.rot90(1, (0, 1))), (mirror, pixels.flip(1))):
        origin = torch.tensor(action.permutation(3, 3)[element]).argsort()
        assert torch.equal(pixels.flatten()[origin], moved.flatten())
    e = action.group.irrep("E")
    assert e.matrix(turn).tolist() == [[0, -1], [1, 0]]
    assert e.matrix(mirror).tolist() == [[-1, 0], [0, 1]]
    signs = [
        [int(action.group.irrep(n).matrix(g)[0, 0]) for g in (turn, mirror)] for n in oracle.ONE
    ]
    assert signs == [[1, 1], [1, -1], [-1, 1], [-1, -1]]


def test_the_names_of_deit_blocks() -> None:
    state, config, images, output = golden("octic_vit_hybrid")
    renamed = {
        k.replace(".gamma", "").replace(".ls1", ".gamma_1").replace(".ls2", ".gamma_2"): v
        for k, v in state.items()
    }
    model = ir.interop.load_flopping(renamed, "octic.vit", config)
    with torch.no_grad():
        assert error(model(images), output) < 1e-12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": 8}, "unknown config keys groups for octic.vit: expected some of img_size"),
        ({"num_register_tokens": 4}, "num_register_tokens=4 is no octic.vit network"),
        ({"depth": 3}, "depth=3 has no middle to break the symmetry at"),
        (
            {"octic_equi_break_layer": 4},
            "octic_equi_break_layer=4: expected a block between 0 and 3",
        ),
    ],
)
def test_configs_that_are_refused(change: dict[str, Any], message: str) -> None:
    state, config, _, _ = golden("octic_vit_hybrid")
    with pytest.raises(CheckpointError, match=message):
        ir.interop.load_flopping(state, "octic.vit", {**config, **change})


def test_a_wrong_file_lists_every_key() -> None:
    state, config, _, _ = golden("octic_vit_hybrid")
    state.pop("norm.bias")
    state["pos_embed.2"] = torch.zeros(3, 3, 8)
    state["cls_token.3"] = torch.ones(1, 1, 8)
    state["blocks.0.attn.proj.lin_E.bias"] = torch.zeros(16)
    with pytest.raises(CheckpointError) as caught:
        ir.interop.load_flopping(state, "octic.vit", config)
    text = str(caught.value)
    assert "missing keys: norm.bias" in text
    assert "unknown keys: blocks.0.attn.proj.lin_E.bias" in text
    assert "pos_embed.2: got shape (3, 3, 8), expected (2, 2, 8)" in text
    assert "cls_token.3: got values other than the only ones" in text


@pytest.mark.parametrize("group", ["flop", "C4", "klein_four"])
def test_early_invariants_for_other_groups(group: str) -> None:
    model = ir.create_model(
        "vit_tiny_patch16_224",
        group=group,
        img_size=32,
        patch=8,
        width=16,
        heads=2,
        depth=2,
        num_classes=3,
        invariant_at=("norm", 1),
        dtype=torch.float64,
    )
    ir.testing.randomise_(model)
    ir.testing.assert_equivariant(model)
    ir.testing.assert_matches_dense(model)
    ir.testing.assert_flops(model, (3, 32, 32))


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (("norm", 12), "names block 12: expected a block index between 0 and 11"),
        (
            ("cubic", 3),
            "blocks.invariants3: unknown invariant 'cubic': expected one of trivial, norm",
        ),
        (("norm", 2.5), "names block 2.5: expected a block index"),
        ("norm", "got invariant_at='norm': expected a kind of invariants and a block, such as"),
    ],
)
def test_early_invariants_that_are_refused(place: tuple[str, int], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        ir.models.model_spec("vit_tiny_patch16_224", group="flop", invariant_at=place)


def test_a_positional_embedding_loads_the_projection() -> None:
    action = ir.actions.image("D4")
    x = ir.FeatureType(action.group, "2*A1 + A2 + B1 + 3*E")
    layer = ir.compile(ir.specs.PositionalEmbedding(x, action, (3, 3)), dtype=torch.float64)
    assert isinstance(layer, ir.nn.PositionalEmbedding)
    value = torch.randn(9, x.dim, dtype=torch.float64)
    layer.load_embedding_(value)
    edge = layer.plan.source
    moved = [ir.certificate.act(edge, g, value[None])[0] for g in range(8)]
    assert error(layer.embedding(), torch.stack(moved).mean(0)) < 1e-12
