"""All real irreps of a group, in its fixed order and with its fixed names."""

from __future__ import annotations

import numpy as np

from irrepnet.groups import Group
from irrepnet.reps._character_table import CharacterTable
from irrepnet.reps._irrep import Irrep
from irrepnet.reps._real_models import dihedral_models

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
    ranks = table.eigenvalues.real_ranks([rows[0] for _, _, rows in items]).tolist()
    order = sorted(
        range(len(items)),
        key=lambda i: (items[i][2] != (0,), items[i][:2][0], "RCH".index(items[i][1]), ranks[i]),
    )
    names = ("sym", "asym") if group.recipe[0] == "flop" else [f"chi{i}" for i in range(len(items))]
    return tuple(
        Irrep(group, index, names[index], items[i][1], items[i][0], items[i][2])
        for index, i in enumerate(order)
    )


def _dihedral(group: Group, table: CharacterTable) -> tuple[Irrep, ...]:
    rows = {row.tobytes(): i for i, row in enumerate(table.residues)}
    representatives = np.array([c.representative for c in group.conjugacy_classes])
    irreps = []
    for index, (name, model) in enumerate(dihedral_models(group, group.recipe[1])):
        matrices = model.modular(representatives, table.prime, table.root)
        trace = np.trace(matrices, axis1=-2, axis2=-1) % table.prime
        irreps.append(Irrep(group, index, name, "R", model.dim, (rows[trace.tobytes()],), model))
    return tuple(irreps)
