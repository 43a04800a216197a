"""What `plan_type` chooses, and what it says of it."""

import pytest

import irrepnet as ir
from irrepnet import specs
from irrepnet._errors import FeatureTypeError, OptionError
from irrepnet.compiler import Machine, Rates
from irrepnet.compiler.passes._lower import seconds
from irrepnet.planning._plan_type import irrep_cost

RATES = Rates(flops=1e10, bandwidth=1e10, call=1e-6)
MACHINE = Machine(RATES, Rates(4e10, 1e10, 1e-6), "test")


@pytest.mark.parametrize("name", ["flop", "C4", "D4", "Q8", "A5", "C3xS3"])
def test_a_map_costs_what_the_compiler_counts_and_expects(name: str) -> None:
    G = ir.groups.parse(name)
    X = ir.FeatureType(G, [3 + i for i in range(len(G.irreps))])
    spec = specs.Linear(X, X, bias=False)
    report = ir.flops(ir.compile(spec, device="meta"), (7, X.dim))

    def total(objective: str) -> float:
        costs = [irrep_cost(i, objective, RATES, 7, 4) for i in G.irreps]
        return sum(cost(m) for cost, m in zip(costs, X.multiplicities, strict=True))

    assert 7 * total("flops") == report.matmul_flops
    assert total("params") == report.params
    assert total("time") == pytest.approx(seconds(spec, 7, "separate", RATES), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "dim", "flops", "params"),
    [("flop", 384, 2, 2), ("C4", 384, 3, 4), ("D4", 384, 6, 8), ("Q8", 680, 5, 8)],
)
def test_savings_of_whole_widths(name: str, dim: int, flops: float, params: float) -> None:
    """The least FLOPs are `2 D^2 / sum(d / e)`; parameters `D^2 / |G|`, the regular type's."""
    G = ir.groups.parse(name)
    assert ir.plan_type(G, dim).saving == pytest.approx(flops, rel=1e-3)
    regular = ir.plan_type(G, dim, objective="params")
    assert regular.feature_type == ir.FeatureType.regular(G, dim)
    assert regular.saving == params
    assert regular.gave_up == ()


def test_a_network_can_be_built_of_it() -> None:
    plan = ir.plan_type(ir.groups.octic(), 192, heads=3)
    assert plan.feature_type.dim == 192
    assert plan.gset.feature_type == plan.feature_type
    model = ir.create_model(
        "vit_tiny_patch16_224",
        "D4",
        feature_type=str(plan.feature_type),
        depth=1,
        num_classes=3,
        img_size=32,
    )
    ir.testing.randomise_(model)
    assert ir.certify(model).worst < 1e-12


def test_it_says_what_heads_took() -> None:
    plan = ir.plan_type(ir.groups.octic(), 384, heads=6)
    names, costs = zip(*plan.ladder, strict=True)
    assert names[-1] == "whole shares for 6 heads"
    assert costs[0] == costs[2] == 6 * 2 * 64**2 < costs[3] == plan.cost
    assert plan.gave_up == ("0.20% of the cost for whole shares for 6 heads",)


def test_a_budget_takes_channels() -> None:
    plan = ir.plan_type(ir.groups.flop(), 100, budget=5_000)
    assert plan.cost <= 5_000
    assert plan.feature_type.dim == 70  # 2 * (35^2 + 35^2) = 4,900; 71 would cost 5,042
    assert plan.gave_up == ("30 of 100 channels, to stay within the budget",)
    assert "gave up: 30 of 100 channels" in plan.explain()


def test_time_follows_the_machine() -> None:
    G = ir.groups.octic()
    wide = ir.plan_type(G, 384, objective="time", machine=MACHINE)
    assert 3 < wide.saving < 6
    assert "rates: test" in wide.explain()
    narrow = ir.plan_type(G, 16, objective="time", positions=1, machine=MACHINE)
    assert narrow.saving < 1
    assert "a dense product is no slower at this width: lowering='auto'" in narrow.explain()
    fast = ir.plan_type(G, 384, objective="time", dtype="bfloat16", machine=MACHINE)
    assert fast.cost < wide.cost


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 8, "objective": "joy"}, "got objective 'joy': expected one of flops, params, ti"),
        ({"dim": 0}, "got dim=0: expected a whole number of at least 1"),
        ({"dim": 8, "heads": 0}, "got heads=0: expected a whole number of at least 1"),
        ({"dim": 8, "objective": "time", "least": 0}, "got least=0: expected .* at least 1"),
        ({"dim": 8, "dtype": "int8"}, "got dtype 'int8': expected one of float32"),
        ({"dim": 8, "budget": -1.0}, "got budget=-1.0: expected a positive number, or None"),
    ],
)
def test_options_out_of_range(options: dict, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ir.plan_type(ir.groups.flop(), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 10}, "every irrep of D4 at least 2 times .* expected at least 12 channels"),
        ({"dim": 385, "heads": 3}, r"expected a multiple of the heads, such as 387 channels"),
        ({"dim": 64, "budget": 3.0}, "costs as little as 3: expected a larger budget"),
    ],
)
def test_what_no_type_can_do(options: dict, message: str) -> None:
    with pytest.raises(FeatureTypeError, match=message):
        ir.plan_type(ir.groups.octic(), **options)
