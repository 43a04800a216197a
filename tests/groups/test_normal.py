"""Centre, commutator subgroup, normal closure, derived series against their definitions."""

from itertools import pairwise

import pytest

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups import Group


def test_centre(small: Group) -> None:
    everything = range(small.order)
    central = [a for a in everything if (small.left_multiply(a) == small.right_multiply(a)).all()]
    assert list(groups.centre(small).elements) == central


def test_commutator_subgroup(small: Group) -> None:
    a, b = small.cayley_table, small.cayley_table.T
    commutators = small.products(a, small.inverses[b])  # a b (b a)^-1
    expected = small.subgroup(set(commutators.ravel().tolist()))
    assert groups.commutator_subgroup(small) == expected


def test_commutator_subgroup_of_a_subgroup() -> None:
    S4 = groups.symmetric(4)
    A4 = groups.commutator_subgroup(S4)
    V4 = groups.commutator_subgroup(A4)
    assert (A4.order, V4.order, V4.parent) == (12, 4, S4)


@pytest.mark.parametrize("name", ["C6", "D4", "Q8", "A4", "S4", "D6", "A5"])
def test_normal_closure(name: str) -> None:
    group = groups.parse(name)
    normal = [H for H in group.subgroup_classes if H.is_normal]
    for a in range(group.order):
        closed = groups.normal_closure(group, [a])
        smallest = min((H for H in normal if H.contains(a)), key=lambda H: H.order)
        assert closed == smallest


def test_derived_series(small: Group) -> None:
    series = groups.derived_series(small)
    assert series[0].order == small.order
    for upper, lower in pairwise(series):
        assert groups.commutator_subgroup(upper) == lower
        assert lower.order < upper.order
    last = series[-1]
    assert groups.commutator_subgroup(last) == last
    assert groups.is_solvable(small) == (last.order == 1) == (small.order != 60)


def test_errors() -> None:
    with pytest.raises(GroupError, match="99 cannot generate a subgroup of D4"):
        groups.normal_closure(groups.dihedral(4), [99])
