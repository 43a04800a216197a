"""Fast isotypic transforms: a coset basis as a product of sparse factors along a subgroup chain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from sympy import primefactors

from irrepnet.groups import Group, Subgroup
from irrepnet.reps._coset_basis import coset_basis

#: Entries below this are rounding: the factors are products of orthogonal matrices.
ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class FastTransform:
    """The isotypic basis of `R[G/H]`, applied step by step up a chain `H = K_0 < ... < K_s = G`.

    `R[K_i/H]` is a sum of translates of `R[K_(i-1)/H]`. Transform these first, then combine: the
    second factor is sparse because it maps each irrep of `K_(i-1)` only into the irreps of `K_i`
    above it.

    Attributes:
        orders: Orders of the subgroups in the chain.
        index: `|G : H|`.
        smaller: The transform of the subgroup below, None at the bottom.
        points: Position in `G/H` of point `j` of translate `c`, int64 `(translates, index below)`.
        columns: Columns of the nonzero entries of each row of the last factor, padded, `(index,
            width)`.
        coefficients: These entries, float64, padded with zeros.

    References:
        Diaconis and Rockmore, "Efficient computation of the Fourier transform on finite groups",
        J. Amer. Math. Soc. 3 (1990); Clausen and Baum, *Fast Fourier Transforms* (1993).
    """

    orders: tuple[int, ...]
    index: int
    smaller: FastTransform | None
    points: np.ndarray
    columns: np.ndarray
    coefficients: np.ndarray

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Points of `G/H` to isotypic coordinates, on the last axis."""
        if self.smaller is None:
            return x
        inner = self.smaller.apply(x[..., self.points])
        flat = inner.reshape(*x.shape[:-1], self.index)
        return (flat[..., self.columns] * self.coefficients).sum(axis=-1)

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """Isotypic coordinates to points of `G/H`, on the last axis."""
        if self.smaller is None:
            return y
        columns, coefficients = self._transposed
        flat = (y[..., columns] * coefficients).sum(axis=-1)
        inner = self.smaller.adjoint(flat.reshape(*y.shape[:-1], *self.points.shape))
        x = np.empty_like(flat)
        x[..., self.points] = inner
        return x

    @cached_property
    def _transposed(self) -> tuple[np.ndarray, np.ndarray]:
        dense = np.zeros((self.index, self.index))
        np.add.at(dense, (np.arange(self.index)[:, None], self.columns), self.coefficients)
        return sparse_rows(dense.T)

    @cached_property
    def flops(self) -> int:
        """FLOPs of one transform: two for each nonzero entry of each factor (1 MAC = 2 FLOPs)."""
        if self.smaller is None:
            return 0
        entries = int(np.count_nonzero(self.coefficients))
        return 2 * entries + len(self.points) * self.smaller.flops


def sparse_rows(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of the nonzero entries of each row, padded to one width with zeros.

    Examples:
        >>> columns, values = sparse_rows(np.array([[0.0, 2.0], [1.0, 1.0]]))
        >>> columns.tolist(), values.tolist()
        ([[1, 0], [0, 1]], [[2.0, 0.0], [1.0, 1.0]])
    """
    nonzero = np.abs(matrix) > ROUNDING
    width = int(nonzero.sum(axis=1).max(initial=0))
    columns = np.argsort(~nonzero, axis=1, kind="stable")[:, :width]
    values = np.take_along_axis(np.where(nonzero, matrix, 0.0), columns, axis=1)
    return columns, values


def subgroup_chain(group: Group, stabiliser: tuple[int, ...]) -> list[Subgroup]:
    """A chain from a subgroup to the group: the smallest step each time, by the first element.

    Cost:
        One subgroup generated per coset and step.

    Examples:
        >>> from irrepnet import groups
        >>> [K.order for K in subgroup_chain(groups.dihedral(4), (0,))]
        [1, 2, 4, 8]
    """
    chain = [Subgroup(group, stabiliser)]
    while chain[-1].index > 1:
        current = chain[-1]
        least = current.order * primefactors(current.index)[0]
        following = None
        for x in current.left_transversal[1:]:
            larger = group.subgroup((*current.generators, x))
            if following is None or larger.order < following.order:
                following = larger
            if following.order == least:
                break
        assert following is not None, "a proper subgroup has a second coset"
        chain.append(following)
    return chain


@lru_cache(maxsize=64)
def fast_transform(group: Group, stabiliser: tuple[int, ...]) -> FastTransform:
    """The fast transform of `R[G/H]`; it equals `coset_basis` as a matrix.

    Cost:
        O(index^3) once, for the factors.

    Examples:
        >>> from irrepnet import groups
        >>> G = groups.parse("C2xC2xC2xC2")
        >>> fast_transform(G, (0,)).flops, 2 * 16 * 16
        (256, 512)
    """
    chain = subgroup_chain(group, stabiliser)
    bottom = np.zeros((1, 1), dtype=np.int64)
    transform = FastTransform((chain[0].order,), 1, None, bottom, bottom, np.ones((1, 1)))
    below = np.ones((1, 1))
    for smaller, larger in pairwise(chain):
        inside = larger.as_group()
        number = {a: i for i, a in enumerate(larger.elements)}
        H = Subgroup(inside, tuple(number[h] for h in stabiliser))
        K = Subgroup(inside, tuple(number[k] for k in smaller.elements))
        points = _points(inside, H, K)
        basis = coset_basis(group if larger.index == 1 else inside, H.elements)
        translated = np.zeros((len(points), points.shape[1], H.index))
        for c, row in enumerate(points):
            translated[c][:, row] = below
        factor = basis @ translated.reshape(H.index, H.index).T
        orders = (*transform.orders, larger.order)
        transform = FastTransform(orders, H.index, transform, points, *sparse_rows(factor))
        below = basis
    return transform


def _points(group: Group, H: Subgroup, K: Subgroup) -> np.ndarray:
    """Coset of `H` that holds `s_c t_j`, for cosets `s_c K` of the group and `t_j H` of `K`."""
    inside = [t for t in H.left_transversal if K.contains(t)]
    return H.left_cosets[group.products(np.array(K.left_transversal)[:, None], np.array(inside))]
