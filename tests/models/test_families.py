"""Every family over every group: what design.md promises, in one table."""

import copy
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import irrepnet as ir
from irrepnet import testing
from tests.models.narrow import FIVE_GROUPS, ONE_OF_EACH, images

#: Small ones of each family: the same code on few channels and pixels.
VIT = {"width": 32, "depth": 2, "heads": 2, "patch": 4, "img_size": 12}
RESMLP = {"width": 16, "depth": 2, "patch": 4, "img_size": 12, "init_values": 0.1}
STAGES = {"widths": (16, 32), "depths": (1, 1), "img_size": 16}
ONE_STAGE = {"width": 16, "depth": 2, "patch": 4, "img_size": 12}

every_group = pytest.mark.parametrize("group", FIVE_GROUPS)
every_family = pytest.mark.parametrize("name", ONE_OF_EACH)


def sizes(name: str) -> dict:
    """Options that make a registered model small."""
    if name.startswith("vit"):
        return VIT
    if name.startswith("resmlp"):
        return RESMLP
    return ONE_STAGE if "isotropic" in name else STAGES


def small(name: str, group: str, **options: object) -> ir.nn.Classifier:
    torch.manual_seed(0)
    options = {**sizes(name), "num_classes": 3, "dtype": torch.float64, **options}
    return ir.create_model(name, group, **options)


def random_small(name: str, group: str, **options: object) -> ir.nn.Classifier:
    model = testing.randomise_(small(name, group, **options)).eval()
    assert isinstance(model, ir.nn.Classifier)
    return model


@pytest.fixture(autouse=True)
def _fresh_compiler(request: pytest.FixtureRequest) -> None:
    """Graphs of one network must not count against the next one's limit."""
    if request.node.get_closest_marker("compile"):
        torch.compiler.reset()


@pytest.mark.parametrize("name", ir.list_models())
def test_the_small_ones_of_a_family_are_one_network(name: str) -> None:
    """What holds for one of each family below holds for every registered model."""

    def network(name: str) -> ir.specs.Spec:
        return replace(small(name, "flop", device="meta").plan.spec, architecture="")

    family = [one for one in ONE_OF_EACH if sizes(one) is sizes(name)]
    assert network(name) in [network(one) for one in family]


@every_group
@every_family
def test_small_ones_keep_their_promises(name: str, group: str, tmp_path: Path) -> None:
    model = random_small(name, group)
    testing.assert_equivariant(model)
    testing.assert_matches_dense(model)
    testing.assert_flops(model, (3, *model.plan.source.size))
    x, keys = images(model), list(model.state_dict())
    with torch.no_grad():
        expected = model(x)
        again = small(name, group).eval()
        assert not torch.equal(again(x), expected)
        again.load_state_dict(model.state_dict())
        ir.save(model, tmp_path / "model.safetensors")
        loaded = ir.load(tmp_path / "model.safetensors")
        pickled = pickle.loads(pickle.dumps(model))
        for twin in (pickled, copy.deepcopy(model), again, loaded):
            assert torch.equal(twin(x), expected)
            assert twin.plan == model.plan
            assert repr(twin) == repr(model)
        frozen = ir.freeze(model)
        torch.testing.assert_close(expected, frozen(x), rtol=1e-11, atol=1e-11)
    # Running it added nothing, and training has the same keys.
    assert list(model.train().state_dict()) == keys == list(model.eval().state_dict())
    assert f"{group!r}" in repr(model)


@every_group
@every_family
@pytest.mark.compile
def test_small_ones_are_one_graph(name: str, group: str) -> None:
    """`strict` traces as `torch.compile(fullgraph=True)` does; what comes out is exported."""
    model = random_small(name, group, dtype=torch.float32)
    x = images(model)
    expected = model(x)
    exported = torch.export.export(model, (x,), strict=True)
    assert set(exported.state_dict) == set(model.state_dict())
    torch.testing.assert_close(exported.module()(x), expected, rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model(x)
    assert mixed.dtype == torch.bfloat16
    assert (mixed.float() - expected).abs().max() < 0.1 * expected.abs().max()


@pytest.mark.compile
@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_EACH[:4])
def test_code_is_generated(name: str) -> None:
    model = random_small(name, "flop", dtype=torch.float32)
    x = images(model)
    compiled = torch.compile(model, fullgraph=True)
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-5)


@every_group
@every_family
def test_gradients(name: str, group: str) -> None:
    """`gradcheck` of a tiny one, through the image and every parameter; all are reached."""
    tiny = {} if sizes(name) is STAGES else {"depth": 1}
    model = random_small(name, group, **tiny)
    names = [name for name, _ in model.named_parameters()]

    def run(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(model, dict(zip(names, values, strict=True)), (x,))

    x = images(model, 1).requires_grad_()
    values = [p.detach().requires_grad_() for p in model.parameters()]
    assert torch.autograd.gradcheck(run, (x, *values), fast_mode=True)
