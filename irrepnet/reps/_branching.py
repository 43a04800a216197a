"""Clebsch-Gordan coefficients, branching rules and Bratteli diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import networkx as nx
import numpy as np
import sympy

from irrepnet._errors import GroupError, RepresentationError
from irrepnet.groups import Group, Subgroup
from irrepnet.reps._decomposition import Decomposition
from irrepnet.reps._induction import restrict
from irrepnet.reps._irrep import Irrep
from irrepnet.reps._tensor import of_irrep


@dataclass(frozen=True, eq=False)
class Coupling:
    """How one irrep occurs in a tensor product of two.

    Attributes:
        irrep: The irrep.
        multiplicity: How often it occurs, counted over its division algebra.
        coefficients: float64 `(multiplicity, irrep.dim, first.dim, second.dim)`: for each copy, the
            equivariant map `x (x) y -> z`, `z_k = sum_ij c[k, i, j] x_i y_j`. The maps are
            orthonormal in `(k, i, j)` up to the dimension; for types C and H, the others are their
            products with the commutant.

    Cost:
        That of `clebsch_gordan`; `exact` is computed when first asked.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.5 and 2.7.

    Examples:
        >>> from irrepnet import groups
        >>> E = groups.dihedral(4).irrep("E")
        >>> [(c.irrep.name, c.multiplicity, c.coefficients.shape) for c in clebsch_gordan(E, E)][:2]
        [('A1', 1, (1, 1, 2, 2)), ('A2', 1, (1, 1, 2, 2))]
    """

    irrep: Irrep
    multiplicity: int
    coefficients: np.ndarray
    _decomposition: Decomposition = field(repr=False)

    @cached_property
    def exact(self) -> tuple[sympy.Matrix, tuple[sympy.Expr, ...]]:
        """The same exactly, as rows `Q` and squares `b`: coefficients are `diag(b)^(-1/2) Q`.

        Row `component * multiplicity + copy`, column `i * second.dim + j`.

        Raises:
            NotExactError: If an irrep has no exact matrices.

        Examples:
            >>> from irrepnet import groups
            >>> E = groups.dihedral(4).irrep("E")
            >>> clebsch_gordan(E, E)[1].exact
            (Matrix([[0, 1/2, -1/2, 0]]), (1/2,))
        """
        rows, squares = self._decomposition.exact_basis
        block = self._decomposition.blocks[self.irrep.index]
        return sympy.Matrix(rows[block, :]), squares[block]


def clebsch_gordan(first: Irrep, second: Irrep) -> tuple[Coupling, ...]:
    """Clebsch-Gordan coefficients: the irreps in `first (x) second` and the maps onto them.

    Raises:
        RepresentationError: If the irreps belong to different groups.

    Cost:
        O(order * (first.dim * second.dim)^2 * sum of the dimensions that occur).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.5 and 2.7.

    Examples:
        >>> from irrepnet import groups
        >>> E = groups.dihedral(4).irrep("E")
        >>> couplings = clebsch_gordan(E, E)
        >>> [str(c.irrep) for c in couplings]
        ['A1', 'A2', 'B1', 'B2']
        >>> (couplings[0].coefficients[0, 0] * 2**0.5).round(12).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    product = of_irrep(first) @ of_irrep(second)
    decomposition = product.decompose()
    rows = decomposition.basis.to_dense()
    found = []
    for irrep, m in zip(first.group.irreps, decomposition.multiplicities, strict=True):
        if m:
            block = rows[decomposition.blocks[irrep.index]]
            split = block.reshape(irrep.dim, m, first.dim, second.dim).transpose(1, 0, 2, 3)
            found.append(Coupling(irrep, m, split, decomposition))
    return tuple(found)


def branching(subgroup: Subgroup) -> np.ndarray:
    """Branching rules: how often each irrep of a subgroup occurs in each irrep of its parent.

    Returns:
        int64 `(irreps of the parent, irreps of subgroup.as_group())`.

    Cost:
        O(irreps of both * classes of the subgroup).

    References:
        James and Kerber, *The Representation Theory of the Symmetric Group*, sec. 2.4 (for S_n);
        Serre, *Linear Representations of Finite Groups*, sec. 7.2.

    Examples:
        >>> from irrepnet import groups
        >>> branching(groups.dihedral(4).subgroup([4])).tolist()
        [[1, 0], [0, 1], [1, 0], [0, 1], [1, 1]]
    """
    if not isinstance(subgroup, Subgroup):
        raise RepresentationError(
            f"got {subgroup!r}: expected a subgroup made by G.subgroup(generators)."
        )
    smaller, parent = subgroup.as_group(), subgroup.parent
    table, above = smaller.character_table, parent.character_table
    p, root = above.prime, above.root  # splits the subgroup too, and exceeds twice every degree
    below = table.modulo(p, root)[:, table.inverse_classes] * table.class_sizes % p
    labels = parent.class_labels[
        [subgroup.elements[c.representative] for c in smaller.conjugacy_classes]
    ]
    inner = above.residues[:, labels] @ below.T % p * pow(smaller.order, -1, p) % p
    rules = np.zeros((len(parent.irreps), len(smaller.irreps)), dtype=np.int64)
    for rho in parent.irreps:
        rows = inner[list(rho.rows)].sum(axis=0) * (2 if rho.kind == "H" else 1)
        for sigma in smaller.irreps:
            rules[rho.index, sigma.index] = rows[sigma.rows[0]] // (2 if sigma.kind == "H" else 1)
    return rules


def bratteli_diagram(chain: Sequence[Subgroup | Group]) -> nx.DiGraph:
    """The Bratteli diagram of an ascending chain of subgroups of one group.

    Nodes are `(level, irrep name)` with attributes `irrep`, `dim` and `kind`, level 0 being the
    smallest subgroup; an edge from an irrep to one above it has the branching `multiplicity`.

    Args:
        chain: Subgroups of one parent, each inside the next; the parent itself may stand for the
            largest.

    Raises:
        RepresentationError: If a member of the chain is neither.
        GroupError: If the chain does not ascend.

    Cost:
        That of the character tables.

    References:
        Goodman, de la Harpe and Jones, *Coxeter Graphs and Towers of Algebras*, sec. 2.3;
        Okounkov and Vershik, "A new approach to representation theory of symmetric groups" (1996).

    Examples:
        >>> from irrepnet import groups
        >>> D4 = groups.dihedral(4)
        >>> graph = bratteli_diagram([D4.subgroup([]), D4.subgroup([4]), D4])
        >>> sorted(graph.predecessors((2, "E")))
        [(1, 'chi0'), (1, 'chi1')]
    """
    graph = nx.DiGraph()
    chain = [_as_subgroup(member) for member in chain]
    levels = [_own_group(subgroup) for subgroup in chain]
    for level, group in enumerate(levels):
        for irrep in group.irreps:
            graph.add_node((level, irrep.name), irrep=irrep, dim=irrep.dim, kind=irrep.kind)
    for level, (smaller, larger) in enumerate(pairwise(chain)):
        if smaller.parent != larger.parent or not larger.contains(smaller):
            raise GroupError(
                f"got a chain with {smaller!r} before {larger!r}: expected subgroups of one group, "
                "each inside the next, smallest first."
            )
        number = {a: i for i, a in enumerate(larger.elements)}
        inside = Subgroup(levels[level + 1], tuple(number[a] for a in smaller.elements))
        for (i, j), m in np.ndenumerate(branching(inside)):
            if m:
                above, below = levels[level + 1].irreps[i], levels[level].irreps[j]
                graph.add_edge((level, below.name), (level + 1, above.name), multiplicity=int(m))
    return graph


def _as_subgroup(member: object) -> Subgroup:
    """A member of a chain; a group is the largest subgroup of itself."""
    if isinstance(member, Subgroup):
        return member
    if isinstance(member, Group):
        return member.subgroup(member.generators)
    raise RepresentationError(
        f"got {member!r} in a chain: expected subgroups made by G.subgroup(generators), and G "
        "itself at most at the top."
    )


def _own_group(subgroup: Subgroup) -> Group:
    """The subgroup as a group; the parent itself, with its names, if it is everything."""
    return subgroup.parent if subgroup.index == 1 else subgroup.as_group()


def alignment(irrep: Irrep, subgroup: Subgroup) -> np.ndarray:
    """The orthogonal matrix that turns a restricted irrep into the subgroup's own irreps.

    Returns:
        `U`, float64 `(dim, dim)`, with `U rho(h) U^T = (+)_j sigma_j(h) (x) I_(m_j)`.

    Cost:
        `O(|H| * dim^2 * sum of the subgroup's irrep dimensions that occur)`.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 7.2.

    Examples:
        >>> from irrepnet import groups
        >>> D4 = groups.dihedral(4)
        >>> alignment(D4.irrep("E"), D4.subgroup([5])).round(3).tolist()
        [[0.707, -0.707], [0.707, 0.707]]
    """
    return restrict(of_irrep(irrep), subgroup).decompose().basis.to_dense()
