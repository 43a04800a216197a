"""The documented networks for groups that nobody tuned for run, and assert what they say."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("board_game", "FLOPs a board, error"),
        ("legged_robot", "4,224 FLOPs of products, 12,800 without symmetry"),
        ("dense_prediction", "36 x (48*A1) over D4 as maps: "),
        ("groups_on_channels", "groups.alternating(5): 32 channels"),
    ],
)
def test_example(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / f"{name}.py"))
    assert said in capsys.readouterr().out
