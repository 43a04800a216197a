"""Fixed vectors of a subgroup in an irrep: the other side of Frobenius reciprocity."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups import Group, Subgroup
from irrepnet.reps._irrep import Irrep
from irrepnet.reps._modular import lcm, pivot_columns, splitting_prime
from irrepnet.reps._orthonormal import orthonormal


def subgroup_elements(group: Group, subgroup: object) -> tuple[int, ...]:
    """Sorted elements of a subgroup, given as one or as its elements.

    Raises:
        GroupError: If the elements are not a subgroup.

    Examples:
        >>> from irrepnet import groups
        >>> subgroup_elements(groups.cyclic(4), [2, 0])
        (0, 2)
    """
    if isinstance(subgroup, Subgroup) and subgroup.parent == group:
        return subgroup.elements
    if isinstance(subgroup, Group | Subgroup) or not isinstance(subgroup, Iterable):
        raise GroupError(
            f"got {subgroup!r} as a subgroup of {group.name}: expected its elements, or "
            "G.subgroup(generators)."
        )
    return _checked(group, tuple(sorted({int(a) for a in subgroup})))


@lru_cache(maxsize=1024)
def _checked(group: Group, elements: tuple[int, ...]) -> tuple[int, ...]:
    members = np.array(elements, dtype=np.int64)
    good = len(members) > 0 and members[0] == 0 and members[-1] < group.order
    if good:
        inside = np.zeros(group.order, dtype=bool)
        inside[members] = True
        good = all(inside[group.products(a, members)].all() for a in members)
    if not good:
        raise GroupError(
            f"{elements} is not a subgroup of {group.name}: expected the identity 0 and every "
            "product of two members. Use G.subgroup(generators) to generate one."
        )
    return elements


def num_fixed(irrep: Irrep, subgroup: tuple[int, ...], signs: np.ndarray | None = None) -> int:
    """Dimension over the irrep's division algebra of the fixed vectors, exactly.

    It is also the multiplicity of the irrep in the coset representation.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 7.2, Thm. 13 (Frobenius).
    """
    table, group = irrep.group.character_table, irrep.group
    values = table.residues[irrep.rows[0]][group.class_labels[list(subgroup)]]
    total = int((values if signs is None else values * signs).sum())
    count = total * pow(len(subgroup), -1, table.prime) % table.prime
    return count // 2 if irrep.kind == "H" else count


def fixed_basis(irrep: Irrep, subgroup: object) -> np.ndarray:
    """Orthonormal basis over the reals of the vectors that a subgroup fixes.

    Column `q * r + c` is `J_q v_c`, with `J_q` the canonical commutant and `v_1, ..., v_r` a basis
    over the division algebra: standard basis vectors, projected, then orthonormalised in order. So
    the first nonzero coordinate of each `v_c` is positive, and the choice is canonical.

    Args:
        irrep: A real irrep.
        subgroup: A subgroup, or its elements.

    Returns:
        float64 of shape `(irrep.dim, r * irrep.end_dim)`.

    Cost:
        `O(|H| dim^2 + dim^3)`.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.6 and 7.2.

    Examples:
        >>> from irrepnet import groups
        >>> D4 = groups.dihedral(4)
        >>> fixed_basis(D4.irrep("E"), [0, 4]).tolist()
        [[1.0], [0.0]]
    """
    elements = subgroup_elements(irrep.group, subgroup)
    vectors = fixed_vectors(irrep, elements)
    return np.concatenate([unit @ vectors for unit in irrep.commutant], axis=1)


def fixed_vectors(
    irrep: Irrep, subgroup: tuple[int, ...], signs: np.ndarray | None = None
) -> np.ndarray:
    """Basis over the division algebra of the vectors on which the subgroup acts by `signs`.

    Returns:
        float64 of shape `(dim, r)`, orthonormal over the division algebra.
    """
    rank = num_fixed(irrep, subgroup, signs)
    if rank == 0:
        return np.zeros((irrep.dim, 0))
    if len(subgroup) == 1:
        return np.eye(irrep.dim)[:, :rank]
    matrices = irrep.matrices_of(np.array(subgroup))
    weights = np.ones(len(subgroup)) if signs is None else signs
    projector = np.tensordot(weights, matrices, axes=1) / len(subgroup)
    chosen = chosen_columns(irrep, subgroup, signs, rank)
    return orthonormal(projector, irrep.commutant, chosen, rank)


def chosen_columns(
    irrep: Irrep, subgroup: tuple[int, ...], signs: np.ndarray | None, rank: int
) -> list[int] | None:
    """Standard basis vectors whose projections are the greedy basis, decided exactly.

    None if the irrep is numeric. Independence modulo a prime implies independence; if a prime
    loses rank, the next one is tried.
    """
    if not irrep.is_exact:
        return None
    table = irrep.group.character_table
    p, root = table.prime, table.root
    exponent = int(np.lcm.reduce(irrep.group.element_orders))
    while True:
        found = irrep.modular(np.array(subgroup), p, root)
        if found is not None:
            matrices, units = found
            weights = np.ones(len(subgroup), dtype=np.int64) if signs is None else signs
            projector = np.tensordot(weights, matrices, axes=1) % p
            columns = np.stack([unit @ projector for unit in units], axis=2) % p
            pivots = pivot_columns(columns.reshape(irrep.dim, -1), p, rank * irrep.end_dim)
            if len(pivots) == rank * irrep.end_dim:
                return [i // irrep.end_dim for i in pivots if i % irrep.end_dim == 0]
        p, root = splitting_prime(lcm(4, exponent), p)
