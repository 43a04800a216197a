"""Positional embedding and class token: learned vectors that the group fixes."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet import reps
from irrepnet.actions import ImageAction
from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._copies import invariant_channels
from irrepnet.nn._dense import DenseAdd, DenseClassToken
from irrepnet.nn._initialise import STD
from irrepnet.nn._layer import Layer
from irrepnet.types import (
    FeatureType,
    check_count,
    check_invariants_exist,
    check_points,
    grid_orbits,
)


class PositionalEmbedding(ConstantsLayer):
    """Adds a learned vector of `(R^tokens (x) V)^G` to the tokens.

    On one token of each orbit the vector is free inside the subspace that the token's stabiliser
    fixes; the group moves it to the rest of the orbit. Odd grids have tokens with larger
    stabilisers; they lose the channels that these do not fix, and nothing else.

    Parameters are `weight_<irrep>` of shape `(rows, multiplicity)`: for each kind of orbit, each
    orbit, each basis vector of the irrep's subspace fixed by the stabiliser.

    Args:
        feature_type: Type of the channels.
        action: How the group moves the grid.
        grid: Height and width of the token grid.
        device: Where the parameters live.
        dtype: Their dtype.

    Raises:
        GridError: If the action does not preserve the grid.
        SpecError: If grid and channels are moved by different groups.

    Cost:
        One addition for each token and channel, and `2 tokens sum_i dim_i r_i m_i` FLOPs a batch
        to move the vectors (`r_i` the dimension of the fixed subspace).

    References:
        Serre, sec. 7.2 (Frobenius reciprocity): `Hom_G(R[G/H], V) = V^H`.

    Examples:
        >>> from irrepnet import actions, groups
        >>> X = FeatureType(groups.flop(), "2*sym + 2*asym")
        >>> embed = PositionalEmbedding(X, actions.image("flop"), (1, 3))
        >>> sum(p.numel() for p in embed.parameters())  # one free token, one on the axis
        6
    """

    order: Tensor

    def __init__(
        self,
        feature_type: FeatureType,
        action: ImageAction,
        grid: tuple[int, int],
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.feature_type, self.action, self.grid = feature_type, action, grid
        check_points(feature_type, action.on_grid(*grid))
        orbits = grid_orbits(action, grid)
        self._blocks = tuple((b.irrep.name, b.irrep.dim) for b in feature_type.blocks)
        self._shapes = tuple(t.points.shape for t in orbits)
        moved: list[list[np.ndarray]] = [
            [_moved(b.irrep, t) for t in orbits] for b in feature_type.blocks
        ]
        self._fixed = tuple(tuple(m.shape[-1] for m in row) for row in moved)
        for block, row, fixed in zip(feature_type.blocks, moved, self._fixed, strict=True):
            for k, matrices in enumerate(row):
                if fixed[k]:
                    name = f"moved_{block.irrep.name}_{k}"
                    self.register_constant(name, matrices, device, dtype)
            count = sum(n * r for (n, _), r in zip(self._shapes, fixed, strict=True))
            weight = torch.empty(count, block.multiplicity, device=device, dtype=dtype)
            self.register_parameter(f"weight_{block.irrep.name}", nn.Parameter(weight))
        order = np.argsort(np.concatenate([t.points.ravel() for t in orbits]))
        self.register_constant("order", order, device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors anew, standard deviation 0.02."""
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=STD)

    def embedding(self) -> Float[Tensor, "tokens dim"]:
        """The vector itself, tokens in row-major order."""
        kinds = [self._on_orbits(k) for k in range(len(self._shapes))]
        return torch.cat(kinds)[self.order]

    @torch.no_grad()
    def load_embedding_(self, value: Float[Tensor, "tokens dim"]) -> None:
        """Set the vector to the orthogonal projection of any other.

        Each token of an orbit says what the orbit's free vector should be; their mean is the
        projection, since the group acts orthogonally.

        Args:
            value: Vectors of the tokens in row-major order.
        """
        kinds = value[torch.argsort(self.order)].split([n * p for n, p in self._shapes])
        first = 0
        for i, (name, dim) in enumerate(self._blocks):
            weight = getattr(self, f"weight_{name}")
            rows = []
            for k, (num_orbits, num_points) in enumerate(self._shapes):
                if self._fixed[i][k] == 0:
                    continue
                part = kinds[k][:, first : first + dim * weight.shape[-1]]
                part = part.reshape(num_orbits, num_points * dim, -1)
                matrices = getattr(self, f"moved_{name}_{k}").to(value.dtype).flatten(0, 1)
                rows.append((matrices.t() @ part / num_points).flatten(0, 1))
            if rows:
                weight.copy_(torch.cat(rows))
            first += dim * weight.shape[-1]

    def _on_orbits(self, k: int) -> Tensor:
        """Vectors on the orbits of kind `k`: `(orbits * points, dim)`."""
        num_orbits, num_points = self._shapes[k]
        parts = []
        for (name, dim), fixed in zip(self._blocks, self._fixed, strict=True):
            weight = getattr(self, f"weight_{name}")
            first = sum(n * r for (n, _), r in zip(self._shapes[:k], fixed[:k], strict=True))
            rows = weight[first : first + num_orbits * fixed[k]]
            if fixed[k] == 0:
                parts.append(weight.new_zeros(num_orbits, num_points, dim * weight.shape[-1]))
                continue
            rows = rows.unflatten(0, (num_orbits, fixed[k]))
            # A product as `matmul`, so that every counter sees it.
            matrices = getattr(self, f"moved_{name}_{k}").to(weight.dtype).flatten(0, 1)
            vectors = torch.matmul(matrices, rows)
            parts.append(vectors.unflatten(1, (num_points, dim)).flatten(-2))
        return torch.cat(parts, dim=-1).flatten(0, 1)

    def forward(self, x: Float[Tensor, "batch tokens dim"]) -> Float[Tensor, "batch tokens dim"]:
        """Add the embedding to every image's tokens."""
        return x + self.embedding()

    def _dense(self) -> DenseAdd:
        return DenseAdd(self.embedding())

    def extra_repr(self) -> str:
        """Type, action and grid."""
        return f"{self.feature_type}, {self.action.name!r} on {self.grid[0]} x {self.grid[1]}"


def _moved(irrep: reps.Irrep, orbit_type: reps.OrbitType) -> np.ndarray:
    """`rho(t_p) F` for each point `p`, `F` a basis fixed by the stabiliser: `(points, dim, r)`."""
    basis = reps.fixed_basis(irrep, orbit_type.stabiliser)
    return np.stack([irrep.matrix(t) @ basis for t in orbit_type.transversal])


class ClassToken(Layer):
    """Puts a learned invariant token before the others.

    The only vectors that the group fixes are trivial copies; the other channels start at zero.
    The parameter is `weight`, of shape `(multiplicity of trivial,)`.

    Args:
        feature_type: Type of the channels.
        device: Where the parameter lives.
        dtype: Its dtype.

    Cost:
        One copy of the tokens.
    """

    def __init__(
        self,
        feature_type: FeatureType,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_invariants_exist(
            feature_type, "an invariant class token is", "pooling over the other tokens"
        )
        self.feature_type, self.dim = feature_type, feature_type.dim
        self.weight = nn.Parameter(
            torch.empty(feature_type.num_invariants, device=device, dtype=dtype)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the token anew, standard deviation 0.02."""
        nn.init.normal_(self.weight, std=STD)

    def forward(
        self, x: Float[Tensor, "batch tokens dim"]
    ) -> Float[Tensor, "batch more_tokens dim"]:
        """Prepend the token."""
        token = invariant_channels(self.weight, self.dim).to(x.dtype)
        return torch.cat([token.expand(x.shape[0], 1, self.dim), x], dim=1)

    def _dense(self) -> DenseClassToken:
        return DenseClassToken(invariant_channels(self.weight, self.dim))

    def extra_repr(self) -> str:
        """The type."""
        return str(self.feature_type)


class RegisterTokens(Layer):
    """Puts several learned invariant tokens before the others.

    The parameter is `weight`, of shape `(count, multiplicity of trivial)`.

    Args:
        feature_type: Type of the channels.
        count: Number of tokens.
        device: Where the parameter lives.
        dtype: Its dtype.

    Cost:
        One copy of the tokens.

    References:
        Darcet et al., *Vision Transformers Need Registers* (arXiv 2309.16588).
    """

    def __init__(
        self,
        feature_type: FeatureType,
        count: int,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_count(count, "register tokens")
        check_invariants_exist(feature_type, "invariant tokens are", "no register tokens")
        self.feature_type, self.count, self.dim = feature_type, count, feature_type.dim
        self.weight = nn.Parameter(
            torch.empty(count, feature_type.num_invariants, device=device, dtype=dtype)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the tokens anew, standard deviation 0.02."""
        nn.init.normal_(self.weight, std=STD)

    def tokens(self) -> Float[Tensor, "count dim"]:
        """The tokens, zero outside the trivial copies."""
        rest = self.weight.new_zeros(self.count, self.dim - self.weight.shape[1])
        return torch.cat([self.weight, rest], dim=-1)

    def forward(
        self, x: Float[Tensor, "batch tokens dim"]
    ) -> Float[Tensor, "batch more_tokens dim"]:
        """Prepend the tokens."""
        tokens = self.tokens().to(x.dtype).expand(x.shape[0], self.count, self.dim)
        return torch.cat([tokens, x], dim=1)

    def _dense(self) -> DenseClassToken:
        return DenseClassToken(self.tokens())

    def extra_repr(self) -> str:
        """Type and number."""
        return f"{self.feature_type}, count={self.count}"
