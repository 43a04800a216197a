"""Matrices of a real irrep: closed forms, then induction from small irreps, then Dixon's method."""

from __future__ import annotations

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._character_table import CharacterTable
from irrepnet.reps._clifford import (
    Situation,
    component,
    constituents,
    modulo_kernel,
    source_of,
    stabiliser,
)
from irrepnet.reps._gram_model import GramModel
from irrepnet.reps._linear import Linear, degree_one
from irrepnet.reps._models import InducedModel, Model, PhaseModel, PulledBackModel
from irrepnet.reps._multiplicity_one import least_multiplicity
from irrepnet.reps._numeric_model import NumericModel
from irrepnet.reps._pairings import Pairings, RealPairings


def real_model(table: CharacterTable, row: int, kind: str) -> Model:
    """A model of the real irrep with a given complex constituent.

    Args:
        table: The group's character table.
        row: Row of the constituent.
        kind: Its type, R, C or H.

    Cost:
        O(order) products per element of the normal subgroups used, per step of the reduction.

    Examples:
        >>> from irrepnet import groups
        >>> table = groups.quaternion().character_table
        >>> real_model(table, 4, "H").provenance
        'quaternions of unit length'
    """
    values = table.residues[row][table.group.class_labels]
    return _model(Situation(table.group, values, kind, table.prime, table.root))


def _model(situation: Situation) -> Model:
    group = situation.group
    if situation.degree == 1:
        return linear_model(degree_one(group, situation.values, situation.p, situation.root))
    faithful = modulo_kernel(situation)
    if faithful is not None:
        return PulledBackModel(_model(faithful[0]), faithful[1])
    source = source_of(situation)
    if source is not None:
        return InducedModel(group, _model(source[0]), source[1])
    if situation.degree == 2 and situation.kind != "C":
        for theta in constituents(situation):
            if not theta.is_real:
                return _two_dimensional(situation, theta)
    return _from_one_vector(situation)


def _from_one_vector(situation: Situation) -> Model:
    real = situation.kind == "R"
    count, theta = least_multiplicity(situation, real)
    if count == 1:
        return GramModel(Pairings(situation, theta))
    if real:
        complex_count, other = least_multiplicity(situation, real=False)
        pairings = RealPairings(situation, other)
        if complex_count == 1 and pairings.length is not None:
            return GramModel(pairings)
    return NumericModel(situation, theta, count)


def linear_model(linear: Linear) -> PhaseModel:
    """The real form of a linear character: a sign or a rotation."""
    exponents, modulus = linear.in_lowest_terms()
    flips = np.zeros_like(exponents)
    if modulus <= 2:
        return PhaseModel("sign", exponents, flips, modulus, "signs")
    return PhaseModel("rotation", exponents, flips, modulus, "rotations of the plane")


def _two_dimensional(situation: Situation, theta: Linear) -> PhaseModel:
    """Degree 2, type R or H: a complex line and one more element that conjugates it."""
    group = situation.group
    stable = stabiliser(situation, theta, with_conjugate=False)
    half = component(situation, theta, stable, with_conjugate=False)
    linear = degree_one(half.group, half.values, half.p, half.root)
    inner, modulus = linear.in_lowest_terms()
    exponents, flips = np.zeros(group.order, dtype=np.int64), (~stable.mask).astype(np.int64)
    exponents[list(stable.elements)] = inner
    others = np.flatnonzero(flips)
    exponents[others] = exponents[group.products(others, group.inverse(int(others[0])))]
    if situation.kind == "R":
        form = "rotations and mirrors of the plane"
        return PhaseModel("dihedral", exponents, flips, modulus, form)
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
