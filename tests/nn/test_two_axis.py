"""Biases on two axes, affine layers, the orbit order, pooling to invariants of both axes."""

import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import actions, nn, specs, testing
from irrepnet._errors import ActivationError, SpecError
from irrepnet.actions import PointAction
from irrepnet.types import FeatureType, GSetType, TokenType, gset_for
from tests.nn.contract import EXACT, LayerContract, move, relative, rho
from tests.nn.test_token_linear import image, ring, scattered

#: Points and the type of the channels, which is a permutation representation.
CASES = {
    "trivial": (lambda: image("trivial", 2, 2), "3*chi0"),
    "flop in order": (lambda: TokenType.of(image("flop", 2, 4)).in_order, "3*sym + 2*asym"),
    "flop odd": (lambda: image("flop", 2, 3), "2*sym + 2*asym"),
    "D4 scattered": (scattered, "3*A1 + A2 + 2*B1 + B2 + 3*E"),
    "C6 ring": (lambda: ring(6), "2*chi0 + chi1 + chi2 + chi3"),
}


def made(case: str) -> tuple[FeatureType, PointAction]:
    points, text = CASES[case]
    action = points()
    return FeatureType(action.group, text), action


def projected(x: FeatureType, points: PointAction, vector: Tensor) -> Tensor:
    """The mean over the group of a vector of tokens (x) channels."""
    total = torch.zeros_like(vector)
    for a, images in enumerate(points.images):
        moved = torch.empty_like(vector)
        moved[list(images)] = vector @ torch.tensor(rho(x, a)).t()
        total += moved / len(points.images)
    return total


class TestTokenBias(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("flop in order", "D4 scattered")

    def make(self, case: str) -> specs.TokenBias:
        return specs.TokenBias(*made(case))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.TokenBias)
        return x + bias_by_hand(layer)


def bias_by_hand(layer: nn.TokenBias) -> Tensor:
    """`rho(t) F w` on token `t p` of each orbit, `F` what the stabiliser of `p` fixes."""
    x, points = layer.feature_type, layer.points
    bias = torch.zeros(points.num_points, x.dim).double()
    used = dict.fromkeys((b.irrep.name for b in x.blocks), 0)
    for kind in points.orbit_types:
        rows = {}
        for b in x.blocks:
            vectors = torch.tensor(ir.reps.fixed_basis(b.irrep, kind.stabiliser))
            weight = getattr(layer, f"weight_{b.irrep.name}")
            rows[b.irrep.name] = vectors @ weight[used[b.irrep.name] :][: vectors.shape[1]]
            used[b.irrep.name] += vectors.shape[1]
        first = torch.cat([rows[b.irrep.name].flatten() for b in x.blocks])
        for orbit in kind.points:
            for t, token in zip(kind.transversal, orbit, strict=True):
                bias[token] = torch.tensor(rho(x, int(t))) @ first
    return bias


@pytest.mark.parametrize("case", CASES)
def test_biases_are_all_that_orbits_of_a_kind_can_share(case: str) -> None:
    x, points = made(case)
    layer = ir.compile(specs.TokenBias(x, points), dtype=torch.float64)
    numbers = 0
    for kind in points.orbit_types:  # dim V^H, from characters
        traces = [rho(x, h).trace() for h in kind.stabiliser]
        numbers += round(sum(traces) / len(traces))
    assert sum(p.numel() for p in layer.parameters()) == numbers
    value = testing.randomise_(layer).value()
    assert relative(projected(x, points, value), value) < EXACT


class TestAffine(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("flop in order",)

    def make(self, case: str) -> specs.Affine:
        return specs.Affine(*made(case))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.Affine)
        assert isinstance(layer.bias, nn.TokenBias)
        return scaled(layer, x) + bias_by_hand(layer.bias)


class TestAffineWithoutTokens(LayerContract):
    CASES = ("3*sym + 2*asym", "2*asym")
    ANY_AXES = True

    def make(self, case: str) -> specs.Affine:
        return specs.Affine(FeatureType(ir.groups.flop(), case))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.Affine)
        out = scaled(layer, x)
        if isinstance(layer.bias, torch.nn.Parameter):
            out[..., : len(layer.bias)] += layer.bias
        return out


def scaled(layer: nn.Affine, x: Tensor) -> Tensor:
    factors = []
    for b in layer.feature_type.blocks:
        factors += [getattr(layer, f"weight_{b.irrep.name}")] * b.irrep.dim
    return x * torch.cat(factors)


class TestTokens(LayerContract):
    CASES = ("flop odd", "D4 scattered")

    def make(self, case: str) -> specs.Tokens:
        return specs.Tokens(*made(case))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        return x


class TestOrbitOrder(LayerContract):
    CASES = tuple(CASES)

    def make(self, case: str) -> specs.OrbitOrder:
        return specs.OrbitOrder(*made(case))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        """First tokens of all orbits of a kind, then their images under the next coset, ..."""
        order = [
            token
            for kind in layer.plan.spec.points.orbit_types
            for coset in kind.points.T
            for token in coset
        ]
        return x[:, order]


class TestOrbitPool(LayerContract):
    CASES = tuple(f"{case}, {kind}" for case in CASES for kind in ("trivial", "norm"))
    TRACED = ("flop in order, norm", "D4 scattered, trivial")

    def make(self, case: str) -> specs.OrbitPool:
        name, _, kind = case.partition(", ")
        return specs.OrbitPool(*made(name), kind=kind)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.OrbitPool)
        linear = by_pairs(layer, x)
        if layer.kind == "trivial":
            return linear
        return torch.cat([linear, norms(layer, x)], dim=-1)


def by_pairs(layer: nn.OrbitPool, x: Tensor) -> Tensor:
    """The mean over tokens `t p` and over `t` of channel `t c`, on the channels' points."""
    gset, points = layer.gset, layer.points
    on_points = x @ torch.tensor(gset.basis())
    found = []
    for channels in gset.orbits:
        first = channels.start + torch.arange(channels.count)
        total = torch.zeros(len(x), channels.count).double()
        for kind in points.orbit_types:
            for a, images in enumerate(points.images):
                # Where element a sends the first point of every orbit of channels.
                place = moved_point(gset, channels.stabiliser, a)
                share = kind.index / points.group.order / points.num_points
                for orbit in kind.points:
                    total += share * on_points[:, images[orbit[0]], first + place * channels.count]
        found.append(total)
    return torch.cat(found, dim=-1)


def moved_point(gset: GSetType, stabiliser: tuple[int, ...], a: int) -> int:
    g = gset.group
    cosets = sorted({min(g.multiply(b, h) for h in stabiliser) for b in range(g.order)})
    return cosets.index(min(g.multiply(a, h) for h in stabiliser))


def norms(layer: nn.OrbitPool, x: Tensor) -> Tensor:
    """For each orbit of channels: parts of two different irreps, found with projectors."""
    gset, points = layer.gset, layer.points
    g, dim = points.group, gset.feature_type.dim
    basis = torch.tensor(gset.basis())
    actions_ = [torch.zeros(points.num_points, points.num_points).double() for _ in range(g.order)]
    for a, images in enumerate(points.images):
        actions_[a][list(images), range(points.num_points)] = 1
    order = torch.tensor(ir.reps.permutation(g, points.array).decompose().basis.to_dense())
    found, row_of = [], {}
    row = 0
    for b in TokenType.of(points).feature_type.blocks:
        row_of[b.irrep.index] = order[row : row + b.width].view(b.irrep.dim, b.multiplicity, -1)
        row += b.width
    for channels in gset.orbits:
        total, any_part = torch.zeros(len(x), channels.count).double(), False
        for k in range(channels.count):
            columns = [channels.start + p * channels.count + k for p in range(channels.index)]
            for j in g.irreps:
                block = [b for b in gset.feature_type.blocks if b.irrep == j]
                if not block:
                    continue
                keep = torch.zeros(dim).double()
                keep[block[0].start : block[0].stop] = 1
                in_orbit = torch.zeros(dim).double()
                in_orbit[columns] = 1
                # Only what lies in irrep j and in this orbit of channels.
                part = (x * keep) @ basis * in_orbit
                if torch.linalg.matrix_rank(torch.diag(keep) @ basis @ torch.diag(in_orbit)) == 0:
                    continue
                for i, rows in row_of.items():
                    if i != j.index:
                        moved = torch.einsum("cot,btd->bcod", rows, part)
                        total[:, k] += moved.square().sum((1, 3)).sqrt().sum(-1)
                        any_part = True
        if any_part:
            found.append(total / points.num_points)
    return torch.cat(found, dim=-1) if found else x.new_zeros(len(x), 0)


@pytest.mark.parametrize("case", CASES)
def test_pooled_features_do_not_change(case: str) -> None:
    layer = ir.compile(specs.OrbitPool(*made(case), kind="norm"), dtype=torch.float64)
    edge = layer.plan.source
    x = torch.randn(2, edge.positions, edge.type.dim, dtype=torch.float64)
    for a in range(edge.group.order):
        assert relative(layer(move(edge, a, x)), layer(x)) < EXACT


def test_without_symmetry_pooling_is_the_mean() -> None:
    x, points = made("trivial")
    pooled = ir.compile(specs.OrbitPool(x, points, "norm"), dtype=torch.float64)
    value = torch.randn(2, 4, 3, dtype=torch.float64)
    assert relative(pooled(value), value.mean(1)) < EXACT


def test_norms_have_a_finite_gradient_at_zero() -> None:
    for case in CASES:
        layer = ir.compile(specs.OrbitPool(*made(case), kind="norm"), dtype=torch.float64)
        edge = layer.plan.source
        x = torch.zeros(1, edge.positions, edge.type.dim, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(layer(x).sum(), x)
        assert torch.isfinite(gradient).all()


def test_sorting_twice_changes_nothing() -> None:
    x, points = made("D4 scattered")
    order = specs.OrbitOrder(x, points)
    net = ir.compile(specs.Chain((("order", order),)))
    after = net.plan.target.points
    assert TokenType.of(after).is_sorted
    again = specs.OrbitOrder(x, after)
    both = ir.compile(specs.Chain((("order", order), ("again", again))))
    value = torch.randn(1, points.num_points, x.dim)
    assert torch.equal(both(value), net(value))


def test_what_is_refused() -> None:
    x, points = made("flop odd")
    with pytest.raises(ActivationError, match="is no permutation representation"):
        ir.compile(specs.OrbitPool(FeatureType(x.group, "sym + 2*asym"), points))
    with pytest.raises(SpecError, match="unknown invariant 'mean': expected one of trivial, norm"):
        ir.compile(specs.OrbitPool(x, points, "mean"))
    given = gset_for(FeatureType(x.group, "2*sym + asym")).counts
    with pytest.raises(ActivationError, match=r"the given G-set .* is 2\*sym \+ 1\*asym: exp"):
        ir.compile(specs.OrbitPool(x, points, gset=given))
    for spec in (specs.TokenBias, specs.Affine, specs.OrbitOrder, specs.OrbitPool, specs.Tokens):
        with pytest.raises(SpecError, match="expected one group for both"):
            ir.compile(spec(x, actions.image("vflip").on_grid(2, 3)))
