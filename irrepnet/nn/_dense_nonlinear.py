"""Pieces of the dense network for gates, norms and polynomials: linear layers and products."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from irrepnet.nn._dense import linear
from irrepnet.types import Block


class DenseGated(nn.Module):
    """`[f(scalars), others * gate(gates)]`, the three picked by stock linear layers.

    Args:
        invariants: Trivial copies, the first channels.
        blocks: The other blocks of the output.
        function: Applied to scalars.
        gate: Applied to gates.
    """

    def __init__(
        self,
        invariants: int,
        blocks: Sequence[Block],
        function: Callable[[Tensor], Tensor],
        gate: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__()
        width, copies = sum(b.width for b in blocks), sum(b.multiplicity for b in blocks)
        whole = np.eye(invariants + copies + width)
        self.scalars = linear(whole[:invariants])
        self.gates = linear(_spread(blocks).T @ whole[invariants : invariants + copies])
        self.others = linear(whole[invariants + copies :])
        self.function, self.gate = function, gate

    def forward(self, x: Tensor) -> Tensor:
        """Gate along the last axis."""
        gated = self.others(x) * self.gate(self.gates(x))
        return torch.cat([self.function(self.scalars(x)), gated], dim=-1)


def _spread(blocks: Sequence[Block]) -> np.ndarray:
    """Which channels belong to each copy: zeros and ones `(copies, width)`."""
    matrix = np.zeros((sum(b.multiplicity for b in blocks), sum(b.width for b in blocks)))
    row = column = 0
    for b in blocks:
        last = column + b.width
        matrix[row : row + b.multiplicity, column:last] = np.tile(
            np.eye(b.multiplicity), b.irrep.dim
        )
        row, column = row + b.multiplicity, last
    return matrix


class DenseNorms(nn.Module):
    """Trivial copies as they are, then the norm of every other one: a root of sums of squares.

    Args:
        invariants: Trivial copies, the first channels.
        blocks: The other blocks.
        scales: Factor of each norm.
    """

    def __init__(
        self, invariants: int, blocks: Sequence[Block], scales: np.ndarray | None = None
    ) -> None:
        super().__init__()
        self.invariants = invariants
        spread = _spread(blocks)
        self.sums = linear(spread if scales is None else spread * scales[:, None] ** 2)

    def forward(self, x: Tensor) -> Tensor:
        """One number for each copy."""
        trivial, others = x[..., : self.invariants], x[..., self.invariants :]
        return torch.cat([trivial, self.sums(others.square()).sqrt()], dim=-1)


class DenseNormActivation(nn.Module):
    """Every channel times a function of its copy's norm and bias.

    Args:
        blocks: All blocks; the trivial one is first, if there is one.
        bias: One number for each copy.
        function: Applied to norm plus bias.
    """

    def __init__(
        self, blocks: Sequence[Block], bias: Tensor, function: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        invariants = sum(b.multiplicity for b in blocks if b.irrep.index == 0)
        self.norms = DenseNorms(invariants, [b for b in blocks if b.irrep.index])
        self.spread = linear(_spread(blocks).T)
        self.bias = nn.Parameter(bias.detach().clone())
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Scale along the last axis."""
        return x * self.spread(self.function(self.norms(x) + self.bias))


class DensePolynomials(nn.Module):
    """Products of channels that stock linear layers pick, then one more linear layer.

    Args:
        variables: The channel of each factor of each monomial `(degree, monomials)`; the number
            after the last channel stands for the constant 1.
        coefficients: `(outputs, monomials)`.
        dim: Number of channels.
    """

    def __init__(self, variables: np.ndarray, coefficients: np.ndarray, dim: int) -> None:
        super().__init__()
        self.factors = nn.ModuleList()
        for row in variables:
            factor = linear(np.eye(dim + 1, dim)[row])
            factor.bias = nn.Parameter(torch.tensor(1.0 * (row == dim)), requires_grad=False)
            self.factors.append(factor)
        self.sums = linear(coefficients)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate along the last axis."""
        terms = self.factors[0](x)
        for factor in self.factors[1:]:
            terms = terms * factor(x)
        return self.sums(terms)
