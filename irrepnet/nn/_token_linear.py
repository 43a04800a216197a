"""`TokenLinear`: an intertwiner along the token axis, one small matrix for each irrep of tokens."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet.actions import PointAction
from irrepnet.nn._block_map import BlockMap, block_maps
from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._dense_tokens import DenseTokenLinear
from irrepnet.nn._eager import writes_in_place
from irrepnet.nn._expanded import Expanded
from irrepnet.nn._gset_basis import GSetBasis
from irrepnet.nn._initialise import initialise_
from irrepnet.nn._real_matrix import real_matrix
from irrepnet.nn._shapes import check_tokens
from irrepnet.types import FeatureType, TokenType, check_points


class TokenLinear(ConstantsLayer):
    """Mixes tokens by an element of `End_G(R^tokens)`, the same for every channel.

    The group permutes the tokens, so `R^tokens` is a permutation representation: tokens go to
    irreps by one cheap change of basis, and the map there is one matrix for each irrep, by Schur's
    lemma. It does not touch the channels, so their type may be any.

    The bias lies in `(R^tokens (x) V)^G` and is alike on the copies of an irrep in `V`: an irrep
    that tokens and channels share pairs with itself.

    Parameters are, in the isotypic basis of the tokens, `weight_<irrep>` of shape `(m, m)` for real
    type, else `(end_dim, m, m)`, and `bias_<irrep>` of shape `(end_dim, m)`, `m` being the
    irrep's multiplicity in `R^tokens`.

    Args:
        feature_type: Type of the channels.
        points: How the group permutes the tokens, any orbits. Tokens in orbit order (see
            `OrbitOrder`) save a gather on each side.
        bias: Whether to add the bias.
        init: Initial weights, `"normal"` or `"uniform"` (see `IsotypicLinear`).
        device: Where the parameters live.
        dtype: Their dtype.

    Raises:
        SpecError: If tokens and channels are moved by different groups.

    Cost:
        `2 sum_i dim_i end_dim_i m_i^2` FLOPs a channel (1 MAC = 2 FLOPs) and two changes of basis.

    References:
        Touvron et al., *ResMLP* (arXiv 2105.03404); Flopping for FLOPs (arXiv 2502.05169).
        Zaheer et al., *Deep Sets* (arXiv 1703.06114): the symmetric group on its own points.

    Examples:
        >>> from irrepnet import actions, groups
        >>> S5 = groups.symmetric(5)
        >>> X = FeatureType.trivial(S5, 3)
        >>> mix = TokenLinear(X, actions.natural(S5), bias=False)
        >>> sum(p.numel() for p in mix.parameters())  # the identity and the mean
        2
    """

    order: Tensor
    places: Tensor

    def __init__(
        self,
        feature_type: FeatureType,
        points: PointAction,
        bias: bool = True,
        init: str = "normal",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_points(feature_type, points)
        tokens = TokenType.of(points)
        self.feature_type, self.points, self.init = feature_type, points, init
        self.num_tokens, self.has_bias = points.num_points, bias
        self.basis = GSetBasis(tokens.carrying(feature_type.dim), device, dtype)
        self.token_type = tokens.feature_type
        self._maps = block_maps(self.token_type, self.token_type)
        factory = {"device": device, "dtype": dtype}
        for block in self._maps:
            weight = nn.Parameter(torch.empty(block.weight_shape, **factory))
            self.register_parameter(f"weight_{block.name}", weight)
        self._biased = self._register_bias(**factory) if bias else ()
        self._kept = {block.name: Expanded() for block in self._biased}
        self._sorted = tokens.is_sorted
        self.register_constant("order", tokens.order, device)
        self.register_constant("places", np.argsort(tokens.order), device)
        self.reset_parameters()

    def _register_bias(
        self, device: torch.device | str | None, dtype: torch.dtype | None
    ) -> tuple[BlockMap, ...]:
        """A parameter and a pattern for each irrep that tokens and channels share."""
        blocks = {b.irrep.name: b for b in self.feature_type.blocks}
        shared = tuple(m for m in self._maps if m.name in blocks)
        for m in shared:
            block, e = blocks[m.name], m.end_dim
            pattern = np.zeros((e, block.irrep.dim, self.feature_type.dim))
            pattern[..., block.start : block.stop] = np.repeat(
                block.irrep.commutant, block.multiplicity, axis=-1
            )
            self.register_constant(f"pattern_{m.name}", pattern, device, dtype)
            value = torch.empty(e, m.copies[0], device=device, dtype=dtype)
            self.register_parameter(f"bias_{m.name}", nn.Parameter(value))
        return shared

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's generator; the bias is zero."""
        for block in self._maps:
            fan_in = block.copies[0] * block.end_dim
            initialise_(self.weight(block.name), self.init, fan_in, self.num_tokens)
        for block in self._biased:
            nn.init.zeros_(getattr(self, f"bias_{block.name}"))

    def weight(self, irrep: str) -> Tensor:
        """The parameter of one irrep of the tokens."""
        return getattr(self, f"weight_{irrep}")

    def forward(self, x: Float[Tensor, "*batch tokens dim"]) -> Float[Tensor, "*batch tokens dim"]:
        """Mix the tokens."""
        check_tokens(x, self.num_tokens, self.feature_type)
        if not self._sorted:
            x = x.index_select(-2, self.order)
        x = self._on_tokens(x, to_points=False)
        x = self._write(x) if writes_in_place(x) else self._build(x)
        x = self._on_tokens(x, to_points=True)
        return x if self._sorted else x.index_select(-2, self.places)

    def _on_tokens(self, x: Tensor, to_points: bool) -> Tensor:
        """Change the basis of tokens in orbit order; a token's channels travel together."""
        if self.basis.is_identity:
            return x
        flat = x.flatten(-2)
        moved = self.basis.to_points(flat) if to_points else self.basis.to_irreps(flat)
        return moved.view(x.shape)

    def _write(self, x: Tensor) -> Tensor:
        """Each product goes straight into its tokens."""
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        shape = (math.prod(x.shape[:-2]), *x.shape[-2:])
        rows, written = x.reshape(shape), out.view(shape)
        for block in self._maps:
            matrix = self._matrix(block)
            bias = self._kept_bias(block, x)
            if not block.pairs:
                part = self._mixed(rows, block)
                written[:, slice(*block.target)] = part if bias is None else part + bias
            for (a, b), (c, d) in block.pairs:
                # A parameter with gradient would make matmul transpose x; bmm does not.
                tokens, target = rows[:, a:b], written[:, c:d]
                matrices = matrix.expand(len(rows), -1, -1)
                if bias is None:
                    torch.bmm(matrices, tokens, out=target)
                else:
                    part = bias[c - block.target[0] : d - block.target[0]]
                    torch.baddbmm(part.expand_as(target), matrices, tokens, out=target)
        return out

    def _kept_bias(self, block: BlockMap, x: Tensor) -> Tensor | None:
        """The bias on one irrep in plain inference, made anew when a parameter changed."""
        kept = self._kept.get(block.name)
        if kept is None:
            return None
        value = getattr(self, f"bias_{block.name}")
        return kept.get(x, (value,), lambda: self._bias(block))

    def _build(self, x: Tensor) -> Tensor:
        """The same map without writing in place, for autograd, tracing and autocast."""
        biased = {block.name for block in self._biased}
        parts = []
        for block in self._maps:
            planes = [
                torch.matmul(self._matrix(block), x[..., a:b, :]) for (a, b), _ in block.pairs
            ]
            part = torch.cat(planes, dim=-2) if planes else self._mixed(x, block)
            if block.name in biased:
                part = part + self._bias(block).to(part.dtype)
            parts.append(part)
        return torch.cat(parts, dim=-2)

    def _mixed(self, x: Tensor, block: BlockMap) -> Tensor:
        """Complex or quaternionic type with several components for each commutant direction."""
        e, size, copies = block.end_dim, block.components, block.copies[0]
        part = x[..., block.source[0] : block.source[1], :].unflatten(-2, (e, size, copies))
        part = part.transpose(-4, -3).flatten(-3, -2)
        out = torch.matmul(self._matrix(block), part).unflatten(-2, (e, copies))
        return out.transpose(-4, -3).flatten(-4, -2)

    def _matrix(self, block: BlockMap) -> Tensor:
        """Real matrix of a block's products: `(end_dim * m, end_dim * m)`."""
        return real_matrix(block, self.weight(block.name))

    def _bias(self, block: BlockMap) -> Tensor:
        """The bias on one irrep of the tokens: `(dim * m, channels)`."""
        value = getattr(self, f"bias_{block.name}")
        pattern = getattr(self, f"pattern_{block.name}").to(value.dtype)
        outer = value[:, None, :, None] * pattern[:, :, None, :]
        return (outer[0] if block.end_dim == 1 else outer.sum(0)).flatten(0, 1)

    def weight_matrix(self) -> Float[Tensor, "tokens tokens"]:
        """The map as one dense matrix over the tokens as they stand."""
        sample = self.weight(self._maps[0].name)
        inner = sample.new_zeros(self.num_tokens, self.num_tokens)
        for block, token_block in zip(self._maps, self.token_type.blocks, strict=True):
            commutant = torch.as_tensor(token_block.irrep.commutant).to(sample)
            weights = self.weight(block.name).view(block.end_dim, *block.weight_shape[-2:])
            part = sum(torch.kron(j, w) for j, w in zip(commutant, weights, strict=True))
            inner[slice(*block.target), slice(*block.source)] = part
        basis = self._token_basis().to(sample)
        return (basis.t() @ inner @ basis)[self.places][:, self.places]

    def bias_matrix(self) -> Float[Tensor, "tokens dim"]:
        """The bias as one vector for each token as it stands."""
        sample = self.weight(self._maps[0].name)
        inner = sample.new_zeros(self.num_tokens, self.feature_type.dim)
        for block in self._biased:
            inner[slice(*block.target)] = self._bias(block)
        return (self._token_basis().to(sample).t() @ inner)[self.places]

    @torch.no_grad()
    def load_matrix_(self, matrix: Float[Tensor, "tokens tokens"]) -> None:
        """Set the weights to the orthogonal projection of a dense matrix on the intertwiners."""
        basis = self._token_basis().to(matrix)
        inner = basis @ matrix[self.order][:, self.order] @ basis.t()
        for block, token_block in zip(self._maps, self.token_type.blocks, strict=True):
            d, m = token_block.irrep.dim, token_block.multiplicity
            commutant = torch.as_tensor(token_block.irrep.commutant).to(matrix)
            part = inner[slice(*block.target), slice(*block.source)].reshape(d, m, d, m)
            weights = torch.einsum("jab,aobi->joi", commutant, part) / d
            self.weight(block.name).copy_(weights.view(block.weight_shape))

    def _token_basis(self) -> Tensor:
        """Isotypic rows from tokens in orbit order, float64."""
        return torch.as_tensor(TokenType.of(self.points).carrying(1).basis())

    def _dense(self) -> DenseTokenLinear:
        return DenseTokenLinear(self.weight_matrix(), self.bias_matrix() if self.has_bias else None)

    def extra_repr(self) -> str:
        """Types of both axes."""
        return f"({self.token_type}) (x) ({self.feature_type}), bias={self.has_bias}"
