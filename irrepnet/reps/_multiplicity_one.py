"""Find a subgroup with a linear character that an irreducible character contains exactly once."""

from __future__ import annotations

import heapq

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._clifford import Situation
from irrepnet.reps._linear import Linear, extend
from irrepnet.reps._modular import root_powers

#: How many pairs (subgroup, linear character) are looked at before giving up.
SEARCH_LIMIT = 300


def least_multiplicity(situation: Situation, real: bool) -> tuple[int, Linear]:
    """A linear character `lambda` of a subgroup `H` with `<chi|H, lambda>` small, best 1.

    Grows pairs `(H, lambda)` by one normalising element at a time, smallest multiplicity and then
    largest subgroup first; every solvable subgroup can be reached so. Deterministic.

    Args:
        situation: An irreducible character.
        real: Ask for values 1 and -1 only.

    Returns:
        The multiplicity, positive, and the pair.

    Cost:
        At most `SEARCH_LIMIT` pairs, each O(order * |H|) products.

    References:
        Dixon, "Constructing representations of finite groups", DIMACS 11 (1993).
    """
    start = Linear.trivial(situation.group)
    queue, seen, ticket = [(situation.degree, -1, 0, start)], {start.exponents.tobytes()}, 0
    best = queue[0]
    while queue and ticket < SEARCH_LIMIT:
        current = heapq.heappop(queue)
        best = min(best, current, key=lambda item: item[:3])
        if best[0] == 1:
            break
        theta = current[3]
        for x in normalising(situation.group, theta):
            for larger in extend(
                situation.group, situation.values, situation.p, situation.root, theta, int(x)
            ):
                key = larger.exponents.tobytes()
                if (real and not larger.is_real) or key in seen:
                    continue
                seen.add(key)
                ticket += 1
                count = multiplicity(situation, larger)
                heapq.heappush(queue, (count, -len(larger.elements), ticket, larger))
    return best[0], best[3]


def multiplicity(situation: Situation, theta: Linear) -> int:
    """`<chi|H, theta>`, exactly: it is at most the degree, hence below the prime."""
    p, n = situation.p, theta.modulus
    roots = root_powers(p, situation.root, n)[-theta.exponents[theta.elements] % n]
    total = int((situation.values[theta.elements] * roots % p).sum())
    return total * pow(len(theta.elements), -1, p) % p


def normalising(group: Group, theta: Linear) -> np.ndarray:
    """Elements outside `H` that normalise it and fix `theta`, the smallest of each coset of `H`."""
    if not theta.generators:  # conjugate starts give conjugate pairs
        return np.array([c.representative for c in group.conjugacy_classes[1:]], dtype=np.int64)
    generators = np.array(theta.generators)
    outside = np.flatnonzero(theta.exponents < 0)
    moved = group.products(
        group.products(outside[:, None], generators), group.inverses[outside][:, None]
    )
    fixed = outside[(theta.exponents[moved] == theta.exponents[generators]).all(axis=1)]
    return np.unique(
        group.products(fixed[:, None], theta.elements).min(axis=1, initial=group.order)
    )
