"""`Representation`: a group acting linearly on a real space with a standard inner product."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np
import sympy

from irrepnet._errors import NotExactError, RepresentationError
from irrepnet.groups import Group
from irrepnet.reps._averaging import AveragedBasis
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._decomposition import Decomposition, IsotypicBasis, SumBasis
from irrepnet.reps._field_matrices import block_diagonal, kronecker, without_scales
from irrepnet.reps._modular import splitting_prime


class Representation:
    """A real representation of a finite group; abstract.

    Sums `V + W`, multiples `3 * V` and tensor products `V @ W` are representations again; see also
    `symmetric_square`, `exterior_square`, `dual`, `restrict` and `induce`.
    """

    group: Group
    dim: int

    def matrix(self, a: int) -> np.ndarray:
        """Matrix of element `a`, float64 `(dim, dim)`."""
        raise NotImplementedError

    @cached_property
    def matrices(self) -> np.ndarray:
        """Matrices of all elements, float64 `(order, dim, dim)`, kept.

        Cost:
            8 * order * dim^2 bytes.
        """
        return np.stack([self.matrix(a) for a in range(self.group.order)])

    def field_form(self, elements: np.ndarray) -> tuple[Cyclotomic, Cyclotomic]:
        """Exact matrices without square roots.

        Args:
            elements: Elements, shape `(n,)`.

        Returns:
            `R`, shape `(n, dim, dim)`, and the positive diagonal `D`, both in one real cyclotomic
            field: the matrices are `D^(-1/2) R D^(1/2)`.

        Raises:
            NotExactError: If they are known in floats only.
        """
        raise NotExactError(
            f"got {self!r}, whose matrices are known in floats only: expected a representation by "
            "permutations, exact irreps, or sums and products of these. Use matrix(a)."
        )

    def exact_matrix(self, a: int) -> sympy.Matrix:
        """Matrix of element `a`, exactly.

        Raises:
            NotExactError: If it is known in floats only.
        """
        self.group.inverse(a)
        form, scales = self.field_form(np.array([a]))
        return without_scales(form[0], scales)

    @cached_property
    def character(self) -> np.ndarray:
        """Trace of one element per conjugacy class, float64."""
        classes = self.group.conjugacy_classes
        return np.array([np.trace(self.matrix(c.representative)) for c in classes])

    def character_modulo(self, p: int, root: int) -> np.ndarray | None:
        """The character modulo a prime, one residue per class; None if known as floats only."""
        return None

    @cached_property
    def multiplicities(self) -> tuple[int, ...]:
        """Copies of each of `group.irreps`, by characters.

        Exact, unless the representation was given by floats.

        References:
            Serre, *Linear Representations of Finite Groups*, sec. 2.3, Thm. 4.
        """
        classes = self.group.conjugacy_classes
        exponent = math.lcm(4, *(c.element_order for c in classes))
        p, root = splitting_prime(exponent, 2 * self.dim + 2)
        character = self.character_modulo(p, root)
        if character is None:
            return multiplicities_of_character(self.group, self.character)
        table, found = self.group.character_table, []
        weighted = character * table.class_sizes % p
        inner = table.modulo(p, root)[:, table.inverse_classes] @ weighted % p
        inner = inner * pow(self.group.order, -1, p) % p  # at most dim, so these are the numbers
        for irrep in self.group.irreps:
            found.append(int(inner[irrep.rows[0]]) // (2 if irrep.kind == "H" else 1))
        return tuple(found)

    def inner(self, other: Representation) -> int:
        """Dimension of the space of intertwiners: `<chi_V, chi_W>`.

        References:
            Serre, *Linear Representations of Finite Groups*, sec. 7.2, Lemma 2.

        Examples:
            >>> from irrepnet import groups, reps
            >>> V = reps.regular(groups.quaternion())
            >>> V.inner(V)
            8
        """
        check_same_group(self, other)
        pairs = zip(self.group.irreps, self.multiplicities, other.multiplicities, strict=True)
        return sum(irrep.end_dim * m * n for irrep, m, n in pairs)

    def decompose(self) -> Decomposition:
        """Multiplicities and an orthonormal isotypic basis; computed once.

        Raises:
            RepresentationError: If the matrices are not orthogonal.
        """
        return self._decomposition

    @cached_property
    def _decomposition(self) -> Decomposition:
        basis = AveragedBasis(self.group, self.matrices, self.multiplicities, self.field_form)
        return Decomposition(self.group, self.multiplicities, basis)

    def __add__(self, other: Representation) -> Representation:
        return direct_sum([self, other])

    def __mul__(self, copies: int) -> Representation:
        return direct_sum([self] * copies, self.group)

    __rmul__ = __mul__

    def __matmul__(self, other: Representation) -> Representation:
        from irrepnet.reps._tensor import tensor  # it imports this file

        return tensor(self, other)


class MatrixRepresentation(Representation):
    """A group acting by matrices.

    Args:
        group: The group.
        matrices: float64 `(order, dim, dim)`.
        character_modulo: The character modulo a prime, if it is known exactly.
        field_form: The matrices without square roots, if they are known exactly.
    """

    def __init__(
        self,
        group: Group,
        matrices: np.ndarray,
        character_modulo: Callable[[int, int], np.ndarray | None] | None = None,
        field_form: Callable[[np.ndarray], tuple[Cyclotomic, Cyclotomic]] | None = None,
    ) -> None:
        self.group, self.dim = group, matrices.shape[-1]
        self._matrices, self._character_modulo = matrices, character_modulo
        self._field_form = field_form

    @property
    def matrices(self) -> np.ndarray:  # type: ignore[override]
        """Matrices of all elements, float64 `(order, dim, dim)`."""
        return self._matrices

    def matrix(self, a: int) -> np.ndarray:
        """Matrix of element `a`, float64 `(dim, dim)`."""
        self.group.inverse(a)
        return self._matrices[a]

    def character_modulo(self, p: int, root: int) -> np.ndarray | None:
        """The character modulo a prime, one residue per class; None if known as floats only."""
        return None if self._character_modulo is None else self._character_modulo(p, root)

    def field_form(self, elements: np.ndarray) -> tuple[Cyclotomic, Cyclotomic]:
        """Exact matrices without square roots; `NotExactError` if there are none."""
        return (
            super().field_form(elements) if self._field_form is None else self._field_form(elements)
        )

    def __repr__(self) -> str:
        return f"<matrix representation of {self.group.name}, dim {self.dim}>"


class SumRepresentation(Representation):
    """A direct sum: coordinates of the parts one after the other."""

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
    """The sum of `m_i` copies of each irrep `i`, in isotypic coordinates."""

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

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.3.

    Examples:
        >>> from irrepnet import groups, reps
        >>> V = reps.regular(groups.flop())
        >>> (V + 2 * V).decompose()
        <Decomposition over flop: 3*sym + 3*asym>
    """
    from irrepnet.reps._permutation import PermutationRepresentation, sum_of_permutations

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


def check_same_group(first: Representation, second: Representation) -> None:
    """Refuse to combine representations of different groups.

    Raises:
        RepresentationError: If the groups differ.
    """
    if first.group != second.group:
        raise RepresentationError(
            f"got a representation of {first.group.name} and one of {second.group.name}: "
            "expected two of the same group. Restrict one of them first."
        )


def multiplicities_of_character(group: Group, character: np.ndarray) -> tuple[int, ...]:
    """Multiplicity of each real irrep in a representation with the given real character.

    Raises:
        RepresentationError: If some multiplicity is not a natural number.

    Cost:
        O(irreps * classes).

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.3, Thm. 4.

    Examples:
        >>> from irrepnet import groups
        >>> multiplicities_of_character(groups.flop(), np.array([2.0, 0.0]))
        (1, 1)
    """
    sizes = np.array([c.size for c in group.conjugacy_classes])
    found = []
    for irrep in group.irreps:
        inner = (sizes * character * irrep.characters).sum() / (group.order * irrep.end_dim)
        count = round(float(inner))
        if count < 0 or abs(inner - count) > 1e-6 * max(1.0, abs(character[0])):
            raise RepresentationError(
                f"got a class function of {group.name} that contains {irrep.name} {inner:.6g} "
                "times: expected the character of a representation, with natural multiplicities. "
                "Check that the matrices multiply as the group does."
            )
        found.append(count)
    return tuple(found)
