"""Enumeration from permutation generators."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups import Group

permutations = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.permutations(range(n)), min_size=1, max_size=3)
)


def slow_closure(generators: list[list[int]]) -> list[tuple[int, ...]]:
    found = {tuple(range(len(generators[0])))}
    while True:
        more = {tuple(g[i] for i in x) for g in generators for x in found} - found
        if not more:
            return sorted(found)
        found |= more


@given(permutations)
def test_elements_are_the_closure_sorted(generators: list[list[int]]) -> None:
    group = groups.from_permutations(generators)
    assert list(map(tuple, group.elements.tolist())) == slow_closure(generators)
    assert [list(group.permutation(g)) for g in group.generators] == generators


@given(permutations, st.randoms(use_true_random=False))
def test_numbering_does_not_depend_on_the_generators(generators, random) -> None:
    group = groups.from_permutations(generators)
    others = [group.permutation(random.randrange(group.order)) for _ in range(3)]
    again = groups.from_permutations([*others, *generators])
    assert np.array_equal(again.elements, group.elements)


def test_long_cycles() -> None:
    cycle = np.roll(np.arange(1000), -1)
    group = groups.from_permutations([cycle])
    assert np.array_equal(group.elements, groups.cyclic(1000).elements)


def test_intransitive_groups() -> None:
    group = groups.from_permutations([[0, 2, 1, 3, 4, 5], [0, 1, 2, 4, 5, 3]])
    assert group.order == 6
    assert group.is_abelian


def test_symmetric_groups_sort_alike() -> None:
    for n in range(2, 7):
        expected = list(itertools.permutations(range(n)))
        group = groups.symmetric(n)
        assert list(map(tuple, group.elements.tolist())) == expected
        swap, cycle = [1, 0, *range(2, n)], [*range(1, n), 0]
        assert np.array_equal(groups.from_permutations([swap, cycle]).elements, group.elements)


def test_known_orders(m11: Group) -> None:
    assert m11.order == 7920
    assert groups.symmetric(7).order == 5040
    faces = [[2, 0, 3, 1, 4, 5, 6, 7], [0, 5, 2, 1, 4, 7, 6, 3]]  # of a 2x2x2 puzzle, corners only
    assert groups.from_permutations(faces).order == len(slow_closure(faces))


def test_name() -> None:
    group = groups.from_permutations([[1, 0]], name="mirror")
    assert (group.name, repr(group)) == ("mirror", "groups.from_permutations(((1, 0),), 'mirror')")
    assert groups.from_permutations([[1, 0]]).name == "<1 generator on 2 points>"
    assert group != groups.from_permutations([[1, 0]])


def test_errors() -> None:
    with pytest.raises(GroupError, match="no generators were given: expected at least one image"):
        groups.from_permutations([])
    for wrong in ([0, 0, 1], [1, 2, 3], [[0, 1, 2]], [0.5, 1, 2], []):
        with pytest.raises(GroupError, match=r"is not a permutation of 0\.\.-?\d+: expected"):
            groups.from_permutations([wrong])  # type: ignore[list-item]
    with pytest.raises(GroupError, match=r"\[1, 0\] is not a permutation of 0\.\.2"):
        groups.from_permutations([[1, 0, 2], [1, 0]])


@pytest.mark.parametrize("degree", [9, 20, 300])
def test_large_groups_are_refused_early(degree: int) -> None:
    swap, cycle = [1, 0, *range(2, degree)], [*range(1, degree), 0]
    with pytest.raises(GroupError, match="more than 200000 elements, the limit"):
        groups.from_permutations([swap, cycle])


def test_storage_is_limited() -> None:
    degree = 1000
    swap, cycle = [1, 0, *range(2, degree)], [*range(1, degree), 0]
    with pytest.raises(GroupError, match="more than 100000000 stored images, the limit"):
        groups.from_permutations([swap, cycle])
