"""Isotypic basis of a matrix representation, by averaging over the group."""

from __future__ import annotations

import numpy as np

from irrepnet._errors import RepresentationError
from irrepnet.groups import Group
from irrepnet.reps._irrep import Irrep
from irrepnet.reps._orthonormal import orthonormal


def averaged_basis(
    group: Group, matrices: np.ndarray, multiplicities: tuple[int, ...]
) -> np.ndarray:
    """Orthonormal isotypic basis of an orthogonal representation, rows isotypic.

    Args:
        group: The group.
        matrices: Orthogonal matrices of all elements, `(order, dim, dim)`.
        multiplicities: Copies of each irrep.

    Raises:
        RepresentationError: If the matrices are not orthogonal.

    Cost:
        O(order * dim^2 * sum of irrep dimensions that occur).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.7, Prop. 8.
    """
    dim = matrices.shape[-1]
    error = max(
        (
            np.abs(matrices[g] @ matrices[g].T - np.eye(dim)).max(initial=0.0)
            for g in group.generators
        ),
        default=0.0,
    )
    if error > 1e-8:
        raise RepresentationError(
            f"cannot decompose a representation by matrices that are not orthogonal (error "
            f"{error:.3g}): expected M @ M.T == I for every element. Change the basis first: with "
            "B = mean of M.T @ M over the group and B = L @ L.T, use L.T @ M @ inv(L.T)."
        )
    blocks = [
        _block(matrices, irrep, m)
        for irrep, m in zip(group.irreps, multiplicities, strict=True)
        if m
    ]
    return np.concatenate(blocks) if blocks else np.zeros((0, dim))


def _block(matrices: np.ndarray, irrep: Irrep, multiplicity: int) -> np.ndarray:
    """Rows of one irrep: `component * multiplicity + copy`.

    `p_k = d/|G| sum_g rho(g)[k, 0] V(g)` sends the image of `e_0` in each copy to that of `e_k`.
    """
    scale = irrep.dim / len(matrices)
    transfer = scale * np.tensordot(irrep.matrices[:, :, 0].T, matrices, axes=1)
    units = transfer[:: irrep.dim // irrep.end_dim]
    first = orthonormal(transfer[0], units, None, multiplicity)
    return (transfer @ first).transpose(0, 2, 1).reshape(-1, matrices.shape[-1])
