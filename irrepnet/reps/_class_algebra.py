"""Characters modulo a prime from the algebra of class functions: Dixon's method in Krylov form."""

from __future__ import annotations

import math
from itertools import count

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._modular import multiply, splitting_prime

#: Residues that are tried as roots at once.
CHUNK = 1 << 15

#: Random elements of the algebra that are tried at one prime.
ATTEMPTS = 8


def power_classes(group: Group) -> np.ndarray:
    """Class of each power of each class: `[t, l]` is the class of `z_t^l`, `l < exponent-ish`.

    Returns:
        int64 of shape `(classes, largest element order)`; powers repeat with the class's order.

    Cost:
        O(classes * largest element order).

    Examples:
        >>> from irrepnet import groups
        >>> power_classes(groups.cyclic(3)).tolist()
        [[0, 0, 0], [0, 1, 2], [0, 2, 1]]
    """
    step = np.array([c.representative for c in group.conjugacy_classes])
    longest = max(c.element_order for c in group.conjugacy_classes)
    powers = np.zeros((len(step), 1), dtype=np.int64)
    while powers.shape[1] < longest:
        powers = np.hstack([powers, group.products(powers, step[:, None])])
        step = group.products(step, step)
    return group.class_labels[powers[:, :longest]]


def split_algebra(
    labels: np.ndarray, structure: np.ndarray, p: int, phases: tuple[np.ndarray, np.ndarray] | None
) -> np.ndarray | None:
    """Irreducible characters modulo `p` on class representatives, in no particular order.

    Class functions on a group `Q` of order `m` form an algebra under convolution, over `GF(p)` a
    product of fields. A random-looking element `a` has the unit as a cyclic vector, so its minimal
    polynomial has one root per character, and all primitive idempotents are Lagrange polynomials
    in `a`. The idempotent of `chi` has the value `chi(1) conj(chi(z)) / m` at `z`; conjugation only
    permutes the characters. With phases the functions are those on a group `T` with `f(x a) = f(x)
    lambda(a)` for a normal subgroup `A` with `T/A = Q` and an invariant linear character `lambda`.

    Args:
        labels: Class of every element of `Q`, -1 where all functions vanish; shape `(m,)`.
        structure: `[x, t]`, class of `x^-1 z_t`, or -1; shape `(m, classes)`.
        p: A prime that splits the group and exceeds twice every degree.
        phases: Value at every `x`, and at every `x^-1 z_t`, of the class function that is 1 at the
            representative of the class; all 1 if None.

    Returns:
        `[chi, t]`, int64 `(classes, classes)`; None if `p` is too small to separate the characters.

    Cost:
        O(m * classes + classes^3 + p * classes).

    References:
        Dixon, "High speed computation of group characters", Numer. Math. 10 (1967);
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 7.7.
    """
    order, size = structure.shape
    flat = np.where(structure >= 0, structure + size * np.arange(size), size * size).ravel()
    for attempt in range(ATTEMPTS):
        weights = np.append(np.random.default_rng(attempt).integers(1, p, size), 0)
        # (x, y) with x y = z_t: one for each x, with y = x^-1 z_t.
        terms = np.broadcast_to(weights[labels][:, None], structure.shape)
        if phases is not None:
            terms = terms * phases[0][:, None] % p * phases[1] % p
        sums = np.bincount(flat, terms.ravel().astype(float), size * size + 1)[:-1]
        matrix = np.mod(sums, p).astype(np.int64).reshape(size, size)
        idempotents = _idempotents(matrix, p)
        if idempotents is not None:
            break
    else:
        return None
    # At the unit it is chi(1)^2 / m; degrees are below p/2, so their squares differ.
    degree_of = {d * d % p: d for d in range(1, math.isqrt(order) + 1)}
    degrees = [degree_of[int(s)] for s in idempotents[0] * order % p]
    scale = np.array([order * pow(d, -1, p) % p for d in degrees])
    return idempotents.T * scale[:, None] % p


def _idempotents(matrix: np.ndarray, p: int) -> np.ndarray | None:
    """Primitive idempotents as columns, or None if the unit is not cyclic for `matrix`."""
    size = len(matrix)
    krylov = np.zeros((size, 1), dtype=np.int64)
    krylov[0, 0] = 1
    power = matrix
    while krylov.shape[1] < 2 * size:
        krylov = np.hstack([krylov, multiply(power, krylov, p)])
        power = multiply(power, power, p)
    functional = np.random.default_rng(size).integers(1, p, size)
    coefficients = minimal_polynomial(multiply(functional[None], krylov, p)[0, : 2 * size], p)
    if len(coefficients) <= size:
        return None
    roots = _roots(coefficients, p)
    if len(roots) < size:
        return None
    quotients = np.zeros((size, size), dtype=np.int64)  # [power, root]: m(x) / (x - root)
    quotients[size - 1] = 1
    for i in range(size - 1, 0, -1):
        quotients[i - 1] = (coefficients[i] + roots * quotients[i]) % p
    derivative = np.zeros(size, dtype=np.int64)
    for row in quotients[::-1]:
        derivative = (derivative * roots + row) % p
    inverse = np.array([pow(int(d), -1, p) for d in derivative])
    return multiply(krylov[:, :size], quotients * inverse % p, p)


def minimal_polynomial(sequence: np.ndarray, p: int) -> np.ndarray:
    """The shortest linear recurrence of a sequence modulo `p`, constant term first and monic.

    Cost:
        O(length^2).

    References:
        Massey, "Shift-register synthesis and BCH decoding", IEEE Trans. Inform. Theory 15 (1969).

    Examples:
        >>> minimal_polynomial(np.array([0, 1, 1, 2, 3, 5]), 101).tolist()
        [100, 100, 1]
    """
    size = len(sequence) // 2 + 2
    backwards = np.concatenate([sequence[::-1], np.zeros(size, dtype=np.int64)])
    connection, previous = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    connection[0] = previous[0] = 1
    length, gap, last = 0, 1, 1
    for n in range(len(sequence)):
        start = len(sequence) - 1 - n
        window = backwards[start : start + length + 1]
        error = int((connection[: length + 1] * window % p).sum() % p)
        if error:
            saved = connection.copy()
            factor = error * pow(last, -1, p) % p
            connection[gap:] = (connection[gap:] - factor * previous[: size - gap]) % p
            if 2 * length <= n:
                length, previous, last, gap = n + 1 - length, saved, error, 0
        gap += 1
    return connection[: length + 1][::-1].copy()


def _roots(coefficients: np.ndarray, p: int) -> np.ndarray:
    """Roots in GF(p), by evaluation at every residue: baby steps by products, then giant ones."""
    step = max(1, math.isqrt(len(coefficients)))
    padded = np.pad(coefficients, (0, -len(coefficients) % step)).reshape(-1, step).T
    found = []
    for start in range(0, p, CHUNK):
        x = np.arange(start, min(start + CHUNK, p))
        powers = np.ones((len(x), step), dtype=np.int64)
        for i in range(1, step):
            powers[:, i] = powers[:, i - 1] * x % p
        giant = powers[:, -1] * x % p
        value = np.zeros(len(x), dtype=np.int64)
        for part in multiply(powers, padded, p).T[::-1]:
            value = (value * giant + part) % p
        found.append(x[value == 0])
    return np.concatenate(found)


def dixon(group: Group) -> tuple[int, int, np.ndarray]:
    """A prime, a primitive root, and the irreducible characters modulo that prime.

    Cost:
        See `split_algebra`; the prime is about `8 * classes^2`.

    Examples:
        >>> from irrepnet import groups
        >>> p, _, residues = dixon(groups.symmetric(3))
        >>> sorted(residues[:, 0].tolist())
        [1, 1, 2]
    """
    orders = [c.element_order for c in group.conjugacy_classes]
    representatives = np.array([c.representative for c in group.conjugacy_classes])
    structure = group.class_labels[group.products(group.inverses[:, None], representatives)]
    bound = max(4 * math.isqrt(group.order) + 2, 8 * len(orders) ** 2, 64)
    for _ in count():
        p, root = splitting_prime(math.lcm(4, *orders), bound)
        residues = split_algebra(group.class_labels, structure, p, None)
        if residues is not None:
            return p, root, residues
        bound = p
    raise AssertionError("unreachable: large primes separate all characters")
