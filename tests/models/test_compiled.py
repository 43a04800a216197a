"""Compiled and exported models give what eager ones give."""

import pytest
import torch

import irrepnet as ir
from tests.models.narrow import images, narrow, random_narrow

#: Beside every family over every group (test_families.py): other heads and breaks.
CASES = {
    "D4 norm": {"group": "D4", "invariants": "norm"},
    "hybrid": {"group": "flop", "depth": 2, "break_at": [("trivial", 1)]},
    "chain": {"group": "D4", "depth": 2, "break_at": [("C4", 1)], "global_pool": "avg"},
}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    torch.compiler.reset()


def compiled(model: ir.nn.Classifier, backend: str) -> torch.nn.Module:
    """One graph, or an error."""
    twin = torch.compile(model, backend=backend, fullgraph=True)
    assert isinstance(twin, torch.nn.Module)
    return twin


def one_block(**options: object) -> ir.nn.Classifier:
    return random_narrow(**{"depth": 1, **options}).eval()


@pytest.mark.slow
@pytest.mark.compile
def test_training_graph() -> None:
    model = narrow("D4", depth=1, init_values=0.1, drop_path_rate=0.0).train()
    x = images(model)
    model(x).square().sum().backward()
    expected = [p.grad for p in model.parameters()]
    model.zero_grad()
    compiled(model, "aot_eager")(x).square().sum().backward()
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@pytest.mark.compile
def test_compiled_autocast() -> None:
    model = one_block(group="flop", dtype=torch.float32)
    x = images(model)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        got = compiled(model, "aot_eager")(x)
        expected = model(x)
    assert got.dtype == expected.dtype == torch.bfloat16
    torch.testing.assert_close(got, expected, rtol=5e-2, atol=5e-2)


@pytest.mark.slow
@pytest.mark.compile
@pytest.mark.parametrize("options", CASES.values(), ids=CASES)
def test_one_graph(options: dict) -> None:
    """`strict` traces as `torch.compile(fullgraph=True)` does; what comes out is exported."""
    model = one_block(**options)
    x = images(model)
    exported = torch.export.export(model, (x,), strict=True)
    assert set(exported.state_dict) == set(model.state_dict())
    torch.testing.assert_close(exported.module()(x), model(x), rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.compile
def test_export_of_the_dense_twin() -> None:
    model = one_block(group="flop")
    x = images(model)
    exported = torch.export.export(model.to_dense().eval(), (x,))
    torch.testing.assert_close(exported.module()(x), model(x), rtol=1e-11, atol=1e-11)


@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")  # torch's attention
def test_vmap() -> None:
    model = one_block(group="D4")
    x = images(model, 3)
    torch.testing.assert_close(
        torch.func.vmap(lambda one: model(one[None])[0])(x), model(x), rtol=1e-11, atol=1e-11
    )
