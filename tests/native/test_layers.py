"""Layers with kernels and without: the same numbers, and everything else a module can do."""

import copy
import io
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

from irrepnet import groups, nn
from irrepnet.types import FeatureType, gset_for
from tests.native.cases import DTYPES, NAMES, layers, run


@pytest.fixture(scope="module")
def without_kernels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Tensor]]:
    path = tmp_path_factory.mktemp("results") / "results.pt"
    subprocess.run(
        [sys.executable, "-m", "tests.native.cases", str(path)],
        env={**os.environ, "IRREPNET_NATIVE": "0"},
        check=True,
        timeout=100,
    )
    return torch.load(path)


def distance(found: Tensor, exact: Tensor) -> float:
    """Largest error, relative to the largest number."""
    assert found.shape == exact.shape
    return ((found.double() - exact).abs().max() / exact.abs().max()).item()


@pytest.mark.parametrize("name", NAMES)
def test_as_close_as_torchs_own_operations(
    name: str, without_kernels: dict[str, list[Tensor]]
) -> None:
    """To the same in float64; forward and back, for input and parameters."""
    for dtype in DTYPES:
        for kind, layer in layers(name).items():
            results = run(layer, dtype), without_kernels[f"{name} {kind} {dtype}"]
            exact = run(layer, dtype, exact=True)
            for found, other, right in zip(*results, exact, strict=True):
                assert found.dtype == other.dtype == dtype
                allowed = 6e-7 if dtype == torch.float32 else 1.01 * distance(other, right)
                assert distance(found, right) <= allowed, (kind, dtype)


def test_kernels_are_what_was_tested() -> None:
    for name in NAMES:
        for kind, layer in layers(name).items():
            x = torch.randn(2, 5, 3 * layer.dim if kind == "attention" else dim_of(layer))
            assert serves(layer, x) == ((name, kind) != ("A5", "gelu"))


def dim_of(layer: nn.Layer) -> int:
    return layer.basis.dim if hasattr(layer, "basis") else layer.dim


def serves(layer: nn.Layer, x: Tensor) -> bool:
    if isinstance(layer, nn.GSetActivation):
        return layer.basis.compiled.serves(layer.pointwise.function, x)
    if isinstance(layer, nn.ToIrreps):
        return layer.basis._compiled[False].serves("none", x)
    if isinstance(layer, nn.IsotypicAttention):
        return layer.layout.compiled.serves(x)
    return layer._compiled.serves(x)


LAYERS = [("D4", kind) for kind in ("gelu", "norm", "points", "attention")]


def layer_and_input(name: str, kind: str) -> tuple[nn.Layer, Tensor]:
    layer = layers(name)[kind]
    return layer, torch.randn(3, 5, (3 if kind == "attention" else 1) * dim_of(layer))


def with_slopes(layer: nn.Layer, x: Tensor) -> list[Tensor]:
    x = x.clone().requires_grad_()
    out = layer(x)
    return [out, *torch.autograd.grad(out.square().sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize(("name", "kind"), LAYERS)
def test_copies_of_a_module(name: str, kind: str) -> None:
    layer, x = layer_and_input(name, kind)
    expected = with_slopes(layer, x)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    others = {
        "deepcopy": copy.deepcopy(layer),
        "pickle": pickle.loads(pickle.dumps(layer)),
        "torch.save": torch.load(file, weights_only=False),
        "share_memory": copy.deepcopy(layer).share_memory(),
    }
    for way, other in others.items():
        assert all(map(torch.equal, with_slopes(other, x), expected)), way


@pytest.mark.parametrize(("name", "kind"), LAYERS)
def test_two_threads_give_what_one_gives(name: str, kind: str) -> None:
    layer, x = layer_and_input(name, kind)
    x = x.repeat(40, 5, 1)
    expected = with_slopes(layer, x)
    try:
        torch.set_num_threads(2)
        got = with_slopes(layer, x)
    finally:
        torch.set_num_threads(1)
    for here, there in zip(got, expected, strict=True):
        torch.testing.assert_close(here, there, rtol=1e-5, atol=1e-5 * there.abs().max().item())


@pytest.mark.parametrize(("name", "kind"), LAYERS)
def test_any_strides(name: str, kind: str) -> None:
    layer, x = layer_and_input(name, kind)
    expected = with_slopes(layer, x)
    apart = torch.stack([x, -x], dim=-1)[..., 0]
    wide = torch.cat([x, -x], dim=-1)[..., : x.shape[-1]]
    turned = x.transpose(0, 1).contiguous().transpose(0, 1)
    for same in (apart, wide, turned, torch._neg_view(-x)):
        for here, there in zip(with_slopes(layer, same), expected, strict=True):
            torch.testing.assert_close(here, there)
        with torch.no_grad():
            torch.testing.assert_close(layer(same), expected[0])


@pytest.mark.parametrize(("name", "kind"), LAYERS)
def test_a_fake_tensor_has_no_memory(name: str, kind: str) -> None:
    """Tools that only want shapes; a kernel would read and write at address zero."""
    layer, x = layer_and_input(name, kind)
    expected = layer(x)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        fake = mode.from_tensor(x).requires_grad_()
        out = layer(fake)
        out.sum().backward()
        with torch.no_grad():
            assert layer(fake).shape == expected.shape
    with torch.no_grad():
        assert layer(fake).shape == expected.shape  # outside of the mode that made it
    assert out.shape == expected.shape
    assert fake.grad is not None
    assert fake.grad.shape == x.shape


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch looks at it when it makes fakes
@pytest.mark.parametrize(("name", "kind"), LAYERS)
def test_gradients_without_memory(name: str, kind: str) -> None:
    """Fake ones give fake ones, and zeros that are only noted give zeros; nothing is read there."""
    layer, x = layer_and_input(name, kind)
    out = layer(x.requires_grad_())
    fake = FakeTensorMode(allow_non_fake_inputs=True).from_tensor(out.detach())
    (into,) = torch.autograd.grad(out, x, fake, retain_graph=True)
    assert (type(into), into.shape) == (type(fake), x.shape)
    (into,) = torch.autograd.grad(out, x, torch._efficientzerotensor(out.shape))
    assert torch.equal(into, torch.zeros_like(x))
    torch.testing.assert_close(
        layer(torch._efficientzerotensor(x.shape)), layer(torch.zeros_like(x))
    )


@pytest.mark.compile
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize(("name", "kind"), LAYERS)
def test_a_recorded_layer_computes(name: str, kind: str) -> None:
    """What records operations sees no kernels, so none may run."""
    layer, x = layer_and_input(name, kind)
    other = torch.randn_like(x)
    with torch.no_grad():
        for recorded in (
            make_fx(layer)(x),
            make_fx(layer, pre_dispatch=True)(x),
            torch.jit.trace(layer, x, check_trace=False),
        ):
            torch.testing.assert_close(recorded(other), layer(other))


@pytest.mark.compile
@pytest.mark.parametrize(("name", "kind"), LAYERS)
def test_a_compiled_layer_computes_alike_at_every_call(name: str, kind: str) -> None:
    """The kernel serves in the first call too, which compiles."""
    torch.compiler.reset()
    layer, x = layer_and_input(name, kind)
    compiled = torch.compile(layer, backend="aot_eager")
    with torch.no_grad():
        for _ in range(2):
            assert torch.equal(compiled(x), layer(x))


def test_modes_of_other_threads_do_not_matter() -> None:
    layer, x = layer_and_input("D4", "attention")
    with ThreadPoolExecutor(1) as pool, FakeTensorMode(allow_non_fake_inputs=True):
        assert not serves(layer, x)
        assert pool.submit(serves, layer, x).result()


def test_overwriting_is_seen_by_autograd() -> None:
    """A kernel's write counts as one: gradients from overwritten numbers are refused."""
    feature_type = FeatureType.regular(groups.flop(), 64)
    act = nn.GSetActivation(gset_for(feature_type), overwrite=True)
    x = torch.randn(5, 64).requires_grad_()
    middle = x.exp()
    out = middle.square().sum()
    with torch.no_grad():
        assert act.basis.compiled.serves("gelu", middle)
        assert act(middle).data_ptr() == middle.data_ptr()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()
