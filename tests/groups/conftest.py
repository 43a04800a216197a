"""GAP's data on small groups, and groups that many tests share."""

import json
from pathlib import Path
from typing import Any

import pytest

from irrepnet import groups
from irrepnet.groups import Group

ORACLE = json.loads((Path(__file__).parents[1] / "data" / "gap_small_groups.json").read_text())

M11 = (
    (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0),
    (0, 1, 6, 9, 5, 3, 10, 2, 8, 4, 7),
)

SMALL = (
    "trivial flop C1 C2 C6 C7 D1 D2 D3 D4 D5 D6 Dic1 Dic2 Dic3 Q8 V4 S1 S2 S3 S4 A1 A2 A3 A4 A5 "
    "B1 B2 B3 T O I C2xC4 C3xS3 C2wrC2 C2wrC3 C2^4"
).split()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "gap" in metafunc.fixturenames:
        metafunc.parametrize("gap", ORACLE["groups"], ids=lambda entry: entry["name"])
    if "small" in metafunc.fixturenames:
        metafunc.parametrize("small", [groups.parse(name) for name in SMALL], ids=SMALL)


@pytest.fixture
def gap_group(gap: dict[str, Any]) -> Group:
    return groups.from_permutations(gap["generators"])


@pytest.fixture(scope="session")
def m11() -> Group:
    return groups.from_permutations(M11)
