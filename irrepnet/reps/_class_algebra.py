"""Character tables by Dixon's modular method, in its Krylov form."""

from __future__ import annotations

import math
from itertools import count

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._modular import multiply, root_powers, solve, splitting_prime

#: Residues that are tried as roots at once.
CHUNK = 1 << 15


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
    representatives = np.array([c.representative for c in group.conjugacy_classes])
    longest = max(c.element_order for c in group.conjugacy_classes)
    powers = np.zeros((len(representatives), longest), dtype=np.int64)
    for exponent in range(1, longest):
        powers[:, exponent] = group.products(powers[:, exponent - 1], representatives)
    return group.class_labels[powers]


def characters_modulo(group: Group, p: int, powers: np.ndarray) -> np.ndarray | None:
    """Irreducible characters modulo `p`, shape `(irreps, classes)`, in no particular order.

    The class algebra over `GF(p)` is a product of fields. A random-looking element `a` has the unit
    as a cyclic vector, so its minimal polynomial `m` has one root per character, and all central
    idempotents are Lagrange polynomials in `a`: one Krylov basis, one solve, one product.

    Returns:
        None if `p` is too small to separate the characters, whichever element is tried.

    Cost:
        O(order * classes + classes^3 + p * classes).

    References:
        Dixon, "High speed computation of group characters", Numer. Math. 10 (1967);
        Holt, Eick and O'Brien, *Handbook of Computational Group Theory*, sec. 7.7.
    """
    num_classes, order = len(group.conjugacy_classes), group.order
    structure = _structure(group)
    for attempt in range(8):
        weights = np.random.default_rng(attempt).integers(1, p, num_classes)
        matrix = _multiplication_matrix(group, structure, weights, p)
        idempotents = _idempotents(matrix, p)
        if idempotents is not None:
            break
    else:
        return None
    # e_chi = chi(1)/|G| sum_t chi(t^-1) K_t, so its coefficient at the unit is chi(1)^2 / |G|.
    squares = idempotents[0] * order % p
    degree_of = {d * d % p: d for d in range(1, math.isqrt(order) + 1) if order % d == 0}
    degrees = np.array([degree_of[int(s)] for s in squares])
    scale = np.array([order * pow(int(d), -1, p) % p for d in degrees])
    at_inverse = idempotents.T * scale[:, None] % p
    inverse_class = group.class_labels[
        group.inverses[[c.representative for c in group.conjugacy_classes]]
    ]
    return at_inverse[:, inverse_class]


def _structure(group: Group) -> np.ndarray:
    """`[x, t]`: class of `x^-1 z_t`, shape `(order, classes)`."""
    representatives = np.array([c.representative for c in group.conjugacy_classes])
    return group.class_labels[group.products(group.inverses[:, None], representatives)]


def _multiplication_matrix(
    group: Group, structure: np.ndarray, weights: np.ndarray, p: int
) -> np.ndarray:
    """Matrix of multiplication by `sum_r weights_r K_r` on class sums, modulo `p`."""
    num_classes = structure.shape[1]
    flat = structure + num_classes * np.arange(num_classes)
    # (x, y) with x in C_r, y in C_s and x y = z_t: one for each x, with y = x^-1 z_t.
    weight = np.broadcast_to(weights[group.class_labels][:, None], flat.shape)
    sums = np.bincount(flat.ravel(), weight.ravel().astype(float), num_classes**2)
    return np.mod(sums, p).astype(np.int64).reshape(num_classes, num_classes)


def _idempotents(matrix: np.ndarray, p: int) -> np.ndarray | None:
    """Primitive idempotents as columns, or None if the unit is not cyclic for `matrix`."""
    size = len(matrix)
    krylov = np.zeros((size, size + 1), dtype=np.int64)
    krylov[0, 0] = 1
    for i in range(size):
        krylov[:, i + 1] = multiply(matrix, krylov[:, i], p)
    relation = solve(krylov[:, :size], krylov[:, size:], p)
    if relation is None:
        return None
    coefficients = np.append(-relation[:, 0] % p, 1)  # minimal polynomial, constant term first
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


def eigenvalue_multiplicities(
    residues: np.ndarray, powers: np.ndarray, orders: np.ndarray, p: int, root: int
) -> list[np.ndarray]:
    """Lift characters class by class: `[t][chi, j]` counts the eigenvalue `zeta_o^j` of `z_t`.

    The values of a character on the powers of one element of order `o` are a Fourier transform of
    these counts, so no class needs the group's exponent, only its own order.

    Cost:
        O(irreps * o^2) per class of cyclic subgroups.

    References:
        Dixon (1967); Isaacs, *Character Theory of Finite Groups*, Lemma 2.15.
    """
    lifted: list[np.ndarray] = [np.empty(0)] * len(orders)
    for order in map(int, np.unique(orders)):
        units = [a for a in range(order) if math.gcd(a, order) == 1] or [0]
        # The powers z^a, a prime to o, permute the counts of z: one transform serves them all.
        firsts = [t for t in np.flatnonzero(orders == order) if t == powers[t, units].min()]
        exponents = np.outer(np.arange(order), np.arange(order)) * (order - 1) % order
        transform = root_powers(p, root, order)[exponents]
        values = residues[:, powers[firsts, :order]].reshape(-1, order)
        counts = multiply(values, transform, p) * pow(order, -1, p) % p
        counts = counts.reshape(len(residues), len(firsts), order)
        for i, t in enumerate(firsts):
            for a in units:
                image = powers[t, a]
                if not lifted[image].size:
                    moved = np.empty_like(counts[:, i])
                    moved[:, a * np.arange(order) % order] = counts[:, i]
                    lifted[image] = moved
    return lifted


def dixon(group: Group) -> tuple[int, int, np.ndarray]:
    """A prime, a primitive root, and the irreducible characters modulo that prime.

    Cost:
        See `characters_modulo`; the prime is about `8 * classes^2`.

    Examples:
        >>> from irrepnet import groups
        >>> p, _, residues = dixon(groups.symmetric(3))
        >>> sorted(residues[:, 0].tolist())
        [1, 1, 2]
    """
    orders = [c.element_order for c in group.conjugacy_classes]
    exponent = math.lcm(4, *orders)
    bound = max(2 * math.isqrt(group.order) + 2, 8 * len(orders) ** 2, 64)
    powers = power_classes(group)
    for _ in count():
        p, root = splitting_prime(exponent, bound)
        residues = characters_modulo(group, p, powers)
        if residues is not None:
            return p, root, residues
        bound = p
    raise AssertionError("unreachable: large primes separate all characters")
