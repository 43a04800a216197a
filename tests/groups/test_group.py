"""Laws, values and lookups of `Group`."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups import Group

permutations = st.integers(2, 6).flatmap(
    lambda n: st.lists(st.permutations(range(n)), min_size=1, max_size=3)
)


@given(permutations, st.data())
def test_laws(generators: list[list[int]], data: st.DataObject) -> None:
    group = groups.from_permutations(generators)
    a, b, c = (data.draw(st.integers(0, group.order - 1)) for _ in range(3))
    times = group.multiply
    assert times(times(a, b), c) == times(a, times(b, c))
    assert times(a, group.identity) == a == times(group.identity, a)
    assert times(a, group.inverse(a)) == group.identity == times(group.inverse(a), a)
    x, y = group.permutation(a), group.permutation(b)
    assert group.permutation(times(a, b)) == tuple(x[y[i]] for i in range(group.degree))
    assert group.index(x) == a
    assert group.left_multiply(a)[b] == times(a, b) == group.right_multiply(b)[a]
    assert group.class_of(times(times(a, b), group.inverse(a))) == group.class_of(b)
    power, order = a, 1
    while power != 0:
        power, order = times(power, a), order + 1
    assert group.element_orders[a] == order
    assert group.exponent % order == 0


@given(permutations)
def test_classes_are_orbits_of_conjugation(generators: list[list[int]]) -> None:
    group = groups.from_permutations(generators)
    everything = np.arange(group.order)
    for number, found in enumerate(group.conjugacy_classes):
        moved = group.products(everything, found.representative)
        orbit = np.unique(group.products(moved, group.inverses))
        assert orbit[0] == found.representative
        assert len(orbit) == found.size
        assert np.array_equal(np.flatnonzero(group.class_labels == number), orbit)
    firsts = [found.representative for found in group.conjugacy_classes]
    assert firsts == sorted(firsts)


@given(permutations)
def test_abelian_groups_have_one_class_per_element(generators: list[list[int]]) -> None:
    group = groups.from_permutations(generators)
    assert group.is_abelian == (len(group.conjugacy_classes) == group.order)


def test_cayley_table(small: Group) -> None:
    table = small.cayley_table
    for a in range(small.order):
        assert np.array_equal(small.elements[table[a]], small.elements[a][small.elements])
    assert (table[np.arange(small.order), small.inverses] == 0).all()


def test_powers(small: Group) -> None:
    everything = np.arange(small.order)
    power = np.zeros(small.order, dtype=int)
    for exponent in range(7):
        assert np.array_equal(small.powers(everything, exponent), power)
        assert np.array_equal(small.powers(everything, -exponent), small.inverses[power])
        assert np.array_equal(
            small.power_map(exponent),
            small.class_labels[power[[c.representative for c in small.conjugacy_classes]]],
        )
        power = small.products(power, everything)
    assert small.powers(small.order - 1, small.exponent) == 0


def test_generators_generate(small: Group) -> None:
    assert small.subgroup(small.generators).order == small.order


def test_groups_are_values(small: Group) -> None:
    rebuilt = eval(repr(small), {"groups": groups})
    unpickled = pickle.loads(pickle.dumps(small))
    for other in (rebuilt, unpickled, groups.from_recipe(small.recipe)):
        assert other == small
        assert hash(other) == hash(small)
        assert np.array_equal(other.elements, small.elements)
        assert (other.generators, other.name) == (small.generators, small.name)
    assert small != small.name


def test_equality_needs_more_than_isomorphism() -> None:
    assert groups.octic() == groups.dihedral(4)
    assert groups.flop() != groups.cyclic(2)
    assert groups.quaternion() != groups.dicyclic(2)
    generators = [[1, 0, 2], [1, 2, 0]]
    assert groups.from_permutations(generators) == groups.from_permutations(np.array(generators))
    assert groups.from_permutations(generators) != groups.from_permutations(generators[::-1])


def test_arrays_are_read_only() -> None:
    group = groups.symmetric(3)
    arrays = (group.elements, group.inverses, group.cayley_table, group.class_labels)
    for array in (*arrays, group.element_orders):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize("key_limit", [1 << 62, 0], ids=["mixed_radix", "colliding"])
@pytest.mark.parametrize("slots_per_element", [-1000, 32], ids=["search", "table"])
def test_lookups(monkeypatch: pytest.MonkeyPatch, slots_per_element: int, key_limit: int) -> None:
    monkeypatch.setattr("irrepnet.groups._lookup.SLOTS_PER_ELEMENT", slots_per_element)
    monkeypatch.setattr("irrepnet.groups._lookup.KEY_LIMIT", key_limit)
    group = groups.from_permutations([[1, 2, 3, 4, 5, 6, 0], [1, 0, 2, 3, 4, 5, 6]])
    assert np.array_equal(group._lookup(group.elements), np.arange(5040))
    assert np.array_equal(group._lookup(group.elements[::-3]), np.arange(5040)[::-3])


def test_errors_about_elements() -> None:
    group = groups.dihedral(4)
    for images in ([1, 0, 2, 3], [0, 1, 2], [0, 1, 2, 9], [-1, 0, 1, 2], [0.0, 1.0, 2.0, 3.0]):
        with pytest.raises(
            GroupError, match="is not an element of D4: expected one of its 8 image"
        ):
            group.index(images)  # type: ignore[arg-type]
    for use in (group.permutation, group.inverse, group.class_of, group.left_multiply):
        with pytest.raises(GroupError, match=r"8 is not an element of D4: expected 0\.\.7"):
            use(8)
    with pytest.raises(GroupError, match="-1 is not an element"):
        group.multiply(0, -1)


def test_large_groups_have_no_cayley_table(m11: Group) -> None:
    with pytest.raises(GroupError, match="order 7920: its Cayley table is not stored above 2048"):
        m11.cayley_table  # noqa: B018
    assert m11.multiply(5, 17) == m11.left_multiply(5)[17] == m11.right_multiply(17)[5]
    assert len(m11.conjugacy_classes) == 10


def test_errors_about_recipes() -> None:
    for recipe in (("monster",), (), "cyclic", (("cyclic", 4),)):
        with pytest.raises(GroupError, match="is not a group's recipe: expected"):
            groups.from_recipe(recipe)
    with pytest.raises(GroupError, match="is not a group's recipe: missing a required argument"):
        groups.from_recipe(("cyclic",))


def test_errors_about_irreps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Group.theory, "irreps", lambda group: ())
    with pytest.raises(GroupError, match="C3 has no irrep 'A7': expected one of"):
        groups.from_recipe(("cyclic", 3)).irrep("A7")
