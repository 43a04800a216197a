"""Pieces of the dense network on the token axis."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class DenseTokenLinear(nn.Module):
    """A stock linear layer along the tokens, then a fixed vector for each token.

    Args:
        matrix: Its weight, `(tokens, tokens)`.
        bias: What is added, `(tokens, dim)`, or `None`.
    """

    def __init__(self, matrix: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.linear = nn.Linear(len(matrix), len(matrix), bias=False)
        self.linear.weight = nn.Parameter(matrix.detach().clone())
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Mix the last axis but one."""
        x = self.linear(x.transpose(-1, -2)).transpose(-1, -2)
        return x if self.bias is None else x + self.bias


class DenseGather(nn.Module):
    """Reorders tokens.

    Args:
        order: The token that comes to each place.
    """

    order: Tensor

    def __init__(self, order: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("order", torch.tensor(order), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Reorder the last axis but one."""
        return x.index_select(-2, self.order)
