"""Exact arithmetic: cyclotomic integers, square roots kept aside, no overflow."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from irrepnet import groups, reps
from irrepnet._errors import NotExactError
from irrepnet.reps._circle import circle, circle_exactly
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._cyclotomic_fields import conductor, cyclotomic_polynomial, embedding, reduction
from irrepnet.reps._elimination import BadPrimeError, ldl, ldl_modulo
from irrepnet.reps._modular import multiply, pivot_columns, splitting_prime
from irrepnet.reps._pairings import rational_root
from tests.reps.oracle import hard

ORDERS = st.sampled_from([1, 2, 3, 4, 5, 8, 9, 12, 15, 30])


@st.composite
def numbers(draw: st.DrawFn, order: int, size: int = 50) -> Cyclotomic:
    degree = reduction(order).shape[1]
    entries = draw(st.lists(st.integers(-size, size), min_size=degree, max_size=degree))
    return Cyclotomic(order, np.array(entries), draw(st.integers(1, 9)))


def test_cyclotomic_polynomials_are_sympys() -> None:
    x = sympy.symbols("x")
    for n in range(1, 106):
        expected = sympy.Poly(sympy.cyclotomic_poly(n, x), x).all_coeffs()[::-1]
        assert list(cyclotomic_polynomial(n)) == expected


@settings(max_examples=60, deadline=None)
@given(ORDERS, st.data())
def test_field_laws_and_floats(order: int, data: st.DataObject) -> None:
    a, b, c = (data.draw(numbers(order)) for _ in range(3))
    assert (a + b) * c == a * c + b * c
    assert a * b == b * a
    assert (a * b) * c == a * (b * c)
    assert a.conjugate().conjugate() == a
    assert np.isclose((a * b).to_complex(), a.to_complex() * b.to_complex())
    if not a.is_zero():
        assert a * a.inverse() == Cyclotomic.ones(order)
    p, root = splitting_prime(math.lcm(4, order), 10_000)
    product = int(a.residues(p, root)) * int(b.residues(p, root)) % p
    assert int((a * b).residues(p, root)) == product
    assert np.isclose(complex(a.to_sympy().evalf()), a.to_complex())


@settings(max_examples=40, deadline=None)
@given(ORDERS, ORDERS, st.data())
def test_conductors(m: int, extra: int, data: st.DataObject) -> None:
    n = math.lcm(m, extra)
    a = data.draw(numbers(m))
    found, inner = conductor(n, a.numerators @ embedding(m, n))
    assert (m if m % 2 or m % 4 == 0 else m // 2) % found == 0
    assert np.isclose(Cyclotomic(found, inner, a.denominator).to_complex(), a.to_complex())


@pytest.mark.parametrize("size", [10, 2**20, 2**31, 2**62])
def test_products_never_overflow(size: int) -> None:
    """The same product by Python integers; int64 alone would wrap around."""
    a = Cyclotomic(5, np.array([[size, -size, size, 1]] * 3))
    product = a[0] * a[1]
    expected = [0] * 9
    left = [size, -size, size, 1]
    for i, x in enumerate(left):
        for j, y in enumerate(left):
            expected[i + j] += x * y
    folded = np.array(expected[:5], dtype=object) + np.array([*expected[5:], 0], dtype=object)
    assert (product.numerators == folded @ reduction(5).astype(object)).all()
    square = Cyclotomic(5, a.numerators[:, None]) @ Cyclotomic(5, a.numerators[None])
    assert all(
        int(x) == int(y) for x, y in zip(square.numerators[0, 0], product.numerators, strict=True)
    )
    if size == 2**62:
        with np.errstate(over="ignore"):
            assert np.array(size) * np.array(size) != size * size  # what is being avoided


def test_square_roots_by_gauss_sums() -> None:
    for top, bottom in ((1, 1), (2, 1), (3, 4), (5, 3), (7, 1), (12, 5), (30, 7), (21, 2)):
        root = rational_root(top, bottom)
        square = root * root
        assert square == Cyclotomic(1, np.array([top]), bottom).embed(root.order)
        assert np.isclose(root.to_complex(), math.sqrt(top / bottom))


def test_elimination() -> None:
    rng = np.random.default_rng(0)
    for order in (1, 4, 5, 12):
        shape = (5, 5, reduction(order).shape[1])
        a = Cyclotomic(order, rng.integers(-3, 4, shape), 2)
        gram = a @ a.conjugate().transpose() + Cyclotomic.integers(order, np.eye(5, dtype=int))
        lower, diagonal = ldl(gram)
        spread = lower @ gram @ lower.conjugate().transpose()
        expected = Cyclotomic.integers(order, np.eye(5, dtype=int)) * diagonal
        assert spread == expected
        assert (diagonal.to_complex().real > 0).all()
        assert diagonal == diagonal.conjugate()
        p, root = splitting_prime(math.lcm(4, order), 10_000)
        modular, pivots = ldl_modulo(gram.residues(p, root), p)
        assert (modular == lower.residues(p, root)).all()
        assert (pivots == diagonal.residues(p, root)).all()
    with pytest.raises(BadPrimeError, match="minor 1 vanishes modulo 7"):
        ldl_modulo(np.array([[7, 1], [1, 1]]), 7)


def test_modular_linear_algebra() -> None:
    rng = np.random.default_rng(0)
    p = splitting_prime(12, 2_000_000)[0]
    a, b = rng.integers(0, p, (40, 400)), rng.integers(0, p, (400, 3))
    exact = (a.astype(object) @ b.astype(object)) % p
    assert (multiply(a, b, p) == exact).all()
    low = multiply(rng.integers(0, p, (20, 4)), rng.integers(0, p, (4, 9)), p)
    assert pivot_columns(low, p) == [0, 1, 2, 3]
    assert pivot_columns(np.concatenate([0 * low[:, :1], low], axis=1), p, 2) == [1, 2]


def test_cosines() -> None:
    for n in (1, 2, 3, 4, 5, 7, 12, 24):
        cos, sin = circle(n)
        angles = 2 * np.pi * np.arange(n) / n
        assert np.abs(cos - np.cos(angles)).max() < 1e-15
        assert np.abs(sin - np.sin(angles)).max() < 1e-15
        exact = circle_exactly(n)
        assert np.abs(exact[0].to_complex() - cos).max() < 1e-14
        assert np.abs(exact[1].to_complex() - sin).max() < 1e-14
        k = np.arange(n)
        assert (cos == cos[-k % n]).all()
        assert (sin == -sin[-k % n]).all()
    assert circle(12)[1][1] == 0.5


EXACT_BASES = {
    "flop": lambda: reps.regular(groups.flop()),
    "D4 regular": lambda: reps.regular(groups.dihedral(4)),
    "D5 regular": lambda: reps.regular(groups.dihedral(5)),
    "Q8 regular": lambda: reps.regular(groups.quaternion()),
    "C6 regular": lambda: reps.regular(groups.cyclic(6)),
    "S4 on points": lambda: reps.permutation(groups.symmetric(4), groups.symmetric(4).elements),
    "A5 on points": lambda: reps.permutation(hard("A5"), hard("A5").elements),
    "A5 on six": lambda: reps.quotient(
        hard("A5"),
        next(H for H in groups.conjugacy_classes_of_subgroups(hard("A5")) if H.index == 6),
    ),
    "SL(2,3) regular": lambda: reps.regular(hard("SL(2,3)")),
    "sum": lambda: reps.isotypic(groups.flop(), (1, 1)) + 2 * reps.regular(groups.flop()),
    "signed": lambda: reps.exterior_square(reps.regular(groups.symmetric(3))),
}


@pytest.mark.parametrize("name", EXACT_BASES)
def test_exact_bases(name: str) -> None:
    """`Q Q^T = diag(b)` in the field, b > 0, and the float basis is `diag(b)^(-1/2) Q`."""
    decomposition = EXACT_BASES[name]().decompose()
    Q, b = decomposition.exact_basis
    floats = np.array(Q.evalf(20).tolist(), dtype=float)
    scales = np.array([float(x) for x in b])
    assert (scales > 0).all()
    U = decomposition.basis.to_dense()
    assert np.abs(floats / np.sqrt(scales)[:, None] - U).max() < 1e-12
    if len(b) <= 12:
        gram = (Q * Q.T - sympy.diag(*b)).applyfunc(lambda x: sympy.nsimplify(sympy.simplify(x)))
        assert gram.is_zero_matrix


def test_exact_bases_of_rational_groups_are_rational() -> None:
    Q, b = reps.regular(groups.dihedral(4)).decompose().exact_basis
    assert set(Q) == {-1, 0, 1}
    assert set(b) == {8, 4}
    Q, b = (
        reps.permutation(groups.symmetric(4), groups.symmetric(4).elements).decompose().exact_basis
    )
    assert all(x.is_rational for x in Q)
    assert all(x.is_rational for x in b)


def irreps_of(name: str) -> list:
    return [reps.of_irrep(irrep) for irrep in hard(name).irreps]


AVERAGED = {
    "E E of D4": lambda: (
        reps.of_irrep(groups.dihedral(4).irrep("E"))
        @ (reps.of_irrep(groups.dihedral(4).irrep("E")))
    ),
    "E E of D5": lambda: irreps_of("D5")[2] @ irreps_of("D5")[3],
    "S4": lambda: (
        reps.of_irrep(groups.symmetric(4).irreps[3])
        @ (reps.of_irrep(groups.symmetric(4).irreps[2]))
    ),
    "A5": lambda: irreps_of("A5")[1] @ irreps_of("A5")[2],
    "C C": lambda: irreps_of("Q8xC3")[-1] @ irreps_of("Q8xC3")[1],
    "H H": lambda: irreps_of("SL(2,3)")[-1] @ irreps_of("SL(2,3)")[-1],
    "symmetric": lambda: reps.symmetric_square(irreps_of("A5")[1]),
    "exterior": lambda: reps.exterior_square(irreps_of("SL(2,3)")[3]),
    "restricted": lambda: reps.restrict(
        irreps_of("A5")[3], hard("A5").subgroup(hard("A5").generators[:1])
    ),
    "induced": lambda: reps.induce(
        reps.of_irrep(groups.symmetric(4).subgroup([1, 2]).as_group().irreps[2]),
        groups.symmetric(4).subgroup([1, 2]),
    ),
    "sum": lambda: irreps_of("SL(2,3)")[-1] + reps.regular(hard("SL(2,3)")),
}


@pytest.mark.parametrize("name", AVERAGED)
def test_exact_bases_and_matrices_of_composites(name: str) -> None:
    """Tensor products, squares, restriction, induction: exact where the irreps are."""
    V = AVERAGED[name]()
    for g in V.group.generators:
        floats = np.array(V.exact_matrix(g).evalf(20).tolist(), dtype=float)
        assert np.abs(floats - V.matrix(g)).max() < 1e-13
    decomposition = V.decompose()
    Q, b = decomposition.exact_basis
    floats = np.array(Q.evalf(20).tolist(), dtype=float)
    scales = np.array([float(x) for x in b])
    U = decomposition.basis.to_dense()
    assert np.abs(floats / np.sqrt(scales)[:, None] - U).max() < 1e-12
    if V.dim <= 4:
        gram = (Q * Q.T - sympy.diag(*b)).applyfunc(lambda x: sympy.nsimplify(sympy.simplify(x)))
        assert gram.is_zero_matrix


def test_exact_clebsch_gordan_coefficients() -> None:
    for G in (groups.dihedral(4), groups.symmetric(4), groups.quaternion()):
        last = G.irreps[-1]
        for coupling in reps.clebsch_gordan(last, last):
            Q, b = coupling.exact
            floats = np.array(Q.evalf(20).tolist(), dtype=float)
            floats = floats / np.sqrt(np.array([float(x) for x in b]))[:, None]
            shape = (coupling.irrep.dim, coupling.multiplicity, last.dim, last.dim)
            expected = coupling.coefficients.transpose(1, 0, 2, 3)
            assert np.abs(floats.reshape(shape) - expected).max() < 1e-13


def test_floats_have_no_exact_basis() -> None:
    V = reps.from_matrices(groups.flop(), [[[0.6, 0.8], [0.8, -0.6]]])
    assert V.decompose().multiplicities == (1, 1)
    with pytest.raises(NotExactError, match="whose matrices are known in floats only"):
        _ = V.decompose().exact_basis
