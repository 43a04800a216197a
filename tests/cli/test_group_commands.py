"""Commands about representations: `decompose`, `bench groups`, and `groups` of large groups."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import irrepnet as ir
from irrepnet.cli import _group_times, main
from irrepnet.cli._groups import ROWS_UP_TO

GAP = Path(__file__).parents[1] / "data" / "gap_small_groups.json"
SHIPPED = Path(_group_times.__file__).with_name("gap_times.json")


def printed_rows(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split() for line in capsys.readouterr().out.splitlines()]


# -- decompose -----------------------------------------------------------------------------------


def test_decompose_prints_multiplicities_and_dimensions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["decompose", "D4", "--grid", "14x14"]) == 0
    rows = printed_rows(capsys)
    assert ["A1", "R", "1", "28", "28", "784"] in rows
    assert ["A2", "R", "1", "21", "21", "441"] in rows
    assert ["E", "R", "2", "49", "98", "2,401"] in rows
    assert ["total", "196", "4,851"] in rows
    assert ["8", "1", "21"] in rows  # 21 regular orbits
    assert ["4", "2", "7"] in rows  # and 7 on the diagonals


@pytest.mark.parametrize(
    ("words", "dim", "multiplicities"),
    [
        (["flop", "--grid", "7x9"], 63, [35, 28]),
        (["C4", "--grid", "3"], 9, [3, 2, 2]),
        (["trivial", "--grid", "2×3"], 6, [6]),
        (["Q8", "--regular"], 8, [1, 1, 1, 1, 1]),
        (["S5", "--points"], 5, [1, 0, 1, 0, 0, 0, 0]),
        (["C2xC4", "--points"], 6, [2, 1, 1, 0, 1, 0]),
    ],
)
def test_decompose_as_json(
    words: list[str], dim: int, multiplicities: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decompose", *words, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["dim"] == dim
    assert [row["multiplicity"] for row in found["irreps"]] == multiplicities
    assert sum(row["dim"] * row["multiplicity"] for row in found["irreps"]) == dim
    assert sum(row["points"] * row["orbits"] for row in found["orbits"]) == dim
    assert found["dim_end"] == sum(row["dim_end"] for row in found["irreps"])


def test_decompose_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.json"
    assert main(["decompose", "flop", "--grid", "4x4", "--json", str(file)]) == 0
    assert json.loads(file.read_text())["dim_end"] == 128
    assert "dim End_G = 128" in capsys.readouterr().out
    assert main(["decompose", "flop", "--grid", "4x4", "--json", str(tmp_path)]) == 2
    assert "it is a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["D4"], r"got nothing for D4 to act on: expected one of --grid HxW"),
        (["D4", "--grid", "4", "--regular"], r"got --grid 4 and --regular for D4 to act on"),
        (["D4", "--grid", "14by14"], r"got --grid 14by14: expected height x width, such as 14x14"),
        (["D4", "--grid", "0x4"], r"from 1 to 1024 each"),
        (["D4", "--grid", "4096"], r"from 1 to 1024 each"),
        (["D4", "--grid", "14x16"], r"exchanges rows and columns"),
        (["S5", "--grid", "14"], r"'S5' is no image action: expected one of trivial, flop"),
        (["D4x", "--points"], r"'D4x' is not the name of a group"),
    ],
)
def test_decompose_explains_mistakes(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decompose", *words]) == 2
    assert re.search(message, capsys.readouterr().err)


# -- bench groups ----------------------------------------------------------------------------------


def test_bench_groups_is_faster_than_gap(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "groups"]) == 0
    printed = capsys.readouterr().out
    assert "46 groups" in printed
    found = re.search(r"([\d.]+)x as fast as GAP in total, faster on \d+ of 46 groups", printed)
    assert found
    assert float(found[1]) > 1
    table, gap, irreps, _ = (float(x) for x in re.findall(r"\d+\.\d\d", printed)[:4])
    assert table < gap
    assert table + irreps < 1000


def test_bench_groups_shows_each_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "groups", "--all", "--runs", "1"]) == 0
    rows = {row[0]: row for row in printed_rows(capsys) if row}
    for record in json.loads(GAP.read_text())["groups"]:
        row = rows[record["name"]]
        assert row[1] == str(record["order"])
        assert row[3] == f"{record['gap_ns_irr'] / 1e6:.2f}"
        assert row[-1] == "yes"


def one_group(**changes: Any) -> dict[str, Any]:
    return {**json.loads(GAP.read_text())["groups"][6], **changes}


def test_bench_groups_reads_other_groups_and_writes_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"groups": [one_group()]}))
    assert main(["bench", "groups", "--runs", "1", "--data", str(data), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total"]["name"] == "1 groups"
    assert found["groups"][0]["order"] == 6
    assert found["total"]["table_ms"] > 0


@pytest.mark.parametrize(
    "change", [{"fs": [1, 1, -1]}, {"class_orders": [1, 2, 2]}, {"degrees": [1, 1, 1]}]
)
def test_bench_groups_notices_a_wrong_answer(
    change: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"groups": [one_group(**change)]}))
    assert main(["bench", "groups", "--runs", "1", "--data", str(data)]) == 1
    assert ["NO"] in [row[-1:] for row in printed_rows(capsys)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"cannot read groups from .*: .*No such file"),
        ("{", r"cannot read groups from .*Expected JSON such as"),
        ("[]", r"which lists no groups: expected"),
        ('{"groups": [{"name": "C2"}]}', r"got a group without order, generators, degrees, fs"),
    ],
)
def test_bench_groups_explains_wrong_data(
    text: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data.json"
    if text is not None:
        data.write_text(text)
    assert main(["bench", "groups", "--data", str(data)]) == 2
    assert re.search(message, capsys.readouterr().err, re.DOTALL)


def test_bench_groups_needs_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "groups", "--runs", "0"]) == 2
    assert "got --runs 0: expected at least one" in capsys.readouterr().err


def test_the_shipped_groups_are_gaps() -> None:
    export, shipped = (json.loads(file.read_text()) for file in (GAP, SHIPPED))
    assert shipped["meta"]["gap"] == export["meta"]["gap"]
    assert len(shipped["groups"]) == len(export["groups"]) == 46
    for record, original in zip(shipped["groups"], export["groups"], strict=True):
        assert record.items() <= original.items()


# -- groups that are large -----------------------------------------------------------------------


def test_groups_says_what_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["groups", "C130"]) == 0
    printed = capsys.readouterr().out
    assert f"... and {130 - ROWS_UP_TO} more" in printed
    assert "90 of 130 rows and columns are left out" in printed
    assert main(["groups", "C2^7"]) == 0
    assert "Subgroups are left out: C2xC2xC2xC2xC2xC2xC2 has more than" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["S7", "A7"])
def test_groups_answers_for_thousands_of_elements(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    group = ir.groups.parse(name)
    assert main(["groups", name]) == 0
    printed = capsys.readouterr().out
    assert f"{name}: {group.order} elements" in printed
    assert "ask for them with --subgroups yes" in printed


# -- help ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["decompose", "bench groups"])
def test_each_command_teaches_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*name.split(), "--help"])
    examples = capsys.readouterr().out.partition("Examples:")[2]
    assert len(re.findall(rf"^ +irrepnet {name}\b", examples, re.M)) >= 3
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert f"irrepnet {name}" in capsys.readouterr().out


def test_bench_alone_asks_for_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench"]) == 2
    assert "got no model: expected a name, such as" in capsys.readouterr().err
