"""`L D L*` of Hermitian matrices, exactly in a cyclotomic field and modulo a prime."""

from __future__ import annotations

import numpy as np

from irrepnet.reps._cyclotomic import Cyclotomic


class BadPrimeError(Exception):
    """A leading minor vanishes modulo a prime, though not in characteristic 0."""


def ldl(gram: Cyclotomic) -> tuple[Cyclotomic, Cyclotomic]:
    """`L^-1` and the diagonal of `D` with `gram = L D L*`.

    Args:
        gram: Positive definite Hermitian, shape `(n, n)`.

    Returns:
        Unit lower triangular `(n, n)` and positive `(n,)`.

    Cost:
        O(n^3) products in the field, vectorised over two of the three indices.

    References:
        Golub and Van Loan, *Matrix Computations*, sec. 4.1.2.

    Examples:
        >>> lower, diagonal = ldl(Cyclotomic(1, np.array([[[2], [1]], [[1], [2]]])))
        >>> lower.to_sympy().tolist(), diagonal.to_sympy().tolist()
        ([[1, 0], [-1/2, 1]], [[2], [3/2]])
    """
    n = gram.shape[0]
    one = np.zeros((n, n, gram.numerators.shape[-1]), dtype=np.int64)
    one[np.arange(n), np.arange(n), 0] = 1
    rows = [gram[i] for i in range(n)]
    lower = [Cyclotomic(gram.order, one[i]) for i in range(n)]
    for k in range(n - 1):
        inverse = rows[k][k].inverse()
        for i in range(k + 1, n):
            factor = rows[i][k]
            if factor.is_zero():
                continue
            factor = (factor * inverse)[None]
            rows[i] = rows[i] - factor * rows[k]
            lower[i] = lower[i] - factor * lower[k]
    return Cyclotomic.stack(lower), Cyclotomic.stack([rows[i][i] for i in range(n)])


def ldl_modulo(gram: np.ndarray, p: int) -> tuple[np.ndarray, np.ndarray]:
    """`L^-1` and the diagonal of `D` modulo a prime.

    Raises:
        BadPrimeError: If a leading minor vanishes.

    Cost:
        O(n^3).

    Examples:
        >>> lower, diagonal = ldl_modulo(np.array([[2, 1], [1, 2]]), 7)
        >>> lower.tolist(), diagonal.tolist()
        ([[1, 0], [3, 1]], [2, 5])
    """
    n = len(gram)
    work = np.concatenate([gram % p, np.eye(n, dtype=np.int64)], axis=1)
    for k in range(n):
        if work[k, k] == 0:
            raise BadPrimeError(f"minor {k + 1} vanishes modulo {p}")
        factors = work[k + 1 :, k] * pow(int(work[k, k]), -1, p) % p
        work[k + 1 :] = (work[k + 1 :] - factors[:, None] * work[k]) % p
    return work[:, n:], work[np.arange(n), np.arange(n)]
