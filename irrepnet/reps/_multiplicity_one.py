"""Find a subgroup with a linear character that an irreducible character contains exactly once."""

from __future__ import annotations

import heapq

import numpy as np

from irrepnet.reps._clifford import Linear, Situation, extend, trivial_on
from irrepnet.reps._modular import root_powers

#: How many pairs (subgroup, linear character) are looked at before giving up.
SEARCH_LIMIT = 400


def multiplicity_one(situation: Situation) -> Linear | None:
    """A linear character `lambda` of a subgroup `H` with `<chi|H, lambda> = 1`, real for type R.

    Grows pairs `(H, lambda)` by one normalising element at a time, smallest multiplicity first;
    every solvable subgroup can be reached so. Deterministic.

    References:
        Dixon, "Constructing representations of finite groups", DIMACS 11 (1993).
    """
    nothing = np.zeros(situation.group.order, dtype=bool)
    nothing[0] = True
    start = trivial_on(situation, nothing)
    queue = [(situation.degree, 1, 0, start)]
    seen, ticket = {_key(start)}, 0
    while queue and ticket < SEARCH_LIMIT:
        multiplicity, _, _, theta = heapq.heappop(queue)
        if multiplicity == 1:
            return theta
        for x in normalising(situation, theta):
            for larger in extend(situation, theta, int(x)):
                if (situation.kind == "R" and not larger.is_real) or _key(larger) in seen:
                    continue
                seen.add(_key(larger))
                ticket += 1
                count = multiplicity_of(situation, larger)
                heapq.heappush(queue, (count, -len(larger.elements), ticket, larger))
    return None


def _key(theta: Linear) -> bytes:
    return theta.exponents.tobytes()


def multiplicity_of(situation: Situation, theta: Linear) -> int:
    """`<chi|H, theta>`, exactly: it is at most the degree, hence below the prime."""
    p, n = situation.p, theta.modulus
    roots = root_powers(p, situation.root, n)[-theta.exponents[theta.elements] % n]
    total = int((situation.values[theta.elements] * roots % p).sum())
    return total * pow(len(theta.elements), -1, p) % p


def normalising(situation: Situation, theta: Linear) -> np.ndarray:
    """Elements that normalise `H` and fix `theta`, one per coset of `H`, outside `H`."""
    group = situation.group
    outside = situation.subgroup[theta.exponents[situation.subgroup] < 0]
    if len(theta.elements) == 1:  # one element per class and per cyclic subgroup is enough
        return (
            np.unique([c.representative for c in group.conjugacy_classes][1:])
            if len(situation.subgroup) == group.order
            else outside
        )
    moved = group.products(
        group.products(outside[:, None], theta.elements), group.inverses[outside][:, None]
    )
    fixed = outside[(theta.exponents[moved] == theta.exponents[theta.elements]).all(axis=1)]
    cosets = group.products(fixed[:, None], theta.elements).min(axis=1)
    return np.unique(cosets)
