"""Groups of matrices over prime fields."""

import math
import pickle

import numpy as np
import pytest

from irrepnet import groups
from irrepnet._errors import GroupError


@pytest.mark.parametrize(("n", "p"), [(1, 2), (1, 5), (2, 2), (2, 3), (2, 5), (2, 7), (3, 2)])
def test_orders(n: int, p: int) -> None:
    order = math.prod(p**n - p**i for i in range(n))
    general, special = groups.general_linear(n, p), groups.special_linear(n, p)
    assert (general.order, special.order) == (order, order // (p - 1))
    projective = groups.projective_special_linear(n, p)
    assert projective.order == special.order // math.gcd(n, p - 1)
    for group in (general, special, projective):
        assert groups.parse(group.name) == group
        assert eval(repr(group)) == group == pickle.loads(pickle.dumps(group))
    # SL(n, p) is the commutator subgroup of GL(n, p), but for GL(2, 2).
    if (n, p) not in ((2, 2),):
        assert groups.commutator_subgroup(general).order == special.order


def test_matrices_act_on_vectors() -> None:
    group, p = groups.special_linear(2, 5), 5
    upper, lower = group.generators
    for a, matrix in ((upper, [[1, 1], [0, 1]]), (lower, [[1, 0], [1, 1]])):
        for x in range(1, 25):
            y = np.array(matrix) @ np.divmod(x, p) % p
            assert group.permutation(a)[x - 1] == y[0] * p + y[1] - 1
    assert [c.size for c in group.conjugacy_classes if c.element_order == 2] == [1]


def test_exceptional_isomorphisms_have_the_same_tables() -> None:
    for name, other in (("PSL(2,5)", "A5"), ("PSL(2,7)", "GL(3,2)"), ("PSL(2,3)", "A4")):
        first, second = groups.parse(name).character_table, groups.parse(other).character_table
        assert first.degrees == second.degrees
        assert sorted(first.class_sizes) == sorted(second.class_sizes)
        assert first.frobenius_schur == second.frobenius_schur


def test_m11() -> None:
    group = groups.parse("M11")
    assert (group.order, group.degree, group.name) == (7920, 11, "M11")
    assert group.character_table.degrees == (1, 10, 10, 10, 11, 16, 16, 44, 45, 55)
    assert group == groups.mathieu_11()
    assert groups.parse("M11xC1").order == 7920


def test_errors() -> None:
    with pytest.raises(GroupError, match=r"special_linear\(2, 4\): expected a prime p"):
        groups.special_linear(2, 4)
    with pytest.raises(GroupError, match=r"general_linear\(0\): expected a positive integer"):
        groups.general_linear(0, 3)
    with pytest.raises(GroupError, match="more than 200000 elements"):
        groups.parse("SL(2,101)")
    with pytest.raises(GroupError, match="is not the name of a group"):
        groups.parse("PGL(2,3)")
