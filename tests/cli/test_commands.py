"""The other commands, and what all of them share."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import irrepnet as ir
from irrepnet import specs
from irrepnet.cli import main
from irrepnet.cli._groups import Groups
from irrepnet.cli._output import Steps
from irrepnet.models import model_spec

ROOT = Path(__file__).parents[2]


def run(*words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = ["-c", code] if code else ["-m", "irrepnet", *words]
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


# -- flops ---------------------------------------------------------------------------------------


def test_flops_prints_every_layer(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flops", *tiny, "--group", "D4"]) == 0
    printed = capsys.readouterr().out
    for text in ("1 MAC = 2 FLOPs", "patch_embed", "blocks.1.mlp.fc2", "head.fc", "total"):
        assert text in printed


def test_flops_as_json(tiny: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "costs.json"
    assert main(["flops", *tiny, "--json", "-"]) == 0
    counts = json.loads(capsys.readouterr().out)
    assert main(["flops", *tiny, "--json", str(file)]) == 0
    assert json.loads(file.read_text()) == counts
    assert counts["total"]["params"] == sum(row["params"] for row in counts["rows"])
    assert "total" in capsys.readouterr().out


def test_flops_in_other_forms(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flops", *tiny, "--by", "kind", "--unit", "MACs", "--format", "csv"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("part,params,matmul_MACs,other_FLOPs,share,bytes_read")
    assert printed[-1].startswith("total,")
    for form, text in (("text", "D^2"), ("latex", r"\begin{array}")):
        assert main(["flops", *tiny, "--symbolic", form]) == 0
        assert text in capsys.readouterr().out
    assert main(["flops", *tiny, "--training", "--dtype", "bfloat16", "--by", "block"]) == 0
    printed = capsys.readouterr().out
    assert "2 bytes a number" in printed
    assert "kept bytes" in printed


def test_flops_in_symbols_follows_the_other_options(
    tiny: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flops", *tiny, "--symbolic", "latex", "--unit", "MACs", "--training"]) == 0
    assert r"\text{backward products (MACs)}" in capsys.readouterr().out
    assert main(["flops", *tiny, "--symbolic", "text", "--json", "-"]) == 0
    formulas = json.loads(capsys.readouterr().out)
    assert "D**2" in formulas["total"]["params"]


def test_flops_draws(tiny: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "bars.svg"
    assert main(["flops", *tiny, "--group", "D4", "--picture", str(file)]) == 0
    assert "D4 (right)" in file.read_text(encoding="utf-8")
    assert main(["flops", *tiny, "--picture", str(tmp_path / "bars.gif")]) == 2
    assert "expected a name that ends in .png, .svg, .pdf" in capsys.readouterr().err


def test_flops_refuses_a_folder_as_file(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flops", *tiny, "--json", str(tmp_path)]) == 2
    assert "it is a folder. Give a file, such as" in capsys.readouterr().err


# -- certify -------------------------------------------------------------------------------------


def test_certify_certifies(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certify", *tiny, "--group", "D4", "--break-at", "flop:1"]) == 0
    printed = capsys.readouterr().out
    assert "equivariant up to rounding: worst error" in printed
    assert "blocks.0.attention" in printed


def test_certify_fails_where_equivariance_does(
    tiny: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ir.certificate.Certificate, "worst", 1e-3)
    assert main(["certify", *tiny]) == 1
    assert "NOT equivariant: worst error 1.0e-03" in capsys.readouterr().out


def test_certify_as_json(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certify", *tiny, "--every-element", "--json", "-"]) == 0
    certificate = json.loads(capsys.readouterr().out)
    assert {error["element"] for error in certificate["errors"]} == {0, 1}
    assert certificate["worst"]["float64"] < 1e-12


# -- groups --------------------------------------------------------------------------------------


def test_groups_shows_classes_characters_irreps_and_subgroups(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["groups", "D4"]) == 0
    printed = capsys.readouterr().out
    assert "D4: 8 elements, not abelian, exponent 4, generators (0 1 2 3), (1 3)" in printed
    rows = lines(printed)
    assert ["2", "1", "2", "(0", "2)(1", "3)"] in rows  # the half turn, a class of its own
    assert ["E", "+", "2", "0", "-2", "0", "0"] in rows
    assert ["E", "2", "R", "1", "2", "yes", "exact"] in rows
    assert ["2", "4", "2", "no", "yes", "(1", "3)"] in rows  # two conjugate mirrors
    subgroups = printed.partition("Subgroups up to conjugacy")[2]
    assert len(subgroups.strip().splitlines()) - 1 == 8


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("C4", "chi2 2 C 2 1 yes exact"),
        ("Q8", "chi4 4 H 4 1 yes exact"),
        ("flop", "asym 1 R 1 1 yes exact"),
        ("vflip", "chi1 1 R 1 1 yes exact"),
        ("trivial", "chi0 1 R 1 1 yes exact"),
    ],
)
def test_groups_states_the_kind_of_irreps(
    name: str, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["groups", name]) == 0
    assert row.split() in lines(capsys.readouterr().out)


def test_groups_asks_before_listing_many_subgroups(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["groups", "D101"]) == 0
    printed = capsys.readouterr().out
    assert "ask for them with --subgroups yes" in printed
    assert "12 of 52 rows and columns are left out" in printed
    assert main(["groups", "D101", "--subgroups", "yes"]) == 0
    assert "element 1" in capsys.readouterr().out
    assert main(["groups", "C3", "--subgroups", "no"]) == 0
    assert "Subgroups" not in capsys.readouterr().out


def test_groups_without_a_name_teaches_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["groups"]) == 0
    printed = capsys.readouterr().out
    assert "Dic3 dicyclic of order 12" in printed
    assert "klein_four, C4, D4" in printed


def test_groups_explains_a_wrong_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["groups", "D4x"]) == 2
    said = capsys.readouterr().err
    assert "irrepnet groups: 'D4x' is not the name of a group." in said
    assert "or a family and its number: C4 cyclic" in said


# -- models --------------------------------------------------------------------------------------


def test_models_lists_with_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "vit_*"]) == 0
    printed = capsys.readouterr().out
    for name in ir.list_models("vit_*"):
        assert name in printed
    row = "vit_small_patch16_224 22,059,496 11,039,656"
    assert row.split() in [line[:3] for line in lines(printed)]


def test_models_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "*small*", "--group", "D4", "--json"]) == 0
    rows = {row["model"]: row for row in json.loads(capsys.readouterr().out)}
    row = rows["vit_small_patch16_224"]
    assert row["dense"]["params"] == 22_059_496
    assert row["D4"]["matmul_flops"] < row["dense"]["matmul_flops"] / 3


def test_models_says_why_a_group_does_not_fit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(name: str, group: str) -> specs.Classifier:
        return model_spec(name, group, width=12, heads=1)

    monkeypatch.setattr("irrepnet.models.model_spec", narrow)
    assert main(["models", "vit_tiny*", "--group", "D4"]) == 0
    printed = capsys.readouterr().out
    assert "does not fit" in printed
    assert "expected a positive multiple of its order 8" in " ".join(printed.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["xyz*"], r"no model matches 'xyz\*': expected a pattern such as '\*small\*'"),
        (["--group", "C9"], r"'C9' is no image action: expected one of"),
    ],
)
def test_models_explains_mistakes(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *words]) == 2
    assert re.search(message, capsys.readouterr().err)


# -- all commands ----------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_commands_with_examples(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(words)
    printed = capsys.readouterr().out
    for name in ("compare", "flops", "certify", "groups", "models"):
        assert f"irrepnet {name}" in printed


COMMANDS = ["compare", "flops", "certify", "groups", "models", "bench", "plan"]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_teaches_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    examples = capsys.readouterr().out.partition("Examples:")[2]
    assert len(re.findall(rf"^ +irrepnet {name}\b", examples, re.M)) >= 3


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["race"])
    assert "Available subcommands: compare, flops, certify" in capsys.readouterr().err


def test_help_and_groups_do_without_torch() -> None:
    code = (
        "import sys; from irrepnet.cli import main; main(['groups', 'D4'])\n"
        "try: main(['compare', '--help'])\n"
        "except SystemExit: sys.exit('torch' in sys.modules)"
    )
    assert run(code=code).returncode == 0


def test_python_m_irrepnet_runs() -> None:
    result = run("models", "*tiny*")
    assert result.returncode == 0
    assert "vit_tiny_patch16_224" in result.stdout
    assert result.stderr == ""


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("irrepnet ")


def test_an_interruption_ends_quietly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Groups) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Groups, "run", interrupt)
    assert main(["groups", "D4"]) == 130
    assert capsys.readouterr().err == "irrepnet groups: interrupted.\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_reader_may_leave_early() -> None:
    code = (
        "import os, sys; reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 1)\n"
        "from irrepnet.cli import main; sys.exit(main(['groups', 'D4']))"
    )
    result = run(code=code)
    assert (result.returncode, result.stderr) == (0, "")


class Terminal:
    """A standard error that claims to be a terminal."""

    encoding = "utf-8"

    def __init__(self, is_terminal: bool) -> None:
        self.written = ""
        self.is_terminal = is_terminal

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal(is_terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    with Steps() as steps:
        steps("Latency, interleaved", 0, 0)
        steps("Latency, interleaved", 3, 10)
    assert ("Latency, interleaved" in terminal.written) is is_terminal
    assert bool(terminal.written) is is_terminal


def test_json_without_a_file_goes_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tiny = ["flops", "vit_tiny_patch16_224", "--depth", "1", "--json"]
    for words in (tiny, [*tiny, "--group", "D4"]):
        assert main(words) == 0
        assert json.loads(capsys.readouterr().out)["total"]["params"] > 0
