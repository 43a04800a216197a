"""Subgroups, cosets, conjugation; each against the definition."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups import Group, Subgroup

NAMES = ["C6", "D4", "Q8", "A4", "S4", "C2xS3", "B3"]


@st.composite
def subgroups(draw: st.DrawFn, count: int = 1) -> tuple[Subgroup, ...]:
    group = groups.parse(draw(st.sampled_from(NAMES)))
    elements = st.lists(st.integers(0, group.order - 1), max_size=2)
    return tuple(group.subgroup(draw(elements)) for _ in range(count))


def generated(group: Group, generators: tuple[int, ...]) -> set[int]:
    found = {0}
    while True:
        more = {group.multiply(g, x) for g in generators for x in found} - found
        if not more:
            return found
        found |= more


@given(subgroups())
def test_elements(drawn: tuple[Subgroup]) -> None:
    (H,) = drawn
    assert set(H.elements) == generated(H.parent, H.generators)
    assert list(H.elements) == sorted(H.elements)
    assert (H.order, H.order * H.index) == (len(H.elements), H.parent.order)
    assert [H.contains(a) for a in range(H.parent.order)] == H.mask.tolist()
    assert H.contains(H)
    assert H.contains(H.parent.subgroup([]))


@given(subgroups())
def test_as_group(drawn: tuple[Subgroup]) -> None:
    (H,) = drawn
    group = H.as_group()
    assert group.order == H.order
    assert group.generators == tuple(H.elements.index(g) for g in H.generators)
    for a in range(H.order):
        assert group.permutation(a) == H.parent.permutation(H.elements[a])
        for b in range(H.order):
            product = H.parent.multiply(H.elements[a], H.elements[b])
            assert H.elements[group.multiply(a, b)] == product
    assert eval(repr(group), {"groups": groups}) == group
    assert pickle.loads(pickle.dumps(group)) == group


@given(subgroups())
def test_values(drawn: tuple[Subgroup]) -> None:
    (H,) = drawn
    for other in (eval(repr(H), {"groups": groups}), pickle.loads(pickle.dumps(H))):
        assert other == H
        assert hash(other) == hash(H)


@given(subgroups())
def test_cosets(drawn: tuple[Subgroup]) -> None:
    (H,) = drawn
    parent, transversal = H.parent, H.left_transversal
    cosets = [frozenset(parent.multiply(t, h) for h in H.elements) for t in transversal]
    assert [min(coset) for coset in cosets] == list(transversal) == sorted(transversal)
    assert transversal[0] == 0
    assert frozenset().union(*cosets) == frozenset(range(parent.order))
    assert len(cosets) == H.index
    for a in range(parent.order):
        assert a in cosets[H.left_cosets[a]]
        for j, coset in enumerate(cosets):
            image = frozenset(parent.multiply(a, x) for x in coset)
            assert image == cosets[H.coset_action[a, j]]


@given(subgroups(), st.data())
def test_coset_action_is_a_left_action(drawn: tuple[Subgroup], data: st.DataObject) -> None:
    (H,) = drawn
    a, b = (data.draw(st.integers(0, H.parent.order - 1)) for _ in range(2))
    product = H.coset_action[H.parent.multiply(a, b)]
    assert np.array_equal(product, H.coset_action[a][H.coset_action[b]])


@given(subgroups())
def test_conjugation(drawn: tuple[Subgroup]) -> None:
    (H,) = drawn
    parent = H.parent
    stays = [a for a in range(parent.order) if H.conjugate(a) == H]
    assert list(H.normaliser.elements) == stays
    assert H.is_normal == (len(stays) == parent.order)
    a = parent.order - 1
    inverse = parent.inverse(a)
    moved = {parent.multiply(parent.multiply(a, h), inverse) for h in H.elements}
    assert set(H.conjugate(a).elements) == moved


@given(subgroups(count=2))
def test_pairs(drawn: tuple[Subgroup, Subgroup]) -> None:
    H, K = drawn
    parent, table = H.parent, H.parent.cayley_table.tolist()
    assert set(H.intersection(K).elements) == set(H.elements) & set(K.elements)
    assert H.contains(K) == (set(K.elements) <= set(H.elements))
    cosets = {
        frozenset(table[table[h][a]][k] for h in H.elements for k in K.elements)
        for a in range(parent.order)
    }
    assert groups.double_cosets(H, K) == tuple(sorted(map(min, cosets)))


def test_errors() -> None:
    group, other = groups.dihedral(4), groups.quaternion()
    H, K = group.subgroup([1]), other.subgroup([1])
    with pytest.raises(GroupError, match=r"9 cannot generate a subgroup of D4: expected its elem"):
        group.subgroup([9])
    with pytest.raises(GroupError, match="cannot intersect a subgroup of D4 with one of Q8"):
        H.intersection(K)
    with pytest.raises(GroupError, match="no double cosets of a subgroup of D4 and one of Q8"):
        groups.double_cosets(H, K)
    with pytest.raises(GroupError, match="8 is not an element of D4"):
        H.contains(8)
    with pytest.raises(GroupError, match="-1 is not an element of D4"):
        H.conjugate(-1)
    assert not H.contains(K)
