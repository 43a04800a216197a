"""`Irrep`: one real irreducible representation, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from irrepnet._errors import NotExactError
from irrepnet.groups import Group
from irrepnet.reps._commutants import END_DIM, commutant
from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._models import Model
from irrepnet.reps._real_models import real_model

if TYPE_CHECKING:
    import sympy

    from irrepnet.reps._representation import Representation


@dataclass(frozen=True)
class Irrep:
    """A real irreducible representation of a finite group, by orthogonal matrices.

    Name, dimension, type and character are exact and cheap; matrices are built when first asked.

    Attributes:
        group: The group.
        index: Position in `group.irreps`.
        name: Unique name in the group.
        kind: "R", "C" or "H": the endomorphism algebra.
        dim: Real dimension.
        rows: Rows of `group.character_table` that make up its complexification (for type H, the
            one row, which occurs twice).
        model: A closed form for the matrices, if the group's family has one.

    Cost:
        O(1) until matrices are asked for; then O(dim^2) each, after a construction that is kept.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 13.2.

    Examples:
        >>> from irrepnet import groups, reps
        >>> E = groups.dihedral(4).irrep("E")
        >>> E.dim, E.kind, E.matrix(1).tolist()
        (2, 'R', [[0.0, -1.0], [1.0, 0.0]])
    """

    group: Group
    index: int
    name: str
    kind: str
    dim: int
    rows: tuple[int, ...]
    model: Model | None = field(default=None, compare=False, repr=False)

    @property
    def end_dim(self) -> int:
        """Real dimension of the endomorphism algebra: 1, 2 or 4."""
        return END_DIM[self.kind]

    @cached_property
    def characters(self) -> np.ndarray:
        """Values of the (real) character, one per conjugacy class, float64."""
        values = np.real(self.group.character_table.row(self.rows[0]))
        values = values * (1 if self.kind == "R" else 2)
        values.setflags(write=False)
        return values

    @cached_property
    def _model(self) -> Model:
        if self.model is not None:
            return self.model
        return real_model(self.group.character_table, self.rows[0], self.kind)

    @property
    def is_exact(self) -> bool:
        """Whether the matrices are known exactly, not only as floats.

        Cost:
            That of finding subgroups to induce from; no matrix is made.
        """
        return self._model.is_exact

    @property
    def provenance(self) -> str:
        """How the matrices were found."""
        return self._model.provenance

    @cached_property
    def matrices(self) -> np.ndarray:
        """Orthogonal matrices of all elements, float64 `(order, dim, dim)`, kept, read-only.

        Cost:
            8 * order * dim^2 bytes.
        """
        matrices = self._model.matrices(np.arange(self.group.order))
        matrices.setflags(write=False)
        return matrices

    def matrix(self, a: int) -> np.ndarray:
        """Orthogonal matrix of element `a`, float64 `(dim, dim)`.

        Raises:
            GroupError: If `a` is not an element.
        """
        self.group.inverse(a)  # checks that a is an element
        return self.matrices_of(np.array([a]))[0]

    def matrices_of(self, elements: np.ndarray) -> np.ndarray:
        """Orthogonal matrices of some elements, float64 `(n, dim, dim)`; trusted to be elements."""
        if "matrices" in self.__dict__:
            return self.matrices[elements]
        return self._model.matrices(np.asarray(elements))

    def exact(self, a: int) -> sympy.Matrix:
        """Orthogonal matrix of element `a`, exactly.

        Raises:
            NotExactError: If the matrices exist only numerically; see `is_exact`.
            GroupError: If `a` is not an element.
        """
        self.group.inverse(a)
        from irrepnet.reps._exact import exact_matrix  # it imports this file

        return exact_matrix(self, a)

    def field_form(self, elements: np.ndarray) -> tuple[Cyclotomic, Cyclotomic, Cyclotomic]:
        """Matrices in a real cyclotomic field, without square roots.

        Args:
            elements: Elements, shape `(n,)`.

        Returns:
            `R`, shape `(n, dim, dim)`; the positive diagonal `D`, shape `(dim,)`; the commutant in
            these coordinates, `(end_dim, dim, dim)`, each matrix up to a factor. The orthogonal
            matrices are `D^(-1/2) R D^(1/2)`.

        Raises:
            NotExactError: If the matrices exist only numerically.
        """
        if not self.is_exact:
            raise NotExactError(
                f"irrep {self.name} of {self.group.name} has no exact matrices: got a numeric "
                f"construction ({self.provenance}), expected an exact one. Use matrix(a) for "
                "floats; characters and multiplicities of this irrep are exact."
            )
        form = self._model.field_form(np.asarray(elements))
        return form, self._model.scales(), self._model.field_commutant()

    def modular(
        self, elements: np.ndarray, p: int, root: int
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Matrices and commutant modulo `p`, in coordinates scaled by some diagonal matrix.

        Zeros and linear dependencies are those of the true matrices, so ranks can be decided here.

        Args:
            elements: Elements, shape `(...,)`.
            p: A prime that is 1 modulo 4 and modulo the group's exponent.
            root: A primitive root of `p`.

        Returns:
            int64 of shapes `(..., dim, dim)` and `(end_dim, dim, dim)`, each commutant matrix up to
            a factor; None at a bad prime.
        """
        matrices = self._model.modular(np.asarray(elements), p, root)
        return None if matrices is None else (matrices, self._model.modular_commutant(p, root))

    @cached_property
    def commutant(self) -> np.ndarray:
        """Canonical basis of the commutant, float64 `(end_dim, dim, dim)`.

        `kron(J_q, I)` with `J_q` the left multiplications by 1, i, j, k on the division algebra;
        the first is the identity, and for type H they satisfy `J_1 J_2 = J_3`.
        """
        return commutant(self.end_dim, self.dim)

    def multiplicity_in(self, representation: Representation) -> int:
        """How often the irrep occurs in a representation, by characters.

        References:
            Serre, *Linear Representations of Finite Groups*, sec. 2.3, Thm. 4.
        """
        return representation.multiplicities[self.index]

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple:
        return _irrep, (self.group, self.index)


def _irrep(group: Group, index: int) -> Irrep:
    """An irrep from its place: what a pickle holds."""
    return group.irreps[index]
