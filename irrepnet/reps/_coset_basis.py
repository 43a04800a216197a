"""The isotypic basis of a coset representation, by Frobenius reciprocity."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._fixed import fixed_vectors

#: Bases of larger coset representations are not kept (8 * 1024^2 bytes is 8 MiB).
KEPT_UP_TO = 1024


def coset_basis(
    group: Group, stabiliser: tuple[int, ...], character: tuple[int, ...] | None = None
) -> np.ndarray:
    """Isotypic basis of `R[G/H]` by Frobenius reciprocity.

    A vector `v` that `H` fixes in an irrep `rho` gives the intertwiner `R[G/H] -> rho` that sends
    coset `t H` to `rho(t) v`; orthonormal `v` give orthogonal intertwiners by Schur's lemma.

    Returns:
        float64 `(index, index)`; columns are cosets by smallest element.

    Cost:
        O(index * sum of dim^2 * copies).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.7 and 7.2.

    Examples:
        >>> from irrepnet import groups
        >>> (coset_basis(groups.flop(), (0,)) * 2**0.5).round(12).tolist()
        [[1.0, 1.0], [1.0, -1.0]]
    """
    if group.order > KEPT_UP_TO * len(stabiliser):
        return _coset_basis(group, stabiliser, character)
    return _kept_coset_basis(group, stabiliser, character)


def _coset_basis(
    group: Group, stabiliser: tuple[int, ...], character: tuple[int, ...] | None
) -> np.ndarray:
    transversal = coset_representatives(group, stabiliser)
    signs = None if character is None else np.array(character)
    blocks = []
    for irrep in group.irreps:
        vectors = fixed_vectors(irrep, stabiliser, signs)
        if vectors.shape[1]:
            moved = irrep.matrices_of(transversal) @ vectors
            scaled = moved.transpose(1, 2, 0) * np.sqrt(irrep.dim / len(transversal))
            blocks.append(scaled.reshape(-1, len(transversal)))
    basis = np.concatenate(blocks)
    basis.setflags(write=False)
    return basis


_kept_coset_basis = lru_cache(maxsize=256)(_coset_basis)


def coset_representatives(group: Group, subgroup: tuple[int, ...]) -> np.ndarray:
    """Smallest element of each left coset, sorted."""
    smallest = np.full(group.order, group.order)
    for h in subgroup:
        smallest = np.minimum(smallest, group.right_multiply(h))
    return np.unique(smallest)
