"""Pieces of the dense network that `to_dense` returns: stock layers and the glue between them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


def linear(matrix: np.ndarray) -> nn.Linear:
    """A stock linear layer without bias that multiplies by a fixed matrix (float64)."""
    layer = nn.Linear(1, 1, bias=False)  # nothing is drawn that is thrown away
    layer.out_features, layer.in_features = matrix.shape
    layer.weight = nn.Parameter(torch.tensor(matrix, dtype=torch.float64), requires_grad=False)
    return layer


class DenseResidual(nn.Sequential):
    """`x + f(x)`."""

    def forward(self, input: Tensor) -> Tensor:
        """Add the layers' output to the input."""
        return input + super().forward(input)


class DenseAttention(nn.Module):
    """Multi-head attention of features packed as query, key, value.

    Args:
        channels: For each of query, key and value, the input channel of every head's coordinate:
            shape `(3, heads, head_dim)`.
        dropout: Probability of dropping an attention weight in training.
    """

    def __init__(self, channels: np.ndarray, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.channels: Tensor
        self.back: Tensor
        self.register_buffer("channels", torch.tensor(channels), persistent=False)
        # Where each head coordinate goes back: its rank among the value's input channels.
        order = np.argsort(np.argsort(channels[2].ravel()))
        self.register_buffer("back", torch.tensor(np.argsort(order)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """From `(batch, tokens, 3 * dim)` to `(batch, tokens, dim)`."""
        picked = x[..., self.channels]  # batch, tokens, 3, heads, head_dim
        q, k, v = picked.permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(
            q, k, v, dropout_p=self.dropout if self.training else 0
        )
        return out.transpose(1, 2).flatten(2)[..., self.back]


class DenseAdd(nn.Module):
    """Adds a fixed tensor: the materialised positional embedding."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = nn.Parameter(value.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Add the tensor."""
        return x + self.value


class DenseScale(nn.Module):
    """Multiplies every channel by a number."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = nn.Parameter(value.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Multiply along the last axis."""
        return x * self.value


class DenseRMSNorm(nn.Module):
    """`x / sqrt(sum_c share_c x_c^2 + eps) * weight + bias`.

    Args:
        shares: Weight of each channel's square, float64 of shape `(dim,)`.
        eps: Added to the weighted sum.
        weight: Factor of each channel, or `None`.
        bias: Added to each channel, or `None`.
    """

    def __init__(
        self, shares: np.ndarray, eps: float, weight: Tensor | None, bias: Tensor | None
    ) -> None:
        super().__init__()
        self.shares: Tensor
        self.register_buffer("shares", torch.tensor(shares), persistent=False)
        self.eps = eps
        self.weight = None if weight is None else nn.Parameter(weight.detach().clone())
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Normalise along the last axis."""
        x = x * torch.rsqrt((self.shares * x.square()).sum(-1, keepdim=True) + self.eps)
        x = x if self.weight is None else x * self.weight
        return x if self.bias is None else x + self.bias


class DenseClassToken(nn.Module):
    """Puts learned tokens before the others: `value` has shape `(dim,)` or `(tokens, dim)`."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = nn.Parameter(value.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Prepend the token."""
        return torch.cat(
            [self.value.view(-1, self.value.shape[-1]).expand(len(x), -1, -1), x], dim=1
        )


class DensePatchEmbed(nn.Sequential):
    """A stock strided convolution whose output pixels become tokens."""

    def __init__(self, kernel: Tensor, bias: Tensor | None) -> None:
        size = (kernel.shape[2], kernel.shape[3])
        conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], size, size, bias=bias is not None)
        conv.weight = nn.Parameter(kernel.detach().clone())
        if bias is not None:
            conv.bias = nn.Parameter(bias.detach().clone())
        super().__init__(conv, nn.Flatten(2))

    def forward(self, input: Tensor) -> Tensor:
        """From images to `(batch, tokens, dim)`."""
        return super().forward(input).transpose(1, 2)


class DenseTokenConv(nn.Module):
    """A stock convolution, transposed or not, between tokens of grids.

    Args:
        conv: The convolution; its weights are replaced.
        grid: Height and width of the input grid.
        kernel: Its weight.
        bias: Its bias, or `None`.
        added: What is added to every output map, or `None`.
    """

    def __init__(
        self,
        conv: nn.Conv2d | nn.ConvTranspose2d,
        grid: tuple[int, int],
        kernel: Tensor,
        bias: Tensor | None = None,
        added: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.conv, self.grid, self.to_map = conv, grid, False
        conv.weight = nn.Parameter(kernel.detach().clone())
        conv.bias = None if bias is None else nn.Parameter(bias.detach().clone())
        self.added = None if added is None else nn.Parameter(added.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """From `(batch, tokens, dim)` to tokens, or to a map."""
        x = self.conv(x.transpose(1, 2).unflatten(2, self.grid))
        x = x if self.added is None else x + self.added
        return x if self.to_map else x.flatten(2).transpose(1, 2)
