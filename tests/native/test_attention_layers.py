"""Attention with its kernel: what autograd, transforms and compilers see of it."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

from irrepnet import groups, nn, testing
from irrepnet.nn.native import Attention
from irrepnet.types import FeatureType

NAMES = ("trivial", "flop", "D4")


class Watching(TorchDispatchMode):
    """Lets operations pass, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen += 1
        return func(*args, **(kwargs or {}))


def made(name: str) -> tuple[nn.IsotypicAttention, Tensor, Tensor]:
    """A layer that the kernel serves, query, key and value, and what comes back."""
    X = FeatureType.regular(groups.parse(name), 48)
    layer, x = nn.IsotypicAttention(X, 2), torch.randn(2, 9, 3 * X.dim)
    assert layer.layout.compiled.serves(x)
    return layer, x, torch.randn(2, 9, X.dim)


def there_and_back(call: Callable[..., Tensor], x: Tensor, gradient: Tensor) -> list[Tensor]:
    x = x.clone().requires_grad_()
    out = call(x)
    return [out.detach(), *torch.autograd.grad(out, x, gradient)]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the kernel's calls."""
    names: list[str] = []
    real = Attention._call
    monkeypatch.setattr(
        Attention,
        "_call",
        lambda of, name, tensors: names.append(name.split("_")[1]) or real(of, name, tensors),
    )
    return names


def by_torch(monkeypatch: pytest.MonkeyPatch, run: Callable[[], list[Tensor]]) -> list[Tensor]:
    """The results of the same without the kernel."""
    with monkeypatch.context() as patch:
        patch.setattr(Attention, "serves", lambda *_: False)
        return run()


@pytest.mark.parametrize("name", NAMES)
def test_as_without_the_kernel(
    name: str, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, x, gradient = made(name)

    def run() -> list[Tensor]:
        with torch.no_grad():
            first = layer(x)
        with torch.inference_mode():
            second = layer(x)
        return [first, second, *there_and_back(layer, x, gradient)]

    got = run()
    assert counted == ["forward"] * 3 + ["backward"]
    torch.testing.assert_close(got, by_torch(monkeypatch, run))
    assert len(counted) == 4


@pytest.mark.parametrize("name", NAMES)
def test_training_under_autocast(
    name: str, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Query, key and value come in bfloat16 from a map; its gradients are float32."""
    layer, _, gradient = made(name)
    X = layer.feature_type
    net = torch.nn.Sequential(testing.randomise_(nn.IsotypicLinear(X, 3 * X)), layer)
    x = torch.randn(2, 9, X.dim) / 8

    def run() -> list[Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            out = net(x)
        return [
            out.detach(),
            *torch.autograd.grad(out, list(net.parameters()), gradient.bfloat16()),
        ]

    monkeypatch.setattr("irrepnet.nn.native._attention._multiplies_tiles", lambda: False)
    got = run()
    assert counted == ["forward", "backward"]
    assert {t.dtype for t in got} == {torch.bfloat16, torch.float32}
    for here, there in zip(got, by_torch(monkeypatch, run), strict=True):
        assert here.dtype == there.dtype
        assert (here - there).float().norm() < 0.02 * there.float().norm()


@pytest.mark.compile
@pytest.mark.parametrize("name", ["trivial", "D4"])
def test_traced_inference_and_training(name: str, counted: list[str]) -> None:
    torch.compiler.reset()
    layer, x, gradient = made(name)
    traced = torch.compile(layer, backend="aot_eager", fullgraph=True)
    with torch.no_grad():
        for _ in range(2):  # no other bits in the call that compiles
            assert torch.equal(traced(x), layer(x))
    assert counted == ["forward"] * 4
    torch.testing.assert_close(
        there_and_back(traced, x, gradient), there_and_back(layer, x, gradient)
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_one_way_and_operations_the_other(name: str, counted: list[str]) -> None:
    """A dispatch mode, which must see operations, is there for one half of the way."""
    layer, x, gradient = made(name)
    right = there_and_back(layer, x, gradient)
    x.requires_grad_()
    out = layer(x)
    with Watching() as watching:
        (into,) = torch.autograd.grad(out, x, gradient)
    assert watching.seen > 3
    assert counted == ["forward", "backward", "forward"]
    torch.testing.assert_close([out.detach(), into], right)
    with Watching() as watching:
        out = layer(x)
    assert watching.seen > 3
    torch.testing.assert_close([out.detach(), *torch.autograd.grad(out, x, gradient)], right)
    assert len(counted) == 3  # torch's fused attention wants its own backward pass


def test_a_lazily_negated_gradient_is_negated(counted: list[str]) -> None:
    """The sign is a bit that is not in memory."""
    layer, x, gradient = made("D4")
    _, into = there_and_back(layer, x, torch._neg_view(gradient))
    _, negated = there_and_back(layer, x, -gradient)
    assert torch.equal(into, negated)
    assert counted == ["forward", "backward"] * 2


def test_what_autograd_refuses() -> None:
    layer, x, gradient = made("D4")
    x.requires_grad_()
    (into,) = torch.autograd.grad(layer(x), x, gradient.requires_grad_(), create_graph=True)
    with pytest.raises(
        RuntimeError, match="trying to differentiate twice a function that was marked"
    ):
        into.sum().backward()
    middle = x.exp()
    out = layer(middle)
    middle += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_what_is_made_without_autograd() -> None:
    """Inputs of inference mode, which autograd may not keep, in a call that records nothing."""
    layer, x, _ = made("D4")
    expected = layer(x)
    assert not expected.requires_grad
    with torch.inference_mode():
        made_there = x.clone()
    assert torch.equal(layer(made_there), expected)


def test_a_checkpoint_gives_the_same_bits(counted: list[str]) -> None:
    layer, x, gradient = made("D4")
    right = there_and_back(layer, x, gradient)
    got = there_and_back(
        lambda x: checkpoint(layer, x, use_reentrant=False),
        x,
        gradient,  # type: ignore[return-value]
    )
    assert all(map(torch.equal, got, right))
    assert counted == ["forward", "backward", "forward", "forward", "backward"]


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # torch's, about vmap
def test_transforms_of_functions() -> None:
    """They run the layer's operations, and agree with the kernel."""
    layer, x, gradient = made("D4")
    out, into = there_and_back(layer, x, gradient)
    other, back = torch.func.vjp(layer, x)
    torch.testing.assert_close([other, *back(gradient)], [out, into])
    torch.testing.assert_close(torch.func.vmap(lambda t: layer(t[None])[0])(x), out)
