"""The real matrix that carries one block of an intertwiner."""

from __future__ import annotations

import torch
from torch import Tensor

from irrepnet.nn._block_map import BlockMap


def real_matrix(block: BlockMap, weight: Tensor) -> Tensor:
    """`(end_dim * m_out, end_dim * m_in)`: the commutant's pattern filled with the weights."""
    if block.end_dim == 1:
        return weight
    rows = [
        torch.cat([weight[j] if sign > 0 else -weight[j] for j, sign in row], dim=1)
        for row in block.pattern
    ]
    return torch.cat(rows, dim=0)
