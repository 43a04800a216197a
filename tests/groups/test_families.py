"""Families: orders, defining relations, documented numbering, geometry."""

import itertools
import math

import numpy as np
import pytest

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups import Group


def word(group: Group, *elements: int) -> int:
    result = 0
    for a in elements:
        result = group.multiply(result, a)
    return result


@pytest.mark.parametrize("n", range(1, 9))
def test_orders(n: int) -> None:
    assert groups.cyclic(n).order == n
    assert groups.dihedral(n).order == 2 * n
    assert groups.dicyclic(n).order == 4 * n
    if n < 7:
        assert groups.symmetric(n).order == math.factorial(n)
        assert groups.alternating(n).order == max(1, math.factorial(n) // 2)
    if n < 5:
        assert groups.hyperoctahedral(n).order == 2**n * math.factorial(n)


def test_families_are_faithful_closed_and_generated(small: Group) -> None:
    rows = set(map(tuple, small.elements.tolist()))
    assert len(rows) == small.order
    assert small.permutation(0) == tuple(range(small.degree))
    for g in small.generators:
        images = small.elements[g][small.elements]
        assert set(map(tuple, images.tolist())) == rows


@pytest.mark.parametrize("n", range(2, 9))
def test_dihedral_numbering(n: int) -> None:
    group = groups.dihedral(n)
    r, s = group.generators
    for k in range(n):
        assert word(group, *[r] * k) == k
        assert word(group, s, *[r] * k) == n + k
    assert word(group, s, r, s) == group.inverse(r)
    assert group.permutation(s)[0] == 0


def test_octic_group_is_that_of_the_square() -> None:
    corners = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    for images in groups.octic().elements:
        matrix = corners[images[:2]].T  # where the unit vectors go
        assert np.array_equal(corners @ matrix.T, corners[images])
        assert np.array_equal(matrix.T @ matrix, np.eye(2))


@pytest.mark.parametrize("n", range(1, 7))
def test_dicyclic_relations(n: int) -> None:
    group = groups.dicyclic(n)
    a, x = group.generators
    assert group.element_orders[a] == 2 * n
    assert word(group, x, x) == word(group, *[a] * n)
    assert word(group, x, a, group.inverse(x)) == group.inverse(a)
    for k in range(2 * n):
        assert word(group, *[a] * k) == k
        assert word(group, x, *[a] * k) == 2 * n + k


def test_quaternion_units() -> None:
    group = groups.quaternion()
    one, minus, i, j, k = 0, 1, 2, 4, 6
    assert group.generators == (i, j)
    for unit in (i, j, k):
        assert word(group, unit, unit) == minus
        assert word(group, minus, unit) == unit + 1
    assert word(group, i, j, k) == minus
    assert word(group, i, j) == k
    assert word(group, minus, minus) == one


def test_klein_four_numbering() -> None:
    table = groups.klein_four().cayley_table
    assert np.array_equal(table, np.arange(4)[:, None] ^ np.arange(4))


def test_cyclic_numbering() -> None:
    table = groups.cyclic(6).cayley_table
    assert np.array_equal(table, (np.arange(6)[:, None] + np.arange(6)) % 6)


def test_alternating_groups_are_even() -> None:
    for n in range(1, 7):
        expected = [
            p
            for p in itertools.permutations(range(n))
            if sum(p[i] > p[j] for i in range(n) for j in range(i + 1, n)) % 2 == 0
        ]
        assert list(map(tuple, groups.alternating(n).elements.tolist())) == expected


def cyclic_moves(points: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    moved = [(y, z, x) for x, y, z in points]
    return [*points, *moved, *((y, z, x) for x, y, z in moved)]


GOLDEN = (1 + math.sqrt(5)) / 2
SOLIDS = {
    "T": [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)],
    "O": [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)],
    "I": cyclic_moves([(0, s, t * GOLDEN) for s in (1, -1) for t in (1, -1)]),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_polyhedral_groups_are_rotations(name: str) -> None:
    group, vertices = groups.parse(name), np.array(SOLIDS[name], dtype=float)
    for images in group.elements:
        matrix, *_ = np.linalg.lstsq(vertices, vertices[images], rcond=None)
        np.testing.assert_allclose(vertices @ matrix, vertices[images], atol=1e-12)
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-12)
        assert np.linalg.det(matrix) == pytest.approx(1)
    turn = group.elements[group.generators[0]]
    np.testing.assert_allclose(vertices[turn], np.roll(vertices, 1, axis=1))
    half = group.elements[group.generators[1]]
    if name != "O":
        np.testing.assert_allclose(vertices[half], vertices * [-1, -1, 1])


def test_hyperoctahedral_groups_are_signed_permutations() -> None:
    group = groups.hyperoctahedral(3)
    axes = np.vstack([np.eye(3), -np.eye(3)])
    matrices = {tuple(axes[images[:3]].ravel()) for images in group.elements}
    assert len(matrices) == 48
    for images in group.elements:
        assert np.array_equal(axes[images[3:]], -axes[images[:3]])


def test_errors() -> None:
    for family in (groups.cyclic, groups.dihedral, groups.dicyclic, groups.symmetric):
        for wrong in (0, -3, 2.0, "4", True, None):
            with pytest.raises(GroupError, match=r"expected a positive integer, such as \w+\(4\)"):
                family(wrong)  # type: ignore[arg-type]
    for family in (groups.alternating, groups.hyperoctahedral):
        with pytest.raises(GroupError, match="expected a positive integer"):
            family(0)
    for family in (groups.symmetric, groups.alternating, groups.hyperoctahedral):
        with pytest.raises(GroupError, match="more than 200000 elements"):
            family(10**6)
    with pytest.raises(GroupError, match="more than 100000000 stored images"):
        groups.cyclic(20_000)
