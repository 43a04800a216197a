"""Facets of a cone: inequalities that every sum of given vectors meets."""

from __future__ import annotations

from itertools import combinations

import numpy as np

#: Hyperplanes that are tried at most; beyond that a cone is left without facets.
TRIES = 100_000


def cone_facets(rows: np.ndarray) -> np.ndarray:
    """Integer vectors `f` with `f @ row >= 0` for all rows: the facets of the cone that they span.

    Each facet is spanned by `rank - 1` of the rows, so all choices of them are tried at once. A
    facet is kept only if integers confirm it, so every one that is returned holds; a cone of too
    many rows has none.

    Args:
        rows: Non-negative integers, one generator a row, not all zero.

    Returns:
        int64 of shape `(facets, columns)`.

    Cost:
        `rank` determinants of size `rank - 1` for each choice of `rank - 1` rows.

    References:
        Ziegler, *Lectures on Polytopes*, sec. 1.1 (Weyl's theorem).

    Examples:
        >>> sorted(cone_facets(np.array([[1, 1], [1, 0]])).tolist())
        [[0, 1], [1, -1]]
    """
    columns = _independent_columns(rows)
    small, rank = rows[:, columns], len(columns)
    choices = list(combinations(range(len(rows)), rank - 1))
    if len(choices) > TRIES:
        return np.zeros((0, rows.shape[1]), dtype=np.int64)
    planes = small[np.array(choices, dtype=np.int64).reshape(len(choices), rank - 1)]
    normals = np.empty((len(choices), rank))
    for c in range(rank):  # the cross product: cofactors along a row that is not there
        minor = np.delete(planes, c, axis=2).astype(np.float64)
        normals[:, c] = (-1) ** c * (np.linalg.det(minor) if rank > 1 else 1.0)
    exact = np.rint(normals).astype(np.int64)
    sides = exact @ small.T
    upper, lower = (sides >= 0).all(axis=1), (sides <= 0).all(axis=1)
    kept = np.concatenate([exact[upper & ~lower], -exact[lower & ~upper]])
    kept //= np.gcd.reduce(kept, axis=1, initial=0)[:, None]
    full = np.zeros((len(kept), rows.shape[1]), dtype=np.int64)
    full[:, columns] = kept
    return np.unique(full, axis=0)


def _independent_columns(rows: np.ndarray) -> list[int]:
    """The first columns that are not combinations of those before."""
    found: list[int] = []
    for column in range(rows.shape[1]):
        if np.linalg.matrix_rank(rows[:, [*found, column]]) > len(found):
            found.append(column)
    return found
