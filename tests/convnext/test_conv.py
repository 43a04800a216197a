"""Dense convolutions: equal to stock ones whose kernels are averaged by hand."""

import copy
import pickle

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

import irrepnet as ir
from irrepnet import actions, nn, specs, testing
from irrepnet._errors import GridError
from irrepnet.types import FeatureType
from tests.convnext.kernels import as_map, as_tokens, averaged, invariant, num_kernels
from tests.nn.contract import EXACT, LayerContract, worst_error

#: Action, grid, kernel, stride, padding, input type, output type.
CASES = {
    "flop": ("flop", (4, 5), (3, 3), (1, 1), (1, 1), "3*sym + 2*asym", "2*sym + 4*asym"),
    "flop strided": ("flop", (5, 7), (3, 3), (2, 2), (1, 1), "2*sym + asym", "2*sym + 2*asym"),
    "flop even": ("flop", (4, 6), (2, 4), (1, 2), (1, 1), "2*sym + asym", "sym + 2*asym"),
    "flop rest": ("flop", (6, 5), (3, 3), (2, 2), (0, 1), "2*sym + asym", "sym + 2*asym"),
    "transpose": ("transpose", (4, 4), (3, 3), (2, 2), (1, 1), "chi0 + 2*chi1", "2*chi0 + chi1"),
    "klein_four": ("klein_four", (5, 4), (3, 2), (2, 1), (1, 0), "chi0 + chi1", "chi0 + 2*chi3"),
    "C4": ("C4", (5, 5), (3, 3), (1, 1), (1, 1), "chi0 + 2*chi2", "2*chi0 + chi1 + chi2"),
    "D4": ("D4", (5, 5), (3, 3), (2, 2), (1, 1), "2*A1 + B2 + E", "A1 + A2 + 2*E"),
    "D4 even": ("D4", (4, 4), (4, 4), (2, 2), (1, 1), "2*A1 + E", "A1 + A2 + 2*E"),
    "trivial": ("trivial", (4, 6), (3, 2), (2, 3), (1, 0), "3*chi0", "4*chi0"),
}


class TestConv(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("flop even", "D4")

    def make(self, case: str) -> specs.Conv:
        name, grid, kernel, stride, padding, left, right = CASES[case]
        action = actions.image(name)
        x, y = (FeatureType(action.group, text) for text in (left, right))
        return specs.Conv(x, action, grid, y, kernel, stride, padding)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        bias = invariant(layer.proj.bias, layer.out_type.dim)
        kernel = averaged(layer.kernel(), layer.action, layer.out_type, layer.in_type)
        maps = as_map(x, layer.grid)
        return as_tokens(F.conv2d(maps, kernel, bias, layer.stride, layer.padding))


@pytest.mark.parametrize("case", CASES)
def test_any_kernel_is_projected(case: str) -> None:
    layer = TestConv().build(case)
    kernel = torch.randn(layer.kernel().shape, dtype=torch.float64)
    layer.load_kernel_(kernel)
    expected = averaged(kernel, layer.action, layer.out_type, layer.in_type)
    assert (layer.kernel() - expected).abs().max() < EXACT
    weights = sum(p.numel() for n, p in layer.proj.named_parameters() if n != "bias")
    assert weights == num_kernels(layer.action, layer.out_type, layer.in_type, layer.window)


def test_an_averaged_kernel_is_needed() -> None:
    """Negative control: a kernel that does not commute is seen."""
    layer = TestConv().build("D4")
    x = TestConv().input(layer)
    kernel = layer.kernel().detach()
    kernel[0, 0, 0, 0] += 1e-6
    layer.kernel = lambda: kernel
    assert worst_error(layer, x) > 1e-9


# -- the kept kernel ------------------------------------------------------------------------------


@torch.no_grad()
def test_the_kept_kernel_follows_its_weights() -> None:
    layer, made = TestConv().build("flop"), TestConv()
    x = made.input(layer)
    before = layer(x)
    assert torch.equal(layer(x), before)
    assert layer._expanded._kept is not None
    layer.proj.weight_sym.mul_(2)
    assert (layer(x) - made.dense(layer, x)).abs().max() < EXACT
    assert not torch.equal(layer(x), before)
    testing.randomise_(layer, seed=1)
    assert (layer(x) - made.dense(layer, x)).abs().max() < EXACT
    layer.load_state_dict(TestConv().build("flop").state_dict())
    assert torch.equal(layer(x), before)
    layer.proj.weight_sym = torch.nn.Parameter(torch.zeros_like(layer.proj.weight_sym))
    assert (layer(x) - made.dense(layer, x)).abs().max() < EXACT
    low = layer.float()(x.float())
    assert low.dtype == torch.float32
    assert (layer.double()(x) - made.dense(layer, x)).abs().max() < EXACT


def test_the_kept_kernel_stays_at_home() -> None:
    layer = TestConv().build("flop")
    x = TestConv().input(layer)
    with torch.no_grad():
        layer(x)
    assert copy.deepcopy(layer)._expanded._kept is None
    assert pickle.loads(pickle.dumps(layer))._expanded._kept is None
    assert not any("kernel" in key or "expanded" in key for key in layer.state_dict())
    layer.train()(x).sum().backward()  # gradients do not come from the kept one
    assert layer.proj.weight_sym.grad is not None
    with torch.no_grad():
        layer.proj.weight_sym.sub_(layer.proj.weight_sym.grad)
        assert (layer(x) - TestConv().dense(layer, x)).abs().max() < EXACT


def test_weights_made_in_inference_mode_are_not_kept() -> None:
    with torch.inference_mode():
        layer = TestConv().build("flop")
        x = TestConv().input(layer)
        layer(x)
        assert layer._expanded._kept is None


# -- what is refused ------------------------------------------------------------------------------

FLOP, D4 = actions.image("flop"), actions.image("D4")
SYM = FeatureType(FLOP.group, "2*sym + 2*asym")
REGULAR = FeatureType.regular(D4.group, 8)


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        (
            specs.Conv(SYM, FLOP, (4, 6), SYM, stride=(2, 2)),
            r"Conv: 'flop' reverses the width of 6, but windows of 3 with stride 2 and padding 1 "
            r"leave 1 over at one end: expected a width of 5 or 7, or a kernel of 4",
        ),
        (
            specs.Conv(REGULAR, D4, (4, 4), REGULAR, stride=(2, 2)),
            r"reverses the height of 4",
        ),
        (
            specs.Conv(REGULAR, D4, (4, 5), REGULAR),
            r"does not preserve a grid of 4 x 5: expected a square grid, such as 4 x 4",
        ),
        (
            specs.Conv(REGULAR, D4, (5, 5), REGULAR, (3, 1)),
            r"does not preserve a kernel of 3 x 1",
        ),
        (
            specs.Conv(REGULAR, D4, (5, 5), REGULAR, stride=(2, 1)),
            r"does not preserve a stride of 2 x 1",
        ),
        (
            specs.Conv(REGULAR, D4, (5, 5), REGULAR, padding=(1, 0)),
            r"does not preserve a padding of 1 x 0",
        ),
        (
            specs.Conv(SYM, FLOP, (2, 2), SYM, (3, 3), padding=(0, 0)),
            r"a kernel of 3 x 3 does not fit on a grid of 2 x 2 with padding 0 x 0: expected a "
            r"smaller kernel or more padding",
        ),
        (
            specs.Conv(SYM, FLOP, (4, 4), SYM, (3, 0)),
            r"got a kernel of 3 x 0 with stride 1 x 1 and padding 1 x 1 on a grid of 4 x 4: "
            r"expected positive sizes and strides and padding >= 0",
        ),
    ],
)
def test_what_is_refused(spec: specs.Conv, match: str) -> None:
    with pytest.raises(GridError, match=match):
        ir.compile(spec)


@pytest.mark.parametrize("size", [5, 7])
def test_sizes_that_the_error_names_work(size: int) -> None:
    layer = ir.compile(specs.Conv(SYM, FLOP, (4, size), SYM, stride=(2, 2)), dtype=torch.float64)
    testing.assert_equivariant(testing.randomise_(layer))


def test_padding_that_is_refused_would_break_the_symmetry() -> None:
    """Negative control of the grid rule: even width, stride 2, one column left over."""
    x = torch.randn(1, 1, 4, 6, dtype=torch.float64)
    kernel = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    out, flipped = (F.conv2d(v, kernel, stride=2, padding=1) for v in (x, x.flip(3)))
    assert (flipped - out.flip(3)).abs().max() > 0.1
