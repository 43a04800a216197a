"""What the README and the documents promise: commands, examples and the table."""

import re
from pathlib import Path

import pytest
import torch

import irrepnet as ir

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ROWS = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) \|$", README, re.MULTILINE)

COUNTS = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", README, re.MULTILINE)


def blocks(text: str) -> list[tuple[str, str]]:
    """Fenced blocks as pairs of language and text."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_first_two_blocks_install_and_show_then_install_and_test() -> None:
    shells = [text for kind, text in blocks(README) if kind in {"bash", "sh", "console", "shell"}]
    assert [kind for kind, _ in blocks(README)[:2]] == ["bash", "bash"]
    assert shells[0].startswith("pip install -c constraints.txt -e '.[demo]' && irrepnet compare ")
    assert shells[1].strip() == "pip install -c constraints.txt -e '.[dev]' && pytest"


DOCUMENTS = ("README.md", "docs/design.md", "docs/own_layer.md", "docs/representations.md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = [text for kind, text in blocks((ROOT / name).read_text()) if kind == "python"]
    assert examples
    names: dict[str, object] = {"__name__": "example"}
    for example in examples:  # one after another, as a reader would
        exec(compile(example, name, "exec"), names)


@pytest.mark.parametrize(("name", "dense", "flopping"), ROWS)
def test_the_table_of_parameters_is_true(name: str, dense: str, flopping: str) -> None:
    for group, written in (("trivial", dense), ("flop", flopping)):
        with torch.device("meta"):
            model = ir.create_model(name, group=group)
        assert f"{sum(p.numel() for p in model.parameters()):,}" == written


@pytest.mark.parametrize(("name", "dense", "flop", "octic"), COUNTS)
def test_the_table_of_flops_is_true(name: str, dense: str, flop: str, octic: str) -> None:
    for group, written in (("trivial", dense), ("flop", flop), ("D4", octic)):
        report = ir.flops(ir.create_model(name, group, device="meta"), (3, 224, 224))
        assert f"{report.matmul_flops / 1e9:.2f}" == written


def test_the_table_has_every_vision_transformer() -> None:
    assert {name for name, _, _ in ROWS} == set(ir.list_models("vit_*"))
