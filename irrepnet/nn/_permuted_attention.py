"""`PermutedAttention`: heads that the group permutes."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from irrepnet._errors import HeadsError
from irrepnet.nn._dense import DenseAttention, linear
from irrepnet.nn._gset_basis import GSetBasis
from irrepnet.nn._layer import Layer
from irrepnet.types import (
    GSetType,
    check_rate,
)


class PermutedAttention(Layer):
    """Scaled dot-product attention on the points of a G-set, where head `h` is moved to `g h`.

    A head holds equally many channels of one coset of one kind of orbit. For `g x` the weights of
    head `h` turn up at head `g h`, tokens permuted, so every head may look elsewhere; heads that
    hold sub-representations (`IsotypicAttention`) have invariant weights.

    Args:
        gset: The points of the output.
        heads: Number of heads; must split every kind of orbit.
        dropout: As in `IsotypicAttention`.
        device: Where the tables live.
        dtype: Their dtype.

    Raises:
        HeadsError: If the points do not split; names the head counts that do.

    Cost:
        `4 tokens^2 dim` FLOPs an image, the softmax, and changes of basis of four times `dim`
        channels.

    References:
        Attention is equivariant if the group permutes heads together with their weights; the heads
        of Flopping and Octic ViTs are the case of a trivial permutation.

    Examples:
        >>> from irrepnet import groups
        >>> from irrepnet.types import FeatureType, gset_for
        >>> gset = gset_for(FeatureType(groups.flop(), "4*sym + 4*asym"))
        >>> PermutedAttention(gset, heads=4)(torch.ones(1, 5, 24)).shape
        torch.Size([1, 5, 8])
    """

    def __init__(
        self,
        gset: GSetType,
        heads: int,
        dropout: float = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_rate(dropout, "dropout=")
        self.head_dim = permuted_head_dim(gset, heads)
        self.gset, self.heads, self.dropout = gset, heads, dropout
        self.before = GSetBasis(tripled(gset), device, dtype)
        self.after = GSetBasis(gset, device, dtype)
        self._kinds = tuple((o.index, o.count // self.head_dim) for o in gset.orbits)

    def forward(
        self, x: Float[Tensor, "batch tokens three_dim"]
    ) -> Float[Tensor, "batch tokens dim"]:
        """Attend.

        Args:
            x: Query, key and value as one tensor of type three times the output's: on points, the
                first third of every kind's orbits is the query, then the key, then the value.

        Returns:
            The attended values.
        """
        points, parts, first = self.before.to_points(x), [], 0
        for cosets, groups in self._kinds:
            width = 3 * cosets * groups * self.head_dim
            part = points[..., first : first + width]
            part = part.unflatten(-1, (cosets, 3, groups, self.head_dim))
            parts.append(part.permute(3, 0, 2, 4, 1, 5).flatten(2, 3))
            first += width
        q, k, v = torch.cat(parts, dim=2).unbind(0)
        dropout = self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        # Heads come kind by kind, coset by coset: the order of the points.
        return self.after.to_irreps(out.transpose(1, 2).flatten(2))

    def _dense(self) -> nn.Sequential:
        channels: list[list[list[int]]] = [[], [], []]
        first = 0
        for cosets, groups in self._kinds:
            for coset in range(cosets):
                for third in range(3):
                    for group in range(groups):
                        place = (coset * 3 + third) * groups + group
                        start = first + place * self.head_dim
                        channels[third].append(list(range(start, start + self.head_dim)))
            first += 3 * cosets * groups * self.head_dim
        return nn.Sequential(
            linear(self.before.gset.basis().T),
            DenseAttention(np.array(channels), self.dropout),
            linear(self.gset.basis()),
        )

    def extra_repr(self) -> str:
        """Type, points and heads."""
        return f"{self.gset.feature_type} on {self.gset}, heads={self.heads}"


def tripled(gset: GSetType) -> GSetType:
    """Query, key and value of a G-set's features."""
    return GSetType(gset.group, tuple((h, 3 * n) for h, n in gset.counts))


def permuted_head_dim(gset: GSetType, heads: int) -> int:
    """Channels of a head.

    Raises:
        HeadsError: If the heads do not split every kind of orbit.
    """
    dim = gset.feature_type.dim
    common = math.gcd(*(n for _, n in gset.counts))
    if heads < 1 or dim % heads or common % (dim // heads):
        legal = [dim // h for h in range(common, 0, -1) if common % h == 0]
        shown = ", ".join(map(str, legal[:12])) + (", ..." if len(legal) > 12 else "")
        raise HeadsError(
            f"{heads} heads cannot be permuted on {gset}: each head has to lie on one coset, with "
            f"equally many of its channels. Expected one of these head counts: {shown}."
        )
    return dim // heads
