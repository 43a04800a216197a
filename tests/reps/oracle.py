"""Groups and tables computed by GAP 4.12.1, and groups that the tests share."""

import itertools
import json
from functools import cache
from pathlib import Path

import numpy as np

from irrepnet import groups
from irrepnet.groups import Group
from irrepnet.reps._cyclotomic_fields import embedding, reduction

RECORDS = json.loads((Path(__file__).parents[1] / "data" / "gap_small_groups.json").read_text())[
    "groups"
]
NAMES = [record["name"] for record in RECORDS]
BY_NAME = dict(zip(NAMES, RECORDS, strict=True))


@cache
def oracle_group(name: str) -> Group:
    record = BY_NAME[name]
    return groups.from_permutations(record["generators"] or [[0]])


def oracle_classes(name: str) -> list[int]:
    """Our class of each of GAP's classes, by representative."""
    group = oracle_group(name)
    return [group.class_of(group.index(r)) for r in BY_NAME[name]["class_reps"]]


def counts_of(entry: list) -> np.ndarray:
    """A GAP value `[n, [[k, c], ...]]` as the count of each power of `zeta_n`."""
    n, terms = entry
    counts = np.zeros(n, dtype=np.int64)
    for k, c in terms:
        counts[k % n] += c
    return counts


def in_field(counts: np.ndarray, order: int) -> tuple[int, ...]:
    """`sum_j counts[j] zeta_n^j` in the basis of `Q(zeta_order)`, `n | order`."""
    n = len(counts)
    return tuple((counts @ reduction(n) @ embedding(n, order)).tolist())


def linear_group(p: int, matrices: list[list[list[int]]]) -> Group:
    """A matrix group over GF(p), as permutations of the nonzero vectors."""
    dim = len(matrices[0])
    vectors = [v for v in itertools.product(range(p), repeat=dim) if any(v)]
    number = {v: i for i, v in enumerate(vectors)}
    return groups.from_permutations(
        [
            [number[tuple(int(x) for x in np.array(m) @ v % p)] for v in np.array(vectors)]
            for m in matrices
        ]
    )


UPPER, LOWER = [[1, 1], [0, 1]], [[1, 0], [1, 1]]


@cache
def hard(name: str) -> Group:
    """Groups on which simpler methods fail: quaternionic, not monomial, Schur index 2."""
    Q8, C3, S3 = groups.quaternion(), groups.cyclic(3), groups.symmetric(3)
    product = groups.direct_product
    makers = {
        "SL(2,3)": lambda: linear_group(3, [UPPER, LOWER]),
        "GL(2,3)": lambda: linear_group(3, [UPPER, LOWER, [[1, 0], [0, 2]]]),
        "SL(2,5)": lambda: linear_group(5, [UPPER, LOWER]),
        "PSL(2,7)": lambda: linear_group(
            2, [[[0, 1, 0], [0, 0, 1], [1, 0, 0]], [[1, 1, 0], [0, 1, 0], [0, 0, 1]]]
        ),
        "Q8xQ8": lambda: product(Q8, Q8),
        "Q8xC3": lambda: product(Q8, C3),
        "Q8xS3": lambda: product(Q8, S3),
        "C3xC3": lambda: product(C3, C3),
        "S3xC4": lambda: product(S3, groups.cyclic(4)),
        "SL(2,3)xC3": lambda: product(hard("SL(2,3)"), C3),
        "SL(2,3)xQ8": lambda: product(hard("SL(2,3)"), Q8),
        "SL(2,5)xC3": lambda: product(hard("SL(2,5)"), C3),
        "D4 o Q8": lambda: central_product(groups.dihedral(4), Q8),
        "D4 o D4": lambda: central_product(groups.dihedral(4), groups.dihedral(4)),
        "SL(2,3) o C4": lambda: central_product(hard("SL(2,3)"), groups.cyclic(4)),
        "SL(2,5) o Q8": lambda: central_product(hard("SL(2,5)"), Q8),
        "SL(2,3)xC2": lambda: product(hard("SL(2,3)"), groups.cyclic(2)),
        "2O": lambda: binary_octahedral(),
        "Hol(C8)": lambda: groups.from_permutations(
            [
                [(x + 1) % 8 for x in range(8)],
                [3 * x % 8 for x in range(8)],
                [5 * x % 8 for x in range(8)],
            ]
        ),
        "C3wrC3": lambda: groups.wreath_product(C3, C3),
        "C4wrC2": lambda: groups.wreath_product(groups.cyclic(4), groups.cyclic(2)),
        "S3wrC2": lambda: groups.wreath_product(S3, groups.cyclic(2)),
        "Dic3": lambda: groups.dicyclic(3),
        "Dic6": lambda: groups.dicyclic(6),
        "D5": lambda: groups.dihedral(5),
        "A4": lambda: groups.alternating(4),
        "A5": lambda: groups.alternating(5),
        "A6": lambda: groups.alternating(6),
        "S6": lambda: groups.symmetric(6),
        "trivial": groups.trivial,
    }
    return makers[name]()


HARD = [
    *("SL(2,3)", "GL(2,3)", "SL(2,5)", "PSL(2,7)", "Q8xQ8", "Q8xC3", "Q8xS3", "C3xC3", "S3xC4"),
    *("SL(2,3)xC3", "SL(2,3)xQ8", "SL(2,5)xC3", "D4 o Q8", "D4 o D4", "SL(2,3) o C4"),
    *(
        "SL(2,3)xC2",
        "2O",
        "Hol(C8)",
        "SL(2,5) o Q8",
        "C3wrC3",
        "C4wrC2",
        "S3wrC2",
        "Dic3",
        "Dic6",
        "D5",
        "A4",
        "A5",
        "A6",
        "S6",
    ),
    "trivial",
]


def central_product(left: Group, right: Group) -> Group:
    """The direct product with the two central involutions identified."""
    first, second = (
        next(a for a in groups.centre(g).elements if g.element_orders[a] == 2)
        for g in (left, right)
    )
    both = groups.direct_product(left, right)
    return groups.quotient(both, [first * right.order + second])


def binary_octahedral() -> Group:
    """The double cover of the rotations of a cube that has one involution: SmallGroup(48, 28)."""
    big = linear_group(7, [UPPER, LOWER])
    for x in range(big.order):
        for y in range(big.order):
            if (big.element_orders[x], big.element_orders[y]) == (8, 3):
                found = big.subgroup([x, y])
                if found.order == 48:
                    return found.as_group()
    raise AssertionError("SL(2,7) contains it")
