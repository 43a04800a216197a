"""The promises of a model with other options than its group."""

from io import BytesIO
from pathlib import Path

import pytest
import torch

import irrepnet as ir
from tests.models.narrow import images, narrow, random_narrow

#: Beside every family over five groups (test_families.py): other groups, chains of subgroups, free
#: multiplicities, other heads.
OPTIONS = {
    "vflip": {"group": "vflip"},
    "rot180": {"group": "rot180"},
    "patch of 14": {"group": "D4", "patch": 14, "img_size": 56, "depth": 1},
    "hybrid": {"group": "flop", "break_at": [("trivial", 1)]},
    "chain": {"group": "D4", "depth": 3, "break_at": [("klein_four", 1), ("flop", 2)]},
    "norm": {"group": "D4", "invariants": "norm"},
    "free": {"group": "flop", "feature_type": "40*sym + 24*asym"},
    "avg": {"group": "C4", "global_pool": "avg"},
}
every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


@every_option
def test_promises(options: dict, tmp_path: Path) -> None:
    model = random_narrow(**options)
    size = (3, *model.plan.source.size)
    ir.testing.assert_equivariant(model)
    ir.testing.assert_matches_dense(model)
    ir.testing.assert_flops(model, size)
    x, keys = images(model), list(model.state_dict())
    with torch.no_grad():
        expected = model(x)
    with torch.inference_mode():
        assert torch.equal(model(x), expected)
    torch.testing.assert_close(model(x), expected, rtol=1e-12, atol=1e-12)  # with gradients
    with torch.no_grad():
        for twin in _twins(model, options, tmp_path):
            assert twin.plan == model.plan
            assert hash(twin.plan) == hash(model.plan)
            assert torch.equal(twin(x), expected)
    assert keys == list(model.train().state_dict()) == list(model.eval().state_dict())
    _every_parameter_is_reached(model, options)


def _twins(model: ir.nn.Classifier, options: dict, tmp_path: Path) -> list[ir.nn.Classifier]:
    """The same network by other ways: torch's file, ours, and from the meta device."""
    buffer = BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    ir.save(model, tmp_path / "model.safetensors")
    loaded = ir.load(tmp_path / "model.safetensors")
    assert isinstance(loaded, ir.nn.Classifier)
    assert not loaded.training
    assert loaded.default_cfg == model.default_cfg
    meta = narrow(**options, device="meta")
    assert [n for n, b in meta.named_buffers() if not b.is_meta] == []
    real = meta.to_empty(device="cpu").eval()  # tables are rebuilt
    real.load_state_dict(model.state_dict())
    return [torch.load(buffer, weights_only=False), loaded, real]


def _every_parameter_is_reached(model: ir.nn.Classifier, options: dict) -> None:
    model(images(model)).square().sum().backward()
    idle = {n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    # A head on trivial copies does not see how the last norm scales the others.
    unseen = [b.irrep.name for b in model.plan.spec.feature_type.blocks[1:]]
    trivial = options.get("invariants") != "norm"
    assert idle == ({f"norm.weight_{name}" for name in unseen} if trivial else set())
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


@every_option
def test_casts(options: dict) -> None:
    """Casting loses nothing but weights; autocast computes in half precision."""
    model = narrow(**options, dtype=torch.float32, init_values=0.1).eval()
    x = images(model)
    expected = model(x)
    for grad in (False, True):
        with torch.set_grad_enabled(grad), torch.autocast("cpu", torch.bfloat16):
            got = model(x)
        assert got.dtype == torch.bfloat16
        assert (got.float() - expected).abs().max() <= 0.05 * expected.abs().max()
    ir.testing.randomise_(model)
    ir.testing.assert_matches_dense(model)
    ir.testing.assert_equivariant(model.double())


def test_repr_shows_types() -> None:
    shown = repr(narrow("D4"))
    for text in (
        "8*A1 + 8*A2 + 8*B1 + 8*B2 + 16*E",
        "'D4', patch=(4, 4), image_size=(16, 16)",
        "heads=4",
        "'D4' on 4 x 4",
        "-> 5*A1, bias=True",
    ):
        assert text in shown


def test_keys_of_a_flopping_model() -> None:
    block = "blocks.0."
    pairs = ("weight_sym", "weight_asym")
    expected = [f"patch_embed.proj.{p}" for p in pairs] + ["patch_embed.proj.bias"]
    expected += [f"pos_embed.{p}" for p in pairs] + ["cls_token.weight"]
    for branch, layers in (("attention", ("qkv", "proj")), ("mlp", ("fc1", "fc2"))):
        for layer in ("norm", *layers):
            expected += [f"{block}{branch}.{layer}.{p}" for p in (*pairs, "bias")]
        expected += [f"{block}{branch}.scale.{p}" for p in pairs]
    expected += [f"norm.{p}" for p in (*pairs, "bias")] + ["head.fc.weight_sym", "head.fc.bias"]
    assert sorted(narrow("flop", depth=1).state_dict()) == sorted(expected)
