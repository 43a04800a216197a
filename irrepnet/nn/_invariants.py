"""Invariants beyond norms: maxima over the group, polynomials."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._dense_nonlinear import DensePolynomials
from irrepnet.nn._shapes import check_channels
from irrepnet.types import (
    FeatureType,
    check_channels_exist,
    check_count,
    polynomial_invariants,
    smallest_part,
)


class MaxFilter(ConstantsLayer):
    """Invariants `max_g <g x, w_k>`: how well `x` fits a learned vector, in its best position.

    The parameter is `weight`, of shape `(filters, dim)`.

    Args:
        feature_type: Type of the input.
        filters: Number of learned vectors.
        device: Where the parameter lives.
        dtype: Its dtype.

    Raises:
        SpecError: If there is no filter.

    Cost:
        `2 |G| filters dim` FLOPs a position, and `2 |G| filters sum_i d_i^2 m_i` a batch to move
        the vectors.

    References:
        Cahill, Iverson, Mixon, Packer, *Group-invariant max filtering* (arXiv 2205.14039).

    Examples:
        >>> from irrepnet import groups
        >>> layer = MaxFilter(FeatureType(groups.flop(), "asym"), 1)
        >>> bool((layer(torch.ones(1)) == layer(-torch.ones(1))).all())
        True
    """

    def __init__(
        self,
        feature_type: FeatureType,
        filters: int,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_channels_exist(feature_type)
        check_count(filters, "filters")
        self.feature_type, self.filters, self.dim = feature_type, filters, feature_type.dim
        self._blocks = tuple((b.irrep.dim, b.multiplicity) for b in feature_type.blocks)
        for k, b in enumerate(feature_type.blocks):
            # The adjoint: <g x, w> = <x, g^-1 w>, and g^-1 runs through the group as g does.
            stack = np.stack([b.irrep.matrix(a) for a in range(feature_type.group.order)])
            self.register_constant(f"matrices{k}", stack, device, dtype)
        weight = torch.empty(filters, self.dim, device=device, dtype=dtype)
        self.weight = nn.Parameter(weight)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw vectors of norm about one."""
        nn.init.normal_(self.weight, std=self.dim**-0.5)

    def moved(self) -> Tensor:
        """All vectors in all positions: `(order * filters, dim)`, the element outermost."""
        parts = []
        sizes = [d * m for d, m in self._blocks]
        for k, (part, (dim, copies)) in enumerate(
            zip(self.weight.split(sizes, dim=-1), self._blocks, strict=True)
        ):
            matrices = getattr(self, f"matrices{k}").to(part.dtype)
            rows = part.unflatten(-1, (dim, copies)).transpose(0, 1).flatten(1)
            moved = torch.matmul(matrices.flatten(0, 1), rows)
            moved = moved.unflatten(0, (-1, dim)).unflatten(-1, (self.filters, copies))
            parts.append(moved.transpose(1, 2).flatten(2))
        return torch.cat(parts, dim=-1).flatten(0, 1)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch filters"]:
        """The best fit of each vector."""
        check_channels(x, self.feature_type, self.dim)
        fits = nn.functional.linear(x, self.moved())
        return fits.unflatten(-1, (-1, self.filters)).amax(-2)

    def _dense(self) -> DenseMaxFilter:
        return DenseMaxFilter(self.moved(), self.filters)

    def extra_repr(self) -> str:
        """Type and filters."""
        return f"{self.feature_type}, filters={self.filters}"


class DenseMaxFilter(nn.Module):
    """An ordinary linear map, then a maximum over its positions."""

    def __init__(self, moved: Tensor, filters: int) -> None:
        super().__init__()
        self.moved = nn.Parameter(moved.detach().clone())
        self.filters = filters

    def forward(self, x: Tensor) -> Tensor:
        """The best fit of each vector."""
        return nn.functional.linear(x, self.moved).unflatten(-1, (-1, self.filters)).amax(-2)


class PolynomialMap(ConstantsLayer):
    """Generators of the polynomial invariants up to a degree, of every part of the channels.

    The type is `n` times a smallest one; every part has the same generators, and the output is one
    run of `n` channels for each generator.

    Args:
        feature_type: Type of the input.
        degree: Largest degree.
        device: Where the tables live.
        dtype: Their dtype.

    Raises:
        FeatureTypeError: If there are no such invariants, or too many monomials.

    Cost:
        `2 generators monomials n` FLOPs a position as a product, and a product for each variable
        of each monomial.

    References:
        Octic ViTs (arXiv 2505.15441), invariantisation by polynomials: 32 of degree at most 5.

    Examples:
        >>> from irrepnet import groups
        >>> layer = PolynomialMap(FeatureType(groups.flop(), "sym + asym"), 2)
        >>> layer(torch.tensor([3.0, -2.0])).tolist()
        [3.0, 4.0]
    """

    variables: Tensor
    coefficients: Tensor

    def __init__(
        self,
        feature_type: FeatureType,
        degree: int = 3,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_channels_exist(feature_type)
        self.feature_type, self.degree, self.dim = feature_type, degree, feature_type.dim
        part, self._times = smallest_part(feature_type)
        found = polynomial_invariants(part, degree)
        self._width = found.max_degree
        # The variable after the last is the constant 1.
        padded = [m + (part.dim,) * (self._width - len(m)) for m in found.monomials]
        self.register_constant("variables", np.array(padded).T.copy(), device)
        self.register_constant("coefficients", found.coefficients, device, dtype)
        self._sizes = tuple((b.irrep.dim, b.multiplicity) for b in part.blocks)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch out_dim"]:
        """Evaluate: one run of channels for each generator."""
        check_channels(x, self.feature_type, self.dim)
        # Inside a slot the copies of one part stand `times` apart, parts innermost.
        x = x.unflatten(-1, (-1, self._times))
        x = torch.cat([x, torch.ones_like(x[..., :1, :])], dim=-2)
        terms = x.index_select(-2, self.variables[0])
        for k in range(1, self._width):
            terms = terms * x.index_select(-2, self.variables[k])
        return torch.matmul(self.coefficients.to(terms.dtype), terms).flatten(-2)

    def _dense(self) -> DensePolynomials:
        variables, size = self._sources["variables"], self.dim // self._times
        # Part `p` of variable `v` is channel `v * times + p`; the constant comes after all.
        parts = np.arange(self._times)
        channels = np.where(
            variables[..., None] < size, variables[..., None] * self._times + parts, self.dim
        )
        coefficients = np.kron(self._sources["coefficients"], np.eye(self._times))
        return DensePolynomials(channels.reshape(len(variables), -1), coefficients, self.dim)

    def extra_repr(self) -> str:
        """Type, degree and generators."""
        return f"{self.feature_type}, degree={self.degree}, generators={len(self.coefficients)}"
