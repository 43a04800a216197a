"""Where an irrep's matrices come from: integer data, turned into numbers only when asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from irrepnet.groups import Group, Subgroup
from irrepnet.reps._circle import circle, circle_exactly, circle_modulo
from irrepnet.reps._commutants import END_DIM, commutant, right_regular
from irrepnet.reps._cyclotomic import Cyclotomic


class Model(Protocol):
    """A real orthogonal representation of a subgroup, element by element.

    The modular matrices are those of a similar representation, `S M S^-1` with `S` diagonal, so
    they have the same zeros and the same linear dependencies among columns.
    """

    @property
    def kind(self) -> str:
        """Type R, C or H."""
        ...

    @property
    def dim(self) -> int:
        """Real dimension."""
        ...

    @property
    def is_exact(self) -> bool:
        """Whether `exact` and `modular` work."""
        ...

    @property
    def provenance(self) -> str:
        """How it was found."""
        ...

    def matrices(self, elements: np.ndarray) -> np.ndarray:
        """Float64 matrices, shape `(..., dim, dim)`."""
        ...

    def modular(self, elements: np.ndarray, p: int, root: int) -> np.ndarray | None:
        """Matrices modulo `p`, up to a diagonal similarity, int64; None at a bad prime."""
        ...

    def modular_commutant(self, p: int, root: int) -> np.ndarray:
        """The canonical commutant in the coordinates of `modular`, each matrix up to a factor."""
        ...

    def field_form(self, elements: np.ndarray) -> Cyclotomic:
        """Matrices `R` with entries in a real cyclotomic field, shape `(n, dim, dim)`.

        The orthogonal matrices are `D^(-1/2) R D^(1/2)`, with `D` the `scales`.
        """
        ...

    def scales(self) -> Cyclotomic:
        """The positive diagonal `D`, in the field of `field_form`, shape `(dim,)`."""
        ...

    def field_commutant(self) -> Cyclotomic:
        """The canonical commutant in the coordinates of `field_form`, each up to a factor."""
        ...


_RIGHT = right_regular(4)
#: Per shape: matrices of cosine and of sine, `[flip, row, column]`.
_TEMPLATES = {
    "sign": (np.ones((1, 1, 1), int), np.zeros((1, 1, 1), int)),
    "rotation": (np.eye(2, dtype=int)[None], np.array([[[0, -1], [1, 0]]])),
    "dihedral": (
        np.array([[[1, 0], [0, 1]], [[1, 0], [0, -1]]]),
        np.array([[[0, -1], [1, 0]], [[0, 1], [1, 0]]]),
    ),
    # x -> x conj(q), with q = zeta^k (cos + sin i) or zeta^k j (cos j + sin k)
    "dicyclic": (np.stack([_RIGHT[0], -_RIGHT[2]]), np.stack([-_RIGHT[1], -_RIGHT[3]])),
}
_KIND = {"sign": "R", "rotation": "C", "dihedral": "R", "dicyclic": "H"}


@dataclass(frozen=True, eq=False)
class PhaseModel:
    """A representation by roots of unity, with or without one more generator.

    Shapes: `sign` is `(-1)^k`; `rotation` turns the plane by `2 pi k / modulus`; `dihedral` is
    `R(k) F^f` with `F = diag(1, -1)`; `dicyclic` multiplies quaternions from the right by the
    conjugate of `zeta^k j^f`.

    Attributes:
        shape: One of the four above.
        exponents: `k` per element of the whole group (anything outside the subgroup), int64.
        flips: `f` per element, 0 or 1.
        modulus: Order of the root of unity.
        provenance: How it was found.
    """

    shape: str
    exponents: np.ndarray
    flips: np.ndarray
    modulus: int
    provenance: str
    is_exact: bool = True

    @property
    def kind(self) -> str:
        """Type of the representation: R, C or H."""
        return _KIND[self.shape]

    @property
    def dim(self) -> int:
        """Real dimension: 1, 2 or 4."""
        return _TEMPLATES[self.shape][0].shape[-1]

    def _combine(self, elements: np.ndarray, cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
        by_cos, by_sin = _TEMPLATES[self.shape]
        k, f = self.exponents[elements] % self.modulus, self.flips[elements]
        return cos[k][..., None, None] * by_cos[f] + sin[k][..., None, None] * by_sin[f]

    def matrices(self, elements: np.ndarray) -> np.ndarray:
        """Float64 matrices, shape `(..., dim, dim)`."""
        return self._combine(elements, *circle(self.modulus)) + 0.0

    def modular(self, elements: np.ndarray, p: int, root: int) -> np.ndarray:
        """Matrices modulo `p`, int64."""
        return self._combine(elements, *circle_modulo(self.modulus, p, root)) % p

    def modular_commutant(self, p: int, root: int) -> np.ndarray:
        """The canonical commutant, int64 `(end_dim, dim, dim)`."""
        return commutant(END_DIM[self.kind], self.dim).astype(np.int64)

    def field_form(self, elements: np.ndarray) -> Cyclotomic:
        """The matrices, exactly, shape `(n, dim, dim)`."""
        cos, sin = circle_exactly(self.modulus)
        by_cos, by_sin = _TEMPLATES[self.shape]
        k, f = self.exponents[elements] % self.modulus, self.flips[elements]
        numerators = cos.numerators[k][:, None, None] * by_cos[f][..., None]
        numerators = numerators + sin.numerators[k][:, None, None] * by_sin[f][..., None]
        return Cyclotomic(cos.order, numerators, cos.denominator)

    def scales(self) -> Cyclotomic:
        """Ones: the matrices are orthogonal as they are."""
        return Cyclotomic.ones(circle_exactly(self.modulus)[0].order, (self.dim,))

    def field_commutant(self) -> Cyclotomic:
        """The canonical commutant, shape `(end_dim, dim, dim)`."""
        units = commutant(END_DIM[self.kind], self.dim).astype(np.int64)
        return Cyclotomic.integers(circle_exactly(self.modulus)[0].order, units)


class InducedModel:
    """A representation induced from a subgroup: one block of the base per pair of cosets.

    The base's matrices are orthogonal, so these are, without any square root. Coordinates: the
    component of the division algebra outermost, then the coset, then the base's rest.

    Args:
        group: The group.
        base: A representation of the subgroup as a group of its own.
        subgroup: The subgroup.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 3.3 and 7.1.
    """

    def __init__(self, group: Group, base: Model, subgroup: Subgroup) -> None:
        self.base, self.group = base, group
        self.transversal = np.array(subgroup.left_transversal)
        self._coset, self._number = subgroup.left_cosets, np.zeros(group.order, dtype=np.int64)
        self._number[list(subgroup.elements)] = np.arange(subgroup.order)
        self.kind, self.dim = base.kind, base.dim * subgroup.index
        self.is_exact = base.is_exact
        self.provenance = f"induced from a subgroup of index {subgroup.index}: {base.provenance}"

    def _blocks(self, elements: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row coset of each column coset, and the subgroup element there."""
        moved = self.group.products(np.asarray(elements)[..., None], self.transversal)
        rows = self._coset[moved]
        inner = self.group.products(self.group.inverses[self.transversal[rows]], moved)
        return rows, self._number[inner]

    def _spread(self, rows: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        end_dim, index = END_DIM[self.kind], len(self.transversal)
        rest = self.base.dim // end_dim
        lead = rows.shape[:-1]
        full = np.zeros((*lead, index, index, self.base.dim, self.base.dim), blocks.dtype)
        np.put_along_axis(full, rows[..., None, :, None, None], blocks[..., None, :, :, :], axis=-4)
        split = full.reshape(*lead, index, index, end_dim, rest, end_dim, rest)
        n = len(lead)
        order = (*range(n), n + 2, n, n + 3, n + 4, n + 1, n + 5)
        return split.transpose(order).reshape(*lead, self.dim, self.dim)

    def matrices(self, elements: np.ndarray) -> np.ndarray:
        """Float64 matrices, shape `(..., dim, dim)`."""
        rows, inner = self._blocks(elements)
        return self._spread(rows, self.base.matrices(inner))

    def modular(self, elements: np.ndarray, p: int, root: int) -> np.ndarray | None:
        """Matrices modulo `p`, int64; None at a bad prime."""
        rows, inner = self._blocks(elements)
        blocks = self.base.modular(inner, p, root)
        return None if blocks is None else self._spread(rows, blocks)

    def modular_commutant(self, p: int, root: int) -> np.ndarray:
        """The canonical commutant in the coordinates of `modular`, up to factors."""
        return self._per_coset(self.base.modular_commutant(p, root))

    def _per_coset(self, small: np.ndarray) -> np.ndarray:
        end_dim, index = END_DIM[self.kind], len(self.transversal)
        rest = self.base.dim // end_dim
        small = small.reshape(end_dim, end_dim, 1, rest, end_dim, 1, rest)
        identity = np.eye(index, dtype=np.int64).reshape(1, 1, index, 1, 1, index, 1)
        return (small * identity).reshape(end_dim, self.dim, self.dim)

    def field_form(self, elements: np.ndarray) -> Cyclotomic:
        """Matrices in the base's field, shape `(n, dim, dim)`."""
        rows, inner = self._blocks(elements)
        base = self.base.field_form(inner.ravel())
        layers = np.moveaxis(base.numerators, -1, 0).reshape(-1, *inner.shape, *base.shape[1:])
        spread = [self._spread(rows, layer) for layer in layers]
        return Cyclotomic(base.order, np.stack(spread, axis=-1), base.denominator)

    def scales(self) -> Cyclotomic:
        """The base's scales, once per coset."""
        base, index = self.base.scales(), len(self.transversal)
        phi = base.numerators.shape[-1]
        split = base.numerators.reshape(END_DIM[self.kind], 1, -1, phi)
        return Cyclotomic(
            base.order, split.repeat(index, axis=1).reshape(-1, phi), base.denominator
        )

    def field_commutant(self) -> Cyclotomic:
        """The canonical commutant in the coordinates of `field_form`, each up to a factor."""
        base = self.base.field_commutant()
        layers = [self._per_coset(layer) for layer in np.moveaxis(base.numerators, -1, 0)]
        return Cyclotomic(base.order, np.stack(layers, axis=-1), base.denominator)


class PulledBackModel:
    """A representation of a quotient, seen as one of the group.

    Args:
        base: A representation of the quotient.
        images: Image in the quotient of every element.
    """

    def __init__(self, base: Model, images: np.ndarray) -> None:
        self.base, self.images = base, images
        self.kind, self.dim, self.is_exact = base.kind, base.dim, base.is_exact
        self.provenance = base.provenance

    def matrices(self, elements: np.ndarray) -> np.ndarray:
        """Float64 matrices, shape `(..., dim, dim)`."""
        return self.base.matrices(self.images[elements])

    def modular(self, elements: np.ndarray, p: int, root: int) -> np.ndarray | None:
        """Matrices modulo `p`, int64; None at a bad prime."""
        return self.base.modular(self.images[elements], p, root)

    def modular_commutant(self, p: int, root: int) -> np.ndarray:
        """The canonical commutant in the coordinates of `modular`, up to factors."""
        return self.base.modular_commutant(p, root)

    def field_form(self, elements: np.ndarray) -> Cyclotomic:
        """Matrices in the base's field, shape `(n, dim, dim)`."""
        return self.base.field_form(self.images[elements])

    def scales(self) -> Cyclotomic:
        """The base's scales."""
        return self.base.scales()

    def field_commutant(self) -> Cyclotomic:
        """The base's commutant."""
        return self.base.field_commutant()
