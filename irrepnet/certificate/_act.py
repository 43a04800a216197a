"""How a group element acts on what flows along an edge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from irrepnet.compiler import Edge, Features, Images


def act(edge: Edge, element: int, x: Tensor) -> Tensor:
    """The tensor `g x`.

    Args:
        edge: What the tensor is: images, or typed features with or without a grid of tokens.
        element: Element `g` of the edge's group.
        x: Images or maps `(batch, channels, height, width)`, or features `(..., dim)`.

    Examples:
        >>> from irrepnet import actions
        >>> edge = Images(actions.image("flop"), 1, (1, 2))
        >>> act(edge, 1, torch.tensor([[[[1.0, 2.0]]]])).tolist()
        [[[[2.0, 1.0]]]]
    """
    if isinstance(edge, Images):
        images = edge.action.permutation(*edge.size)
        return _move(images[element], x.flatten(-2)).view(x.shape)
    if edge.maps:
        tokens = act(replace(edge, maps=False), element, x.flatten(2).transpose(1, 2))
        return tokens.transpose(1, 2).view(x.shape)
    acting = edge.type.matrix(element)
    if edge.gset is not None:  # a permutation of the points
        basis = edge.gset.basis()
        acting = np.rint(basis.T @ acting @ basis)
    x = x @ torch.tensor(acting, dtype=x.dtype, device=x.device).t()
    tokens = edge.tokens
    if tokens is None:
        return x
    moved = _move(tokens.array[element], x[:, edge.prefix :].transpose(1, 2))
    return torch.cat([x[:, : edge.prefix], moved.transpose(1, 2)], dim=1)


def _move(images: np.ndarray, x: Tensor) -> Tensor:
    """`(g x)(p) = x(g^-1 p)` along the last axis, for the images of the points under `g`."""
    origin = np.argsort(images)
    return x[..., torch.as_tensor(origin, device=x.device)]


def random_input(edge: Edge, batch: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Standard normal input for a network that takes the edge; 5 positions where it leaves them."""
    if isinstance(edge, Images):
        shape = (batch, edge.channels, *edge.size)
    else:
        assert isinstance(edge, Features)
        shape = (batch, edge.positions or 5, edge.type.dim)
        if edge.maps and edge.grid is not None:
            shape = (batch, edge.type.dim, *edge.grid)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
