"""Elements as products of two short lists, against all of them stored."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irrepnet import groups
from irrepnet.groups import Group
from irrepnet.groups._closure import _is_regular, _refine, closure
from irrepnet.groups._image_lists import ImageLists

NAMES = (
    "trivial C1 C2 C12 D1 D2 D3 D8 Dic1 Dic5 S5 SL(2,3) PSL(2,7) C2^4 C3xS3 D4xC5 Dic3xD4 C2wrC4 "
    "C1wrC3 C2wr(C2xC2)"
).split()


def short(limits: pytest.MonkeyPatch) -> None:
    """From here on nothing is small enough to be stored or tested point by point."""
    for limit in ("STORED_LIMIT", "FEW_POINTS", "IMAGES_AT_ONCE"):
        limits.setattr(f"irrepnet.groups._image_lists.{limit}", 0)
    limits.setattr("irrepnet.groups._closure.IMAGES_AT_ONCE", 0)


def assert_same(group: Group, expected: Group) -> None:
    every = np.arange(expected.order)
    table = expected.cayley_table
    assert group.generators == expected.generators
    assert (group.inverses == (table == 0).argmax(axis=1)).all()
    assert (group.products(every[:, None], every) == table).all()
    assert (group.cayley_table == table).all()
    for a in every[:: max(1, group.order // 20)]:
        assert (group.left_multiply(a) == table[a]).all()
        assert (group.right_multiply(a) == table[:, a]).all()
        assert group.index(group.permutation(a)) == a
        assert group.permutation(a) == expected.permutation(a)
    assert (group.class_labels == expected.class_labels).all()
    assert "elements" not in group.__dict__
    assert np.array_equal(group.elements, expected.elements)


@pytest.mark.parametrize("name", NAMES)
def test_named_groups(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = groups.parse(name)
    assert len(expected.elements) == expected.order  # stored before the limits change
    short(monkeypatch)
    assert_same(groups.parse(name), expected)


@pytest.mark.parametrize("name", NAMES)
def test_generated_groups(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    group = groups.parse(name)
    rows = [group.left_multiply(g) for g in group.generators] or [[0]]
    expected = groups.from_permutations(rows)
    halves = [H.as_group() for H in group.subgroup_classes]
    short(monkeypatch)
    assert_same(groups.from_permutations(rows), expected)
    for kept, again in zip(halves, groups.parse(name).subgroup_classes, strict=True):
        assert np.array_equal(again.as_group().elements, kept.elements)


def test_semidirect_products_and_quotients(monkeypatch: pytest.MonkeyPatch) -> None:
    def made() -> list[Group]:
        Q8, D6 = groups.quaternion(), groups.dihedral(6)
        return [
            groups.semidirect_product(groups.cyclic(7), groups.cyclic(6), [[3]]),
            groups.semidirect_product(Q8, groups.cyclic(3), [[4, 6]]),
            groups.semidirect_product(groups.cyclic(1), groups.cyclic(3), [[]]),
            groups.quotient(D6, [3]),
            groups.quotient(D6, D6.generators),
            groups.quotient(Q8, []),
        ]

    expected = made()
    short(monkeypatch)
    for group, stored in zip(made(), expected, strict=True):
        assert_same(group, stored)


@given(st.integers(1, 6).flatmap(lambda n: st.lists(st.permutations(range(n)), min_size=1)))
def test_closure_with_short_lists(generators: list[list[int]]) -> None:
    expected = closure(np.array(generators)).stored()
    with pytest.MonkeyPatch.context() as limits:
        short(limits)
        found = closure(np.array(generators))
        assert np.array_equal(found.stored(), expected)


def test_polygons_by_their_formula() -> None:
    n = 2000
    corners, k = np.arange(n), np.arange(n)[:, None]
    expected = np.concatenate([(corners + k) % n, -(corners + k) % n])
    group = groups.dihedral(n)
    assert np.array_equal(group.elements, expected)
    generated = groups.from_permutations([np.roll(corners, -1), -corners % n])
    first, second = expected[:, 0], expected[:, 1]
    assert np.array_equal(generated.elements, expected[np.lexsort((second, first))])
    assert (generated.inverses[generated.inverses] == np.arange(2 * n)).all()


def test_regular_actions_are_recognised() -> None:
    for name in ("C6", "D4", "Q8", "A4", "C2^3"):
        group = groups.parse(name)
        rows = np.array([group.left_multiply(g) for g in group.generators])
        regular, _ = _refine(rows, np.zeros((len(rows), 1), dtype=np.int64), 0)
        assert _is_regular(regular)
    for name in ("D4", "A4", "S3", "PSL(2,5)"):  # on points, each fixed by an element
        group = groups.parse(name)
        rows = group.elements[list(group.generators)]
        points, _ = _refine(rows, np.zeros((len(rows), 1), dtype=np.int64), 0)
        assert not _is_regular(points)


@pytest.mark.parametrize(
    "make",
    [
        lambda: groups.dicyclic(2500),
        lambda: groups.parse("C2xD2500"),
        lambda: groups.semidirect_product(groups.cyclic(5000), groups.cyclic(2), [[4999]]),
        lambda: groups.from_permutations([np.roll(np.arange(10_000), 1)]),
    ],
)
def test_memory_of_groups_on_many_points(make) -> None:
    tracemalloc.start()
    group = make()
    assert len(group.conjugacy_classes) > 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * group.order * group.degree / 4


def test_products_of_two_lists() -> None:
    shifts = (np.arange(6) + np.arange(6)[:, None]) % 6
    turns = ImageLists(shifts[[0, 3]], shifts[:3], np.divmod(np.arange(6), 3))
    kept = ImageLists(shifts)
    for lists in (turns, turns.chosen(np.arange(6)), ImageLists(*kept.factors())):
        assert np.array_equal(lists.stored(), shifts)
        assert np.array_equal(lists.columns(np.array([4, 1])), shifts[:, [4, 1]])
        assert np.array_equal(lists.inverses_at(np.arange(6)), shifts[[0, 5, 4, 3, 2, 1]])
        assert np.array_equal(lists.rows(5), shifts[5])
    assert np.array_equal(ImageLists(*kept.factors(stored_inside=True)).stored(), shifts)
    assert np.array_equal(kept.chosen(np.array([2, 0])).stored(), shifts[[2, 0]])
