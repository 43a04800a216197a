"""From which width on a group pays, by hand-made rates; and the command that says so."""

import json

import pytest

import irrepnet as ir
from irrepnet._errors import OptionError
from irrepnet.cli import main
from irrepnet.compiler import Machine, Plan, Rates, check, cost
from irrepnet.planning import COST_MODELS, alpha, break_even, predicted_seconds
from irrepnet.planning._break_even import _from

FREE_CALLS = Rates(flops=1e9, bandwidth=1e30, call=1e-30)
MACHINE = Machine(FREE_CALLS, FREE_CALLS, "test")


@pytest.fixture(autouse=True)
def no_calibration(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("IRREPNET_CALIBRATION", str(tmp_path / "calibration.json"))


@pytest.mark.parametrize("name", ["flop", "C4", "D4", "Q8"])
def test_where_calls_and_memory_are_free_a_group_always_pays(name: str) -> None:
    G = ir.groups.parse(name)
    (found,) = break_even(G, (100,), ("float32",), MACHINE, "flops")
    assert found.even == found.half == found.speedups[0][0] == 2 * G.order
    assert found.speedups[-1][1] == pytest.approx(found.bound)


def test_calls_set_a_least_width() -> None:
    machine = Machine(Rates(1e11, 1e30, 1e-5), FREE_CALLS, "test")
    few, many = break_even(ir.groups.octic(), (8, 2000), ("float32",), machine)
    assert few.even is not None
    assert many.even is not None
    assert few.even > many.even > 16
    never = Machine(Rates(1e11, 1e30, 1.0), FREE_CALLS, "test")
    assert break_even(ir.groups.octic(), (8,), ("float32",), never)[0].even is None


def test_from_which_width_on() -> None:
    assert _from((1, 2, 3, 4), (True, False, True, True)) == 3
    assert _from((1, 2), (True, False)) is None


def test_the_models_by_hand() -> None:
    X = ir.FeatureType(ir.groups.flop(), "8*sym + 8*asym")
    plan = Plan(check(ir.specs.Linear(X, X, bias=False)))
    rates = Rates(flops=1e6, bandwidth=1e4, call=1e-3, beta=0.25, gamma=0.5)
    (row,) = cost(plan, 5)
    assert row.matmul_flops == row.flops == 5 * 2 * 2 * 8 * 8
    moved = 4 * (2 * 3 * 5 * 16 + 2 * 8 * 8)  # a batch of 3: features in and out, weights once
    assert moved / 1e4 > 3 * row.flops / 1e6
    for model, expected in {
        "roofline": moved / 1e4,
        "flops": 3 * row.flops / 1e6,
        "alpha": 3 * row.flops / 1e6 * ((1 + 0.25 * 14) / 15) ** 0.5 / 0.25**0.5,
    }.items():
        found = predicted_seconds(plan, rates, 3, "float32", model, positions=5)
        calls = 2 * rates.call
        assert found == {"": pytest.approx(expected + calls, rel=1e-12)}
        both = predicted_seconds(plan, rates, 3, "float32", model, training=True, positions=5)
        assert both[""] > found[""]
    assert set(COST_MODELS) == {"roofline", "flops", "alpha"}
    assert alpha(1, rates) == 1
    assert alpha(1000, rates) < alpha(10, rates) < 1
    with pytest.raises(OptionError, match="got cost model 'guess': expected one of roofline"):
        predicted_seconds(plan, rates, model="guess", positions=5)


def test_the_command_plans(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "D4", "--dim", "384", "--heads", "6"]) == 0
    printed = capsys.readouterr().out
    assert printed == ir.plan_type(ir.groups.octic(), 384, heads=6).explain() + "\n"
    assert main(["plan", "C4", "--dim", "32", "--objective", "time", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["feature_type"]["dim"] == 32
    assert found["unit"] == "seconds"


def test_the_command_tells_break_even(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "flop", "--break-even"]) == 0
    printed = capsys.readouterr().out
    assert "pays from" in printed
    assert "was never measured" in printed
    assert "is measured by `irrepnet bench MODEL --group flop --widths" in " ".join(printed.split())
    assert main(["plan", "flop", "--break-even", "--json", "-"]) == 0
    assert len(json.loads(capsys.readouterr().out)["answers"]) == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("flop --dim 3", "expected at least 4 channels"),
        ("flop --budget -1", "got --budget -1: expected a positive number"),
        ("nonsense", "nonsense"),
    ],
)
def test_mistakes_are_explained(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", *words.split()]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
