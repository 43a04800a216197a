"""Characters modulo a prime in closed form: abelian groups, direct products, symmetric groups."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._modular import splitting_prime
from irrepnet.reps._twists import exponent_of


def table_prime(group: Group) -> tuple[int, int]:
    """A prime that splits the group and exceeds four times every degree, and a root."""
    return splitting_prime(exponent_of(group), 4 * math.isqrt(group.order) + 64)


def product_characters(
    left: Group, right: Group, group: Group, up_to_twists: bool = False
) -> tuple[int, int, np.ndarray]:
    """Characters of `direct_product(left, right)`: products of the factors' characters.

    Class `(i, j)` is class `i * classes of right + j` because `(a, b)` is element `a * order of
    right + b`.

    Args:
        left: The first factor.
        right: The second factor.
        group: Their product.
        up_to_twists: Leave out linear and Galois twists of others.

    Cost:
        O(characters * classes).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 3.2, Thm. 10.

    Examples:
        >>> from irrepnet import groups
        >>> S3 = groups.symmetric(3)
        >>> residues = product_characters(S3, S3, groups.direct_product(S3, S3))[2]
        >>> sorted(residues[:, 0].tolist())
        [1, 1, 1, 1, 2, 2, 2, 2, 4]
    """
    p, root = table_prime(group)
    first, second = (g.character_table for g in (left, right))
    if not up_to_twists:
        return p, root, np.kron(first.modulo(p, root), second.modulo(p, root)) % p
    # A Galois automorphism moves both factors, so one of them goes without its conjugates.
    one, two = first.eigenvalues, second.eigenvalues
    if one.twists.num_conjugated * len(two.bases) <= len(one.bases) * two.twists.num_conjugated:
        rows = one.conjugated_modulo(p, root), two.bases_modulo(p, root)
    else:
        rows = one.bases_modulo(p, root), two.conjugated_modulo(p, root)
    return p, root, np.kron(*rows) % p


def symmetric_characters(group: Group, n: int) -> tuple[int, int, np.ndarray]:
    """Characters of the symmetric group on `n` points, by the Murnaghan-Nakayama rule.

    Cost:
        One removal of a rim hook per hook, partition and cycle type; values are kept.

    References:
        James and Kerber, *The Representation Theory of the Symmetric Group*, sec. 2.4.

    Examples:
        >>> from irrepnet import groups
        >>> p, _, residues = symmetric_characters(groups.symmetric(4), 4)
        >>> sorted(residues[:, 0].tolist())
        [1, 1, 2, 3, 3]
    """
    types = [cycle_type(group.permutation(c.representative)) for c in group.conjugacy_classes]
    table = [[rim_hooks(shape, kind) for kind in types] for shape in partitions(n)]
    p, root = table_prime(group)
    return p, root, np.array(table, dtype=np.int64) % p


def cycle_type(permutation: tuple[int, ...]) -> tuple[int, ...]:
    """Cycle lengths of a permutation, longest first.

    Examples:
        >>> cycle_type((1, 0, 2))
        (2, 1)
    """
    seen, lengths = set(), []
    for start in range(len(permutation)):
        length, point = 0, start
        while point not in seen:
            seen.add(point)
            point, length = permutation[point], length + 1
        if length:
            lengths.append(length)
    return tuple(sorted(lengths, reverse=True))


def partitions(n: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    """Partitions of `n` into parts of at most `largest`, lexicographically last first.

    Examples:
        >>> list(partitions(3))
        [(3,), (2, 1), (1, 1, 1)]
    """
    if n == 0:
        yield ()
    for part in range(min(n, largest or n), 0, -1):
        for rest in partitions(n - part, part):
            yield (part, *rest)


@lru_cache(maxsize=1 << 16)
def rim_hooks(shape: tuple[int, ...], kind: tuple[int, ...]) -> int:
    """Value of the irreducible character of a partition on a cycle type.

    Removing a rim hook of length `k` moves one bead of the partition's beta-set by `k`; the sign
    is the number of beads it passes.

    References:
        James and Kerber, *The Representation Theory of the Symmetric Group*, sec. 2.4 and 2.7.

    Examples:
        >>> rim_hooks((2, 1), (3,)), rim_hooks((2, 2), (2, 2))
        (-1, 2)
    """
    if not kind:
        return 1
    beads = {part + len(shape) - 1 - i for i, part in enumerate(shape)}
    total, length = 0, kind[0]
    for bead in beads:
        if bead >= length and bead - length not in beads:
            passed = sum(bead - length < other < bead for other in beads)
            moved = sorted((beads - {bead}) | {bead - length}, reverse=True)
            parts = (b - (len(moved) - 1 - i) for i, b in enumerate(moved))
            smaller = tuple(part for part in parts if part)
            total += (-1) ** passed * rim_hooks(smaller, kind[1:])
    return total
