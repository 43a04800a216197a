"""Tables of cyclotomic fields: bases, embeddings, Galois action, conductors."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from sympy import primefactors, proper_divisors


@lru_cache(maxsize=512)
def cyclotomic_polynomial(n: int) -> tuple[int, ...]:
    """Coefficients of `Phi_n`, constant term first: `x^n - 1` over those of proper divisors.

    Examples:
        >>> cyclotomic_polynomial(6)
        (1, -1, 1)
    """
    radical = math.prod(primefactors(n))
    if radical < n:  # Phi_n(x) = Phi_r(x^(n/r))
        spread = [0] * ((len(cyclotomic_polynomial(radical)) - 1) * (n // radical) + 1)
        spread[:: n // radical] = cyclotomic_polynomial(radical)
        return tuple(spread)
    quotient = [-1] + [0] * (n - 1) + [1]
    for d in proper_divisors(n):
        divisor = cyclotomic_polynomial(d)
        for i in range(len(quotient) - len(divisor) + 1):  # from below: constant terms are units
            c = quotient[i] = quotient[i] * divisor[0]
            for j in range(1, len(divisor)):
                quotient[i + j] -= c * divisor[j]
        quotient = quotient[: len(quotient) - len(divisor) + 1]
    return tuple(quotient)


@lru_cache(maxsize=512)
def reduction(n: int) -> np.ndarray:
    """Powers of `zeta_n` in the basis `1, zeta, ..., zeta^(phi(n)-1)`, int64 `(n, phi(n))`.

    References:
        Washington, *Introduction to Cyclotomic Fields*, Thm. 2.5.

    Examples:
        >>> reduction(3).tolist()
        [[1, 0], [0, 1], [-1, -1]]
    """
    tail = -np.array(cyclotomic_polynomial(n)[:-1], dtype=np.int64)
    degree = len(tail)
    table = np.zeros((n, degree), dtype=np.int64)
    table[0, 0] = 1
    for k in range(1, n):
        table[k, 1:] = table[k - 1, :-1]
        table[k] += table[k - 1, -1] * tail
    table.setflags(write=False)
    return table


@lru_cache(maxsize=512)
def embedding(m: int, n: int) -> np.ndarray:
    """Basis of `Q(zeta_m)` written in `Q(zeta_n)`, `m | n`: int64 `(phi(m), phi(n))`.

    Examples:
        >>> embedding(1, 4).tolist(), embedding(2, 4).tolist()
        ([[1, 0]], [[1, 0]])
    """
    return reduction(n)[np.arange(reduction(m).shape[1]) * (n // m)]


@lru_cache(maxsize=2048)
def galois_matrix(n: int, a: int) -> np.ndarray:
    """Matrix of `zeta -> zeta^a` on coefficient rows, int64 `(phi(n), phi(n))`.

    Examples:
        >>> galois_matrix(4, 3).tolist()
        [[1, 0], [0, -1]]
    """
    return reduction(n)[np.arange(reduction(n).shape[1]) * a % n]


def conductor(n: int, vectors: np.ndarray) -> tuple[int, np.ndarray]:
    """The smallest cyclotomic field that holds all given numbers of `Q(zeta_n)`.

    Leaves out one prime at a time: intersections of cyclotomic fields are cyclotomic, so the order
    does not matter.

    Args:
        n: Order of the field they are written in.
        vectors: Integer coefficients, shape `(..., phi(n))`.

    Returns:
        `m`, never 2 modulo 4, and the coefficients in `Q(zeta_m)`.

    References:
        Washington, *Introduction to Cyclotomic Fields*, Prop. 2.4.

    Examples:
        >>> m, inner = conductor(6, np.array([[2, 0], [-1, 0]]))
        >>> m, inner.tolist()
        (1, [[2], [-1]])
    """
    vectors = np.asarray(vectors)
    smaller = True
    while smaller and n > 1:
        smaller = False
        for p in primefactors(n):
            inner = _descend(n, int(p), vectors)
            if inner is not None:
                n, vectors, smaller = n // int(p), inner, True
                break
    return n, vectors


def _descend(n: int, p: int, vectors: np.ndarray) -> np.ndarray | None:
    """Coefficients in `Q(zeta_(n/p))`, or None if some number is not in it."""
    q, exponents = n // p, np.arange(vectors.shape[-1])
    if q % p == 0:  # Phi_n(x) = Phi_q(x^p): the subfield is spanned by the powers of zeta^p
        return None if vectors[..., exponents % p != 0].any() else vectors[..., ::p]
    # zeta_n^j = zeta_p^i zeta_q^k; over Q(zeta_q) the only relation is sum_i zeta_p^i = 0.
    table = np.zeros((p, len(exponents), reduction(q).shape[1]), dtype=np.int64)
    first, second = exponents * pow(q, -1, p) % p, exponents * pow(p, -1, q) % q
    table[first, exponents] = reduction(q)[second]
    parts = np.stack([vectors @ rows for rows in table])
    return parts[0] - parts[1] if (parts[1:] == parts[1]).all() else None
