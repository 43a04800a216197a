"""Groups from matrices: integers and fractions exactly, orthogonal floats up to rounding."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups._arithmetic import largest_finite_order, minkowski_bound, prime_divisors


def census(group: groups.Group) -> list[tuple[int, int]]:
    return sorted((c.size, c.element_order) for c in group.conjugacy_classes)


def permutation_matrix(images: tuple[int, ...]) -> np.ndarray:
    return np.eye(len(images), dtype=int)[:, list(images)]


def rotation(turns: float) -> np.ndarray:
    c, s = math.cos(2 * math.pi * turns), math.sin(2 * math.pi * turns)
    return np.array([[c, -s], [s, c]])


def reflection(root: list[int]) -> list[list[Fraction]]:
    norm, size = sum(x * x for x in root), range(len(root))
    return [[Fraction(i == j) - Fraction(2 * root[i] * root[j], norm) for j in size] for i in size]


F4 = [reflection(root) for root in ([0, 1, -1, 0], [0, 0, 1, -1], [0, 0, 0, 1], [1, -1, -1, -1])]
TURN, MIRROR = [[0, -1], [1, 0]], [[1, 0], [0, -1]]


def test_integer_matrices() -> None:
    assert census(groups.from_matrices([TURN, MIRROR])) == census(groups.dihedral(4))
    hexagon = groups.from_matrices([[[0, -1], [1, 1]], [[0, 1], [1, 0]]])  # not orthogonal
    assert census(hexagon) == census(groups.dihedral(6))
    signed = [np.diag([-1, 1, 1]), permutation_matrix((1, 0, 2)), permutation_matrix((1, 2, 0))]
    assert census(groups.from_matrices(signed)) == census(groups.hyperoctahedral(3))
    assert groups.from_matrices([np.eye(3, dtype=int)]).order == 1
    assert groups.from_matrices([[[-1]]]).order == 2


def test_rational_matrices() -> None:
    assert groups.from_matrices(F4).order == 1152
    skew = [[0, Fraction(-1, 2)], [2, 0]]
    group = groups.from_matrices([skew])
    assert group.order == 4
    assert repr(group) == "groups.from_matrices((((0, -1), (4, 0)),), 2)"
    assert eval(repr(group), {"groups": groups}) == group
    assert groups.from_matrices([sympy.Matrix([[0, sympy.Rational(-1, 2)], [2, 0]])]) == group


@given(st.permutations(range(4)), st.permutations(range(4)))
def test_permutation_matrices_multiply_as_permutations(x: list[int], y: list[int]) -> None:
    matrices = [permutation_matrix(tuple(p)) for p in (x, y)]
    group, expected = groups.from_matrices(matrices), groups.from_permutations([x, y])
    f = groups.homomorphism(group, expected, expected.generators)
    assert f.is_isomorphism


def test_numbering_of_exact_groups_does_not_depend_on_the_generators() -> None:
    half = (np.array(TURN) @ TURN).tolist()
    first, second = (groups.from_matrices(m) for m in ([TURN, MIRROR], [MIRROR, half, TURN]))
    assert np.array_equal(first.elements, second.elements)


@given(st.integers(1, 6), st.integers(-3, 3))
def test_change_of_basis(n: int, shear: int) -> None:
    # A conjugate of a dihedral group by a unimodular matrix: entries grow, the group stays.
    change = np.array([[1, shear], [0, 1]]) @ np.array([[1, 0], [n, 1]])
    back = np.round(np.linalg.inv(change)).astype(int)
    group = groups.from_matrices([back @ g @ change for g in (TURN, MIRROR)])
    assert census(group) == census(groups.dihedral(4))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 12, 100, 1000])
def test_float_rotations(n: int) -> None:
    group = groups.from_matrices([rotation(1 / n)])
    assert census(group) == census(groups.cyclic(n))
    assert eval(repr(group), {"groups": groups}) == group


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_icosahedral_group(dtype: type) -> None:
    golden = (1 + math.sqrt(5)) / 2
    axis = np.array([0, 1, golden]) / math.hypot(1, golden)
    cross = np.cross(np.eye(3), axis)
    angle = 2 * math.pi / 5
    fifth = np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
    cycle = np.eye(3)[[1, 2, 0]]
    group = groups.from_matrices([fifth.astype(dtype), cycle.astype(dtype)])
    assert census(group) == census(groups.icosahedral())


def test_names() -> None:
    assert groups.from_matrices([TURN, MIRROR]).name == "<2 matrices of size 2>"
    assert groups.from_matrices([TURN]).name == "<1 matrix of size 2>"


def test_bounds() -> None:
    # Orders of the largest finite groups of integer matrices divide the bound.
    largest = {1: 2, 2: 12, 3: 48, 4: 1152, 6: 103_680, 8: 696_729_600}
    assert all(minkowski_bound(dim) % order == 0 for dim, order in largest.items())
    for dim in range(1, 9):
        # Against companion matrices of cyclotomic polynomials: phi summed over prime powers.
        best = 1
        for m in range(1, 200):
            parts = [
                next(q for k in range(9, 0, -1) if m % (q := p**k) == 0) for p in prime_divisors(m)
            ]
            size = sum(int(sympy.totient(q)) for q in parts if q != 2 or m == 2)
            best = m if size <= dim else best
        assert largest_finite_order(dim) == best


def test_errors_about_input() -> None:
    with pytest.raises(GroupError, match="no matrices were given: expected at least one"):
        groups.from_matrices([])
    with pytest.raises(GroupError, match=r"a matrix of shape \(1, 2\): expected square matrices"):
        groups.from_matrices([[[1, 2]]])
    with pytest.raises(GroupError, match=r"a matrix of shape \(3, 3\): .* the first of 2 rows"):
        groups.from_matrices([TURN, np.eye(3)])
    with pytest.raises(GroupError, match="entries that are not real numbers"):
        groups.from_matrices([[[1j]]])
    with pytest.raises(GroupError, match="matrix 0 has entries that are not finite numbers"):
        groups.from_matrices([[[math.inf]]])
    with pytest.raises(GroupError, match=r"float matrix 1 is not orthogonal: .* off by 1.0e\+00"):
        groups.from_matrices([rotation(0.25), [[1.0, 1.0], [0.0, 1.0]]])


def test_errors_about_infinite_groups() -> None:
    infinite_order = r"matrix 0 is not invertible or has infinite order: no power up to 6"
    for matrix in ([[1, 1], [0, 1]], [[2, 1], [1, 1]], [[0, 0], [0, 0]], [[1, 0], [0, 0]]):
        with pytest.raises(GroupError, match=infinite_order):
            groups.from_matrices([matrix])
    modular = [[[0, -1], [1, 0]], [[0, -1], [1, 1]]]  # both of finite order
    with pytest.raises(GroupError, match=r"infinite group: .* size 2 has at most 24 elements"):
        groups.from_matrices(modular)
    with pytest.raises(GroupError, match="that floats can tell: two points of an orbit are only"):
        groups.from_matrices([rotation(1 / math.sqrt(2))])


def test_large_infinite_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("irrepnet.groups._matrices.ORDER_LIMIT", 1000)
    mirrors = [np.eye(7, dtype=int) for _ in range(2)]
    for mirror, shift in zip(mirrors, (0, 1), strict=True):
        mirror[0, :2] = -1, shift
    with pytest.raises(GroupError, match="infinite group, or one of more than 1000 elements"):
        groups.from_matrices(mirrors)


def test_large_float_orbit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("irrepnet.groups._float_orbit.ORDER_LIMIT", 10)
    with pytest.raises(GroupError, match="move the basis vectors to more than 10 points"):
        groups.from_matrices([rotation(1 / 100)])
