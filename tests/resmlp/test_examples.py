"""The documented networks for groups that move sets and signals run, and assert what they say."""

import runpy
from pathlib import Path

import pytest

import irrepnet as ir

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.mark.parametrize("name", ["deep_sets", "ring_signals"])
def test_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = runpy.run_path(str(EXAMPLES / f"{name}.py"))
    plan = found["net"].plan
    assert plan.explain() in capsys.readouterr().out
    report = ir.flops(found["net"], (plan.source.positions, plan.source.type.dim))
    assert report.params == sum(p.numel() for p in found["net"].parameters())
