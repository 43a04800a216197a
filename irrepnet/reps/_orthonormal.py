"""Gram-Schmidt over R, C or H."""

from __future__ import annotations

import numpy as np


def orthonormal(
    projector: np.ndarray, units: np.ndarray, chosen: list[int] | None, rank: int
) -> np.ndarray:
    """Orthonormal basis of the image of a projector over a division algebra, from its columns.

    Args:
        projector: Orthogonal projector that commutes with the algebra, `(dim, dim)`.
        units: Matrices of the algebra's basis, `(end_dim, dim, dim)`.
        chosen: Columns to take. Without an exact choice, a column is taken when its residue is
            above a share of what remains; the number of columns is exact either way.
        rank: Number of vectors.

    Returns:
        float64 `(dim, rank)`. If the choice is the greedy one, the first nonzero coordinate of each
        vector is positive and is the position of its column.

    Examples:
        >>> orthonormal(np.eye(3), np.eye(3)[None], [0, 2], 2).tolist()
        [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]
    """
    return np.stack([v for _, v in _steps(projector, units, chosen, rank)], axis=1)


def orthonormal_columns(projector: np.ndarray, units: np.ndarray, rank: int) -> list[int]:
    """The columns that `orthonormal` takes when it has no exact choice.

    Examples:
        >>> orthonormal_columns(np.diag([0.0, 1.0, 1.0]), np.eye(3)[None], 2)
        [1, 2]
    """
    return [column for column, _ in _steps(projector, units, None, rank)]


def _steps(
    projector: np.ndarray, units: np.ndarray, chosen: list[int] | None, rank: int
) -> list[tuple[int, np.ndarray]]:
    dim = len(projector)
    found: list[tuple[int, np.ndarray]] = []
    rest = np.array(projector, dtype=np.float64)
    share = np.pi / 7  # irrational, so no algebraic residue ties with it
    for column in range(dim) if chosen is None else chosen:
        remaining = len(units) * (rank - len(found))
        if remaining == 0:
            break
        if chosen is None and rest[column, column] * dim <= share * remaining:
            continue
        vector = rest[:, column] / np.sqrt(rest[column, column])
        if chosen is not None:
            vector[:column] = 0.0
        found.append((column, vector))
        for unit in units:
            rest -= np.outer(unit @ vector, unit @ vector)
    return found
