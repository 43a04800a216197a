"""Permuted heads, register tokens, equivariant dropout, RMSNorm."""

import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import nn, specs
from irrepnet._errors import ActivationError, FeatureTypeError, HeadsError, SpecError
from irrepnet.types import FeatureType, GSetType, canonical_stabiliser
from tests.nn.contract import EXACT, GROUPS, LayerContract, group, move, relative, rho, typed

ACTIONS = ("flop", "C4", "klein_four", "D4")


def heads_of(name: str) -> specs.PermutedAttention:
    if name == "two kinds":
        G = group("D4")
        kinds = ((canonical_stabiliser(G, (0,)), 4), (canonical_stabiliser(G, (0, 2)), 2))
        return specs.PermutedAttention(GSetType(G, kinds).feature_type, 20, gset=kinds)
    G = group(name)
    return specs.PermutedAttention(FeatureType.regular(G, 4 * G.order), 2 * G.order)


class TestPermutedAttention(LayerContract):
    CASES = ("trivial", "flop", "C4", "D3", "D4", "Q8", "two kinds")
    TRACED = ("two kinds",)

    def make(self, case: str) -> specs.Spec:
        return heads_of(case)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        """Head by head on the points, each a run of channels."""
        assert isinstance(layer, nn.PermutedAttention)
        points = x @ torch.tensor(layer.before.gset.basis())
        out = torch.zeros(*x.shape[:-1], layer.gset.feature_type.dim, dtype=x.dtype)
        d = layer.head_dim
        for before, after in zip(layer.before.gset.orbits, layer.gset.orbits, strict=True):
            for coset in range(after.index):
                for j in range(after.count // d):
                    q, k, v = (
                        points[..., s : s + d]
                        for third in range(3)
                        for s in [before.start + coset * before.count + third * after.count + j * d]
                    )
                    weights = torch.softmax(q @ k.transpose(1, 2) / d**0.5, -1)
                    s = after.start + coset * after.count + j * d
                    out[..., s : s + d] = weights @ v
        return out @ torch.tensor(layer.gset.basis()).t()

    def in_repr(self, layer: nn.Layer) -> list[str]:
        return [str(layer.plan.target.type), "heads="]


def test_heads_are_permuted_and_not_alike() -> None:
    """The weights of `g x` are those of `x`, head `h` at head `g h`; they differ between heads."""
    layer = ir.compile(heads_of("flop"), dtype=torch.float64)
    assert isinstance(layer, nn.PermutedAttention)
    x = torch.randn(1, 5, 24, dtype=torch.float64)

    def weights(x: Tensor) -> Tensor:
        seen: list[Tensor] = []
        points = layer.before.to_points(x).unflatten(
            -1, (2, 3, 2, 2)
        )  # coset, third, head, channel
        q, k, _ = points.permute(3, 0, 2, 4, 1, 5).flatten(2, 3).unbind(0)
        seen.append(torch.softmax(q @ k.transpose(-1, -2) / 2**0.5, -1))
        return seen[0][0]

    moved = x @ torch.tensor(rho(3 * layer.gset.feature_type, 1)).t()
    assert relative(weights(moved), weights(x)[[2, 3, 0, 1]]) < EXACT
    assert relative(weights(moved), weights(x)) > 1e-2


@pytest.mark.parametrize("heads", [0, 3, 2, 32])
def test_heads_that_do_not_fit(heads: int) -> None:
    x = FeatureType.regular(group("C4"), 16)
    with pytest.raises(HeadsError, match=r"Expected one of these head counts: 4, 8, 16\."):
        ir.compile(specs.PermutedAttention(x, heads))


def test_points_that_do_not_fit() -> None:
    with pytest.raises(ActivationError, match="is no permutation representation"):
        ir.compile(specs.PermutedAttention(typed("flop", "2*sym + 4*asym"), 2))
    with pytest.raises(ActivationError, match=r"the given G-set .* is 1\*sym \+ 1\*asym: expected"):
        ir.compile(specs.PermutedAttention(typed("flop", "2*sym + 2*asym"), 2, gset=(((0,), 1),)))


@pytest.mark.parametrize("name", ACTIONS)
def test_permuted_heads_between_tokens_of_a_grid(name: str) -> None:
    action = ir.actions.image(name)
    x = FeatureType.regular(action.group, 4 * action.group.order)
    net = specs.Chain(
        (
            ("embed", specs.PatchEmbed(action, 1, (6, 6), (2, 2), x)),
            ("pos", specs.PositionalEmbedding(x, action, (3, 3))),
            ("registers", specs.RegisterTokens(x, 2)),
            ("drop", specs.Dropout(x, 0.5)),
            ("qkv", specs.Linear(x, 3 * x)),
            ("attend", specs.PermutedAttention(x, 2 * action.group.order)),
        )
    )
    model = ir.testing.randomise_(ir.compile(net, dtype=torch.float64))
    ir.testing.assert_equivariant(model)
    ir.testing.assert_matches_dense(model.eval())
    ir.testing.assert_flops(model, (1, 6, 6))


# -- register tokens ----------------------------------------------------------------------------


class TestRegisterTokens(LayerContract):
    CASES = tuple(GROUPS)

    def make(self, case: str) -> specs.Spec:
        return specs.RegisterTokens(typed(case), 3)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.RegisterTokens)
        tokens = x.new_zeros(len(x), 3, x.shape[-1])
        tokens[..., : layer.weight.shape[1]] = layer.weight
        return torch.cat([tokens, x], 1)


def test_registers_of_a_model_stand_after_the_class_token() -> None:
    options = {"img_size": 32, "patch": 8, "width": 16, "heads": 2, "depth": 1, "num_classes": 3}
    model = ir.create_model("vit_tiny_patch16_224", "D4", register_tokens=4, **options)
    assert list(model.names)[2:4] == ["registers", "cls_token"]
    assert model.forward_features(torch.zeros(1, 3, 32, 32)).shape == (1, 1 + 4 + 16, 16)
    assert "registers.weight" in model.no_weight_decay()
    ir.testing.assert_equivariant(ir.testing.randomise_(model.double()))
    ir.testing.assert_flops(model, (3, 32, 32))


def test_registers_that_are_refused() -> None:
    with pytest.raises(SpecError, match="got 0 register tokens: expected at least one"):
        ir.compile(specs.RegisterTokens(typed("flop"), 0))
    with pytest.raises(FeatureTypeError, match="has no trivial copy, so invariant tokens are zero"):
        ir.compile(specs.RegisterTokens(typed("flop", "2*asym"), 1))


# -- dropout ------------------------------------------------------------------------------------


class TestDropout(LayerContract):
    CASES = tuple(GROUPS)
    ANY_AXES = True

    def make(self, case: str) -> specs.Spec:
        return specs.Dropout(typed(case), 0.3)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        return x


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("grid", [(4, 4), (3, 3)])
def test_every_draw_is_equivariant(name: str, grid: tuple[int, int]) -> None:
    action = ir.actions.image(name)
    x = FeatureType.regular(action.group, 2 * action.group.order)
    chain = (
        ("embed", specs.PatchEmbed(action, 1, (2 * grid[0], 2 * grid[1]), (2, 2), x)),
        ("cls", specs.ClassToken(x)),
        ("drop", specs.Dropout(x, 0.5)),
    )
    net = ir.compile(specs.Chain(chain), dtype=torch.float64)
    layer, edge = net.get_submodule("drop").train(), net.plan.target
    tokens = torch.randn(4, 1 + grid[0] * grid[1], x.dim, dtype=torch.float64)

    def drawn(x: Tensor) -> Tensor:
        torch.manual_seed(0)
        return layer(x)

    for a in range(action.group.order):
        assert relative(drawn(move(edge, a, tokens)), move(edge, a, drawn(tokens))) < EXACT
    ordinary = torch.nn.functional.dropout
    torch.manual_seed(0)
    before = ordinary(tokens, 0.5)
    torch.manual_seed(0)
    assert relative(ordinary(move(edge, 1, tokens), 0.5), move(edge, 1, before)) > 1e-2


def test_dropout_keeps_the_mean_and_drops_at_its_rate() -> None:
    layer = ir.compile(specs.Dropout(typed("D4", "40*A1 + 40*E"), 0.25)).train()
    out = layer(torch.ones(500, 120))
    assert abs(out.mean().item() - 1) < 0.02
    assert abs((out == 0).float().mean().item() - 0.25) < 0.02
    assert torch.equal(out[:, 40:80], out[:, 80:])
    assert torch.equal(layer.eval()(out), out)
    with pytest.raises(SpecError, match=r"got a dropping rate of 1\.0: expected 0 <= rate < 1"):
        ir.compile(specs.Dropout(typed("flop"), 1.0))


# -- RMSNorm ------------------------------------------------------------------------------------


class TestRMSNorm(LayerContract):
    CASES = ("trivial", "flop", "C4", "D3", "D4", "Q8", "centred", "invariant", "by irrep", "plain")
    ANY_AXES = True

    def make(self, case: str) -> specs.Spec:
        changes = {
            "centred": {"centring": "every_irrep"},
            "invariant": {"centring": "invariant"},
            "by irrep": {"weighting": "irrep"},
            "plain": {"affine": False},
        }
        name = "D4" if case in changes else case
        return specs.RMSNorm(typed(name), eps=0.1, **changes.get(case, {}))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.IsotypicLayerNorm)
        assert layer.bias is None
        spec = layer.plan.spec
        assert isinstance(spec, specs.RMSNorm)
        X = spec.feature_type
        parts, square = [], 0.0
        for b in X.blocks:
            part = x[..., b.start : b.stop].unflatten(-1, (b.irrep.dim, b.multiplicity))
            if spec.centring == "every_irrep" or (spec.centring, b.irrep.index) == ("invariant", 0):
                part = part - part.mean(-1, keepdim=True)
            width = X.dim if spec.weighting == "share" else X.group.order * b.width
            square = square + part.square().sum((-1, -2)) / width
            if spec.affine:
                part = part * layer.get_parameter(f"weight_{b.irrep.name}")
            parts.append(part.flatten(-2))
        scale = (square + spec.eps / X.group.order).sqrt()
        return torch.cat(parts, -1) / scale.unsqueeze(-1)


def test_for_the_trivial_group_it_is_the_ordinary_one() -> None:
    x = torch.randn(3, 5, dtype=torch.float64)
    ours = ir.compile(specs.RMSNorm(typed("trivial"), eps=0.1), dtype=torch.float64)
    ordinary = torch.nn.RMSNorm(5, eps=0.1, dtype=torch.float64)
    assert relative(ours(x), ordinary(x)) < EXACT


def test_a_norm_that_is_refused() -> None:
    with pytest.raises(FeatureTypeError, match=r"RMSNorm: centring='every_irrep' would turn"):
        ir.compile(specs.RMSNorm(typed("flop", "sym + 2*asym"), centring="every_irrep"))
