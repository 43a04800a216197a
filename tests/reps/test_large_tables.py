"""Tables of groups with many classes, against the class algebra of the whole group."""

import math

import numpy as np
import pytest

from irrepnet import groups
from irrepnet.groups import Group
from irrepnet.reps import _character_table as tables
from irrepnet.reps import character_table
from irrepnet.reps._class_algebra import dixon, minimal_polynomial
from irrepnet.reps._clifford_table import abelian_normal_subgroup
from irrepnet.reps._lifting import DIRECT, lift
from irrepnet.reps._linear_characters import linear_characters
from irrepnet.reps._modular import root_powers, splitting_prime
from irrepnet.reps._twists import exponent_of, unit_generators
from tests.reps.oracle import hard, oracle_group


def plain(group: Group) -> Group:
    """The group by permutations alone, so that no closed form is used."""
    return groups.from_permutations([group.permutation(g) for g in group.generators])


NAMES = ["S3wrS3", "C4wrC2", "D20", "Dic15", "C2wrA4", "D4xQ8xC3", "A4xA4", "C5wrC2", "Dic6xS3"]
SMALL = ["SL(2,3)xQ8", "SL(2,5) o Q8", "D4 o Q8", "GL(2,3)", "2O", "Hol(C8)", "A5", "C4wrC2"]


@pytest.mark.parametrize("name", [*NAMES, *SMALL, "sg_12_3", "sg_24_3"])
def test_clifford_theory_equals_the_class_algebra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = groups.parse if name in NAMES else hard if name in SMALL else oracle_group
    group = plain(make(name))
    p, root, _ = dixon(group)
    monkeypatch.setattr(tables, "CLIFFORD_FROM", 10**6)
    slow = character_table(group)
    monkeypatch.setattr(tables, "CLIFFORD_FROM", 0)
    fast = character_table(group)
    assert len(slow.eigenvalues.bases) == len(slow.degrees)
    assert (fast.modulo(p, root) == slow.modulo(p, root)).all()  # the same rows, in order
    assert fast.degrees == slow.degrees
    assert fast.frobenius_schur == slow.frobenius_schur
    assert fast.conjugates == slow.conjugates
    assert all(
        (a == b).all() for a, b in zip(fast.multiplicities, slow.multiplicities, strict=True)
    )
    assert np.abs(fast.values - slow.values).max() < 1e-12
    assert [fast.value(i, 1) for i in range(3)] == [slow.exact[i, 1] for i in range(3)]


@pytest.mark.parametrize("name", ["D4xC2^5", "Q8xC6xC2", "S3xC40", "D6xDic5"])
def test_products_need_few_base_rows(name: str) -> None:
    group = groups.parse(name)
    fast, slow = group.character_table, character_table(plain(group))
    p, root = splitting_prime(exponent_of(group), 10**6)
    ours, others = (sorted(map(tuple, t.modulo(p, root).tolist())) for t in (fast, slow))
    sizes = [sorted(t.class_sizes.tolist()) for t in (fast, slow)]
    assert sizes[0] == sizes[1]
    assert len(ours) == len(others)
    assert sorted(fast.degrees) == sorted(slow.degrees)
    check(fast)
    check(slow)


def check(table: tables.CharacterTable) -> None:
    """Orthogonality of rows modulo a prime, and the count of square roots of 1."""
    group = table.group
    p, root = splitting_prime(exponent_of(group), 4 * group.order)
    values = table.modulo(p, root)
    rows = (values * table.class_sizes % p) @ values[:, table.inverse_classes].T % p
    assert (rows == group.order * np.eye(len(rows), dtype=int)).all()
    involutions = int((group.element_orders <= 2).sum())
    assert np.dot(table.frobenius_schur, table.degrees) == involutions
    assert (np.round(table.values[:, 0].real) == table.degrees).all()
    assert np.abs(table.row(len(rows) - 1) - table.values[-1]).max() == 0


def test_tables_of_thousands_of_classes() -> None:
    for name, count in (("D4xC2^8", 1280), ("D1009", 506), ("Dic500", 503)):
        group = groups.parse(name)
        table = group.character_table
        assert len(table.degrees) == count
        assert len(table.eigenvalues.bases) < 20
        assert np.dot(table.degrees, table.degrees) == group.order
        assert np.dot(table.frobenius_schur, table.degrees) == (group.element_orders <= 2).sum()
    values = groups.dihedral(1009).character_table.values
    cosines = 2 * np.cos(2 * np.pi * np.outer(np.arange(1, 505), np.arange(1, 505)) / 1009)
    found = np.array(sorted(values[2:, 1].real, reverse=True))
    assert np.abs(found - np.sort(cosines[:, 0])[::-1]).max() < 1e-12


def test_linear_characters_are_all_homomorphisms() -> None:
    for name in ("C4xC6xC2", "C12", "D6", "Q8", "A4", "Dic3xC4", "C8xC2"):
        group = groups.parse(name)
        dual = linear_characters(group)
        every = np.arange(group.order)
        exponents = dual.exponents(np.arange(len(dual)), every)
        products = exponents[:, group.cayley_table]
        sums = (exponents[:, :, None] + exponents[:, None, :]) % dual.modulus
        assert (products == sums).all()
        assert len(np.unique(exponents, axis=0)) == len(dual)
        derived = groups.commutator_subgroup(group)
        assert len(dual) == derived.index
        assert exponents.tolist() == sorted(exponents.tolist())
        assert (dual.index(dual.generators) == np.arange(len(dual))).all()


@pytest.mark.parametrize("name", ["S4", "D12", "SL(2,5)", "C4wrC4", "GL(2,3)", "D4 o Q8"])
def test_the_abelian_normal_subgroup_is_one(name: str) -> None:
    group = hard(name) if name in SMALL or name == "SL(2,5)" else groups.parse(name)
    elements = abelian_normal_subgroup(group)
    products = group.products(elements[:, None], elements)
    assert (products == products.T).all()
    assert np.isin(products, elements).all()
    labels = group.class_labels
    assert np.isin(np.flatnonzero(np.isin(labels, labels[elements])), elements).all()
    assert set(groups.centre(group).elements) <= set(elements.tolist())


def test_long_lifts_are_fourier_transforms() -> None:
    rng = np.random.default_rng(0)
    for order in (DIRECT + 1, 500, 1009):
        p, root = splitting_prime(4 * order, 1 << 19)
        counts = rng.integers(0, 50, (3, order))
        powers = root_powers(p, root, order)
        exponents = np.outer(np.arange(order), np.arange(order)) % order
        assert (lift(counts @ powers[exponents] % p, p, root) == counts).all()


def test_units_are_generated() -> None:
    for n in (1, 2, 4, 8, 24, 45, 100, 840):
        reached = {1 % n}
        for _ in range(12):
            reached |= {a * g % n for a in reached for g in unit_generators(n)}
            for g in unit_generators(n):
                reached |= {a * pow(g, 2**i, n) % n for a in reached for i in range(10)}
        assert reached == {a for a in range(n) if math.gcd(a, n) == 1}


def test_minimal_polynomials_of_recurrences() -> None:
    rng, p = np.random.default_rng(1), 10007
    coefficients = np.append(rng.integers(1, p, 7), 1)
    sequence = rng.integers(0, p, 7).tolist()
    for n in range(13):
        sequence.append(int(-np.dot(coefficients[:7], sequence[n : n + 7]) % p))
    assert (minimal_polynomial(np.array(sequence[:14]), p) == coefficients).all()
    assert minimal_polynomial(np.zeros(6, dtype=int), p).tolist() == [1]


def test_groups_up_to_ten_thousand_have_tables_at_once() -> None:
    for name in ("C10000", "C2^13", "C10xC1000"):
        table = groups.parse(name).character_table
        assert set(table.degrees) == {1}
        assert table.frobenius_schur[0] == 1
        assert abs(np.abs(table.row(77)).max() - 1) < 1e-15
        assert table.conjugates[table.conjugates[77]] == 77
