"""What users of timm expect of a model."""

import pytest
import torch

import irrepnet as ir
from irrepnet._errors import SpecError
from tests.models.narrow import images, narrow, random_narrow


@pytest.mark.parametrize("group", ["trivial", "flop", "D4"])
def test_forward_in_two_steps(group: str) -> None:
    model = random_narrow(group)
    x = images(model)
    tokens = model.forward_features(x)
    assert tokens.shape == (2, 17, 64)
    assert torch.equal(model.forward_head(tokens), model(x))
    seen = model.forward_head(tokens, pre_logits=True)
    assert seen.shape == (2, 64 // model.plan.source.group.order)
    assert torch.equal(seen, tokens[:, 0, : seen.shape[1]])
    assert torch.equal(model.get_classifier()(seen), model(x))


def test_pooling_over_the_grid() -> None:
    model = random_narrow("flop", global_pool="avg")
    x = images(model)
    tokens = model.forward_features(x)
    assert tokens.shape == (2, 16, 64)
    pooled = model.forward_head(tokens, pre_logits=True)
    torch.testing.assert_close(pooled, tokens.mean(1)[:, :32])


def test_norms_before_the_logits() -> None:
    model = random_narrow("D4", invariants="norm")
    tokens = model.forward_features(images(model))
    cls = tokens[:, 0]
    norms = torch.linalg.vector_norm(cls[:, 32:].view(2, 2, 16), dim=1)
    expected = torch.cat([cls[:, :8], cls[:, 8:32].abs(), norms], dim=1)
    torch.testing.assert_close(model.forward_head(tokens, pre_logits=True), expected)


def test_numbers() -> None:
    model = narrow("flop")
    assert (model.num_classes, model.num_features) == (5, 64)
    assert model.get_classifier() is model.head.fc


def test_default_cfg() -> None:
    model = narrow("flop", in_chans=1, img_size=(16, 32))
    config = model.default_cfg
    assert config["architecture"] == "vit_tiny_patch16_224"
    assert config["input_size"] == (1, 16, 32)
    assert config["num_classes"] == 5
    assert config["mean"] == (0.485, 0.456, 0.406)
    assert config["std"] == (0.229, 0.224, 0.225)
    assert (config["crop_pct"], config["interpolation"]) == (1.0, "bicubic")
    assert model.get_submodule(config["first_conv"]) is model.patch_embed.proj
    assert model.get_submodule(config["classifier"]) is model.get_classifier()


def test_reset_classifier() -> None:
    model = random_narrow("flop")
    x = images(model)
    tokens = model.forward_features(x)
    model.reset_classifier(3)
    assert model(x).shape == (2, 3)
    assert model.num_classes == 3
    assert torch.equal(model.forward_features(x), tokens)
    assert model.head.fc.weight_sym.dtype == torch.float64
    ir.testing.assert_flops(model, (3, 16, 16))
    ir.testing.assert_equivariant(ir.testing.randomise_(model))


def test_reset_classifier_and_pooling(tmp_path) -> None:
    model = random_narrow("C4")
    model.reset_classifier(3, "avg")
    ir.testing.randomise_(model)
    x = images(model)
    tokens = model.forward_features(x)
    assert tokens.shape[1] == 17  # the class token stays, and is not in the mean
    pooled = model.forward_head(tokens, pre_logits=True)
    torch.testing.assert_close(pooled, tokens[:, 1:].mean(1)[:, :16])
    ir.testing.assert_equivariant(model)
    ir.testing.assert_flops(model, (3, 16, 16))
    ir.save(model, tmp_path / "m.safetensors")
    assert torch.equal(ir.load(tmp_path / "m.safetensors").eval()(x), model.eval()(x))


def test_reset_classifier_on_meta_stays_there() -> None:
    model = narrow("flop", device="meta")
    model.reset_classifier(3)
    assert all(p.is_meta for p in model.parameters())


def test_reset_to_a_token_that_is_not_there() -> None:
    model = narrow("flop", global_pool="avg")
    with pytest.raises(SpecError, match=r"head.pool \(TokenPool\): got pooling 'token' without"):
        model.reset_classifier(3, "token")
    assert model.num_classes == 5


@pytest.mark.parametrize("group", ["trivial", "flop", "D4"])
def test_no_weight_decay(group: str) -> None:
    model = narrow(group)
    names = model.no_weight_decay()
    assert names <= {name for name, _ in model.named_parameters()}
    assert "cls_token.weight" in names
    assert {name.split(".")[0] for name in names} == {"cls_token", "pos_embed"}
    irreps = len(model.plan.source.group.irreps)
    assert len(names) == irreps + 1


@pytest.mark.parametrize("group", ["trivial", "flop", "D4"])
def test_checkpointing_gives_the_same_gradients(group: str) -> None:
    options = {"init_values": 0.1, "drop_path_rate": 0.3}
    model = narrow(group, **options, break_at=[("flop", 1)] if group == "D4" else None).train()
    x = images(model, 4)

    def gradients(enable: bool) -> list[torch.Tensor]:
        model.set_grad_checkpointing(enable)
        model.zero_grad()
        torch.manual_seed(0)
        model(x).square().sum().backward()
        return [p.grad.clone() for p in model.parameters()]

    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(1) or t, lambda t: t):
        plain = gradients(False)
        stored = len(saved)
        recomputed = gradients(True)
    for a, b in zip(plain, recomputed, strict=True):
        assert torch.equal(a, b)
    assert len(saved) - stored < stored
    model.set_grad_checkpointing()
    with torch.no_grad():
        model.eval()(x)


def test_drop_rates_act_in_training_only() -> None:
    model = narrow("flop", drop_rate=0.5, drop_path_rate=0.5, init_values=1.0)
    ir.testing.randomise_(model)
    x = images(model, 8)
    model.train()
    torch.manual_seed(0)
    first, second = model(x), model(x)
    assert not torch.equal(first, second)
    model.eval()
    assert torch.equal(model(x), model(x))


def test_drop_path_grows_linearly() -> None:
    model = narrow("flop", depth=3, drop_path_rate=0.2)
    drops = {n: m.rate for n, m in model.named_modules() if isinstance(m, ir.nn.DropPath)}
    for branch in ("attention", "mlp"):  # a rate of zero may be left out
        rates = [drops.get(f"blocks.{i}.{branch}.drop_path", 0.0) for i in range(3)]
        assert rates == pytest.approx([0.0, 0.1, 0.2])


@pytest.mark.parametrize("group", ["flop", "D4"])
def test_stochastic_depth_is_equivariant_for_every_draw(group: str) -> None:
    model = random_narrow(group, drop_path_rate=0.6).train()
    x = images(model, 8)
    action = model.plan.source
    outputs = []
    for element in range(action.group.order):
        torch.manual_seed(3)
        outputs.append(model(ir.certificate.act(action, element, x)))
    for output in outputs[1:]:
        torch.testing.assert_close(output, outputs[0], rtol=1e-11, atol=1e-11)
    assert not torch.allclose(outputs[0], model.eval()(x))


def test_list_models() -> None:
    assert ir.list_models() == sorted(ir.list_models())
    assert ir.list_models("vit*") == [
        "vit_base_patch16_224",
        "vit_huge_patch14_224",
        "vit_large_patch16_224",
        "vit_small_patch16_224",
        "vit_tiny_patch16_224",
    ]
    assert ir.list_models("no such*") == []
