"""All real irreps of a group, in its fixed order and with its fixed names."""

from __future__ import annotations

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._character_table import CharacterTable
from irrepnet.reps._circle import circle
from irrepnet.reps._irrep import Irrep
from irrepnet.reps._real_models import dihedral_models
from irrepnet.reps._row_order import Ties, as_bytes

_KINDS = {1: "R", 0: "C", -1: "H"}


def real_irreps(group: Group) -> tuple[Irrep, ...]:
    """The real irreducible representations of a group; also `group.irreps`, which keeps them.

    A complex irrep `chi` gives `chi` (type R), `chi + conj(chi)` (type C) or `2 chi` (type H).
    Families have their own names (dihedral: Mulliken's; flopping: `sym`, `asym`); otherwise the
    trivial irrep is first, then by dimension, type, and the first difference of characters by
    element index, larger first, with names `chi0`, `chi1`, ...

    Cost:
        That of the character table; matrices are built when asked.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 13.2, Prop. 39.

    Examples:
        >>> from irrepnet import groups
        >>> [(i.name, i.dim, i.kind) for i in groups.quaternion().irreps][-1]
        ('chi4', 4, 'H')
        >>> [str(i) for i in groups.dihedral(4).irreps]
        ['A1', 'A2', 'B1', 'B2', 'E']
    """
    table = group.character_table
    if group.recipe[0] == "dihedral":
        return _dihedral(group, table)
    items = []
    for row, (degree, indicator) in enumerate(
        zip(table.degrees, table.frobenius_schur, strict=True)
    ):
        conjugate = table.conjugates[row]
        if conjugate >= row:
            kind = _KINDS[indicator]
            rows = (row,) if conjugate == row else (row, conjugate)
            items.append((degree * (1 if kind == "R" else 2), kind, rows))
    keys = [(i[2] != (0,), i[0], "RCH".index(i[1])) for i in items]
    ranked = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    order = real_order(table, np.array([i[2][0] for i in items]), [ranked[key] for key in keys])
    names = ("sym", "asym") if group.recipe[0] == "flop" else [f"chi{i}" for i in range(len(items))]
    return tuple(
        Irrep(group, index, names[index], items[i][1], items[i][0], items[i][2])
        for index, i in enumerate(order.tolist())
    )


def real_order(table: CharacterTable, rows: np.ndarray, keys: list[int]) -> np.ndarray:
    """Rows by a key, then by the real part of their values class by class, larger first.

    Equal real parts are recognised exactly: as residues at all Galois conjugates of the class.
    Floats only decide which of two different numbers is larger.
    """
    eigenvalues, known = table.eigenvalues, set()
    ties, firsts = Ties(np.array(keys)), eigenvalues.cyclic_class[0].tolist()
    linear = eigenvalues.twists.linear
    generators = linear.generators[eigenvalues.twists.twist[rows]].astype(float)

    def cosines(t: int) -> np.ndarray:
        """What orders cosines: they fall from 0 to half a turn."""
        turns = generators @ linear.digits(eigenvalues.representatives[t]) % linear.modulus
        return np.minimum(turns, linear.modulus - turns).astype(np.int64)

    for t, first in enumerate(firsts):
        if not len(ties.tied):
            break
        if first in known:  # equal real parts have equal Galois conjugates
            continue
        known.add(first)
        ranks = cosines(t)[ties.tied] if table.is_linear else _real_ranks(table, rows, t, ties)
        if ranks is not None and ties.differ(ranks):
            ties.split(ranks)
    return np.argsort(ties.place)


def _real_ranks(table: CharacterTable, rows: np.ndarray, t: int, ties: Ties) -> np.ndarray | None:
    """Ranks of the real parts of tied rows at a class; None if none differ."""
    eigenvalues, tied = table.eigenvalues, rows[ties.tied]
    columns = eigenvalues.cyclic_members[eigenvalues.cyclic_place[t]]
    residues = table.residues
    doubled = residues[tied[:, None], columns]
    doubled += residues[tied[:, None], table.inverse_classes[columns]]
    doubled %= table.prime
    if not ties.differ(doubled):
        return None
    _, firsts, which = np.unique(as_bytes(doubled), return_index=True, return_inverse=True)
    counts = eigenvalues.counts(t, tied[firsts])
    floats = counts.astype(float) @ circle(counts.shape[1])[0]
    return np.argsort(np.argsort(-floats))[which.ravel()]


def _dihedral(group: Group, table: CharacterTable) -> tuple[Irrep, ...]:
    rows = {row.tobytes(): i for i, row in enumerate(table.residues)}
    representatives = np.array([c.representative for c in group.conjugacy_classes])
    irreps = []
    for index, (name, model) in enumerate(dihedral_models(group, group.recipe[1])):
        matrices = model.modular(representatives, table.prime, table.root)
        trace = np.trace(matrices, axis1=-2, axis2=-1) % table.prime
        irreps.append(Irrep(group, index, name, "R", model.dim, (rows[trace.tobytes()],), model))
    return tuple(irreps)
