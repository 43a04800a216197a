"""Groups from Cayley tables: every axiom is checked, with a counterexample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups import Group

# A loop of order 5 (a Latin square with identity) that is not associative.
LOOP = [[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]]


def test_tables_of_groups(small: Group) -> None:
    group = groups.from_cayley_table(small.cayley_table)
    assert np.array_equal(group.cayley_table, small.cayley_table)
    assert group.subgroup(group.generators).order == group.order
    assert 2 ** len(group.generators) <= group.order
    assert eval(repr(group), {"groups": groups}) == group
    assert groups.from_cayley_table(small.cayley_table.tolist()) == group


@given(st.sampled_from(["C6", "S3", "D4", "Q8", "A4"]), st.data())
def test_one_wrong_entry_is_noticed(name: str, data: st.DataObject) -> None:
    table = groups.parse(name).cayley_table.copy()
    a, b = (data.draw(st.integers(0, len(table) - 1)) for _ in range(2))
    wrong = data.draw(st.integers(0, len(table) - 1).filter(lambda c: c != table[a, b]))
    table[a, b] = wrong
    with pytest.raises(GroupError, match=r"not associative|not the identity|no inverse|cancelled"):
        groups.from_cayley_table(table)


def test_the_counterexample_is_one() -> None:
    with pytest.raises(GroupError, match="the table is not associative") as caught:
        groups.from_cayley_table(LOOP)
    message = str(caught.value)
    assert message == "the table is not associative: (1 * 1) * 2 = 2, but 1 * (1 * 2) = 4."
    assert LOOP[LOOP[1][1]][2] == 2
    assert LOOP[1][LOOP[1][2]] == 4


def test_errors() -> None:
    table = groups.from_cayley_table
    with pytest.raises(GroupError, match=r"Cayley table of shape \(1, 2\): expected a square one"):
        table([[0, 1]])
    with pytest.raises(GroupError, match=r"of shape \(0,\): expected a square one"):
        table([])
    with pytest.raises(GroupError, match="rows of the Cayley table differ in length"):
        table([[0, 1], [1]])
    with pytest.raises(GroupError, match="entries of type float64: expected integers"):
        table([[0.0, 1.0], [1.0, 0.0]])  # type: ignore[list-item]
    with pytest.raises(GroupError, match=r"the product 1 \* 0 = 7 .* expected 0\.\.1"):
        table([[0, 1], [7, 0]])
    with pytest.raises(
        GroupError,
        match=r"element 0 is not the identity: 0 \* 0 = 1 and .*, exp.*"
        r"\n  The identity is element 1: exchange it with element 0",
    ):
        table([[1, 0], [0, 1]])
    with pytest.raises(GroupError, match=r"0 \* 1 = 1 and 1 \* 0 = 0, expected 1.*\n  No element"):
        table([[0, 1], [0, 1]])
    with pytest.raises(GroupError, match="element 1 has no inverse: its row of the table does not"):
        table([[0, 1], [1, 1]])
    with pytest.raises(GroupError, match=r"element 1 cannot be cancelled: 1 \* 0 = 1 \* 2 = 1, so"):
        table([[0, 1, 2], [1, 0, 1], [2, 1, 0]])
    with pytest.raises(GroupError, match="Cayley table of order 2049: expected at most 2048"):
        table(np.zeros((2049, 2049), dtype=int))
