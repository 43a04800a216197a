"""Layers whose bias lives on two axes, tokens (x) channels: `TokenBias` and `Affine`."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet.actions import PointAction
from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._copies import CopyScale, invariant_channels
from irrepnet.nn._dense import DenseAdd, DenseScale
from irrepnet.nn._eager import writes_in_place
from irrepnet.nn._expanded import Expanded
from irrepnet.nn._layer import Layer
from irrepnet.nn._shapes import check_tokens
from irrepnet.types import FeatureType, TokenType, check_points, vectors_on_orbit


class TokenBias(ConstantsLayer):
    """Adds a learned vector of `(R^tokens (x) V)^G` that is alike on all orbits of a kind.

    On one token of each orbit the vector is free inside the subspace that the token's stabiliser
    fixes, and all orbits of a kind share it; the group moves it to the rest of the orbit. Where the
    group leaves every token in place this is the ordinary invariant bias; where it moves them
    freely there is one number for each channel, as in a dense network.

    Parameters are `weight_<irrep>` of shape `(rows, multiplicity)`: for each kind of orbit, each
    basis vector of the irrep's subspace fixed by the stabiliser.

    Args:
        feature_type: Type of the channels.
        points: How the group permutes the tokens.
        device: Where the parameters live.
        dtype: Their dtype.
        overwrite: Whether plain inference may write the sum over the input.

    Raises:
        SpecError: If tokens and channels are moved by different groups.

    Cost:
        One addition for each token and channel, and a product a batch that moves the vectors.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 7.2 (Frobenius reciprocity).
        Flopping for FLOPs (arXiv 2502.05169), the biases of its ResMLP.

    Examples:
        >>> from irrepnet import actions, groups
        >>> X = FeatureType(groups.flop(), "2*sym + 2*asym")
        >>> bias = TokenBias(X, actions.image("flop").on_grid(1, 4))
        >>> sum(p.numel() for p in bias.parameters())
        4
    """

    order: Tensor

    def __init__(
        self,
        feature_type: FeatureType,
        points: PointAction,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        overwrite: bool = False,
    ) -> None:
        super().__init__()
        check_points(feature_type, points)
        tokens = TokenType.of(points)
        self.overwrite, self._kept = overwrite, Expanded()
        self.feature_type, self.points, self.num_tokens = feature_type, points, points.num_points
        self._kinds = tuple((t.index, t.num_orbits) for t in tokens.orbit_types)
        self._broadcasts = tokens.is_sorted and len(self._kinds) == 1
        self._blocks: list[tuple[str, tuple[int, ...]]] = []
        for b in feature_type.blocks:
            moved = [vectors_on_orbit(b.irrep, t) for t in tokens.orbit_types]
            for k, vectors in enumerate(moved):
                if vectors.shape[-1]:
                    rows = vectors.reshape(-1, vectors.shape[-1])
                    self.register_constant(f"moved_{b.irrep.name}_{k}", rows, device, dtype)
            fixed = tuple(m.shape[-1] for m in moved)
            weight = torch.zeros(sum(fixed), b.multiplicity, device=device, dtype=dtype)
            self.register_parameter(f"weight_{b.irrep.name}", nn.Parameter(weight))
            self._blocks.append((b.irrep.name, fixed))
        self.register_constant("order", np.argsort(tokens.order), device)

    def reset_parameters(self) -> None:
        """Set the vector to zero."""
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def _on_kind(self, k: int) -> Tensor:
        """The vector on the points of one orbit: `(points, dim)`."""
        num_points = self._kinds[k][0]
        parts = []
        for (name, fixed), block in zip(self._blocks, self.feature_type.blocks, strict=True):
            weight = getattr(self, f"weight_{name}")
            if fixed[k] == 0:
                parts.append(weight.new_zeros(num_points, block.width))
                continue
            first = sum(fixed[:k])
            matrix = getattr(self, f"moved_{name}_{k}").to(weight.dtype)
            rows = torch.matmul(matrix, weight[first : first + fixed[k]])
            parts.append(rows.view(num_points, block.width))
        return torch.cat(parts, dim=-1)

    def value(self) -> Float[Tensor, "tokens dim"]:
        """The vector itself."""
        kinds = [
            self._on_kind(k).repeat_interleave(n, dim=0) for k, (_, n) in enumerate(self._kinds)
        ]
        return torch.cat(kinds)[self.order]

    @torch.no_grad()
    def load_value_(self, value: Float[Tensor, "tokens dim"]) -> None:
        """Set the vector to the orthogonal projection of any other.

        Args:
            value: A vector for each token as they stand.
        """
        sorted_value = value[torch.argsort(self.order)]
        first = 0
        for k, (index, orbits) in enumerate(self._kinds):
            kind = sorted_value[first : first + index * orbits].unflatten(0, (index, orbits))
            first += index * orbits
            for (name, fixed), block in zip(self._blocks, self.feature_type.blocks, strict=True):
                if fixed[k]:
                    rows = kind.mean(1)[:, block.start : block.stop]
                    rows = rows.reshape(index * block.irrep.dim, block.multiplicity)
                    matrix = getattr(self, f"moved_{name}_{k}").to(rows)
                    at = sum(fixed[:k])
                    parameter = getattr(self, f"weight_{name}")
                    parameter[at : at + fixed[k]] = torch.linalg.pinv(matrix) @ rows

    def forward(self, x: Float[Tensor, "*batch tokens dim"]) -> Float[Tensor, "*batch tokens dim"]:
        """Add the vector."""
        return self.add(x, *self.vectors(x))

    def add(self, x: Tensor, vectors: Tensor, repeat: int) -> Tensor:
        """Add what `vectors` gave."""
        tokens, vectors = x.unflatten(-2, (-1, repeat)), vectors.unsqueeze(1)
        if self.overwrite and writes_in_place(x):
            tokens.add_(vectors)
            return x
        return (tokens + vectors).flatten(-3, -2)

    def vectors(self, x: Tensor) -> tuple[Tensor, int]:
        """What is added to the tokens of `x`: rows `(points, dim)`, each to so many tokens.

        Where the tokens lie as `(points, orbits)`, orbits of one kind share a few rows, which stay
        in the cache; else there is a row for each token.
        """
        check_tokens(x, self.num_tokens, self.feature_type)
        parameters = tuple(self.parameters())
        if self._broadcasts:
            return self._kept.get(x, parameters, lambda: self._on_kind(0)), self._kinds[0][1]
        return self._kept.get(x, parameters, self.value), 1

    def _dense(self) -> DenseAdd:
        return DenseAdd(self.value())

    def extra_repr(self) -> str:
        """Type and action."""
        return f"{self.feature_type}, {self.points.name!r}"


class Affine(CopyScale, Layer):
    """Scales each copy of each irrep and adds a bias: what a ResMLP has in place of norms.

    Parameters are `weight_<irrep>` `(multiplicity,)`, and `bias` `(multiplicity of trivial,)` or
    those of a `TokenBias` called `bias`.

    Args:
        feature_type: Type of the channels.
        points: If given, the bias is a `TokenBias`; else it is one invariant vector.
        bias: Whether there is one.
        device: Where the parameters live.
        dtype: Their dtype.

    Cost:
        One multiplication for each channel, and one addition for each that has a bias.

    References:
        Touvron et al., *ResMLP* (arXiv 2105.03404), equation 1.
    """

    def __init__(
        self,
        feature_type: FeatureType,
        points: PointAction | None = None,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(feature_type, 1.0, device, dtype)
        self.feature_type = feature_type
        self.bias: nn.Parameter | TokenBias | None = None
        if bias and points is not None:
            self.bias = TokenBias(feature_type, points, device, dtype)
            self._shift = Expanded()
        elif bias and feature_type.num_invariants:
            zeros = torch.zeros(feature_type.num_invariants, device=device, dtype=dtype)
            self.bias = nn.Parameter(zeros)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Scale and shift along the last axis."""
        if isinstance(self.bias, TokenBias):
            if not writes_in_place(x):
                return self.bias(x * self.channels())
            shift = self._shift.get(x, tuple(self.bias.parameters()), self.bias.value)
            return torch.addcmul(shift, x, self.channels())
        x = x * self.channels()
        if self.bias is None:
            return x
        return x + invariant_channels(self.bias, self.feature_type.dim)

    def _dense(self) -> nn.Sequential:
        dense = nn.Sequential(DenseScale(self.channels()))
        if isinstance(self.bias, TokenBias):
            dense.append(self.bias._dense())
        elif self.bias is not None:
            dense.append(DenseAdd(invariant_channels(self.bias, self.feature_type.dim)))
        return dense

    def extra_repr(self) -> str:
        """Type and whether there is a bias."""
        return f"{self.feature_type}, bias={self.bias is not None}"
