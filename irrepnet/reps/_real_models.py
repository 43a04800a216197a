"""Matrices of a real irrep: closed forms, then induction from small irreps, then Dixon's method."""

from __future__ import annotations

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._character_table import CharacterTable
from irrepnet.reps._clifford import (
    Linear,
    Situation,
    component,
    constituents,
    linear_part,
    reduce_once,
    stabiliser,
)
from irrepnet.reps._gram_model import GramModel
from irrepnet.reps._models import InducedModel, Model, PhaseModel
from irrepnet.reps._multiplicity_one import multiplicity_one
from irrepnet.reps._pairings import Pairings


def real_model(table: CharacterTable, row: int, kind: str) -> Model:
    """A model of the real irrep with a given complex constituent.

    Args:
        table: The group's character table.
        row: Row of the constituent.
        kind: Its type, R, C or H.

    Cost:
        O(order^2) products per step of the reduction.

    Examples:
        >>> from irrepnet import groups
        >>> table = groups.quaternion().character_table
        >>> real_model(table, 4, "H").provenance
        'quaternions of unit length'
    """
    group = table.group
    values = table.residues[row][group.class_labels]
    situation = Situation(group, np.arange(group.order), values, kind, table.prime, table.root)
    while situation.degree > 1:
        smaller = reduce_once(situation)
        if smaller is None:
            break
        situation = smaller
    base = _base_model(situation)
    if len(situation.subgroup) == group.order:
        return base
    return InducedModel(group, base, situation.subgroup)


def _base_model(situation: Situation) -> Model:
    if situation.degree == 1:
        return linear_model(linear_part(situation))
    if situation.degree == 2 and situation.kind != "C":
        for theta in constituents(situation):
            if not theta.is_real:
                return _two_dimensional(situation, theta)
    theta = multiplicity_one(situation)
    if theta is None:
        raise NotImplementedError
    return GramModel(Pairings(situation, theta))


def linear_model(linear: Linear) -> PhaseModel:
    """The real form of a linear character: a sign or a rotation."""
    n, inside = linear.modulus, linear.elements
    modulus = int(n // np.gcd.reduce(linear.exponents[inside], initial=n))
    exponents = np.where(linear.exponents >= 0, linear.exponents * modulus // n, 0)
    flips = np.zeros_like(exponents)
    if modulus <= 2:
        return PhaseModel("sign", exponents, flips, modulus, "signs")
    return PhaseModel("rotation", exponents, flips, modulus, "rotations of the plane")


def _two_dimensional(situation: Situation, theta: Linear) -> PhaseModel:
    """Degree 2, type R or H: a complex line and one more element that conjugates it."""
    group = situation.group
    stable = stabiliser(situation, theta, with_conjugate=False)
    half = Situation(group, situation.subgroup, situation.values, "C", situation.p, situation.root)
    linear = linear_part(component(half, theta, stable))
    others = situation.subgroup[linear.exponents[situation.subgroup] < 0]
    tau = int(others[0])
    exponents, flips = (
        np.where(linear.exponents >= 0, linear.exponents, 0),
        np.zeros(group.order, int),
    )
    exponents[others] = linear.exponents[group.products(others, group.inverse(tau))]
    flips[others] = 1
    n = linear.modulus
    modulus = int(n // np.gcd.reduce(exponents[situation.subgroup], initial=n))
    exponents = exponents * modulus // n
    if situation.kind == "R":
        return PhaseModel(
            "dihedral", exponents, flips, modulus, "rotations and mirrors of the plane"
        )
    return PhaseModel("dicyclic", exponents, flips, modulus, "quaternions of unit length")


def dihedral_models(group: Group, n: int) -> list[tuple[str, PhaseModel]]:
    """Names and closed forms of the irreps of `groups.dihedral(n)`, in Mulliken's order.

    Element `k` is the rotation `r^k` and element `n + k` is `s r^k`; `E_j` sends `r` to the
    rotation by `2 pi j / n` and `s` to `diag(1, -1)`. With corner `i` of the polygon at angle
    `2 pi i / n`, the mirror `s` is that of the first axis: the axis mirrors are the `s r^k` with
    even `k` (the class of `s`), and `B1` is 1 on them.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 5.3.

    Examples:
        >>> from irrepnet import groups
        >>> [name for name, _ in dihedral_models(groups.dihedral(6), 6)]
        ['A1', 'A2', 'B1', 'B2', 'E1', 'E2']
    """
    k, flips = np.tile(np.arange(n), 2), np.repeat([0, 1], n)
    zero, form = np.zeros_like(flips), "closed form for dihedral groups"
    signs = {"A1": 0 * k, "A2": flips}
    if n % 2 == 0:
        signs |= {"B1": k % 2, "B2": (k + flips) % 2}
    models = [(name, PhaseModel("sign", e, zero, 2, form)) for name, e in signs.items()]
    planes = range(1, (n + 1) // 2)
    for j in planes:
        exponents = np.where(flips == 1, -j * k, j * k) % n
        name = "E" if len(planes) == 1 else f"E{j}"
        models.append((name, PhaseModel("dihedral", exponents, flips, n, form)))
    return models
