"""From tokens to invariants: pooling over tokens and invariant maps of typed channels."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet.nn._dense import linear
from irrepnet.nn._dense_nonlinear import DenseNorms
from irrepnet.nn._layer import Layer
from irrepnet.types import POOLS, FeatureType, check_choice, check_count, check_invariants


class TokenPool(Layer):
    """One feature vector from all tokens.

    Args:
        kind: `"token"` takes the first token (the class token); `"avg"` the mean of those that
            are not prefix tokens.
        prefix: Number of tokens before the grid.
    """

    def __init__(self, kind: str, prefix: int) -> None:
        super().__init__()
        check_choice("pooling", kind, POOLS)
        if kind == "token":
            check_count(prefix, "prefix tokens for pooling 'token'")
        self.kind, self.prefix = kind, prefix

    def forward(self, x: Float[Tensor, "batch tokens dim"]) -> Float[Tensor, "batch dim"]:
        """Pool."""
        return x[:, 0] if self.kind == "token" else x[:, self.prefix :].mean(dim=1)

    def _dense(self) -> TokenPool:  # a slice or a mean: there is nothing to expand
        return TokenPool(self.kind, self.prefix)

    def extra_repr(self) -> str:
        """The kind."""
        return repr(self.kind)


class InvariantMap(Layer):
    """Invariants of a typed feature vector.

    Args:
        feature_type: Type of the input.
        kind: `"trivial"` keeps the trivial copies; `"norm"` adds, for every other copy, its norm
            over the irrep's components (the absolute value of a one-dimensional one), with
            gradient zero at zero; this is the power spectrum. `"rms"` divides each norm by the
            square root of the irrep's dimension, so that all have the channels' own size.

    Cost:
        Nothing for `"trivial"`; two operations for each channel otherwise.

    Examples:
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.flop(), "sym + 2*asym")
        >>> InvariantMap(X, "norm")(torch.tensor([-3.0, -1.0, 2.0])).tolist()
        [-3.0, 1.0, 2.0]
    """

    def __init__(self, feature_type: FeatureType, kind: str = "trivial") -> None:
        super().__init__()
        self.out_dim = check_invariants(feature_type, kind)
        self.feature_type, self.kind = feature_type, kind
        self._invariants = feature_type.num_invariants
        self._others = tuple(
            (b.start, b.stop, b.irrep.dim) for b in feature_type.blocks if b.irrep.index
        )

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch out_dim"]:
        """Take the invariants: trivial copies first, then the norms in irrep order."""
        parts = [x[..., : self._invariants]]
        for start, stop, dim in () if self.kind == "trivial" else self._others:
            part = x[..., start:stop]
            if dim == 1:
                parts.append(part.abs())
            else:
                size = torch.linalg.vector_norm(part.unflatten(-1, (dim, -1)), dim=-2)
                parts.append(size * dim**-0.5 if self.kind == "rms" else size)
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)

    def _dense(self) -> nn.Module:
        if self.kind == "trivial":
            return linear(np.eye(self._invariants, self.feature_type.dim))
        others = [b for b in self.feature_type.blocks if b.irrep.index]
        roots = [np.full(b.multiplicity, b.irrep.dim**-0.5) for b in others]
        scales = np.concatenate([np.zeros(0), *roots]) if self.kind == "rms" else None
        return DenseNorms(self._invariants, others, scales)

    def extra_repr(self) -> str:
        """Type and kind."""
        return f"{self.feature_type}, kind={self.kind!r}"
