from collections.abc import Iterator

import jaxtyping
import numpy as np
import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import actions, nn, specs, testing
from irrepnet._errors import HeadsError, IrrepMismatchError, SpecError
from irrepnet.nn.native import Attention
from irrepnet.types import FeatureType
from tests.nn.contract import EXACT, LayerContract, group, move_image, relative, rho, typed

CASES = {
    "trivial": ("trivial", "6*chi0", 3),
    "flop": ("flop", "4*sym + 2*asym", 2),
    "C4": ("C4", "4*chi0 + 2*chi2", 2),
    "D3": ("D3", "3*A1 + 6*E", 3),
    "D4": ("D4", "2*A1 + 4*B2 + 2*E", 2),
    "one head": ("D4", "3*A1 + 2*B1 + 4*B2 + 3*E", 1),
    "Q8": ("Q8", "2*chi0 + 2*chi4", 2),
    "A4": ("A4", "2*chi1 + 4*chi2", 2),
    "C3xD3": ("C3xD3", "2*chi0 + 2*chi5", 2),
    "Q8xD3": ("Q8xD3", "2*chi14", 2),
    "equal runs": ("D4", "2*A1 + 2*A2 + 2*B1 + 2*B2 + 4*E", 2),
}


def head_channels(feature_type: FeatureType, heads: int) -> list[list[list[int]]]:
    """For query, key and value: the input channels of each head."""
    channels = [[[] for _ in range(heads)] for _ in range(3)]
    start = 0
    for irrep, m in zip(feature_type.group.irreps, feature_type.multiplicities, strict=True):
        for component in range(irrep.dim):
            for third in range(3):
                for copy in range(m):
                    channel = start + component * 3 * m + third * m + copy
                    channels[third][copy * heads // m].append(channel)
        start += 3 * irrep.dim * m
    return channels


def by_definition(x: np.ndarray, feature_type: FeatureType, heads: int) -> np.ndarray:
    """One image's tokens: softmax of scaled inner products, head by head."""
    out = np.zeros((len(x), 3 * feature_type.dim))
    for q, k, v in zip(*head_channels(feature_type, heads), strict=True):
        logits = x[:, q] @ x[:, k].T / np.sqrt(len(q))
        weights = np.exp(logits - logits.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        out[:, v] = weights @ x[:, v]  # for now where the value came from
    values = sorted(c for head in head_channels(feature_type, heads)[2] for c in head)
    return out[:, values]


class TestIsotypicAttention(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("D4", "Q8")

    def make(self, case: str) -> specs.Attention:
        name, text, heads = CASES[case]
        return specs.Attention(typed(name, text), heads)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        spec = layer.plan.spec
        rows = [by_definition(row, spec.feature_type, spec.heads) for row in x.numpy()]
        return torch.tensor(np.stack(rows))

    def in_repr(self, layer: nn.Layer) -> list[str]:
        return [str(layer.plan.spec.feature_type), f"heads={layer.plan.spec.heads}"]


@pytest.mark.parametrize("case", list(CASES))
def test_heads_hold_subrepresentations(case: str) -> None:
    """The channels of one head go to channels of that head under every element."""
    name, text, heads = CASES[case]
    feature_type = typed(name, text)
    channels = head_channels(feature_type, heads)
    for a in range(feature_type.group.order):
        matrix = rho(3 * feature_type, a)
        for third in channels:
            for head in third:
                outside = np.delete(matrix[:, head], head, axis=0)
                assert (outside == 0).all()
                block = matrix[np.ix_(head, head)]
                assert (block == matrix[np.ix_(channels[0][0], channels[0][0])]).all()


def test_with_positions_and_class_token() -> None:
    """Tokens of a grid, a class token before them, and attention, by hand."""
    action = actions.image("D4")
    x = FeatureType(action.group, "2*A1 + 4*B2 + 2*E")
    net = ir.compile(
        specs.Chain(
            (
                ("position", specs.PositionalEmbedding(x, action, (3, 3))),
                ("cls", specs.ClassToken(x)),
                ("qkv", specs.Linear(x, 3 * x)),
                ("attention", specs.Attention(x, 2)),
            )
        ),
        dtype=torch.float64,
    ).eval()
    testing.randomise_(net)
    tokens = torch.randn(2, 9, x.dim, dtype=torch.float64)
    before = net(tokens)
    for a in range(8):
        matrix = torch.tensor(rho(x, a))

        def moved(t: Tensor, a: int = a, matrix: Tensor = matrix) -> Tensor:
            grid = (t @ matrix.t()).transpose(1, 2).unflatten(-1, (3, 3))
            return move_image(action, a, grid).flatten(-2).transpose(1, 2)

        after = net(moved(tokens))
        assert relative(after[:, 1:], moved(before[:, 1:])) < EXACT
        assert relative(after[:, :1], before[:, :1] @ matrix.t()) < EXACT


@pytest.mark.parametrize("tokens", [0, 1, 2])
def test_few_tokens(tokens: int) -> None:
    layer = nn.IsotypicAttention(typed("flop", "4*sym + 2*asym"), 2).double()
    x = torch.randn(2, tokens, 18, dtype=torch.float64)
    assert layer(x).shape == (2, tokens, 6)
    if tokens == 1:  # the value itself
        assert torch.equal(layer(x), torch.cat([x[..., 8:12], x[..., 16:18]], dim=-1))


def test_dropout_in_training_only() -> None:
    layer = nn.IsotypicAttention(typed("flop", "4*sym + 2*asym"), 2, dropout=0.5)
    x = torch.randn(2, 5, 18)
    torch.manual_seed(0)
    dropped = layer.train()(x)
    assert not torch.allclose(dropped, layer.eval()(x))
    assert torch.equal(layer(x), layer(x))


# -- errors -----------------------------------------------------------------------------------


def test_heads_that_do_not_split() -> None:
    with pytest.raises(HeadsError, match="2 copies of asym are not a multiple of 4") as caught:
        nn.IsotypicAttention(typed("flop", "4*sym + 2*asym"), 4)
    assert "Expected one of these head counts: 1, 2." in str(caught.value)


def test_other_width() -> None:
    layer = nn.IsotypicAttention(typed("flop", "4*sym + 2*asym"), 2)
    with pytest.raises(IrrepMismatchError, match=r"expected 18 channels .* 12\*sym \+ 6\*asym"):
        layer(torch.zeros(1, 2, 6))


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Shapes are not checked by the tests' type checker, as nowhere but in tests."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", ["trivial", "D4"])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 5)])
def test_other_axes(name: str, shape: tuple[int, ...]) -> None:
    """A kernel would read tokens that are not there, or leave out some that are."""
    layer = nn.IsotypicAttention(FeatureType.regular(group(name), 16), 2)
    x = torch.zeros(*shape, 3 * layer.dim)
    for calls in (torch.no_grad, torch.enable_grad):
        with calls(), pytest.raises(SpecError) as caught:
            layer(x.clone().requires_grad_())
        said = "got a tensor of shape {}: expected the axes (batch, tokens, channels)."
        assert said.format(tuple(x.shape)) in str(caught.value)


@pytest.mark.parametrize("name", ["flop", "D4", "Q8"])
def test_its_own_step_is_what_autograd_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X = FeatureType.regular(group(name), 2 * group(name).order)
    layer = nn.IsotypicAttention(X, 2).double()
    x = torch.randn(3, 5, 3 * X.dim, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    got = layer(x)
    (slope,) = torch.autograd.grad(got.square().sum(), x)
    monkeypatch.setattr("irrepnet.nn._attention.is_plain", lambda _: False)
    expected = layer(x)
    assert relative(got, expected) < EXACT
    assert relative(slope, torch.autograd.grad(expected.square().sum(), x)[0]) < EXACT


def kept_by(layer: nn.Layer, x: Tensor) -> int:
    """Numbers that autograd keeps of a call, and that of its output."""
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        layer(x)
    return sum(t.numel() for t in kept)


def test_what_a_step_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Query, key and value; with torch's fused attention the output and a sum for each row too."""
    X = FeatureType.regular(group("D4"), 64)
    layer = nn.IsotypicAttention(X, 4)
    x = torch.randn(2, 9, 3 * X.dim, requires_grad=True)
    if layer.layout.compiled.serves(x):
        assert kept_by(layer, x) == x.numel()
    monkeypatch.setattr(Attention, "serves", lambda *_: False)
    assert kept_by(layer, x) == x.numel() + x.numel() // 3 + 2 * 4 * 9


@pytest.mark.parametrize("name", ["trivial", "flop", "D4"])
def test_sixteen_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Products and a softmax, and torch's fused attention where there are many tokens."""
    X = FeatureType.regular(group(name), 64)
    layer = nn.IsotypicAttention(X, 4)
    x, gradient = torch.randn(3, 7, 3 * X.dim).bfloat16(), torch.randn(3, 7, X.dim).bfloat16()
    wide = x.double().requires_grad_()
    exact = layer(wide)
    (back,) = torch.autograd.grad(exact, wide, gradient.double())
    x.requires_grad_()
    for limit in (1 << 20, 1):
        monkeypatch.setattr("irrepnet.nn._attend.LOGITS", limit)
        with torch.no_grad():
            assert relative(layer(x).double(), exact) < 0.02
            assert relative(layer.build(x).double(), exact) < 0.02
        out = layer(x)
        assert relative(out.double(), exact) < 0.02
        assert relative(torch.autograd.grad(out, x, gradient)[0].double(), back) < 0.03


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("shape", [(0, 5), (2, 0)])
def test_no_images_and_no_tokens(shape: tuple[int, int], grad: bool) -> None:
    X = FeatureType.regular(group("D4"), 16)
    with torch.set_grad_enabled(grad):
        out = nn.IsotypicAttention(X, 2)(torch.ones(*shape, 3 * X.dim))
    assert out.shape == (*shape, X.dim)
