"""An activation that adds a bias on tokens first: as the two layers one after the other."""

import pytest
import torch

import irrepnet as ir
from irrepnet import actions, groups, nn, specs, testing
from irrepnet._errors import SpecError
from irrepnet.actions import PointAction
from irrepnet.freezing import fold_token_bias
from irrepnet.types import FeatureType, TokenType
from tests.models.test_families import random_small
from tests.nn.contract import group, relative

#: Tokens in orbit order (one kind, and several), as they stand, and of a group with type H.
POINTS = {
    "pairs": lambda: TokenType.of(actions.image("flop").on_grid(2, 6)).in_order,
    "pairs and fixed": lambda: TokenType.of(actions.image("flop").on_grid(2, 5)).in_order,
    "unsorted": lambda: actions.image("D4").on_grid(3, 3),
    "C4": lambda: TokenType.of(actions.image("C4").on_grid(3, 3)).in_order,
    "type H": lambda: actions.natural(group("Q8")),
    "too many points for a kernel": lambda: actions.natural(groups.alternating(5)),
}


def both(points: PointAction, overwrite: bool = False) -> tuple[nn.Layer, nn.Layer]:
    """The layer, and a chain of two that computes the same."""
    X = FeatureType.regular(points.group, 16 * points.group.order)
    act = specs.Activation(X)
    two = ir.compile(specs.Chain((("bias", specs.TokenBias(X, points)), ("act", act))))
    testing.randomise_(two)
    one = ir.compile(specs.Activation(X, overwrite=overwrite, points=points))
    one.bias.load_state_dict(two.bias.state_dict())
    return one.eval(), two.eval()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("case", POINTS)
def test_one_after_the_other(case: str, dtype: torch.dtype) -> None:
    """Forward, in inference and training, and what goes back."""
    one, two = (layer.to(dtype) for layer in both(POINTS[case]()))
    x = torch.randn(3, one.plan.spec.points.num_points, one.basis.dim).to(dtype)
    exact = two.double()(x.double())
    allowed = {torch.float64: 1e-14, torch.float32: 1e-6, torch.bfloat16: 2e-2}[dtype]
    with torch.no_grad():
        assert relative(one(x).double(), exact) < allowed
    found = []
    for layer in (one, two):
        leaf = x.to(next(layer.parameters()).dtype).requires_grad_()
        out, learned = layer(leaf), [p for p in layer.parameters() if p.numel()]
        found.append([out, *torch.autograd.grad(out.sin().sum(), [leaf, *learned])])
    for here, there in zip(*found, strict=True):
        assert relative(here.double(), there) < 10 * allowed


@pytest.mark.parametrize("case", POINTS)
def test_overwriting(case: str) -> None:
    one, two = both(POINTS[case](), overwrite=True)
    x = torch.randn(2, one.plan.spec.points.num_points, one.basis.dim)
    with torch.no_grad():
        expected = two(x)
        apart = x.mT.contiguous().mT  # not contiguous: nothing can be written over it
        torch.testing.assert_close(one(apart), expected)
        got = one(x)
    torch.testing.assert_close(got, expected)
    assert got.data_ptr() == x.data_ptr()


@pytest.mark.compile
@pytest.mark.parametrize("overwrite", [False, True])
def test_traced(overwrite: bool) -> None:
    torch.compiler.reset()
    one, two = both(POINTS["pairs"](), overwrite)
    x, found = torch.randn(2, 12, one.basis.dim), []

    def backend(graph: torch.fx.GraphModule, _: object) -> object:
        found.extend(str(node.target) for node in graph.graph.nodes)
        return graph.forward

    with torch.no_grad():
        expected = two(x)
        got = torch.compile(one, backend=backend, fullgraph=True)(x)
    assert (got - expected).abs().max() < 1e-5
    if one.basis.compiled.serves("gelu", x):
        name = "conjugate_" if overwrite else "conjugate"
        assert [t for t in found if "irrepnet" in t] == [f"irrepnet.{name}.default"]


def test_it_is_a_layer_like_others() -> None:
    one, _ = both(POINTS["pairs and fixed"]())
    testing.randomise_(one.double())
    testing.assert_equivariant(one)
    testing.assert_matches_dense(one)
    testing.assert_flops(one, (10, one.basis.dim))


@pytest.mark.parametrize("name", ["flop", "D4"])
def test_frozen_resmlps_add_their_hidden_biases_so(name: str) -> None:
    net = random_small("resmlp_12_224", name)
    frozen = ir.freeze(net)
    for block in frozen.blocks:
        assert "fc1_bias" not in block.mlp.names
        assert block.mlp.act.bias.feature_type == block.mlp.act.basis.gset.feature_type
    testing.assert_flops(frozen, (3, 12, 12))
    x = torch.randn(2, 3, 12, 12, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(frozen(x), net(x), rtol=1e-10, atol=1e-10)


def test_a_change_of_basis_before_a_bias_does_not_cancel() -> None:
    """The first activation could leave its output on the points that the second one acts on."""
    points = POINTS["pairs"]()
    X = FeatureType.regular(points.group, 32)
    act, bias = specs.Activation(X), specs.TokenBias(X, points)
    steps = ("of", specs.Tokens(X, points)), ("first", act), ("bias", bias), ("second", act)
    apart = ir.compile(specs.Chain(steps), dtype=torch.float64)
    testing.randomise_(apart).eval()
    frozen = ir.freeze(apart, (fold_token_bias,))
    assert frozen.names == ("of", "first", "second")
    assert frozen.second.enter == frozen.first.leave == "irreps"
    x = torch.randn(2, 12, X.dim, dtype=torch.float64)
    torch.testing.assert_close(frozen(x), apart(x), rtol=1e-12, atol=1e-12)


def test_only_what_acts_in_irreps_takes_a_bias() -> None:
    points = POINTS["pairs"]()
    X = FeatureType.regular(points.group, 4)
    bias = ("bias", specs.TokenBias(X, points))
    odd = specs.Chain((bias, ("act", specs.Activation(X, "tanh", gset=()))))
    assert ir.freeze(ir.compile(odd), (fold_token_bias,)).names == ("bias", "act")
    with pytest.raises(SpecError, match="expected a TokenBias before it"):
        ir.compile(specs.Activation(X, "tanh", gset=(), points=points))
    with pytest.raises(SpecError, match="expected 12 tokens on the last axis"):
        ir.compile(specs.Activation(X, points=points))(torch.randn(2, 5, X.dim))
