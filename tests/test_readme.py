"""What the README promises: its commands, its example and its table."""

import re
from pathlib import Path

import pytest
import torch

import irrepnet as ir

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
ROWS = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) \|$", README, re.MULTILINE)


def test_the_first_two_blocks_install_and_show_then_install_and_test() -> None:
    shells = [text for kind, text in BLOCKS if kind in {"bash", "sh", "console", "shell"}]
    assert [kind for kind, _ in BLOCKS[:2]] == ["bash", "bash"]
    assert shells[0].startswith("pip install -c constraints.txt -e '.[demo]' && irrepnet compare ")
    assert shells[1].strip() == "pip install -c constraints.txt -e '.[dev]' && pytest"


@pytest.mark.parametrize("code", [text for kind, text in BLOCKS if kind == "python"])
def test_the_example_runs(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize(("name", "dense", "flopping"), ROWS)
def test_the_table_of_parameters_is_true(name: str, dense: str, flopping: str) -> None:
    for group, written in (("trivial", dense), ("flop", flopping)):
        with torch.device("meta"):
            model = ir.create_model(name, group=group)
        assert f"{sum(p.numel() for p in model.parameters()):,}" == written


def test_the_table_has_every_vision_transformer() -> None:
    assert {name for name, _, _ in ROWS} == set(ir.list_models("vit_*"))
