"""The backward pass, and what autograd keeps: equal to measurement, layer by layer."""

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode, flop_registry

import irrepnet as ir
from irrepnet import accounting, compiler, groups, specs
from irrepnet._errors import FlopCountError
from irrepnet.actions import image
from irrepnet.types import FeatureType
from tests.models.narrow import FIVE_GROUPS

D4 = groups.octic()
R = FeatureType.regular(D4, 16)
GRID = (4, 4)
ACTION = image("D4")
TOKENS = ACTION.on_grid(*GRID)


#: Layers whose products have constant factors, or whose backward pass is special.
LAYERS: list[tuple[specs.Spec, tuple[int, ...]]] = [
    (specs.Activation(2 * R), (5, 32)),
    (specs.Activation(R, points=TOKENS), (16, 16)),
    (specs.DirectActivation(FeatureType(D4, [1, 1, 1, 1, 0]), "abs"), (5, 4)),
    (specs.PermutedAttention(R, 8), (5, 48)),
    (specs.Attention(R, 2), (5, 48)),
    (specs.MaxFilter(R, 3), (5, 16)),
    (specs.PolynomialMap(FeatureType(D4, [1, 0, 0, 0, 2]), 2), (5, 5)),
    (specs.TokenLinear(R, TOKENS), (16, 16)),
    (specs.TokenBias(R, TOKENS), (16, 16)),
    (specs.Affine(R, TOKENS), (16, 16)),
    (specs.OrbitPool(R, TOKENS, "norm"), (16, 16)),
    (specs.PositionalEmbedding(R, ACTION, GRID), (16, 16)),
    (specs.Conv(R, ACTION, GRID, R, (3, 3), padding=(1, 1)), (16, 16)),
    (specs.DepthwiseConv(R, ACTION, GRID, (3, 3), padding=(1, 1)), (16, 16)),
    (specs.Downsample(R, ACTION, GRID, (2, 2), 2 * R), (16, 16)),
    (specs.Upsample(R, ACTION, GRID, (2, 2), R), (16, 16)),
    (specs.Linear(R, R, lowering="dense"), (5, 16)),
]


@pytest.mark.parametrize(("spec", "size"), LAYERS, ids=[type(s).__name__ for s, _ in LAYERS])
@pytest.mark.parametrize("trained", [False, True], ids=["first", "after another"])
def test_layers(spec: specs.Spec, size: tuple[int, ...], trained: bool) -> None:
    """Alone, where nobody asks for the gradient of the input, and after something trainable."""
    on_grid = hasattr(spec, "grid") or getattr(spec, "points", None) is not None
    x = spec.in_type
    before = specs.PositionalEmbedding(x, ACTION, GRID) if on_grid else specs.LayerScale(x)
    net = ir.compile(specs.Chain((("before", before), ("layer", spec))) if trained else spec)
    row = ir.flops(net, size, training=True).rows[-1]
    assert (row.kind, row.input_grad) == (type(spec).__name__, trained)


def test_a_linear_map_has_two_products_backwards_and_the_first_one() -> None:
    net = ir.compile(specs.Chain((("a", specs.Linear(R, R)), ("b", specs.Linear(R, R)))))
    first, second = ir.flops(net, (7, 16), training=True).rows
    assert first.backward_matmul_flops == first.matmul_flops
    assert second.backward_matmul_flops == 2 * second.matmul_flops
    assert first.saved == second.saved == 7 * 16  # the input of each


def test_what_autograd_keeps_is_counted_once() -> None:
    x = FeatureType.trivial(groups.trivial(), 8)
    net = ir.compile(specs.Chain((("norm", specs.LayerNorm(x)), ("fc", specs.Linear(x, x)))))
    rows = ir.flops(net, (5, 8), training=True).rows
    kept = {row.path: row.saved for row in rows}
    assert kept["fc"] == 5 * 8
    assert kept["norm"] >= 5 * 8  # the input, and statistics of each position


def test_torchs_own_count_of_grouped_gradients() -> None:
    """Why `accounting.counter` has a formula of its own (pytorch/pytorch#183405)."""

    def backward(counting: FlopCounterMode, groups_: int) -> int:
        conv = torch.nn.Conv2d(8, 8, 3, padding=1, groups=groups_, device="meta")
        y = conv(torch.empty(1, 8, 5, 5, device="meta"))
        with counting:
            y.sum().backward()
        return counting.get_total_flops()

    for number in (1, 8):
        one = 2 * 25 * 9 * 8 * (8 // number)
        assert backward(accounting.counter(), number) == one  # of the weight; the input needs none
    assert backward(FlopCounterMode(display=False), 1) == 2 * 25 * 9 * 8 * 8


def wrong(rule: Any, **changes: int) -> Any:
    """A rule's double with other numbers in its cost."""

    class Wrong(type(rule)):
        def cost(self, spec: Any, edge: Any, positions: Any) -> Any:
            found = vars(super().cost(spec, edge, positions))
            return compiler.Cost(**{**found, **{k: found[k] + v for k, v in changes.items()}})

    return Wrong()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"matmul": 2}, r"fc \(Linear\): the plan counts 514 FLOPs of matrix products, the model"),
        ({"params": -1}, r"fc \(Linear\): the plan counts \d+ parameters, the model has"),
        ({"on_features": 8}, r"fc \(Linear\): the plan counts .* in the backward pass, the model"),
    ],
)
def test_a_wrong_formula_is_caught(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, int], message: str
) -> None:
    x = FeatureType(groups.flop(), "4*sym + 4*asym")
    scaled = specs.Chain((("scale", specs.LayerScale(x)), ("fc", specs.Linear(x, x))))
    net = ir.compile(scaled)
    assert ir.flops(net, (4, 8), training=True).matmul_flops == 256
    rules = compiler._rule.RULES
    monkeypatch.setitem(rules, specs.Linear, wrong(rules[specs.Linear], **changes))
    with pytest.raises(FlopCountError, match=message.replace("514", "258")):
        ir.flops(net, (4, 8), training=True)


def test_errors_that_cancel_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The total is right, two layers are not."""
    x = FeatureType(groups.flop(), "4*sym + 4*asym")
    net = ir.compile(specs.Chain((("fc", specs.Linear(x, x)), ("scale", specs.LayerScale(x)))))
    rules = compiler._rule.RULES
    monkeypatch.setitem(rules, specs.Linear, wrong(rules[specs.Linear], matmul=6))
    monkeypatch.setitem(rules, specs.LayerScale, wrong(rules[specs.LayerScale], matmul=-6))
    with pytest.raises(FlopCountError, match=r"fc \(Linear\): the plan counts 262 FLOPs"):
        ir.flops(net, (4, 8))


def test_an_operation_of_ones_own_is_counted() -> None:
    @torch.library.custom_op("irrepnet_test::product", mutates_args=())
    def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a @ b

    @product.register_fake
    def _(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a.new_empty(a.shape[0], b.shape[1])

    class Net(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.ops.irrepnet_test.product(x, x.t().contiguous())

    packet = torch.ops.irrepnet_test.product
    with pytest.raises(FlopCountError, match=r"cost is unknown: irrepnet_test.product\b.*count_op"):
        accounting.measure(Net(), (3, 4))

    def formula(a_shape: Any, b_shape: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
        return 2 * a_shape[0] * a_shape[1] * b_shape[1]

    try:
        accounting.count_operation(packet, formula)
        assert accounting.measure(Net(), (3, 4)).matmul_flops == 2 * 3 * 4 * 3
        with pytest.raises(FlopCountError, match=r"cost of irrepnet_test.product is known already"):
            accounting.count_operation(packet, formula)
        with pytest.raises(FlopCountError, match=r"torch counts irrepnet_test.product itself"):
            accounting.state_operation(packet)
    finally:
        flop_registry.pop(packet, None)


#: One network of each family at its registered size; `irrepnet flops MODEL --group G --training`
#: compares any other.
FULL_SIZE = {
    "vit_small_patch16_224": "D4",
    "resmlp_12_224": "C4",
    "convnext_tiny": "klein_four",
    "convnext_isotropic_small": "flop",
    "vit_tiny_patch16_224": "trivial",
}


@pytest.mark.parametrize(("name", "group"), FULL_SIZE.items())
def test_networks_at_full_size(name: str, group: str) -> None:
    """Forwards and backwards as torch counts them, layer by layer, or `flops` raises."""
    model = ir.create_model(name, group, device="meta")
    report = ir.flops(model, (3, 224, 224), training=True)
    assert 1.9 < report.backward_matmul_flops / report.matmul_flops < 2
    measured = accounting.measure_training(model, (1, 3, 224, 224), [])
    assert report.backward_matmul_flops == measured.backward_flops
    assert set(FULL_SIZE.values()) == set(FIVE_GROUPS)
