"""The speed suite: its data, its arithmetic, its table, and the command that runs it."""

import json
from pathlib import Path

import pytest

from irrepnet import report
from irrepnet._errors import MeasurementError, OptionError
from irrepnet.cli import main
from irrepnet.measure import Memory, Timing
from irrepnet.report import Case, SpeedRow
from irrepnet.report._speed_row import realised

SIZES = (
    ("depth", 1),
    ("width", 16),
    ("heads", 2),
    ("patch", 8),
    ("img_size", 16),
    ("num_classes", 3),
)
TIMED = Case("Tiny flop", "vit_tiny_patch16_224", "flop", goal=1.5, published=(1.2,), sizes=SIZES)
TRAINED = Case("Tiny flop", "vit_tiny_patch16_224", "flop", training=True, sizes=SIZES)
KEPT = Case("Tiny flop", "vit_tiny_patch16_224", "flop", training=True, memory=True, sizes=SIZES)
SUITE = report.speed_cases()


def row(**timings: tuple[float, ...]) -> SpeedRow:
    named = {name.replace("_", " "): Timing(times) for name, times in timings.items()}
    return SpeedRow(TIMED, 3, 8, 2.0, named)


def test_every_row_has_a_title_of_its_own_and_a_bound_above_its_goal() -> None:
    titles = [case.title for case in SUITE]
    assert len(set(titles)) == len(titles)
    assert sum(case.goal is not None for case in SUITE) == 17
    one_of_each = {(case.model, case.group): case for case in SUITE if case.goal}
    for case in one_of_each.values():
        highest = max(c.goal or 0 for c in SUITE if (c.model, c.group) == (case.model, case.group))
        assert highest < case.flop_ratio < 4.6


def test_patterns_choose_rows() -> None:
    chosen = report.matching(SUITE, "resmlp*eager*2 threads")
    assert [c.title for c in chosen] == ["ResMLP-24 flop, float32 eager inference, 2 threads"]
    with pytest.raises(OptionError, match=r"no row matches 'alexnet': expected a part of one of\n"):
        report.matching(SUITE, "alexnet")


def test_speedups_are_of_medians_and_of_minima() -> None:
    found = row(frozen_dense=(4.0, 3.0, 9.0), frozen_equivariant=(2.0, 2.0, 1.0))
    assert found.speedup("frozen") == 2.0
    assert found.speedup("frozen", minima=True) == 3.0
    assert found.speedup("unfrozen") is None
    assert found.headline == "frozen"
    assert found.noisy
    assert realised(2.0, 2.0) == 1.0
    assert realised(1.0, 2.0) == 0.0
    assert realised(1.5, 1.0) is None


def test_the_baseline_is_compared_with_code_written_by_hand() -> None:
    found = row(hand_written_dense=(3.0,), unfrozen_dense=(2.0,), unfrozen_equivariant=(1.0,))
    assert found.baseline is None  # "hand written dense" is no name
    timings = {"hand-written dense": Timing((3.0,)), "unfrozen dense": Timing((2.0,))}
    assert SpeedRow(TIMED, 1, 8, 2.0, timings).baseline == 1.5


def test_memory_is_compared() -> None:
    memories = {"dense": Memory(30, 10, 8, 20), "equivariant": Memory(25, 10, 6, 10)}
    found = SpeedRow(KEPT, 1, 8, 2.0, memories=memories)
    assert found.memory_ratio("above_baseline_bytes") == 0.75
    assert found.memory_ratio("activation_bytes") == 0.75
    assert found.memory_ratio("tensor_bytes") == 0.5
    assert "activations 0.75x of the dense network's" in report.progress_line(found)
    assert SpeedRow.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_the_command_measures_writes_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "speed_cases", lambda threads: (TIMED, TRAINED, KEPT))
    file = str(tmp_path / "speed.json")
    words = ["bench", "--suite", "speed", "--rounds", "2", "--batch", "2", "--json", file]
    assert main([*words, "--steps", "inference"]) == 0
    printed = capsys.readouterr()
    assert "Tiny flop" in printed.out
    assert "[1/1] Tiny flop, float32 eager inference, 1 thread:" in printed.err
    first = json.loads(Path(file).read_text())
    (timed,) = first["rows"]
    assert set(timed["timings"]) == {
        "frozen dense",
        "frozen equivariant",
        "unfrozen dense",
        "unfrozen equivariant",
        "hand-written dense",
    }
    assert main([*words, "--resume", "--variants", "frozen"]) == 0
    assert "[2/2] Tiny flop, memory in training:" in capsys.readouterr().err
    rows = json.loads(Path(file).read_text())["rows"]
    assert rows[0] == timed  # kept, not measured anew
    assert set(rows[1]["timings"]) == {"unfrozen dense", "unfrozen equivariant"}  # not frozen
    assert rows[2]["memory"]["dense"]["activation_bytes"] > 0


def test_a_row_that_fails_is_said_and_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MeasurementError("no memory left")

    monkeypatch.setattr("irrepnet.report._measure_case.latency", fail)
    monkeypatch.setattr(report, "speed_cases", lambda threads: (TIMED, TRAINED))
    file = tmp_path / "speed.json"
    assert main(["bench", "--suite", "speed", "--json", str(file)]) == 1
    printed = capsys.readouterr()
    assert "[2/2]" in printed.err
    assert "Tiny flop, float32 eager training, 1 thread: no memory left" in printed.out
    file.write_text('{"schema": "other"}')
    assert main(["bench", "--suite", "speed", "--json", str(file), "--resume"]) == 2
    assert "cannot go on with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--suite speed --rounds 0", "got --rounds 0: expected a whole number of at least 1"),
        ("--suite speed --threads two", "got --threads two: expected numbers of at least 1"),
        ("--suite speed --modes fast", "got --modes fast: expected some of eager, compiled"),
        ("--suite speed --resume", "got --resume without --json FILE"),
        ("--suite speed --only alexnet", "no row matches 'alexnet'"),
    ],
)
def test_mistakes_are_explained(
    options: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *options.split()]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
