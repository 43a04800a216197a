"""Every registered model over every group: what design.md promises, in one table."""

import copy
import pickle
from dataclasses import replace

import pytest
import torch

import irrepnet as ir
from irrepnet import testing

GROUPS = ("trivial", "flop", "klein_four", "C4", "D4")
#: Small ones of each family: the same code on few channels and pixels.
VIT = {"width": 32, "depth": 2, "heads": 2, "patch": 4, "img_size": 12}
RESMLP = {"width": 16, "depth": 2, "patch": 4, "img_size": 12, "init_values": 0.1}
STAGES = {"widths": (16, 32), "depths": (1, 1), "img_size": 16}
ONE_STAGE = {"width": 16, "depth": 2, "patch": 4, "img_size": 12}


def sizes(name: str) -> dict:
    """Options that make a registered model small."""
    if name.startswith("vit"):
        return VIT
    if name.startswith("resmlp"):
        return RESMLP
    return ONE_STAGE if "isotropic" in name else STAGES


ONE_OF_EACH = (
    "vit_tiny_patch16_224",
    "resmlp_12_224",
    "convnext_tiny",
    "convnext_isotropic_small",
    "convnext_isotropic_large",
)
every_group = pytest.mark.parametrize("group", GROUPS)
every_model = pytest.mark.parametrize("name", ir.list_models())
every_family = pytest.mark.parametrize("name", ONE_OF_EACH)


def narrow(name: str, group: str, **options) -> ir.nn.Classifier:
    torch.manual_seed(0)
    options = {**sizes(name), "num_classes": 3, "dtype": torch.float64, **options}
    return ir.create_model(name, group, **options)


def image(model: ir.nn.Classifier, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    dtype = next(model.parameters()).dtype
    source = model.plan.source
    shape = (batch, source.channels, *source.size)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


@pytest.fixture(autouse=True)
def _fresh_compiler(request):
    """Graphs of one network must not count against the next one's limit."""
    if request.node.get_closest_marker("compile"):
        torch._dynamo.reset()


@every_group
@every_model
def test_full_size_on_meta(name, group):
    with torch.device("meta"):
        model = ir.create_model(name, group)
    tensors = [*model.parameters(), *model.buffers()]
    assert {t.device.type for t in tensors} == {"meta"}
    report = testing.assert_flops(model, (3, 224, 224))
    dense = ir.create_model(name, device="meta")
    assert report.params <= sum(p.numel() for p in dense.parameters())
    keys = list(model.state_dict())
    assert keys == list(model.eval().state_dict()) == list(model.train().state_dict())
    assert {key.rpartition(".")[0] for key in keys} <= {path for path, _ in model.named_modules()}


@every_group
@every_model
def test_small_ones_keep_their_promises(name, group, tmp_path):
    model = testing.randomise_(narrow(name, group)).eval()
    testing.assert_equivariant(model)
    testing.assert_matches_dense(model)
    testing.assert_flops(model, (3, *model.plan.source.size))
    x = image(model)
    with torch.no_grad():
        expected = model(x)
        torch.testing.assert_close(expected, pickle.loads(pickle.dumps(model))(x), rtol=0, atol=0)
        torch.testing.assert_close(expected, copy.deepcopy(model)(x), rtol=0, atol=0)
        again = narrow(name, group)
        again.load_state_dict(model.state_dict())
        torch.testing.assert_close(expected, again.eval()(x), rtol=0, atol=0)
        ir.save(model, tmp_path / "model.safetensors")
        loaded = ir.load(tmp_path / "model.safetensors")
        torch.testing.assert_close(expected, loaded(x), rtol=0, atol=0)
        frozen = ir.freeze(model)
        torch.testing.assert_close(expected, frozen(x), rtol=1e-11, atol=1e-11)
    assert f"{group!r}" in repr(model)


@every_model
def test_the_small_ones_of_a_family_are_one_network(name):
    """What holds for one of each family below holds for every registered model."""

    def network(model):
        return replace(narrow(model, "flop", device="meta").plan.spec, architecture="")

    assert network(name) in [network(one) for one in ONE_OF_EACH]


@every_group
@every_family
@pytest.mark.compile
def test_small_ones_compile_and_export(name, group):
    model = testing.randomise_(narrow(name, group, dtype=torch.float32)).eval()
    x = image(model)
    expected = model(x)
    torch.testing.assert_close(
        torch.compile(model, fullgraph=True, backend="eager")(x), expected, rtol=1e-4, atol=1e-5
    )
    exported = torch.export.export(model, (x,))
    torch.testing.assert_close(exported.module()(x), expected, rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model(x)
    assert (mixed.float() - expected).abs().max() < 0.1 * expected.abs().max()


@pytest.mark.compile
@pytest.mark.slow
@every_family
def test_code_is_generated(name):
    model = testing.randomise_(narrow(name, "flop", dtype=torch.float32)).eval()
    x = image(model)
    compiled = torch.compile(model, fullgraph=True)
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-5)


@every_group
@every_family
def test_gradients(name, group):
    """`gradcheck` of a tiny one, through the image and through every parameter."""
    model = testing.randomise_(narrow(name, group)).eval()
    x = image(model, 1).requires_grad_()
    assert torch.autograd.gradcheck(model, (x,), fast_mode=True)
    state = {key: value.detach().requires_grad_() for key, value in model.named_parameters()}

    def run(*values):
        return torch.func.functional_call(
            model, dict(zip(state, values, strict=True)), (x.detach(),)
        )

    assert torch.autograd.gradcheck(run, tuple(state.values()), fast_mode=True)
