from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import actions, groups, nn, reps, specs, testing
from irrepnet._errors import IrrepMismatchError, SpecError
from irrepnet.actions import PointAction
from irrepnet.groups import Group
from irrepnet.types import FeatureType, TokenType
from tests.nn.contract import EXACT, LayerContract, group, relative, rho, typed


def on_itself(g: Group) -> PointAction:
    return actions.from_images(g.name, g, reps.regular(g).images)


def ring(n: int) -> PointAction:
    return actions.from_images("ring", groups.cyclic(n), [[(i + 1) % n for i in range(n)]])


def scattered() -> PointAction:
    """D4 on cosets of three kinds, in no order."""
    g = group("D4")
    kinds = [reps.quotient(g, h).images for h in ((0,), g.subgroup_classes[3], tuple(range(8)))]
    starts = np.cumsum([0, *(k.shape[1] for k in kinds)])
    images = np.concatenate([k + s for k, s in zip(kinds, starts, strict=False)], axis=1)
    shuffle = np.random.default_rng(0).permutation(images.shape[1])
    return actions.from_images("scattered", g, np.argsort(shuffle)[images[:, shuffle]])


def image(name: str, height: int, width: int) -> PointAction:
    return actions.image(name).on_grid(height, width)


#: Points and the type of the channels.
CASES = {
    "trivial": (lambda: image("trivial", 2, 2), "3*chi0"),
    "flop even": (lambda: image("flop", 2, 4), "3*sym + 2*asym"),
    "flop odd": (lambda: image("flop", 2, 3), "3*sym + 2*asym"),
    "flop no asym": (lambda: image("flop", 1, 4), "3*sym"),
    "D4 in order": (lambda: TokenType.of(image("D4", 4, 4)).in_order, "2*A1 + A2 + E"),
    "D4 scattered": (scattered, "A1 + 2*B1 + 2*E"),
    "C6 ring": (lambda: ring(6), "2*chi0 + chi1 + 2*chi2"),
    "Q8": (lambda: on_itself(groups.quaternion()), "chi0 + 2*chi4"),
    "S4": (lambda: actions.natural(groups.symmetric(4)), "3*chi0"),
    "C3xD3": (lambda: on_itself(group("C3xD3")), "chi0 + chi2 + chi5"),
    "Q8xD3": (lambda: on_itself(group("Q8xD3")), "chi0 + chi14"),
}


@cache
def made(case: str) -> tuple[FeatureType, PointAction]:
    points, text = CASES[case]
    action = points()
    return FeatureType(action.group, text), action


def blocks(layer: nn.TokenLinear) -> list:
    """Irrep and weights `(end_dim, m, m)` of each irrep of the tokens."""
    pairs = zip(layer.points.group.irreps, layer.token_type.multiplicities, strict=True)
    return [(i, m, layer.weight(i.name).view(-1, m, m)) for i, m in pairs if m]


class TestTokenLinear(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("flop odd", "D4 in order", "C6 ring", "Q8xD3")

    def make(self, case: str) -> specs.TokenLinear:
        return specs.TokenLinear(*made(case))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        """`U^T (sum_q J_q (x) W_q) U x`, `U` the isotypic basis of the permutation matrices."""
        assert isinstance(layer, nn.TokenLinear)
        g, n = layer.points.group, layer.num_tokens
        basis = torch.tensor(reps.permutation(g, layer.points.array).decompose().basis.to_dense())
        inner, bias, row = torch.zeros(n, n).double(), torch.zeros(n, x.shape[-1]).double(), 0
        channels = {b.irrep.name: b for b in layer.feature_type.blocks}
        for irrep, m, weights in blocks(layer):
            rows = slice(row, row + irrep.dim * m)
            units = torch.tensor(irrep.commutant)
            inner[rows, rows] = sum(torch.kron(j, w) for j, w in zip(units, weights, strict=True))
            if irrep.name in channels and layer.has_bias:
                b = channels[irrep.name]
                numbers = getattr(layer, f"bias_{irrep.name}")
                ones = torch.ones(1, b.multiplicity).double()
                bias[rows, b.start : b.stop] = sum(
                    torch.kron(torch.kron(j, v[:, None]), ones)
                    for j, v in zip(units, numbers, strict=True)
                )
            row += irrep.dim * m
        assert row == n
        return torch.einsum("ts,bsc->btc", basis.t() @ inner @ basis, x) + basis.t() @ bias

    def in_repr(self, layer: nn.Layer) -> list[str]:
        assert isinstance(layer, nn.TokenLinear)
        return [f"({layer.token_type}) (x) ({layer.feature_type})"]


@pytest.mark.parametrize("case", CASES)
def test_weights_are_all_maps_that_commute(case: str) -> None:
    x, points = made(case)
    layer = ir.compile(specs.TokenLinear(x, points, bias=False), dtype=torch.float64)
    pairs = {(i, j) for i in range(points.num_points) for j in range(points.num_points)}
    orbitals = 0
    while pairs:  # the dimension of End_G(R^tokens): orbits of pairs, counted
        i, j = pairs.pop()
        pairs -= {(g[i], g[j]) for g in points.images}
        orbitals += 1
    assert sum(p.numel() for p in layer.parameters()) == orbitals


@pytest.mark.parametrize("case", CASES)
def test_biases_are_fixed_by_the_group(case: str) -> None:
    x, points = made(case)
    layer = testing.randomise_(ir.compile(specs.TokenLinear(x, points), dtype=torch.float64))
    bias = layer.bias_matrix()
    for a in range(points.group.order):
        moved = torch.empty_like(bias)
        moved[list(points.images[a])] = bias @ torch.tensor(rho(x, a)).t()
        assert relative(moved, bias) < EXACT


@pytest.mark.parametrize("case", ["flop odd", "D4 scattered", "C6 ring", "Q8"])
def test_a_loaded_matrix_is_projected(case: str) -> None:
    x, points = made(case)
    layer = ir.compile(specs.TokenLinear(x, points, bias=False), dtype=torch.float64)
    n = points.num_points
    matrix = torch.randn(n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    layer.load_matrix_(matrix)
    mean = torch.zeros_like(matrix)  # the projection: the mean over the group
    for images in points.images:
        p = torch.zeros_like(matrix)
        p[list(images), range(n)] = 1
        mean += p @ matrix @ p.t() / len(points.images)
    assert relative(layer.weight_matrix(), mean) < EXACT


def test_flop_halves_the_products() -> None:
    def matmul(name: str) -> int:
        points = image(name, 4, 4)
        layer = ir.compile(specs.TokenLinear(FeatureType.regular(points.group, 8), points))
        return ir.flops(layer, (16, 8)).matmul_flops

    assert matmul("trivial") == 2 * 16 * 16 * 8 == 2 * matmul("flop")


def test_initial_variance_is_that_of_a_dense_network() -> None:
    torch.manual_seed(0)
    for name in ("trivial", "flop", "C4", "D4"):
        points = image(name, 8, 8)
        x = FeatureType.regular(points.group, 64)
        y = ir.compile(specs.TokenLinear(x, points))(torch.randn(64, 64, 64))
        assert y.std().item() == pytest.approx(0.02 * 8, rel=0.1)


def test_a_matrix_that_does_not_commute_is_noticed() -> None:
    x, points = made("flop even")
    layer = testing.randomise_(ir.compile(specs.TokenLinear(x, points), dtype=torch.float64))
    first = torch.eye(8, dtype=torch.float64)[0]
    layer.register_forward_hook(lambda _m, _i, y: y + y[:, :1] * first[:, None])
    with pytest.raises(AssertionError, match="not equivariant"):
        testing.assert_equivariant(layer)


def test_other_tokens_are_refused() -> None:
    x, points = made("flop even")
    layer = ir.compile(specs.TokenLinear(x, points))
    with pytest.raises(SpecError, match=r"shape \(2, 7, 5\): expected 8 tokens on the last axis"):
        layer(torch.ones(2, 7, 5))
    with pytest.raises(IrrepMismatchError, match="expected 5 channels"):
        layer(torch.ones(2, 8, 4))


def test_types_that_do_not_meet_are_refused() -> None:
    x, points = made("flop even")
    mix = ("mix", specs.TokenLinear(x, points))

    def refused(message: str, *before: tuple[str, specs.Spec]) -> None:
        with pytest.raises(SpecError, match=message):
            ir.compile(specs.Chain((*before, mix)))

    other = image("flop", 4, 2)
    refused(
        "mix .TokenLinear.: got 8 tokens permuted as 'flop on 4 x 2', expected 8 permuted as 'flop "
        "on 2 x 4': give the layer the action that its input has",
        ("first", specs.TokenLinear(x, other)),
    )
    refused(
        "got .* without tokens that the group permutes: expected the 8", ("l", specs.Linear(x, x))
    )
    refused(
        "got 1 prefix tokens before the 8 of 'flop on 2 x 4': expected none; leave the ClassToken",
        ("first", specs.TokenLinear(x, points)),
        ("cls", specs.ClassToken(x)),
    )
    with pytest.raises(
        SpecError, match=r"the tokens are permuted by D4 .*: expected one group for"
    ):
        ir.compile(specs.TokenLinear(typed("flop"), image("D4", 3, 3)))


def test_the_plan_says_what_is_saved() -> None:
    text = ir.compile(specs.TokenLinear(*made("flop even"))).plan.explain()
    assert "tokens as 4*sym + 4*asym" in text
    assert "gathered by orbits" in text
    assert "32 of 64 weights of the dense map, 64 of 128 FLOPs a channel; 8 numbers of bias" in text
