"""The promises that every registered model keeps, on narrow ones."""

import copy
import pickle
from io import BytesIO
from pathlib import Path

import pytest
import torch

import irrepnet as ir
from tests.models.narrow import GROUPS, PATCHES, images, narrow, random_narrow

CASES = [
    pytest.param({"name": name, "patch": patch, "img_size": 2 * patch, "depth": 1}, id=name)
    for name, patch in PATCHES.items()
]

#: Beside the registered groups: chains of subgroups, free multiplicities, another head.
OPTIONS = {
    **{group: {"group": group} for group in GROUPS},
    "hybrid": {"group": "flop", "break_at": [("trivial", 1)]},
    "chain": {"group": "D4", "depth": 3, "break_at": [("klein_four", 1), ("flop", 2)]},
    "norm": {"group": "D4", "invariants": "norm"},
    "free": {"group": "flop", "feature_type": "40*sym + 24*asym"},
    "avg": {"group": "C4", "global_pool": "avg"},
}
every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("case", CASES)
def test_every_name_is_equivariant_and_dense(case: dict, group: str) -> None:
    model = random_narrow(group, **case)
    ir.testing.assert_equivariant(model)
    ir.testing.assert_matches_dense(model)


@every_option
def test_equivariant_for_every_element(options: dict) -> None:
    model = random_narrow(**options)
    ir.testing.assert_equivariant(model)
    assert ir.certify(model).worst < 1e-12


@every_option
def test_matches_dense(options: dict) -> None:
    model = random_narrow(**options)
    ir.testing.assert_matches_dense(model)
    ir.testing.assert_matches_dense(model.float())


@every_option
def test_flops(options: dict) -> None:
    ir.testing.assert_flops(narrow(**options), (3, 16, 16))


@every_option
def test_grad_mode_changes_nothing(options: dict) -> None:
    model = random_narrow(**options)
    x = images(model)
    with torch.no_grad():
        plain = model(x)
    with torch.inference_mode():
        inferred = model(x)
    torch.testing.assert_close(plain, model(x), rtol=1e-12, atol=1e-12)
    assert torch.equal(plain, inferred)


@every_option
@pytest.mark.parametrize("grad", [False, True])
def test_autocast(options: dict, grad: bool) -> None:
    model = narrow(**options, dtype=torch.float32, init_values=0.1).eval()
    x = images(model)
    expected = model(x)
    with torch.set_grad_enabled(grad), torch.autocast("cpu", torch.bfloat16):
        got = model(x)
    assert got.dtype == torch.bfloat16
    assert (got.float() - expected).abs().max() <= 0.05 * expected.abs().max()


@every_option
def test_copies(options: dict) -> None:
    model = random_narrow(**options)
    x = images(model)
    buffer = BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    for twin in (
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        torch.load(buffer, weights_only=False),
    ):
        assert torch.equal(twin(x), model(x))
        assert twin.plan == model.plan
        assert hash(twin.plan) == hash(model.plan)
        assert repr(twin) == repr(model)


@every_option
def test_state_dict_round_trip(options: dict) -> None:
    model, other = random_narrow(**options), narrow(**options, seed=1).eval()
    x = images(model)
    assert not torch.equal(other(x), model(x))
    keys = list(model.state_dict())
    assert list(model.train().state_dict()) == keys == list(model.eval().state_dict())
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(x), model(x))
    assert list(model.state_dict()) == keys  # running it added nothing


@every_option
def test_save_and_load(options: dict, tmp_path: Path) -> None:
    model = random_narrow(**options)
    ir.save(model, tmp_path / "model.safetensors")
    loaded = ir.load(tmp_path / "model.safetensors")
    assert isinstance(loaded, ir.nn.Classifier)
    assert not loaded.training
    assert loaded.plan == model.plan
    assert loaded.default_cfg == model.default_cfg
    assert torch.equal(loaded(images(model)), model(images(model)))


@every_option
def test_meta_model_becomes_real(options: dict) -> None:
    """Tables are rebuilt by `to_empty`, weights come from a state dict."""
    model = random_narrow(**options)
    meta = narrow(**options, device="meta")
    assert [n for n, b in meta.named_buffers() if not b.is_meta] == []
    real = meta.to_empty(device="cpu").eval()
    real.load_state_dict(model.state_dict())
    assert torch.equal(real(images(model)), model(images(model)))


@every_option
def test_casts_lose_nothing_but_weights(options: dict) -> None:
    model = narrow(**options, dtype=torch.float32)
    ir.testing.randomise_(model)
    ir.testing.assert_equivariant(model.double())


@every_option
def test_backward_reaches_every_parameter(options: dict) -> None:
    model = random_narrow(**options).train()
    model(images(model)).square().sum().backward()
    idle = {n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    # A head on trivial copies does not see how the last norm scales the others.
    unseen = [b.irrep.name for b in model.plan.spec.feature_type.blocks[1:]]
    trivial = options.get("invariants") != "norm"
    assert idle == ({f"norm.weight_{name}" for name in unseen} if trivial else set())
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("group", ["flop", "C4", "D4"])
def test_gradcheck(group: str) -> None:
    torch.manual_seed(0)
    sizes = {"width": 16, "heads": 2, "depth": 1, "img_size": 4, "patch": 2, "in_chans": 1}
    model = random_narrow(group, **sizes, mlp_ratio=1, num_classes=2, invariants="norm")
    names = [name for name, _ in model.named_parameters()]

    def run(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(model, dict(zip(names, values, strict=True)), (x,))

    x = images(model).requires_grad_()
    assert torch.autograd.gradcheck(run, (x, *model.parameters()), fast_mode=True)


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
