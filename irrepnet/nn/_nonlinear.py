"""Activations without points: direct, gated, and by norms."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._dense import linear
from irrepnet.nn._dense_nonlinear import DenseGated, DenseNormActivation
from irrepnet.nn._functions import FUNCTIONS, Pointwise, check_function
from irrepnet.nn._gset_basis import GSetBasis
from irrepnet.nn._layer import Layer
from irrepnet.nn._shapes import check_channels
from irrepnet.types import (
    FeatureType,
    absolute_type,
    check_channels_exist,
    check_pointwise,
)


class DirectActivation(ConstantsLayer):
    """A pointwise function of the stored channels.

    Args:
        feature_type: Type of the input.
        function: One of `FUNCTIONS`.
        device: Where the tables live.
        dtype: Their dtype.

    Raises:
        ActivationError: If the function is unknown, or may not act, with the reason.

    Cost:
        One evaluation a channel; for even functions, one change of basis from points.

    References:
        Pacini et al., ICLR 2024, Theorem 1: odd functions commute with signed permutations, and
        even ones turn their signs into none.

    Examples:
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.flop(), "sym + 2*asym")
        >>> DirectActivation(X, "abs")(torch.tensor([-3.0, -1.0, 2.0])).tolist()
        [3.0, 1.0, 2.0]
    """

    order: Tensor

    def __init__(
        self,
        feature_type: FeatureType,
        function: str = "tanh",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_channels_exist(feature_type)
        self.pointwise = Pointwise(function)
        self.feature_type, self.dim = feature_type, feature_type.dim
        self.out_type, self.basis = feature_type, None
        if check_pointwise(feature_type, function) == "even":
            points = absolute_type(feature_type)
            self.out_type = points.gset.feature_type
            self.basis = GSetBasis(points.gset, device, dtype)
            self.register_constant("order", points.order, device)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Apply the function along the last axis."""
        check_channels(x, self.feature_type, self.dim)
        x = self.pointwise(x)
        return x if self.basis is None else self.basis.to_irreps(x.index_select(-1, self.order))

    def _dense(self) -> nn.Sequential:
        if self.basis is None:
            return nn.Sequential(Pointwise(self.pointwise.function))
        matrix = self.basis.gset.basis()[:, self.order.cpu().numpy().argsort()]
        return nn.Sequential(Pointwise(self.pointwise.function), linear(matrix))

    def extra_repr(self) -> str:
        """Both types."""
        return f"{self.feature_type} -> {self.out_type}"


class Gated(Layer):
    """Every copy that is not trivial times a function of its gate, an invariant channel.

    Args:
        feature_type: Type of the output. The input has a gate for each of its copies that are not
            trivial, after the trivial copies.
        function: Applied to trivial copies.
        gate: Applied to gates.

    Cost:
        One evaluation for each trivial copy and gate, one product for each other channel.

    References:
        Weiler et al., *3D Steerable CNNs* (arXiv 1807.02547), sec. 4.3.

    Examples:
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.flop(), "sym + asym")
        >>> Gated(X, "relu", "relu")(torch.tensor([-1.0, 2.0, 5.0])).tolist()
        [0.0, 10.0]
    """

    def __init__(
        self, feature_type: FeatureType, function: str = "silu", gate: str = "sigmoid"
    ) -> None:
        super().__init__()
        check_channels_exist(feature_type)
        check_function(function)
        check_function(gate)
        self.feature_type, self.function, self.gate = feature_type, function, gate
        self._invariants = feature_type.num_invariants
        others = [b for b in feature_type.blocks if b.irrep.index]
        self._others = tuple((b.irrep.dim, b.multiplicity) for b in others)
        self._gates = sum(m for _, m in self._others)
        gates = FeatureType.trivial(feature_type.group, self._gates)
        self.in_type = feature_type + gates
        self.in_dim = self.in_type.dim

    def forward(self, x: Float[Tensor, "*batch in_dim"]) -> Float[Tensor, "*batch out_dim"]:
        """Gate along the last axis."""
        check_channels(x, self.in_type, self.in_dim)
        first, last = self._invariants, self._invariants + self._gates
        parts = [FUNCTIONS[self.function](x[..., :first])]
        factors = FUNCTIONS[self.gate](x[..., first:last]).split([m for _, m in self._others], -1)
        for factor, (dim, copies) in zip(factors, self._others, strict=True):
            part = x[..., last : last + dim * copies].unflatten(-1, (dim, copies))
            parts.append((part * factor.unsqueeze(-2)).flatten(-2))
            last += dim * copies
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)

    def _dense(self) -> DenseGated:
        others = [b for b in self.feature_type.blocks if b.irrep.index]
        functions = (FUNCTIONS[self.function], FUNCTIONS[self.gate])
        return DenseGated(self._invariants, others, *functions)

    def extra_repr(self) -> str:
        """Types and functions."""
        return f"{self.in_type} -> {self.feature_type}, {self.function}, gate={self.gate}"


class NormActivation(Layer):
    """Every copy times a function of its norm plus a bias; trivial copies use their value.

    The parameter is `bias`, one number for each copy, trivial copies first. The norm's gradient at
    zero is zero, so the layer's is finite there.

    Args:
        feature_type: Type of the channels.
        function: One of `FUNCTIONS`; `"sigmoid"` makes it SiLU on trivial copies.
        device: Where the parameter lives.
        dtype: Its dtype.

    Cost:
        A norm, an addition and an evaluation for each copy, one product for each channel.

    References:
        Worrall et al., *Harmonic Networks* (arXiv 1612.04642), sec. 4.3.

    Examples:
        >>> from irrepnet import groups
        >>> act = NormActivation(FeatureType(groups.flop(), "sym + asym"), "relu")
        >>> act(torch.tensor([-2.0, -3.0])).tolist()
        [0.0, -9.0]
    """

    def __init__(
        self,
        feature_type: FeatureType,
        function: str = "sigmoid",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_channels_exist(feature_type)
        check_function(function)
        self.feature_type, self.function, self.dim = feature_type, function, feature_type.dim
        self._blocks = tuple(
            (b.irrep.dim, b.multiplicity, b.irrep.index == 0) for b in feature_type.blocks
        )
        copies = sum(feature_type.multiplicities)
        self.bias = nn.Parameter(torch.zeros(copies, device=device, dtype=dtype))

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Scale every copy along the last axis."""
        check_channels(x, self.feature_type, self.dim)
        biases = self.bias.split([m for _, m, _ in self._blocks])
        pieces = x.split([d * m for d, m, _ in self._blocks], dim=-1)
        parts = []
        for part, bias, (dim, copies, trivial) in zip(pieces, biases, self._blocks, strict=True):
            part = part.unflatten(-1, (dim, copies))
            size = part.squeeze(-2) if trivial else _norm(part)
            factor = FUNCTIONS[self.function](size + bias)
            parts.append((part * factor.unsqueeze(-2)).flatten(-2))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)

    def _dense(self) -> DenseNormActivation:
        return DenseNormActivation(self.feature_type.blocks, self.bias, FUNCTIONS[self.function])

    def extra_repr(self) -> str:
        """Type and function."""
        return f"{self.feature_type}, {self.function}"


def _norm(part: Tensor) -> Tensor:
    """Norms over the components `(..., dim, copies)`."""
    return part.squeeze(-2).abs() if part.shape[-2] == 1 else torch.linalg.vector_norm(part, dim=-2)
