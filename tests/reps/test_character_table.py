"""Character tables against GAP, in exact arithmetic, and by what every table must satisfy."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from irrepnet import groups
from irrepnet.groups import Group
from irrepnet.reps import CharacterTable, character_table
from irrepnet.reps._class_algebra import dixon
from tests.reps.oracle import (
    BY_NAME,
    HARD,
    NAMES,
    counts_of,
    hard,
    in_field,
    oracle_classes,
    oracle_group,
)


def exact_rows(table: CharacterTable, classes: list[int]) -> list[tuple]:
    """Rows of the table on the given classes, each value in the basis of its class's field."""
    counts = [table.multiplicities[t] for t in classes]
    return [
        tuple(in_field(c[row], c.shape[1]) for c in counts) for row in range(len(table.degrees))
    ]


def gap_rows(name: str, orders: list[int]) -> list[tuple]:
    return [
        tuple(in_field(counts_of(v), o) for v, o in zip(row, orders, strict=True))
        for row in BY_NAME[name]["irr_exact"]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_table_is_gaps_exactly(name: str) -> None:
    record, group, classes = BY_NAME[name], oracle_group(name), oracle_classes(name)
    table = group.character_table
    assert group.order == record["order"]
    assert sorted(classes) == list(range(len(group.conjugacy_classes)))
    ours = [group.conjugacy_classes[t] for t in classes]
    assert [c.size for c in ours] == record["class_sizes"]
    assert [c.element_order for c in ours] == record["class_orders"]
    for prime, images in record["power_maps"]:
        assert [table.power_map(prime)[t] for t in classes] == [classes[i] for i in images]
    mine, gaps = exact_rows(table, classes), gap_rows(name, record["class_orders"])
    assert sorted(mine) == sorted(gaps)  # as sets of rows: column by column, value by value
    rows = [mine.index(row) for row in gaps]
    assert [table.degrees[i] for i in rows] == record["degrees"]
    assert [table.frobenius_schur[i] for i in rows] == record["fs"]
    values = np.array([[complex(*v) for v in row] for row in record["irr"]])
    assert np.abs(table.values[np.ix_(rows, classes)] - values).max() < 1e-13


def test_the_comparison_can_fail() -> None:
    """D4 and Q8 have the same values, but not the same power maps or indicators."""
    D4, Q8 = groups.dihedral(4), groups.quaternion()
    first, second = D4.character_table, Q8.character_table
    assert sorted(map(sorted, first.values.real.tolist())) == sorted(
        map(sorted, second.values.real.tolist())
    )
    assert sorted(first.frobenius_schur) != sorted(second.frobenius_schur)
    assert exact_rows(first, list(range(5))) != exact_rows(second, list(range(5)))
    orders = BY_NAME["sg_8_3"]["class_orders"]
    wrong = gap_rows("sg_8_3", orders)
    wrong[1] = (*wrong[1][:-1], tuple(-x for x in wrong[1][-1]))
    assert sorted(exact_rows(oracle_group("sg_8_3").character_table, oracle_classes("sg_8_3"))) != (
        sorted(wrong)
    )


def check_table(group: Group) -> None:
    """Orthogonality of rows and columns, structure constants and indicators, modulo two primes."""
    table, order = group.character_table, group.order
    assert sum(d * d for d in table.degrees) == order
    sizes, inverse = table.class_sizes, table.inverse_classes
    exponent = math.lcm(4, *(c.element_order for c in group.conjugacy_classes))
    from irrepnet.reps._modular import splitting_prime

    for bound in (order**2, 2 * order**2):  # inner products of irreps are below both primes
        p, root = splitting_prime(exponent, bound)
        values = table.modulo(p, root)
        rows = (values * sizes % p) @ values[:, inverse].T % p
        assert (rows == order * np.eye(len(rows), dtype=int) % p).all()
        columns = values.T @ values[:, inverse] % p
        assert (columns * sizes % p == order * np.eye(len(rows), dtype=int) % p).all()
    involutions = int((group.element_orders <= 2).sum())
    assert np.dot(table.frobenius_schur, table.degrees) == involutions


@pytest.mark.parametrize("name", HARD)
def test_orthogonality_and_indicators(name: str) -> None:
    check_table(hard(name))


@pytest.mark.parametrize("name", ["A4", "SL(2,3)", "Q8xS3"])
def test_structure_constants_are_counts(name: str) -> None:
    group = hard(name)
    table, labels = group.character_table, group.class_labels
    k, sizes, order = len(table.degrees), table.class_sizes, group.order
    counted = np.zeros((k, k, k), dtype=int)
    for t, c in enumerate(group.conjugacy_classes):
        for x in range(order):
            y = group.multiply(group.inverse(x), c.representative)
            counted[labels[x], labels[y], t] += 1
    X = table.values
    burnside = np.einsum("ir,is,it,i->rst", X, X, X.conj(), 1 / np.array(table.degrees))
    burnside *= sizes[:, None, None] * sizes[None, :, None] / order
    assert (np.round(burnside.real) == counted).all()
    assert np.abs(burnside - counted).max() < 1e-10


@pytest.mark.parametrize("name", ["S4", "S5", "S6", "C12", "C2xC2xC4", "D4xS3", "A4xC3", "Q8xC2"])
def test_closed_forms_equal_the_class_algebra(name: str) -> None:
    group = groups.parse(name)
    p, root, residues = dixon(group)
    closed = group.character_table.modulo(p, root)
    assert sorted(map(tuple, residues.tolist())) == sorted(map(tuple, closed.tolist()))


def test_murnaghan_nakayama_agrees_with_the_class_algebra() -> None:
    from irrepnet.reps._closed_tables import symmetric_characters

    group = groups.symmetric(5)
    p, _, closed = symmetric_characters(group, 5)
    table = group.character_table
    other = table.modulo(p, symmetric_characters(group, 5)[1])
    assert sorted(map(tuple, closed.tolist())) == sorted(map(tuple, other.tolist()))


def test_exact_values_are_the_floats() -> None:
    for name in ("A5", "SL(2,5)", "SL(2,3)", "C3wrC3", "D5", "Dic6"):
        table = hard(name).character_table
        exact = np.array(table.exact.evalf(20).tolist(), dtype=complex)
        assert np.abs(exact - table.values).max() < 1e-14


def test_exact_values_in_closed_form() -> None:
    golden = (1 + sympy.sqrt(5)) / 2
    assert golden.expand() in groups.alternating(5).character_table.exact
    assert 2 * sympy.cos(2 * sympy.pi / 7) in groups.dihedral(7).character_table.exact
    assert groups.cyclic(4).character_table.exact[1, 1] == sympy.I


def test_rows_and_columns_come_in_order() -> None:
    table = groups.symmetric(5).character_table
    assert table.degrees == (1, 1, 4, 4, 5, 5, 6)
    assert (table.values[0] == 1).all()
    assert table.frobenius_schur == (1,) * 7
    conjugates = groups.cyclic(5).character_table.conjugates
    assert [conjugates[i] for i in conjugates] == list(range(5))


def test_text_and_latex() -> None:
    lines = str(groups.dihedral(4).character_table).splitlines()
    assert lines[0] == "D4: 8 elements, 5 classes"
    assert lines[-1].split() == ["E", "+", "2", "0", "-2", "0", "0"]
    golden = str(groups.alternating(5).character_table)
    assert "A = 1/2 + sqrt(5)/2" in golden
    assert "C*" in str(groups.cyclic(7).character_table)
    assert r"\frac{\sqrt{5}}{2}" in groups.alternating(5).character_table.to_latex()
    assert groups.flop().character_table._repr_latex_().startswith(r"$\begin{array}")
    assert repr(groups.flop().character_table) == "<CharacterTable of flop: 2 irreps>"


def test_large_tables_are_printed_in_part() -> None:
    table = groups.dihedral(101).character_table
    lines = str(table).splitlines()
    assert lines[-1].startswith("12 of 52 rows and columns are left out: ")
    assert lines[3].split()[:2] == ["A1", "+"]
    assert lines[3].split().count("1") == 40
    assert lines[23].split() == ["..."] * 43
    assert table._repr_latex_() is None
    assert table.to_text(limit=None).count("\n") > 52
    assert "..." not in table.to_text(limit=None)


@st.composite
def permutation_groups(draw: st.DrawFn) -> Group:
    degree = draw(st.integers(2, 6))
    generators = draw(st.lists(st.permutations(range(degree)), min_size=1, max_size=3))
    return groups.from_permutations(generators)


@settings(max_examples=25, deadline=None)
@given(permutation_groups())
def test_random_permutation_groups(group: Group) -> None:
    check_table(group)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_other_generators_and_labels_give_the_same_table(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["sg_12_3", "sg_16_8", "sg_24_3", "sg_8_4", "sg_12_1"]))
    record = BY_NAME[name]
    relabel = data.draw(st.permutations(range(record["degree"])))
    moved = [
        [relabel[g[relabel.index(i)]] for i in range(record["degree"])]
        for g in record["generators"]
    ]
    other = groups.from_permutations([*moved[::-1], moved[0]])
    group = oracle_group(name)
    classes = [
        other.class_of(
            other.index(
                [
                    relabel[group.permutation(c.representative)[relabel.index(i)]]
                    for i in range(record["degree"])
                ]
            )
        )
        for c in group.conjugacy_classes
    ]
    every = list(range(len(classes)))
    assert sorted(exact_rows(group.character_table, every)) == sorted(
        exact_rows(other.character_table, classes)
    )


def test_large_groups() -> None:
    M11 = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0], [0, 1, 6, 9, 5, 3, 10, 2, 8, 4, 7]]
    for generators, order, degrees in (
        ([[1, 2, 3, 4, 5, 6, 0], [1, 0, 2, 3, 4, 5, 6]], 5040, (1, 1, 6, 6)),
        (M11, 7920, (1, 10, 10, 10, 11, 16, 16, 44, 45, 55)),
    ):
        group = groups.from_permutations(generators)
        table = character_table(group)
        assert group.order == order
        assert table.degrees[: len(degrees)] == degrees
        check_table(group)
