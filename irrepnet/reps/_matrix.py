"""Representations from matrices that a user gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from irrepnet._errors import RepresentationError
from irrepnet.groups import Group
from irrepnet.reps._permutation import spanning_tree
from irrepnet.reps._representation import MatrixRepresentation


def from_matrices(group: Group, matrices: Any) -> MatrixRepresentation:
    """A representation from matrices of all elements, or of the generators only.

    Args:
        group: The group.
        matrices: Shape `(order, dim, dim)`; or a dict from generator to matrix, or a list in the
            order of `group.generators`.

    Raises:
        RepresentationError: If they do not multiply as the group does.

    Cost:
        O(order * dim^3 * generators).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.1.

    Examples:
        >>> from irrepnet import groups
        >>> from_matrices(groups.flop(), {1: [[0, 1], [1, 0]]}).decompose()
        <Decomposition over flop: 1*sym + 1*asym>
    """
    if isinstance(matrices, dict):
        matrices = [matrices[g] for g in group.generators if g in matrices]
    array = np.asarray(matrices, dtype=np.float64)
    expected = (group.order, len(group.generators))
    if array.ndim != 3 or array.shape[1] != array.shape[2] or len(array) not in expected:
        raise RepresentationError(
            f"got matrices of shape {array.shape}: expected ({group.order}, dim, dim), or one "
            f"square matrix for each generator {group.generators}."
        )
    if len(array) != group.order:
        full = np.tile(np.eye(array.shape[1]), (group.order, 1, 1))
        for i, parents, children in spanning_tree(group):
            full[children] = array[i] @ full[parents]
        array = full
    scale = max(1.0, float(np.abs(array).max(initial=0.0)) ** 2)
    for g in (0, *group.generators):
        error = np.abs(array[g] @ array - array[group.left_multiply(g)]).max(initial=0.0)
        if error > 1e-8 * scale:
            raise RepresentationError(
                f"got matrices that do not multiply as {group.name} does: at element {g} the "
                f"error is {error:.3g}; expected matrices[g] @ matrices[a] == "
                "matrices[G.multiply(g, a)] for every element a."
            )
    return MatrixRepresentation(group, array)
