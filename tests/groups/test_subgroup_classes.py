"""All subgroups up to conjugacy, and their lattice, against enumeration by joins."""

import itertools
from functools import cache

import networkx
import numpy as np
import pytest

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups import Group
from irrepnet.groups._subgroup_classes import SubgroupSearch

#: Numbers of subgroups and of their classes, from the literature (Pfeiffer; Holt; GAP's tables).
KNOWN = {
    "S4": (30, 11),
    "A5": (59, 9),
    "S5": (156, 19),
    "A6": (501, 22),
    "S6": (1455, 56),
    "A7": (3786, 40),
    "S7": (11300, 96),
    "C2^5": (374, 374),
}


@cache
def all_subgroups(group: Group) -> set[frozenset[int]]:
    """Joins of cyclic subgroups until nothing is new."""

    table = group.cayley_table.tolist()

    def join(H: frozenset[int], K: frozenset[int]) -> frozenset[int]:
        found = H | K
        while True:
            more = {table[a][b] for a in found for b in found} - found
            if not more:
                return frozenset(found)
            found |= more

    cyclic = {join(frozenset([0]), frozenset([a])) for a in range(group.order)}
    known = set(cyclic)
    while True:
        more = {join(H, K) for H in known for K in cyclic if not K <= H} - known
        if not more:
            return known
        known |= more


def conjugates(group: Group, H: frozenset[int]) -> frozenset[frozenset[int]]:
    def move(g: int, h: int) -> int:
        return group.multiply(group.multiply(g, h), group.inverse(g))

    return frozenset(frozenset(move(g, h) for h in H) for g in range(group.order))


SLOW = ["trivial", "C6", "C8", "V4", "S3", "D4", "Q8", "C2^3", "D6", "Dic3", "A4", "C3xS3", "S4"]


@pytest.mark.parametrize("name", SLOW)
def test_classes_are_all_and_disjoint(name: str) -> None:
    group = groups.parse(name)
    expected = {conjugates(group, H) for H in all_subgroups(group)}
    found = [conjugates(group, frozenset(H.elements)) for H in group.subgroup_classes]
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("name", KNOWN)
def test_known_numbers(name: str) -> None:
    search = SubgroupSearch(groups.parse(name))
    assert (len(search.class_of), len(search.classes)) == KNOWN[name]


def test_mathieu_group(m11: Group) -> None:
    search = SubgroupSearch(m11)
    assert (len(search.class_of), len(search.classes)) == (8651, 39)


def test_perfect_subgroups_are_found() -> None:
    # SL(2,5) acts on the nonzero vectors of F_5^2; -1 is its only involution.
    vectors = [(x, y) for x in range(5) for y in range(5) if (x, y) != (0, 0)]
    matrices = [((1, 1), (0, 1)), ((1, 0), (1, 1))]
    group = groups.from_permutations(
        [
            [vectors.index(((a * x + b * y) % 5, (c * x + d * y) % 5)) for x, y in vectors]
            for (a, b), (c, d) in matrices
        ]
    )
    product = groups.direct_product(group, groups.cyclic(2))
    for G, perfect in ((group, [1, 120]), (product, [1, 120])):
        orders = [
            H.order for H in G.subgroup_classes if groups.commutator_subgroup(H).order == H.order
        ]
        assert orders == perfect
    assert len(group.subgroup_classes) == 12


def test_threes_and_twos_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    group = groups.direct_product(groups.alternating(5), groups.symmetric(3))
    with_threes = group.subgroup_classes
    monkeypatch.setattr("irrepnet.groups._subgroup_classes.SUZUKI_ORDER", 0)
    assert groups.conjugacy_classes_of_subgroups(group) == with_threes


def test_order_and_ends(small: Group) -> None:
    classes = small.subgroup_classes
    assert classes[0].elements == (0,)
    assert classes[-1].order == small.order
    keys = [(H.order, H.elements) for H in classes]
    assert keys == sorted(keys)
    assert classes == groups.conjugacy_classes_of_subgroups(groups.from_recipe(small.recipe))


def test_representatives_depend_on_the_numbering_only() -> None:
    generators = [[1, 0, 2, 3], [1, 2, 3, 0]]
    other = [[0, 2, 1, 3], [3, 0, 1, 2], [0, 1, 3, 2]]
    first, second = (
        groups.from_permutations(rows).subgroup_classes for rows in (generators, other)
    )
    assert [H.elements for H in first] == [H.elements for H in second]


def hasse_diagram(subgroups: list[frozenset[int]]) -> set[tuple[int, int]]:
    pairs = itertools.permutations(range(len(subgroups)), 2)
    below = {(i, j) for i, j in pairs if subgroups[i] < subgroups[j]}
    between = {(i, j) for i, j in below for k in range(len(subgroups)) if {(i, k), (k, j)} <= below}
    return below - between


@pytest.mark.parametrize("name", ["trivial", "C6", "V4", "S3", "D4", "Q8", "A4", "D6", "S4"])
def test_lattice_of_all_subgroups(name: str) -> None:
    group = groups.parse(name)
    graph = groups.subgroup_lattice(group, conjugates=True)
    found = [graph.nodes[i]["subgroup"] for i in range(len(graph))]
    sets = [frozenset(H.elements) for H in found]
    assert set(sets) == all_subgroups(group)
    assert [(H.order, H.elements) for H in found] == sorted((H.order, H.elements) for H in found)
    assert set(graph.edges) == hasse_diagram(sets)
    for i, H in enumerate(found):
        representative = group.subgroup_classes[graph.nodes[i]["class_index"]]
        assert any(representative.conjugate(g) == H for g in range(group.order))


@pytest.mark.parametrize("name", ["trivial", "C6", "V4", "S3", "D4", "Q8", "A4", "D6", "S4"])
def test_lattice_of_classes(name: str) -> None:
    group = groups.parse(name)
    graph = groups.subgroup_lattice(group)
    full = groups.subgroup_lattice(group, conjugates=True)
    assert [graph.nodes[i]["subgroup"] for i in range(len(graph))] == list(group.subgroup_classes)
    class_index = {i: int(full.nodes[i]["class_index"]) for i in full}
    for i, data in graph.nodes(data=True):
        assert data["size"] == list(class_index.values()).count(i)
    counts: dict[tuple[int, int], int] = {}
    for lower, upper in full.edges:
        edge = class_index[lower], class_index[upper]
        counts[edge] = counts.get(edge, 0) + 1
    found = {(i, j): n * graph.nodes[j]["size"] for i, j, n in graph.edges(data="count")}
    assert found == counts


def test_lattice_of_the_symmetric_group_of_degree_seven() -> None:
    graph = groups.subgroup_lattice(groups.symmetric(7))
    assert len(graph) == 96
    assert sum(graph.nodes[i]["size"] for i in graph) == 11300
    assert networkx.is_directed_acyclic_graph(graph)
    maximal = {graph.nodes[i]["order"]: graph.edges[i, 95]["count"] for i in graph.predecessors(95)}
    # A_7, S_6, S_5 x S_2, S_4 x S_3 and AGL(1,7).
    assert maximal == {2520: 1, 720: 7, 240: 21, 144: 35, 42: 120}


def test_limit() -> None:
    with pytest.raises(GroupError, match=r"S4 has more than 29 subgroups, the limit.*\n  Pass"):
        groups.conjugacy_classes_of_subgroups(groups.symmetric(4), limit=29)
    assert len(groups.conjugacy_classes_of_subgroups(groups.symmetric(4), limit=30)) == 11
    with pytest.raises(GroupError, match="has more than 20000 subgroups, the limit"):
        groups.subgroup_lattice(groups.parse("C2^17"))


def test_the_slow_oracle_can_fail() -> None:
    group = groups.dihedral(4)
    found = {frozenset(H.elements) for H in group.subgroup_classes}
    assert found < all_subgroups(group)  # conjugates are missing
    assert not np.array_equal([len(H) for H in found], [1] * len(found))
