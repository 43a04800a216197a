"""Isotypic basis of a matrix representation, by averaging over the group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from irrepnet._errors import RepresentationError
from irrepnet.groups import Group
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._decomposition import DenseBasis
from irrepnet.reps._exact import orthogonal
from irrepnet.reps._field_matrices import one_field
from irrepnet.reps._irrep import Irrep
from irrepnet.reps._orthonormal import orthonormal, orthonormal_columns

FieldForm = Callable[[np.ndarray], tuple[Cyclotomic, Cyclotomic]]


class AveragedBasis(DenseBasis):
    """Orthonormal isotypic basis of an orthogonal representation, from projected basis vectors.

    Args:
        group: The group.
        matrices: Orthogonal matrices of all elements, `(order, dim, dim)`.
        multiplicities: Copies of each irrep.
        field_form: The matrices without square roots, for the exact basis; may raise.

    Raises:
        RepresentationError: If the matrices are not orthogonal.

    Cost:
        O(order * dim^2 * sum of irrep dimensions that occur).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.7, Prop. 8.
    """

    def __init__(
        self,
        group: Group,
        matrices: np.ndarray,
        multiplicities: tuple[int, ...],
        field_form: FieldForm,
    ) -> None:
        check_orthogonal(group, matrices)
        self._parts = [
            (irrep, m) for irrep, m in zip(group.irreps, multiplicities, strict=True) if m
        ]
        self._field_form, self._group = field_form, group
        blocks = [_block(matrices, irrep, m) for irrep, m in self._parts]
        self._columns = [columns for columns, _ in blocks]
        empty = np.zeros((0, matrices.shape[-1]))
        super().__init__(np.concatenate([empty, *(block for _, block in blocks)]))

    def exact(self) -> tuple[Any, list[Any]]:
        """`Q` and `b` with `U = diag(b)^(-1/2) Q`.

        Natural coordinates may need square roots themselves; these are left in `Q`.
        """
        elements = np.arange(self._group.order)
        form, scales = self._field_form(elements)
        roots = [1 / sympy.sqrt(scale.to_sympy()) for scale in scales]
        rows: list[list[Any]] = []
        squares: list[Any] = []
        for (irrep, _), columns in zip(self._parts, self._columns, strict=True):
            vectors, lengths, diagonal = _exact_block(form, scales, irrep, columns)
            for k, moved in enumerate(vectors):
                entries = moved.to_sympy()
                for c in range(len(columns)):
                    square = (lengths[c] * diagonal[k] * diagonal[0].inverse()).to_sympy()
                    squares.append(sympy.expand(square))
                    rows.append([entries[i, c] * root for i, root in enumerate(roots)])
        return sympy.SparseMatrix(sympy.Matrix(rows)), squares


def check_orthogonal(group: Group, matrices: np.ndarray) -> None:
    """Refuse matrices that are not orthogonal.

    Raises:
        RepresentationError: If they are not.
    """
    eye = np.eye(matrices.shape[-1])
    errors = [np.abs(matrices[g] @ matrices[g].T - eye).max(initial=0) for g in group.generators]
    if max(errors, default=0.0) > 1e-8:
        raise RepresentationError(
            f"cannot decompose a representation by matrices that are not orthogonal (error "
            f"{max(errors):.3g}): expected M @ M.T == I for every element. Change the basis first: "
            "with B = mean of M.T @ M over the group and B = L @ L.T, use L.T @ M @ inv(L.T)."
        )


def _block(matrices: np.ndarray, irrep: Irrep, multiplicity: int) -> tuple[list[int], np.ndarray]:
    """Chosen columns, and rows of one irrep: `component * multiplicity + copy`.

    `p_k = d/|G| sum_g rho(g)[k, 0] V(g)` sends the image of `e_0` in each copy to that of `e_k`.
    """
    scale = irrep.dim / len(matrices)
    transfer = scale * np.tensordot(irrep.matrices[:, :, 0].T, matrices, axes=1)
    units = transfer[:: irrep.dim // irrep.end_dim]
    columns = orthonormal_columns(transfer[0], units, multiplicity)
    first = orthonormal(transfer[0], units, None, multiplicity)
    return columns, (transfer @ first).transpose(0, 2, 1).reshape(-1, matrices.shape[-1])


def _exact_block(
    form: Cyclotomic, scales: Cyclotomic, irrep: Irrep, columns: list[int]
) -> tuple[list[Cyclotomic], Cyclotomic, Cyclotomic]:
    """The same in the field: per component, the vectors as columns; lengths; the irrep's scales."""
    own, diagonal, _ = irrep.field_form(np.arange(form.shape[0]))
    form, scales, own, diagonal = one_field(form, scales, own, diagonal)
    flat = Cyclotomic(
        form.order,
        form.numerators.reshape(form.shape[0], -1, own.numerators.shape[-1]),
        form.denominator,
    )
    share = Cyclotomic(1, np.array([irrep.dim]), form.shape[0]).embed(form.order)
    transfer = []
    for k in range(irrep.dim):
        total = (own[:, k, 0][None] @ flat) * share
        numerators = total.numerators.reshape(*form.shape[1:], -1)
        transfer.append(Cyclotomic(form.order, numerators, total.denominator))
    units = transfer[:: irrep.dim // irrep.end_dim]
    vectors, lengths = orthogonal([transfer[0][:, c] for c in columns], units, scales)
    return [matrix @ vectors for matrix in transfer], lengths, diagonal
