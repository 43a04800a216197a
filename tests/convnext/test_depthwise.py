"""Depthwise convolutions: each channel sees one channel, and the whole commutes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

import irrepnet as ir
from irrepnet import actions, nn, specs, testing
from irrepnet._errors import ActivationError, FeatureTypeError, GridError, SpecError
from irrepnet.types import FeatureType, gset_for, paired_kernels
from tests.convnext.kernels import as_map, as_tokens, averaged, invariant
from tests.nn.contract import EXACT, LayerContract, relative, worst_error

#: Action, grid, kernel, stride, padding, type, pairing.
CASES = {
    "flop quarters": ("flop", (4, 5), (3, 3), (1, 1), (1, 1), "4*sym + 4*asym", "pairs"),
    "flop even": ("flop", (4, 6), (2, 4), (1, 2), (1, 1), "4*sym + 4*asym", "pairs"),
    "flop uneven": ("flop", (4, 5), (3, 3), (1, 1), (1, 1), "5*sym + 2*asym", "pairs"),
    "flop one irrep": ("flop", (4, 5), (3, 3), (1, 1), (1, 1), "3*asym", "pairs"),
    "flop narrow": ("flop", (4, 5), (3, 1), (1, 1), (1, 0), "4*sym + 4*asym", "pairs"),
    "flop points": ("flop", (4, 5), (3, 3), (1, 1), (1, 1), "4*sym + 3*asym", "gset"),
    "rot180": ("rot180", (5, 4), (3, 2), (2, 1), (1, 0), "4*chi0 + 4*chi1", "pairs"),
    "klein_four": (
        *("klein_four", (4, 5), (3, 3), (1, 1), (1, 1)),
        *("4*chi0 + 4*chi1 + 5*chi2 + 4*chi3", "pairs"),
    ),
    "klein_four points": (
        *("klein_four", (5, 5), (3, 3), (2, 2), (1, 1)),
        *("3*chi0 + 2*chi1 + 2*chi2 + 2*chi3", "gset"),
    ),
    "transpose": ("transpose", (4, 4), (3, 3), (1, 1), (1, 1), "2*chi0 + 2*chi1", "pairs"),
    "C4": ("C4", (4, 4), (3, 3), (1, 1), (1, 1), "3*chi0 + 2*chi1 + 2*chi2", "gset"),
    "D4": ("D4", (4, 4), (3, 3), (1, 1), (1, 1), "2*A1 + 2*A2 + 2*B1 + 2*B2 + 4*E", "gset"),
    "D4 cosets": ("D4", (4, 4), (4, 4), (2, 2), (1, 1), "3*A1 + A2 + 2*B1 + B2 + 3*E", "gset"),
    "trivial": ("trivial", (4, 5), (3, 2), (1, 2), (1, 0), "3*chi0", "pairs"),
    "trivial points": ("trivial", (4, 5), (3, 3), (1, 1), (1, 1), "3*chi0", "gset"),
}


def change(layer: nn.Layer) -> Tensor:
    """From the channels in which the convolution runs to irreps."""
    return torch.tensor(gset_for(layer.feature_type).basis())


class TestDepthwiseConv(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("flop quarters", "D4 cosets")

    def make(self, case: str) -> specs.DepthwiseConv:
        name, grid, kernel, stride, padding, text, pairing = CASES[case]
        action = actions.image(name)
        x = FeatureType(action.group, text)
        return specs.DepthwiseConv(x, action, grid, kernel, stride, padding, pairing)

    def kernel(self, layer: nn.Layer) -> Tensor:
        """The dense kernel, averaged by hand; one pair of channels at a time."""
        filters = layer.filters()[:, 0]
        if isinstance(layer, nn.PairedDepthwiseConv):
            dense = torch.zeros(layer.dim, layer.dim, *layer.kernel_size, dtype=torch.float64)
            for channel, other in enumerate(layer.inputs.tolist()):
                dense[channel, other] = filters[channel]
        else:
            dense = torch.einsum("op,phw,ip->oihw", change(layer), filters, change(layer))
        return averaged(dense, layer.action, layer.feature_type, layer.feature_type)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        if isinstance(layer, nn.PairedDepthwiseConv):
            bias = invariant(layer.bias, layer.dim)
        else:  # alike on the points of an orbit: in irreps, a trivial copy times sqrt(points)
            bias = torch.zeros(layer.dim, dtype=torch.float64)
            sizes = [o.index for o in layer.basis.gset.orbits for _ in range(o.count)]
            bias[: len(sizes)] = layer.bias.detach() * torch.tensor(sizes).double().sqrt()
        maps = as_map(x, layer.grid)
        out = F.conv2d(maps, self.kernel(layer), bias, layer.stride, layer.padding)
        return as_tokens(out)


@pytest.mark.parametrize("case", [c for c in CASES if CASES[c][-1] == "pairs"])
def test_every_channel_is_used_once(case: str) -> None:
    layer = TestDepthwiseConv().build(case)
    assert sorted(layer.inputs.tolist()) == list(range(layer.dim))
    assert (layer.filters().flatten(1).abs().max(1).values > 0).all()


@pytest.mark.parametrize("case", [c for c in CASES if CASES[c][-1] == "pairs"])
def test_any_filters_are_projected(case: str) -> None:
    layer = TestDepthwiseConv().build(case)
    filters = torch.randn(layer.filters().shape, dtype=torch.float64)
    layer.load_filters_(filters)
    projected = layer.filters()
    for channel, other in enumerate(layer.inputs.tolist()):
        dense = torch.zeros(layer.dim, layer.dim, *layer.kernel_size, dtype=torch.float64)
        dense[channel, other] = filters[channel, 0]
        expected = averaged(dense, layer.action, layer.feature_type, layer.feature_type)
        assert (projected[channel, 0] - expected[channel, other]).abs().max() < EXACT


def test_flop_quarters() -> None:
    """Published: each parity's first half goes to sym, its second half to asym."""
    layer = TestDepthwiseConv().build("flop quarters")
    assert layer.inputs.tolist() == [0, 1, 4, 5, 2, 3, 6, 7]
    filters = layer.filters()[:, 0]
    for channel, sign in enumerate((1, 1, -1, -1, -1, -1, 1, 1)):
        assert torch.equal(filters[channel].flip(-1), sign * filters[channel])
    shapes = {name: tuple(p.shape) for name, p in layer.named_parameters()}
    assert shapes == {"weight_sym": (4, 6), "weight_asym": (4, 3), "bias": (4,)}


def test_klein_four_sends_a_quarter_of_each_irrep_to_each() -> None:
    action = actions.image("klein_four")
    x = FeatureType.regular(action.group, 32)
    paired = paired_kernels(x, action, (7, 7))
    targets = np.repeat(np.arange(4), 8)
    sources = np.asarray(paired.inputs) // 8
    counts = np.zeros((4, 4), dtype=int)
    np.add.at(counts, (targets, sources), 1)
    assert (counts == 2).all()
    assert [len(rows) for rows in paired.rows] == [8, 8, 8, 8]
    assert sorted(ties.size for ties in paired.ties) == [9, 12, 12, 16]  # 49 pixels in all


def test_a_kernel_without_odd_functions_pairs_within_irreps() -> None:
    """A kernel one pixel wide has no function that the mirror negates."""
    layer = TestDepthwiseConv().build("flop narrow")
    assert layer.inputs.tolist() == list(range(8))


def test_one_kernel_moves_along_an_orbit() -> None:
    layer = TestDepthwiseConv().build("D4")
    filters = layer.filters()[:, 0].unflatten(0, (8, 2))
    first = {tuple(m.flatten().tolist()) for m in filters[:, 0]}
    one = filters[0, 0]
    turned = [one.rot90(k) for k in range(4)] + [one.rot90(k).flip(1) for k in range(4)]
    assert first == {tuple(m.flatten().tolist()) for m in turned}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("trivial", nn.PairedDepthwiseConv),
        ("flop", nn.PairedDepthwiseConv),
        ("klein_four", nn.PairedDepthwiseConv),
        ("C4", nn.GSetDepthwiseConv),
        ("D4", nn.GSetDepthwiseConv),
    ],
)
def test_default_pairing(name: str, kind: type[nn.Layer]) -> None:
    action = actions.image(name)
    x = FeatureType.regular(action.group, 16)
    layer = ir.compile(specs.DepthwiseConv(x, action, (4, 4)))
    assert isinstance(layer, kind)
    assert layer.plan.spec.pairing == ("gset" if name in ("C4", "D4") else "pairs")


@pytest.mark.parametrize(("name", "pairing"), [("flop", "pairs"), ("flop", "gset"), ("D4", "gset")])
def test_parameters_shrink_by_the_order(name: str, pairing: str) -> None:
    action = actions.image(name)
    x = FeatureType.regular(action.group, 64)
    spec = specs.DepthwiseConv(x, action, (7, 7), pairing=pairing, bias=False)
    assert sum(p.numel() for p in ir.compile(spec).parameters()) == 64 * 49 // action.group.order


def test_given_points() -> None:
    action = actions.image("D4")
    gset = (((0,), 1), ((0, 2), 2))
    x = ir.types.GSetType(action.group, gset).feature_type
    spec = specs.DepthwiseConv(x, action, (4, 4), (3, 3), padding=(1, 1), gset=gset)
    layer = testing.randomise_(ir.compile(spec, dtype=torch.float64))
    assert layer.plan.spec.gset == gset
    testing.assert_equivariant(layer)
    testing.assert_matches_dense(layer)


@pytest.mark.parametrize("case", ["flop quarters", "D4"])
def test_wrong_ties_are_caught(case: str) -> None:
    """Negative control: two pixels of a kernel exchanged."""
    layer = TestDepthwiseConv().build(case)
    x = TestDepthwiseConv().input(layer)
    name = "index_0" if case == "D4" else "index_sym"
    index = getattr(layer, name).clone()
    index[:2] = index[:2].flip(0)
    setattr(layer, name, index)
    assert worst_error(layer, x) > 1e-2


def test_wrong_pairs_are_caught() -> None:
    """Negative control: channels paired without regard to their kernels' signs."""
    layer = TestDepthwiseConv().build("flop quarters")
    x = TestDepthwiseConv().input(layer)
    layer._segments = ((0, 8),)
    assert worst_error(layer, x) > 1e-2


def test_trivial_group_is_the_stock_layer() -> None:
    layer = TestDepthwiseConv().build("trivial")
    x = TestDepthwiseConv().input(layer)
    weight = layer.weight_chi0.view(3, 1, 3, 2)
    stock = F.conv2d(as_map(x, layer.grid), weight, layer.bias, (1, 2), (1, 0), groups=3)
    assert relative(layer(x), as_tokens(stock)) < EXACT


FLOP, D4 = actions.image("flop"), actions.image("D4")
SYM = FeatureType(FLOP.group, "2*sym + 2*asym")
REGULAR = FeatureType.regular(D4.group, 8)


@pytest.mark.parametrize(
    ("spec", "error", "match"),
    [
        (
            specs.DepthwiseConv(REGULAR, D4, (4, 4), pairing="pairs"),
            FeatureTypeError,
            r"DepthwiseConv: pairing='pairs' takes channels that the group only negates, but E of "
            r"D4 has several components, .*: expected pairing='gset'",
        ),
        (
            specs.DepthwiseConv(SYM, FLOP, (4, 4), pairing="quarters"),
            SpecError,
            r"unknown pairing 'quarters': expected one of pairs, gset",
        ),
        (
            specs.DepthwiseConv(FeatureType(D4.group, "2*E"), D4, (4, 4)),
            ActivationError,
            r"2\*E over D4 is no permutation representation",
        ),
        (
            specs.DepthwiseConv(REGULAR, D4, (4, 4), gset=(((0,), 2),)),
            ActivationError,
            r"the given G-set .* is 2\*A1 .*: expected 1\*A1",
        ),
        (
            specs.DepthwiseConv(SYM, FLOP, (4, 4), (3, 3), (2, 2), (1, 1)),
            GridError,
            r"'flop' reverses the width of 4, .*: expected a width of 3 or 5, or a kernel of 4",
        ),
        (
            specs.DepthwiseConv(SYM, D4, (4, 4)),
            SpecError,
            r"lies over flop: expected a type over D4",
        ),
    ],
)
def test_what_is_refused(spec: specs.Spec, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        ir.compile(spec)


def test_neighbouring_changes_of_basis_cancel() -> None:
    """Convolution, activation, convolution stay on the points; each by itself gives the same."""
    x = FeatureType.regular(D4.group, 16)
    conv = specs.DepthwiseConv(x, D4, (5, 5), (3, 3), padding=(1, 1))
    parts = [conv, specs.Activation(x, "gelu"), replace(conv, stride=(2, 2))]
    net = ir.compile(specs.chain(*parts, specs.TokenPool(x, "avg")), dtype=torch.float64)
    testing.randomise_(net)
    sides = [(n.spec.enter, n.spec.leave) for n in net.plan.leaves() if hasattr(n.spec, "enter")]
    assert sides == [("irreps", "points"), ("points", "points"), ("points", "points")]
    testing.assert_equivariant(net)
    testing.assert_matches_dense(net)
    joined = testing.assert_flops(net, (25, 16))
    value = net_input = torch.randn(2, 25, 16, dtype=torch.float64)
    alone = 0
    for name, part in zip("012", parts, strict=True):
        layer = ir.compile(part, dtype=torch.float64)
        layer.load_state_dict(net.get_submodule(name).state_dict())
        alone += ir.flops(layer, tuple(value.shape[1:])).total
        value = layer(value)
    assert relative(net(net_input), value.mean(1)) < EXACT
    change = 2 * 8 * 8 * 2  # FLOPs of two orbits of eight points
    pooled = 9 * 16
    changes = (25 + 25) + (25 + 25) + (25 + 9)
    # What is left: one change for each token on the way in, and one after pooling.
    assert alone + pooled - joined.total == change * (changes - (25 + 1))


def test_points_of_paired_channels_are_refused() -> None:
    with pytest.raises(SpecError, match="pairing='pairs' works in irreps: expected enter and leav"):
        ir.compile(specs.DepthwiseConv(SYM, FLOP, (4, 4), (3, 3), padding=(1, 1), leave="points"))
    with pytest.raises(SpecError, match="unknown basis 'orbits': expected one of irreps, points"):
        ir.compile(specs.DepthwiseConv(REGULAR, D4, (4, 4), enter="orbits"))
