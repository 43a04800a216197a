"""Direct sums of representations, and sums of irreps in isotypic coordinates."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from irrepnet._errors import RepresentationError
from irrepnet.groups import Group
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._decomposition import Decomposition, IsotypicBasis, SumBasis
from irrepnet.reps._field_matrices import block_diagonal, kronecker
from irrepnet.reps._permutation import PermutationRepresentation, sum_of_permutations
from irrepnet.reps._representation import Representation, check_same_group


class SumRepresentation(Representation):
    """A direct sum: coordinates of the parts one after the other.

    Cost:
        That of the parts; `matrix` forms dim^2 numbers, characters and bases do not.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.3.

    Examples:
        >>> from irrepnet import groups, reps
        >>> G = groups.flop()
        >>> reps.regular(G) + reps.of_irrep(G.irrep("asym"))
        <sum of 2 representations of flop, dim 3>
    """

    def __init__(self, group: Group, parts: tuple[Representation, ...]) -> None:
        self.group, self.parts = group, parts
        self.dim = sum(part.dim for part in parts)

    def matrix(self, a: int) -> np.ndarray:
        """Matrix of element `a`, float64 `(dim, dim)`."""
        self.group.inverse(a)
        matrix, start = np.zeros((self.dim, self.dim)), 0
        for part in self.parts:
            matrix[start : start + part.dim, start : start + part.dim] = part.matrix(a)
            start += part.dim
        return matrix

    def field_form(self, elements: np.ndarray) -> tuple[Cyclotomic, Cyclotomic]:
        """Exact matrices without square roots; `NotExactError` if a part has none."""
        return block_diagonal([part.field_form(elements) for part in self.parts], len(elements))

    def character_modulo(self, p: int, root: int) -> np.ndarray | None:
        """The character modulo a prime; None if that of a part is known as floats only."""
        total = np.zeros(len(self.group.conjugacy_classes), dtype=np.int64)
        for part in self.parts:
            residues = part.character_modulo(p, root)
            if residues is None:
                return None
            total += residues
        return total % p

    @cached_property
    def character(self) -> np.ndarray:
        """Trace of one element per conjugacy class, float64."""
        zero = np.zeros(len(self.group.conjugacy_classes))
        return sum((part.character for part in self.parts), zero)

    @cached_property
    def multiplicities(self) -> tuple[int, ...]:
        """Copies of each irrep: the sum over the parts."""
        rows = [part.multiplicities for part in self.parts]
        return tuple(sum(column) for column in zip(*rows, strict=True)) or (
            (0,) * len(self.group.irreps)
        )

    @cached_property
    def _decomposition(self) -> Decomposition:
        basis = SumBasis(self.group.irreps, [part.decompose() for part in self.parts])
        return Decomposition(self.group, self.multiplicities, basis)

    def __repr__(self) -> str:
        return f"<sum of {len(self.parts)} representations of {self.group.name}, dim {self.dim}>"


class IsotypicRepresentation(Representation):
    """The sum of `m_i` copies of each irrep `i`, in isotypic coordinates.

    Cost:
        Its change of basis is the identity.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.6.

    Examples:
        >>> from irrepnet import groups, reps
        >>> reps.isotypic(groups.flop(), (1, 2)).matrix(1).tolist()
        [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]]
    """

    def __init__(self, group: Group, multiplicities: tuple[int, ...]) -> None:
        self.group = group
        self.multiplicities = multiplicities  # type: ignore[assignment]
        self.dim = sum(i.dim * m for i, m in zip(group.irreps, multiplicities, strict=True))

    def matrix(self, a: int) -> np.ndarray:
        """Matrix of element `a`: one block `rho_i(a) (x) I` per irrep."""
        self.group.inverse(a)
        matrix = np.zeros((self.dim, self.dim))
        for irrep, m, block in zip(
            self.group.irreps, self.multiplicities, self.decompose().blocks, strict=True
        ):
            if m:
                matrix[block, block] = np.kron(irrep.matrix(a), np.eye(m))
        return matrix

    def field_form(self, elements: np.ndarray) -> tuple[Cyclotomic, Cyclotomic]:
        """Exact matrices without square roots; `NotExactError` if an irrep is numeric."""
        parts = []
        for irrep, m in zip(self.group.irreps, self.multiplicities, strict=True):
            if m:
                form, scales, _ = irrep.field_form(elements)
                eye = Cyclotomic.integers(form.order, np.eye(m, dtype=np.int64)[None])
                parts.append((kronecker(form, eye), scales[np.repeat(np.arange(irrep.dim), m)]))
        return block_diagonal(parts, len(elements))

    @cached_property
    def character(self) -> np.ndarray:
        """Trace of one element per conjugacy class, float64."""
        pairs = zip(self.group.irreps, self.multiplicities, strict=True)
        zero = np.zeros(len(self.group.conjugacy_classes))
        return sum((m * irrep.characters for irrep, m in pairs), zero)

    def character_modulo(self, p: int, root: int) -> np.ndarray:
        """The character modulo a prime, one residue per class."""
        table = self.group.character_table.modulo(p, root)
        total = np.zeros(table.shape[1], dtype=np.int64)
        for irrep, m in zip(self.group.irreps, self.multiplicities, strict=True):
            copies = 2 * m if irrep.kind == "H" else m
            total += copies * table[list(irrep.rows)].sum(axis=0)
        return total % p

    @cached_property
    def _decomposition(self) -> Decomposition:
        basis = IsotypicBasis(self.dim)
        return Decomposition(self.group, self.multiplicities, basis)

    def __repr__(self) -> str:
        return f"<{self.decompose()} over {self.group.name}, dim {self.dim}>"


def isotypic(group: Group, multiplicities: Iterable[int]) -> IsotypicRepresentation:
    """The representation `(+)_i rho_i (x) I_(m_i)`, already in isotypic coordinates.

    Args:
        group: The group.
        multiplicities: Copies of each of `group.irreps`.

    Raises:
        RepresentationError: If there is not one natural number per irrep.

    Cost:
        None: matrices are formed when asked.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.6.

    Examples:
        >>> from irrepnet import groups, reps
        >>> reps.isotypic(groups.flop(), (2, 1)).matrix(1).diagonal().tolist()
        [1.0, 1.0, -1.0]
    """
    numbers = tuple(int(m) for m in multiplicities)
    if len(numbers) != len(group.irreps) or min(numbers) < 0:
        raise RepresentationError(
            f"got multiplicities {numbers} over {group.name}: expected {len(group.irreps)} natural "
            f"numbers, one for each of {', '.join(i.name for i in group.irreps)}."
        )
    return IsotypicRepresentation(group, numbers)


def direct_sum(parts: Iterable[Representation], group: Group | None = None) -> Representation:
    """The direct sum; of permutation representations, again one.

    Args:
        parts: Representations of one group.
        group: The group, needed only if there are no parts.

    Raises:
        RepresentationError: If the groups differ, or there is nothing to add.

    Cost:
        O(order * dim) for permutations, else none: the parts are kept.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.3.

    Examples:
        >>> from irrepnet import groups, reps
        >>> V = reps.regular(groups.flop())
        >>> (V + 2 * V).decompose()
        <Decomposition over flop: 3*sym + 3*asym>
    """
    listed = list(parts)
    if not listed and group is None:
        raise RepresentationError("got no representations: expected at least one to add.")
    chosen = group if group is not None else listed[0].group
    for part in listed:
        check_same_group(listed[0], part)
    if listed and all(isinstance(part, PermutationRepresentation) for part in listed):
        return sum_of_permutations(listed)  # type: ignore[arg-type]
    flat = [q for p in listed for q in (p.parts if isinstance(p, SumRepresentation) else (p,))]
    return SumRepresentation(chosen, tuple(flat))
