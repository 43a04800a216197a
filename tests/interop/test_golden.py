"""Stored outputs of the published implementations."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

import irrepnet as ir
from tests.interop.published import forward

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
NAMES = ("vit", "d2_vit", "d2_vit_symfeats", "hybrid_vit")


def golden(name: str) -> tuple[dict[str, Tensor], str, dict, Tensor, Tensor]:
    """State, kind, config, input and output of a stored case."""
    with safe_open(GOLDEN / f"{name}.safetensors", "pt") as file:
        metadata = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    state = {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
    config = json.loads(metadata["config"])
    return state, metadata["kind"], config, tensors["input"], tensors["output"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("grad", [False, True])
def test_outputs(name: str, grad: bool) -> None:
    state, kind, config, x, expected = golden(name)
    model = ir.interop.load_flopping(state, kind, config)
    assert not model.training
    with torch.set_grad_enabled(grad):
        got = model(x)
    assert got.dtype == torch.float64
    assert (got - expected).abs().max() <= 1e-12 * expected.abs().max()


@pytest.mark.parametrize("name", NAMES)
def test_the_slow_network_of_these_tests_is_the_published_one(name: str) -> None:
    state, kind, config, x, expected = golden(name)
    config = {"in_chans": 3, "use_symmetrized_asym_feats": False, **config}
    got = forward(kind, config, state, x)
    assert (got - expected).abs().max() <= 1e-12 * expected.abs().max()


@pytest.mark.parametrize("name", NAMES)
def test_loaded_networks_keep_our_promises(name: str, tmp_path: Path) -> None:
    state, kind, config, x, expected = golden(name)
    model = ir.interop.load_flopping(state, kind, config)
    ir.testing.assert_equivariant(model)
    ir.testing.assert_matches_dense(model, x)
    ir.testing.assert_flops(model, (3, 32, 32))
    ir.save(model, tmp_path / "model.safetensors")
    assert torch.equal(ir.load(tmp_path / "model.safetensors")(x), model(x))
    if kind == "flopping.d2_vit":
        torch.testing.assert_close(model(x.flip(3)), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", ["d2_vit", "d2_vit_symfeats", "hybrid_vit"])
def test_swapped_irreps_give_something_else(name: str) -> None:
    """Negative control: what belongs to `sym` is given to `asym`."""
    state, kind, config, x, expected = golden(name)
    for part in ("attn.qkv.linear", "attn.proj.linear", "mlp.fc1.linear", "gamma_1.alpha"):
        wrong = dict(state)
        sym, asym = (f"blocks.0.{part}_{parity}" for parity in ("sym", "asym"))
        if part.endswith("linear"):
            sym, asym = f"{sym}.weight", f"{asym}.weight"
        wrong[sym], wrong[asym] = state[asym], state[sym]
        got = ir.interop.load_flopping(wrong, kind, config)(x)
        assert (got - expected).abs().max() > 1e-3 * expected.abs().max()
    wrong = dict(state)
    wrong["pos_embed.0"], wrong["pos_embed.1"] = state["pos_embed.1"], state["pos_embed.0"]
    got = ir.interop.load_flopping(wrong, kind, config)(x)
    assert (got - expected).abs().max() > 1e-3 * expected.abs().max()


@pytest.mark.parametrize("name", NAMES)
def test_dtype_is_the_checkpoints(name: str) -> None:
    state, kind, config, x, expected = golden(name)
    single = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    got = ir.interop.load_flopping(single, kind, config)(x.float())
    assert got.dtype == torch.float32
    assert (got - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_the_state_is_left_alone() -> None:
    state, kind, config, _, _ = golden("d2_vit")
    before = {key: value.clone() for key, value in state.items()}
    model = ir.interop.load_flopping(state, kind, config)
    ir.testing.randomise_(model)
    assert state.keys() == before.keys()
    assert all(torch.equal(state[key], value) for key, value in before.items())
