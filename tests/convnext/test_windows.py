"""Downsampling, its adjoint, un-patchify: equal to convolutions whose kernels commute."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

import irrepnet as ir
from irrepnet import actions, nn, specs, testing
from irrepnet._errors import GridError, IrrepMismatchError, SpecError
from irrepnet.types import FeatureType, WindowType
from tests.convnext.kernels import as_map, as_tokens, averaged, invariant, num_kernels
from tests.nn.contract import EXACT, LayerContract, move_image, relative, rho, worst_error

#: Action, grid of the finer side, window, type of the finer side, of the coarser side.
CASES = {
    "flop": ("flop", (4, 6), (2, 2), "3*sym + 2*asym", "2*sym + 4*asym"),
    "flop odd window": ("flop", (4, 9), (2, 3), "2*sym + 3*asym", "3*sym + 2*asym"),
    "flop one irrep": ("flop", (4, 4), (2, 2), "3*asym", "2*sym"),
    "rot180": ("rot180", (6, 4), (3, 2), "2*chi0 + 3*chi1", "2*chi0 + 2*chi1"),
    "transpose": ("transpose", (4, 4), (2, 2), "2*chi0 + chi1", "chi0 + 2*chi1"),
    "klein_four": ("klein_four", (6, 10), (3, 5), "chi0 + 2*chi1 + chi3", "2*chi0 + chi2 + chi3"),
    "C4": ("C4", (4, 4), (2, 2), "2*chi0 + 3*chi2", "chi0 + chi1 + 2*chi2"),
    "C4 odd": ("C4", (6, 6), (3, 3), "2*chi1 + 2*chi2", "2*chi0 + chi1 + chi2"),
    "D4": ("D4", (4, 4), (2, 2), "2*A1 + A2 + 3*E", "2*A1 + B1 + B2 + 2*E"),
    "D4 odd": ("D4", (6, 6), (3, 3), "A1 + B2 + 2*E", "2*A1 + A2 + 2*E"),
    "trivial": ("trivial", (4, 6), (2, 3), "3*chi0", "4*chi0"),
}


def types(case: str) -> tuple[actions.ImageAction, FeatureType, FeatureType]:
    name, _, _, fine, coarse = CASES[case]
    action = actions.image(name)
    return action, FeatureType(action.group, fine), FeatureType(action.group, coarse)


class TestDownsample(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("flop odd window", "D4")

    def make(self, case: str) -> specs.Downsample:
        action, fine, coarse = types(case)
        return specs.Downsample(fine, action, CASES[case][1], CASES[case][2], coarse)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        bias = invariant(layer.proj.bias, layer.out_type.dim)
        kernel = averaged(layer.kernel(), layer.action, layer.out_type, layer.in_type)
        return as_tokens(F.conv2d(as_map(x, layer.grid), kernel, bias, stride=layer.window))


class TestUpsample(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("flop odd window", "D4")

    def make(self, case: str) -> specs.Upsample:
        action, fine, coarse = types(case)
        (height, width), (high, wide) = CASES[case][1:3]
        grid = (height // high, width // wide)
        return specs.Upsample(coarse, action, grid, (high, wide), fine)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        bias = invariant(layer.proj.bias, layer.proj.out_type.dim)
        window = averaged(
            layer.spatial(bias)[None],
            layer.action,
            FeatureType.trivial(layer.action.group, 1),
            layer.out_type,
        )[0]
        kernel = averaged(layer.kernel(), layer.action, layer.in_type, layer.out_type)
        out = F.conv_transpose2d(as_map(x, layer.grid), kernel, stride=layer.window)
        return as_tokens(out + window.repeat(1, *layer.grid))


class TestUnpatchify(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("flop odd window", "D4")

    def make(self, case: str) -> specs.Unpatchify:
        action, _, coarse = types(case)
        (height, width), (high, wide) = CASES[case][1:3]
        if case == "flop one irrep":  # no window of trivial channels holds fewer irreps
            coarse = FeatureType(action.group, "2*asym")
        grid = (height // high, width // wide)
        return specs.Unpatchify(action, coarse, grid, (high, wide), 3)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        bias = invariant(layer.proj.bias, layer.proj.out_type.dim)
        kernel = averaged(layer.kernel(), layer.action, layer.in_type, layer.out_type)
        out = F.conv_transpose2d(as_map(x, layer.grid), kernel, stride=layer.window)
        return out + layer.spatial(bias).repeat(1, *layer.grid)


def acting(feature_type: FeatureType, a: int) -> Tensor:
    return torch.tensor(rho(feature_type, a))


MAKERS = (TestDownsample(), TestUpsample(), TestUnpatchify())


@pytest.mark.parametrize("maker", MAKERS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("case", CASES)
def test_any_kernel_is_projected(maker: LayerContract, case: str) -> None:
    """The weights are exactly the kernels that commute: as many, and the nearest to any other."""
    layer = maker.build(case)
    kernel = torch.randn(layer.kernel().shape, dtype=torch.float64)
    sides = (layer.in_type, layer.out_type)
    left, right = sides if isinstance(layer, nn.Upsample) else sides[::-1]
    layer.load_kernel_(kernel)
    expected = averaged(kernel, layer.action, left, right)
    assert (layer.kernel() - expected).abs().max() < EXACT
    weights = sum(p.numel() for n, p in layer.proj.named_parameters() if n != "bias")
    assert weights == num_kernels(layer.action, left, right, layer.window)


@pytest.mark.parametrize("case", CASES)
def test_upsample_is_the_adjoint(case: str) -> None:
    """`<D x, y> = <x, U y>` when both have the same weights."""
    down, up = TestDownsample().build(case), TestUpsample().build(case)
    up.load_kernel_(down.kernel())
    for layer in (down, up):
        layer.proj.bias = None
    x, y = TestDownsample().input(down), TestUpsample().input(up)
    torch.testing.assert_close((down(x) * y).sum(), (x * up(y)).sum())


@pytest.mark.parametrize("case", CASES)
def test_window_type(case: str) -> None:
    """The runs take `R^pixels (x) V` to irreps: an orthogonal matrix that intertwines."""
    action, fine, _ = types(case)
    window = WindowType.of(action, CASES[case][2], fine)
    layer = TestDownsample().build(case)
    identity = torch.eye(window.feature_type.dim, dtype=torch.float64)
    change = layer.basis.to_irreps(identity)
    assert (change @ change.t() - identity).abs().max() < EXACT
    assert (layer.basis.to_points(change) - identity).abs().max() < EXACT
    images = layer.spatial(identity)  # each isotypic basis vector, as features on the window
    for a in range(action.group.order):
        moved = move_image(action, a, torch.einsum("bchw,dc->bdhw", images, acting(fine, a)))
        expected = torch.tensor(window.feature_type.matrix(a))
        assert (layer.typed(moved) - expected.t()).abs().max() < EXACT


def test_a_regular_type_halves_the_flops() -> None:
    action = actions.image("flop")
    x = FeatureType.regular(action.group, 8)
    layer = ir.compile(specs.Downsample(x, action, (4, 4), (2, 2), 2 * x, bias=False))
    testing.assert_flops(layer, (16, 8), matmul_flops=4 * 2 * 32 * 16 // 2)


def test_wrong_pixels_are_caught() -> None:
    """Negative control: two pixels of the window exchanged."""
    layer = TestDownsample().build("D4")
    x = TestDownsample().input(layer)
    assert worst_error(layer, x) < EXACT
    layer.pixels = layer.pixels[[1, 0, 2, 3]]
    assert worst_error(layer, x) > 1e-2


D4 = actions.image("D4")
REGULAR = FeatureType.regular(D4.group, 8)
FLOP = actions.image("flop")
SYM = FeatureType(FLOP.group, "2*sym + 2*asym")


@pytest.mark.parametrize(
    ("spec", "error", "match"),
    [
        (
            specs.Downsample(SYM, FLOP, (5, 4), (2, 2), SYM),
            GridError,
            r"Downsample: windows of 2 x 2 do not tile a grid of 5 x 4: expected a size such as "
            r"4 x 4",
        ),
        (
            specs.Downsample(REGULAR, D4, (4, 4), (2, 4), REGULAR),
            GridError,
            r"does not preserve a window of 2 x 4: expected a square window, such as 2 x 2",
        ),
        (
            specs.Downsample(REGULAR, D4, (4, 6), (2, 2), REGULAR),
            GridError,
            r"does not preserve a token grid of 2 x 3",
        ),
        (
            specs.Downsample(SYM, D4, (4, 4), (2, 2), SYM),
            SpecError,
            r"the tokens' type 2\*sym \+ 2\*asym lies over flop: expected a type over D4",
        ),
        (
            specs.Downsample(SYM, FLOP, (4, 4), (2, 2), REGULAR),
            IrrepMismatchError,
            r"has no common group",
        ),
        (
            specs.Downsample(FeatureType(FLOP.group, "sym"), FLOP, (4, 4), (2, 1), SYM * 0),
            ir.IrrepnetError,
            r"the output type of a linear map is empty",
        ),
        (
            specs.Upsample(
                FeatureType(FLOP.group, "asym"),
                FLOP,
                (4, 4),
                (2, 1),
                FeatureType(FLOP.group, "sym"),
            ),
            IrrepMismatchError,
            r"every equivariant map from 1\*asym to 2\*sym is zero",
        ),
        (
            specs.Upsample(SYM, FLOP, (4, 4), (0, 2), SYM),
            GridError,
            r"windows of 0 x 2 do not tile",
        ),
        (
            specs.Unpatchify(FLOP, SYM, (2, 2), (2, 2), 0),
            SpecError,
            r"got 0 image channels: expected at least one",
        ),
        (
            specs.Chain(
                (
                    ("up", specs.Upsample(SYM, FLOP, (2, 2), (2, 2), SYM)),
                    ("down", specs.Downsample(SYM, FLOP, (2, 2), (2, 2), SYM)),
                )
            ),
            SpecError,
            r"down \(Downsample\): got tokens on a \(4, 4\) grid under 'flop' with 0 prefix "
            r"tokens: expected \(2, 2\) under 'flop' with none",
        ),
    ],
)
def test_what_is_refused(spec: specs.Spec, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        ir.compile(spec)


def test_wrong_tensors_are_named() -> None:
    layer = ir.compile(specs.Downsample(SYM, FLOP, (4, 4), (2, 2), SYM))
    with pytest.raises(IrrepMismatchError, match=r"expected 4 channels on the last axis"):
        layer(torch.zeros(1, 16, 5))
    with pytest.raises(GridError, match=r"expected \(batch, 16, 4\), the tokens of a 4 x 4 grid"):
        layer(torch.zeros(1, 15, 4))


def test_images_to_tokens_to_images() -> None:
    """A network that ends in images is certified like any other."""
    embed = specs.PatchEmbed(D4, 3, (8, 8), (2, 2), REGULAR)
    down = specs.Downsample(REGULAR, D4, (4, 4), (2, 2), 2 * REGULAR)
    up = specs.Upsample(2 * REGULAR, D4, (2, 2), (2, 2), REGULAR)
    back = specs.Unpatchify(D4, REGULAR, (4, 4), (2, 2), 3)
    net = ir.compile(
        specs.Chain((("embed", embed), ("down", down), ("up", up), ("back", back))),
        dtype=torch.float64,
    )
    testing.randomise_(net)
    testing.assert_equivariant(net)
    testing.assert_matches_dense(net)
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    assert relative(net(x.rot90(1, (2, 3))), net(x).rot90(1, (2, 3))) < EXACT
