"""The public test kit: its assertions hold when they should and fail when they should."""

from collections.abc import Iterator

import pytest
import torch

import irrepnet as ir
from irrepnet import groups, specs
from irrepnet.testing import (
    TOLERANCES,
    assert_equivariant,
    assert_flops,
    assert_matches_dense,
    randomise_,
)
from irrepnet.types import FeatureType

X = FeatureType(groups.dihedral(4), "4*A1 + 2*B1 + 3*E")
CHAIN = specs.Chain((("norm", specs.LayerNorm(X)), ("fc", specs.Linear(X, 2 * X))))


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def net(dtype: torch.dtype = torch.float64) -> ir.nn.Layer:
    layer = ir.compile(CHAIN, dtype=dtype)
    assert isinstance(randomise_(layer), ir.nn.Layer)
    return layer


# -- randomise_ -------------------------------------------------------------------------------


def test_everything_is_drawn_at_order_one() -> None:
    layer = ir.compile(specs.Chain((("scale", specs.LayerScale(64 * X)),)), dtype=torch.float64)
    assert randomise_(layer) is layer
    for value in layer.parameters():
        assert 0.7 < value.std() < 1.3
    wide = randomise_(torch.nn.Linear(1000, 50))
    assert wide.weight.std().item() == pytest.approx(1000**-0.5, rel=0.05)
    assert 0.6 < wide.bias.std() < 1.4


def test_stored_buffers_too() -> None:
    norm = randomise_(torch.nn.BatchNorm1d(100))
    assert norm.running_mean.std() > 0.5
    assert norm.num_batches_tracked == 0


def test_the_seed_decides() -> None:
    a, b, c = (randomise_(torch.nn.Linear(3, 3), seed) for seed in (1, 1, 2))
    assert torch.equal(a.weight, b.weight)
    assert not torch.equal(a.weight, c.weight)


def test_the_dtype_does_not_decide() -> None:
    single = randomise_(torch.nn.Linear(3, 3))
    double = randomise_(torch.nn.Linear(3, 3, dtype=torch.float64))
    assert torch.equal(double.weight.float(), single.weight)


def test_the_global_generator_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    net_again = torch.nn.Linear(2, 2)
    torch.random.set_rng_state(before)
    randomise_(net_again)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert net_again.weight.requires_grad


def test_meta_stays_meta() -> None:
    layer = randomise_(ir.compile(CHAIN, device="meta"))
    assert all(p.is_meta for p in layer.parameters())


# -- assert_equivariant -----------------------------------------------------------------------


def test_equivariant() -> None:
    assert_equivariant(net())
    assert_equivariant(net(torch.float32))  # measured in float64 whatever the weights are


def test_not_equivariant() -> None:
    layer = net()
    layer.fc.register_forward_hook(lambda m, x, y: y + 1e-9)
    with pytest.raises(
        AssertionError,
        match=r"the network is not equivariant: relative error \d\.\de-\d+ exceeds 1\.0e-12\.\n"
        r"max \|f\(g x\) - g f\(x\)\| / max \|f\(x\)\|\n(.|\n)*fc",
    ):
        assert_equivariant(layer)
    assert_equivariant(layer, tolerance=1e-6)


def test_every_element_is_tried() -> None:
    """A network that commutes with the generators of a subgroup only."""
    layer = ir.compile(specs.LayerScale(FeatureType(groups.dihedral(4), "2*A2")))
    randomise_(layer)
    layer.register_forward_hook(lambda m, x, y: y.abs())
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(layer)


def test_a_zero_network_does_not_pass() -> None:
    layer = ir.compile(specs.LayerScale(X, 0.0))
    with pytest.raises(ir.IrrepnetError, match="is zero, which would certify any network"):
        assert_equivariant(layer)


# -- assert_matches_dense ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_matches(dtype: torch.dtype) -> None:
    assert_matches_dense(net(dtype))
    x = torch.randn(2, 7, 12).to(dtype)
    assert_matches_dense(net(dtype), x)


@pytest.mark.parametrize("grad", [False, True])
def test_each_mode_is_compared(grad: bool) -> None:
    layer = net()
    layer.fc.register_forward_hook(
        lambda m, x, y: y * (1 + 1e-6) if torch.is_grad_enabled() == grad else y
    )
    with pytest.raises(
        AssertionError,
        match=rf"differs from its dense twin by 1\.0e-06 \(relative\) with grad={grad}; rounding "
        r"explains 1\.0e-12\.",
    ):
        assert_matches_dense(layer)
    assert_matches_dense(layer, tolerance=1e-4)


def test_another_shape() -> None:
    layer = net()
    layer.fc.register_forward_hook(lambda m, x, y: y[..., :5])
    with pytest.raises(
        AssertionError, match=r"got shape \(2, 5, 5\), the dense twin's is \(2, 5, "
    ):
        assert_matches_dense(layer)


def test_numbers_that_are_none() -> None:
    layer = net()
    layer.fc.register_forward_hook(lambda m, x, y: y * torch.nan)
    with pytest.raises(AssertionError, match="differs from its dense twin by nan"):
        assert_matches_dense(layer)


def test_the_dense_twin_is_a_copy() -> None:
    layer = net()
    dense = layer.to_dense()
    x = torch.randn(3, 12, dtype=torch.float64)
    before = dense(x)
    with torch.no_grad():
        for value in layer.parameters():
            value.zero_()
    assert torch.equal(dense(x), before)


# -- assert_flops and tolerances --------------------------------------------------------------


def test_flops() -> None:
    per_position = 2 * (4 * 8 + 2 * 4 + 2 * 3 * 6)
    assert assert_flops(net(), (3, 12), 3 * per_position).rows[1].path == "fc"
    with pytest.raises(AssertionError, match=f"got {3 * per_position} FLOPs, expected 1,000,000"):
        assert_flops(net(), (3, 12), 1_000_000)


def test_flops_of_a_changed_network() -> None:
    layer = net()
    layer.fc = torch.nn.Linear(12, 24, dtype=torch.float64)
    with pytest.raises(ir.IrrepnetError, match="the model does not do what its plan says"):
        assert_flops(layer, (3, 12))


def test_tolerances() -> None:
    assert TOLERANCES[torch.float64] == 1e-12
    for dtype, tolerance in TOLERANCES.items():
        assert torch.finfo(dtype).eps < tolerance < 0.1
