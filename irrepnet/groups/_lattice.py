"""The lattice of subgroups as a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from irrepnet.groups._group import Group
from irrepnet.groups._subgroup_classes import SUBGROUP_LIMIT, SubgroupSearch

if TYPE_CHECKING:
    import networkx


def subgroup_lattice(
    group: Group, conjugates: bool = False, limit: int = SUBGROUP_LIMIT
) -> networkx.DiGraph:
    """The Hasse diagram of subgroups: an edge leads from every subgroup to those it is maximal in.

    Without `conjugates`, node `i` is the class of `conjugacy_classes_of_subgroups(G)[i]`, with
    attributes `subgroup` (that representative), `order` and `size` (number of conjugates); an edge
    from `i` to `j` has `count`, the number of members of class `i` that are maximal in one member
    of class `j`. With `conjugates`, every subgroup is a node of its own, in increasing order and
    then in order of its elements, with `subgroup`, `order` and `class_index`.

    Args:
        group: The group.
        conjugates: Whether conjugate subgroups are different nodes.
        limit: Most subgroups, conjugates counted, that may be enumerated.

    Raises:
        GroupError: If there are more subgroups than `limit`.

    Cost:
        That of `conjugacy_classes_of_subgroups`, and one pass over all subgroups for every class
        and every maximal subgroup of its representative.

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 10.4.

    Examples:
        >>> from irrepnet import groups
        >>> graph = groups.subgroup_lattice(groups.symmetric(3))
        >>> list(graph.edges(data="count"))
        [(0, 1, 1), (0, 2, 1), (1, 3, 3), (2, 3, 1)]
        >>> groups.subgroup_lattice(groups.symmetric(3), conjugates=True).number_of_nodes()
        6
    """
    search = SubgroupSearch(group, limit)
    representatives = [search.representative(found) for found in search.classes]
    keys = [(found.order, found.elements) for found in representatives]
    by_order = sorted(range(len(keys)), key=keys.__getitem__)
    maximal = _maximal_subgroups(search)
    if conjugates:
        return _all_subgroups(search, by_order, maximal)
    import networkx

    graph = networkx.DiGraph()
    position = {number: i for i, number in enumerate(by_order)}
    for i, number in enumerate(by_order):
        found = search.classes[number]
        size = len(found.members)
        graph.add_node(i, subgroup=representatives[number], order=found.order, size=size)
    for j, number in enumerate(by_order):
        lower = [position[search.class_of[row.tobytes()]] for row in _packed(maximal[number])]
        for i in sorted(set(lower)):
            graph.add_edge(i, j, count=lower.count(i))
    return graph


def _packed(rows: np.ndarray) -> np.ndarray:
    return np.packbits(rows, axis=1)


def _maximal_subgroups(search: SubgroupSearch) -> list[np.ndarray]:
    """Zuppos of the maximal subgroups of the first member of every class, as rows of bits."""
    numbers = [n for n, found in enumerate(search.classes) for _ in found.members]
    orders = np.array([search.classes[n].order for n in numbers])
    members = [member for found in search.classes for member in found.members]
    packed = np.frombuffer(b"".join(members), dtype=np.uint8).reshape(len(members), -1)
    decreasing = np.argsort(-orders, kind="stable")
    orders, packed = orders[decreasing], packed[decreasing]
    result = []
    for found in search.classes:
        smaller = (orders < found.order) & (found.order % orders == 0)
        rest = packed[smaller]
        rest = rest[~(rest & ~np.packbits(found.bits)).any(axis=1)]
        maximal = []
        while len(rest):  # the largest subgroup left is maximal, what it contains is not
            maximal.append(rest[0])
            rest = rest[(rest & ~rest[0]).any(axis=1)]
        rows = np.array(maximal, dtype=np.uint8).reshape(len(maximal), packed.shape[1])
        result.append(np.unpackbits(rows, axis=1, count=search.zuppos.count).astype(bool))
    return result


def _all_subgroups(
    search: SubgroupSearch, by_order: list[int], maximal: list[np.ndarray]
) -> networkx.DiGraph:
    """The lattice with a node for every subgroup."""
    import networkx

    nodes = []
    edges: list[tuple[bytes, bytes]] = []
    for class_index, number in enumerate(by_order):
        found, rows = search.classes[number], [maximal[number]]
        for parent, move in found.origins:  # conjugation carries maximal subgroups along
            rows.append(rows[parent][:, search.moves[move]])
        for member, lower in zip(found.members, rows, strict=True):
            nodes.append((search.subgroup(member), class_index, member))
            edges += [(row.tobytes(), member) for row in _packed(lower)]
    nodes.sort(key=lambda node: (node[0].order, node[0].elements))
    graph = networkx.DiGraph()
    position = {}
    for i, (found, class_index, member) in enumerate(nodes):
        position[member] = i
        graph.add_node(i, subgroup=found, order=found.order, class_index=class_index)
    graph.add_edges_from((position[lower], position[upper]) for lower, upper in edges)
    return graph
