"""Kernels averaged over a group by hand: what an equivariant kernel is, slowly."""

import numpy as np
import torch
from torch import Tensor

from irrepnet.actions import ImageAction
from irrepnet.types import FeatureType
from tests.nn.contract import move_image, rho


def averaged(kernel: Tensor, action: ImageAction, left: FeatureType, right: FeatureType) -> Tensor:
    """The nearest kernel with `k(g p) = left(g) k(p) right(g)^-1`: the mean of the moved ones.

    A convolution's kernel `(out, in, h, w)` has the output's type on the left; a transposed
    convolution's `(in, out, h, w)` the input's, since its transpose is the map.
    """
    moved = [
        torch.einsum(
            "oi,ichw,dc->odhw",
            torch.tensor(rho(left, a)),
            move_image(action, a, kernel),
            torch.tensor(rho(right, a)),
        )
        for a in range(action.group.order)
    ]
    return torch.stack(moved).mean(0)


def num_kernels(
    action: ImageAction, left: FeatureType, right: FeatureType, size: tuple[int, int]
) -> int:
    """Dimension of the equivariant kernels, by characters: the mean number of fixed ones."""
    total = 0.0
    pixels = action.permutation(*size)
    for a in range(action.group.order):
        fixed = int((pixels[a] == np.arange(size[0] * size[1])).sum())
        total += fixed * np.trace(rho(left, a)) * np.trace(rho(right, a))
    return round(total / action.group.order)


def as_map(x: Tensor, grid: tuple[int, int]) -> Tensor:
    return x.transpose(1, 2).unflatten(2, grid)


def as_tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


def invariant(bias: Tensor | None, dim: int) -> Tensor:
    """A bias on the trivial copies, which come first."""
    full = torch.zeros(dim, dtype=torch.float64)
    if bias is not None:
        full[: len(bias)] = bias.detach()
    return full
