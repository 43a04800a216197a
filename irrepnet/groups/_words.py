"""Every element as a product of generators, and functions that follow those products."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from irrepnet.groups._group import Group


def word_levels(group: Group) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """A spanning tree of the Cayley graph, level by level, without the identity at its root.

    Yields:
        Triples `(i, parents, children)`: every child is generator number `i` times its parent, and
        all parents were children before (or are the identity).

    Cost:
        One left multiplication by every generator, and O(order * generators).

    References:
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 4.1 (Schreier trees).

    Examples:
        >>> from irrepnet import groups
        >>> [(i, p.tolist(), c.tolist()) for i, p, c in word_levels(groups.cyclic(3))]
        [(0, [0], [1]), (0, [1], [2])]
    """
    moves = [group.left_multiply(g) for g in group.generators]
    reached = np.zeros(group.order, dtype=bool)
    reached[0] = True
    frontier = np.zeros(1, dtype=np.int64)
    while len(frontier):
        found = []
        for i, move in enumerate(moves):
            new = ~reached[move[frontier]]
            parents, children = frontier[new], move[frontier[new]]
            reached[children] = True
            if len(children):
                yield i, parents, children
                found.append(children)
        frontier = np.concatenate(found) if found else frontier[:0]
