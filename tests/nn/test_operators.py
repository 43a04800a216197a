"""Traced inference on a CPU calls operators; they give what eager layers give, and cost as much."""

import pickle
from collections.abc import Callable
from copy import deepcopy

import pytest
import torch

from irrepnet import accounting, groups, nn
from irrepnet.types import FeatureType, gset_for

GROUPS = ("trivial", "flop", "C4", "D4", "Q8", "A5")


def regular(name: str, copies: int) -> FeatureType:
    G = groups.parse(name)
    return FeatureType.regular(G, copies * G.order)


#: Layers, and the operator that each should call; A5's points are too many for a kernel.
LAYERS: dict[str, tuple[Callable[[FeatureType], nn.Layer], str]] = {
    "linear": (lambda X: nn.IsotypicLinear(X, 2 * X), "block_product"),
    "batched": (lambda X: nn.IsotypicLinear(X, X, lowering="batched"), "block_product"),
    "norm": (nn.IsotypicLayerNorm, "typed_norm"),
    "activation": (lambda X: nn.GSetActivation(gset_for(X)), "conjugate"),
    "attention": (lambda X: nn.IsotypicAttention(X, 2), "attention"),
}


def traced(layer: nn.Layer, found: list[str]) -> Callable[[torch.Tensor], torch.Tensor]:
    """The layer as one graph; names of its operators are added to `found`."""

    def backend(graph: torch.fx.GraphModule, _: object) -> Callable[..., object]:
        found.extend(str(n.target) for n in graph.graph.nodes if n.op == "call_function")
        return graph.forward

    return torch.compile(layer, backend=backend, fullgraph=True)


def input_of(layer: nn.Layer, X: FeatureType, dtype: torch.dtype) -> torch.Tensor:
    width = 3 * X.dim if isinstance(layer, nn.IsotypicAttention) else X.dim
    return torch.randn(3, 5, width).to(dtype)


@pytest.mark.compile
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("kind", LAYERS)
def test_traced_layers_give_what_eager_ones_give(kind: str, name: str, dtype: torch.dtype) -> None:
    torch.compiler.reset()
    make, operator = LAYERS[kind]
    X = regular(name, 18 if name == "trivial" else 2 if name == "A5" else 16)
    layer = make(X).to(dtype).eval()
    x, found = input_of(layer, X, dtype), []
    with torch.no_grad():
        expected, got = layer(x), traced(layer, found)(x)
    error = (got.float() - expected.float()).norm() / expected.float().norm()
    assert error < (1e-6 if dtype == torch.float32 else 1e-2)
    # Too many points for a kernel; and what torch's own norm does, compilers know.
    served = (kind, name) not in (("activation", "A5"), ("norm", "trivial"))
    assert any(f"irrepnet.{operator}" in target for target in found) == served


@pytest.mark.compile
@pytest.mark.parametrize("kind", ["linear", "norm", "activation", "attention"])
def test_with_gradients_no_operator_is_called(kind: str) -> None:
    """They have no derivative: the layer's own operations are traced."""
    torch.compiler.reset()
    X = regular("D4", 16)
    layer = LAYERS[kind][0](X)
    x, found = input_of(layer, X, torch.float32), []
    twin = traced(layer, found)
    got, expected = (
        torch.autograd.grad(run(leaf).sin().sum(), leaf)[0]
        for run, leaf in ((twin, x.clone().requires_grad_()), (layer, x.clone().requires_grad_()))
    )
    assert not any("irrepnet" in target for target in found)
    assert (got - expected).norm() < 1e-5 * expected.norm()


@pytest.mark.compile
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("kind", LAYERS)
def test_exported_programs_need_no_irrepnet(kind: str, strict: bool) -> None:
    torch.compiler.reset()
    X = regular("D4", 16)
    layer = LAYERS[kind][0](X).eval()
    x = input_of(layer, X, torch.float32)
    with torch.no_grad():
        program = torch.export.export(layer, (x,), strict=strict)
        torch.testing.assert_close(program.module()(x), layer(x), rtol=1e-4, atol=1e-5)
    assert not any("irrepnet" in str(node.target) for node in program.graph.nodes)


@pytest.mark.compile
@pytest.mark.parametrize("copy", [lambda layer: pickle.loads(pickle.dumps(layer)), deepcopy])
@pytest.mark.parametrize("kind", LAYERS)
def test_copies_are_found_by_operators_in_another_process(
    kind: str, copy: Callable[[nn.Layer], nn.Layer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the copy tells a process what its operators do."""
    torch.compiler.reset()
    X = regular("Q8", 16)
    layer = LAYERS[kind][0](X).eval()
    x = input_of(layer, X, torch.float32)
    monkeypatch.setattr("irrepnet.nn._operators._PLANS", {})
    twin, found = copy(layer), []
    with torch.no_grad():
        torch.testing.assert_close(traced(twin, found)(x), layer(x), rtol=1e-4, atol=1e-5)
    assert any("irrepnet" in target for target in found)


def test_large_orbits_are_no_tables_of_kernels() -> None:
    X = regular("A5", 16)
    assert len(nn.GSetActivation(gset_for(X))._plan.key) < 100


@pytest.mark.compile
def test_an_activation_that_overwrites_does_so_traced() -> None:
    torch.compiler.reset()
    X = regular("D4", 16)
    layer = nn.GSetActivation(gset_for(X), overwrite=True).eval()
    x, found = torch.randn(3, X.dim), []
    expected = layer.build(x)
    with torch.no_grad():
        got = traced(layer, found)(x)
    assert any("irrepnet.conjugate_" in target for target in found)
    assert got.data_ptr() == x.data_ptr()
    assert (got - expected).abs().max() < 1e-5


@pytest.mark.parametrize("name", ["flop", "Q8", "C3xD3"])
@pytest.mark.parametrize("kind", ["linear", "attention"])
def test_operators_cost_what_their_layers_cost(kind: str, name: str) -> None:
    X = regular(name, 16)
    layer = LAYERS[kind][0](X)
    x = input_of(layer, X, torch.float32)
    counter = accounting.counter  # knows what operators cost
    with counter() as counted:
        layer(x.to("meta")) if kind == "attention" else layer(x)
    with torch.no_grad(), counter() as of_operator:
        if isinstance(layer, nn.IsotypicAttention):
            torch.ops.irrepnet.attention(x, layer._plan.key)
        else:
            assert isinstance(layer, nn.IsotypicLinear)
            rows = x.flatten(0, 1)
            product = layer._product
            torch.ops.irrepnet.block_product(
                rows, layer.bias, layer._weights(rows), layer.out_dim, product._plan.key
            )
    assert of_operator.get_total_flops() == counted.get_total_flops() > 0
