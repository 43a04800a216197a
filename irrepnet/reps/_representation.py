"""`Representation`: a group acting linearly on a real space with a standard inner product."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np
import sympy

from irrepnet._errors import NotExactError, RepresentationError
from irrepnet.groups import Group
from irrepnet.reps._averaging import AveragedBasis
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._decomposition import Decomposition
from irrepnet.reps._field_matrices import without_scales
from irrepnet.reps._modular import splitting_prime


class Representation:
    """A real representation of a finite group; abstract.

    Sums `V + W`, multiples `3 * V` and tensor products `V @ W` are representations again; see also
    `symmetric_square`, `exterior_square`, `dual`, `restrict` and `induce`.

    Cost:
        Characters and multiplicities need one trace per class; nothing else is computed unasked.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.1 and 1.5.

    Examples:
        >>> from irrepnet import groups, reps
        >>> V = reps.regular(groups.cyclic(3))
        >>> (2 * V + V @ V).dim, (2 * V + V @ V).multiplicities
        (15, (5, 5))
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
        from irrepnet.reps._composite import direct_sum  # it imports this file

        return direct_sum([self, other])

    def __mul__(self, copies: int) -> Representation:
        from irrepnet.reps._composite import direct_sum  # it imports this file

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

    Cost:
        8 * order * dim^2 bytes.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 1.1.

    Examples:
        >>> from irrepnet import groups, reps
        >>> G = groups.flop()
        >>> reps.from_matrices(G, [np.eye(2), np.diag([1.0, -1.0])])
        <matrix representation of flop, dim 2>
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
