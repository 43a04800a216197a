"""The division algebras R, C and H as matrices, and the canonical commutants built of them.

A real irrep of type C or H is a space over C or H. Ours acts on `D^n` by multiplication from the
right, coordinates "component of D" outermost, so that its commutant is left multiplication,
`kron(L(q), I_n)`, with `L` the left regular representation of `D` on `1, i, j, k`.
"""

from __future__ import annotations

import numpy as np

#: Types of real irreps and the real dimension of their endomorphism algebra.
END_DIM = {"R": 1, "C": 2, "H": 4}

# Products of basis quaternions: e_a e_b = _SIGN[a][b] e_(a xor b).
_SIGN = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, -1, -1, 1], [1, 1, -1, -1]])


def left_regular(end_dim: int) -> np.ndarray:
    """Matrices of `x -> e_q x` on R, C or H, int64 of shape `(end_dim, end_dim, end_dim)`.

    Examples:
        >>> left_regular(2)[1].tolist()
        [[0, -1], [1, 0]]
        >>> one, i, j, k = left_regular(4)
        >>> bool((i @ j == k).all() and (i @ i == -one).all())
        True
    """
    matrices = np.zeros((end_dim, end_dim, end_dim), dtype=np.int64)
    for q in range(end_dim):
        for x in range(end_dim):
            matrices[q, q ^ x, x] = _SIGN[q, x]
    return matrices


def right_regular(end_dim: int) -> np.ndarray:
    """Matrices of `x -> x e_q` on R, C or H, int64 of shape `(end_dim, end_dim, end_dim)`.

    Examples:
        >>> by_i, i_by = right_regular(4)[1], left_regular(4)[1]
        >>> bool((by_i @ i_by == i_by @ by_i).all())
        True
    """
    matrices = np.zeros((end_dim, end_dim, end_dim), dtype=np.int64)
    for q in range(end_dim):
        for x in range(end_dim):
            matrices[q, q ^ x, x] = _SIGN[x, q]
    return matrices


def commutant(end_dim: int, dim: int) -> np.ndarray:
    """The canonical commutant `kron(L(e_q), I)`, float64 of shape `(end_dim, dim, dim)`.

    Examples:
        >>> commutant(2, 4)[1].astype(int).tolist()
        [[0, 0, -1, 0], [0, 0, 0, -1], [1, 0, 0, 0], [0, 1, 0, 0]]
    """
    identity = np.eye(dim // end_dim)
    return np.stack([np.kron(unit, identity) for unit in left_regular(end_dim)])
