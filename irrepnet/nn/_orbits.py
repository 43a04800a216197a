"""Tokens by orbit: sorting them once, and pooling them to invariants of both axes."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet import reps
from irrepnet.actions import PointAction
from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._dense_tokens import DenseGather
from irrepnet.nn._gset_basis import GSetBasis
from irrepnet.nn._layer import Layer
from irrepnet.nn._shapes import check_tokens
from irrepnet.types import (
    POOLED_INVARIANTS,
    FeatureType,
    GSetType,
    TokenType,
    check_choice,
    check_points,
    num_pooled,
    slot_irreps,
)


class Tokens(Layer):
    """Takes the input of a network of tokens and checks its shape.

    Args:
        feature_type: Type of the channels.
        points: How the group permutes the tokens.

    Cost:
        None.
    """

    def __init__(self, feature_type: FeatureType, points: PointAction) -> None:
        super().__init__()
        check_points(feature_type, points)
        self.feature_type, self.points = feature_type, points

    def forward(self, x: Float[Tensor, "*batch tokens dim"]) -> Float[Tensor, "*batch tokens dim"]:
        """The input."""
        check_tokens(x, self.points.num_points, self.feature_type)
        return x

    def _dense(self) -> nn.Identity:
        return nn.Identity()

    def extra_repr(self) -> str:
        """Type and action."""
        return f"{self.feature_type}, {self.points.name!r}"


class OrbitOrder(ConstantsLayer):
    """Sorts tokens by kind of orbit, then coset, then orbit.

    Afterwards each coset of all orbits of a kind is one run of tokens, so a change of basis of the
    tokens adds and subtracts runs in place of gathering them.

    Args:
        feature_type: Type of the channels.
        points: How the group permutes the tokens before.
        device: Where the table lives.
        dtype: Not used; there are no floats.

    Cost:
        One copy.
    """

    order: Tensor

    def __init__(
        self,
        feature_type: FeatureType,
        points: PointAction,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_points(feature_type, points)
        self.feature_type, self.points = feature_type, points
        self.register_constant("order", TokenType.of(points).order, device)

    def forward(self, x: Float[Tensor, "*batch tokens dim"]) -> Float[Tensor, "*batch tokens dim"]:
        """Sort."""
        check_tokens(x, self.points.num_points, self.feature_type)
        return x.index_select(-2, self.order)

    def _dense(self) -> DenseGather:
        return DenseGather(self._sources["order"])

    def extra_repr(self) -> str:
        """Type and action."""
        return f"{self.feature_type}, {self.points.name!r}"


class OrbitPool(ConstantsLayer):
    """Invariants of tokens (x) channels, averaged over the tokens.

    Where channels are points that the group permutes, `x[token, channel]` summed over the pairs
    `(t p, t c)` is invariant. There is one such sum for each orbit of channels: the features of a
    token, carried back to the first token of its orbit, read at the first point of the channels'
    orbit. For a group that moves nothing this is the ordinary mean over tokens.

    `"norm"` adds as many norms: each part (irrep of the tokens) (x) (another irrep of the channels)
    holds no linear invariant, but its norm is one; they are averaged over tokens and summed over
    the parts.

    Args:
        gset: The channels' points.
        points: How the group permutes the tokens.
        kind: `"trivial"` or `"norm"`.
        device: Where the tables live.
        dtype: Their dtype.

    Raises:
        SpecError: If tokens and channels are moved by different groups.

    Cost:
        One pass over the tokens for `"trivial"`; two for `"norm"`, which also changes their basis.

    References:
        Flopping for FLOPs (arXiv 2502.05169), the head of its ResMLP: the case of two irreps.
    """

    order: Tensor

    def __init__(
        self,
        gset: GSetType,
        points: PointAction,
        kind: str = "trivial",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.feature_type = gset.feature_type
        check_choice("invariant", kind, POOLED_INVARIANTS)
        check_points(self.feature_type, points)
        tokens = TokenType.of(points)
        self.gset, self.points, self.kind = gset, points, kind
        self.num_tokens = points.num_points
        self.out_dim = num_pooled(gset, tokens, kind)
        self.basis = GSetBasis(gset, device, dtype)
        self._kinds = tuple((t.index, t.num_orbits) for t in tokens.orbit_types)
        self._runs = tuple((o.start, o.index, o.count) for o in gset.orbits)
        for k, token_kind in enumerate(tokens.orbit_types):
            for c, orbits in enumerate(gset.orbits):
                pairs = diagonal(token_kind, orbits.stabiliser).reshape(1, -1)
                self.register_constant(f"pairs_{k}_{c}", pairs, device, dtype)
        if kind == "norm":
            self.token_basis = GSetBasis(tokens.carrying(self.feature_type.dim), device, dtype)
            self._parts = _parts(gset, tokens)
        self._sorted = tokens.is_sorted
        self.register_constant("order", tokens.order, device)

    def forward(self, x: Float[Tensor, "*batch tokens dim"]) -> Float[Tensor, "*batch out_dim"]:
        """Pool: linear invariants first, then the norms."""
        check_tokens(x, self.num_tokens, self.feature_type)
        x = x if self._sorted else x.index_select(-2, self.order)
        parts = self._linear(x)
        if self.kind == "norm":
            parts += self._norms(x)
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)

    def _linear(self, x: Tensor) -> list[Tensor]:
        """For each kind of channel orbit the sums over all kinds of token orbits."""
        sums = x.split([p * n for p, n in self._kinds], dim=-2)
        means = [
            self.basis.to_points(part.unflatten(-2, kind).sum(-2) / self.num_tokens)
            for part, kind in zip(sums, self._kinds, strict=True)
        ]
        found = []
        for c, (start, index, count) in enumerate(self._runs):
            terms = []
            for k, mean in enumerate(means):
                part = mean.narrow(-1, start, index * count).unflatten(-1, (index, count))
                pairs = getattr(self, f"pairs_{k}_{c}").to(part.dtype)
                terms.append(torch.matmul(pairs, part.flatten(-3, -2)).squeeze(-2))
            found.append(terms[0] if len(terms) == 1 else torch.stack(terms).sum(0))
        return found

    def _norms(self, x: Tensor) -> list[Tensor]:
        """For each kind of channel orbit the norms of the parts without linear invariant."""
        x = self.token_basis.to_irreps(x.flatten(-2)).view(x.shape)
        found = []
        for parts, (_, _, count) in zip(self._parts, self._runs, strict=True):
            total = []
            for (first, dim, copies), slots in parts:
                rows = x.narrow(-2, first, dim * copies).unflatten(-2, (dim, copies))
                planes = [rows.narrow(-1, slot, count) for slot in slots]
                if len(planes) == dim == 1:
                    norm = planes[0].squeeze(-3).abs()
                else:
                    norm = torch.linalg.vector_norm(torch.cat(planes, dim=-3), dim=-3)
                total.append(norm.sum(-2))
            if total:
                found.append(torch.stack(total).sum(0) / self.num_tokens)
        return found

    def _dense(self) -> OrbitPool:  # sums without weights, which as a matrix would be vast
        return OrbitPool(self.gset, self.points, self.kind)

    def extra_repr(self) -> str:
        """Types, action and kind."""
        pooled = FeatureType.trivial(self.feature_type.group, self.out_dim)
        return f"{self.feature_type} -> {pooled}, {self.points.name!r}, kind={self.kind!r}"


def diagonal(token_kind: reps.OrbitType, stabiliser: tuple[int, ...]) -> np.ndarray:
    """Pairs of a token and a channel that belong together, for one kind of orbit of each.

    Entry `[p, c]`: of the elements that send the first token to token `p`, which share sends the
    first channel to channel `c`.
    """
    group = token_kind.group
    first = np.array([min(group.multiply(t, k) for k in stabiliser) for t in range(group.order)])
    cosets = np.searchsorted(np.unique(first), first)
    shares = np.zeros((token_kind.index, group.order // len(stabiliser)))
    for p, t in enumerate(token_kind.transversal):
        for h in token_kind.stabiliser:
            shares[p, cosets[group.multiply(int(t), h)]] += 1 / len(token_kind.stabiliser)
    return shares


def _parts(
    gset: GSetType, tokens: TokenType
) -> tuple[tuple[tuple[tuple[int, int, int], tuple[int, ...]], ...], ...]:
    """For each kind of channel orbit: token block, and the slots of one other channel irrep."""
    found = []
    for orbits in gset.orbits:
        irreps = slot_irreps(gset, orbits.stabiliser)
        parts = []
        for block in tokens.feature_type.blocks:
            for j in dict.fromkeys(irreps):
                if j != block.irrep.index:
                    slots = tuple(s for s, i in zip(orbits.slots, irreps, strict=True) if i == j)
                    parts.append(((block.start, block.irrep.dim, block.multiplicity), slots))
        found.append(tuple(parts))
    return tuple(found)
