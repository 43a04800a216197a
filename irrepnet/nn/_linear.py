"""`IsotypicLinear`: an intertwiner between feature types, one small matrix for each irrep."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from irrepnet.nn._block_map import BlockMap, Product, block_maps
from irrepnet.nn._block_product import BlockProduct
from irrepnet.nn._copies import invariant_channels
from irrepnet.nn._expanded import Expanded
from irrepnet.nn._initialise import initialise_
from irrepnet.nn._layer import Layer
from irrepnet.nn._real_matrix import real_matrix
from irrepnet.nn._shapes import check_channels
from irrepnet.types import LINEAR_LOWERINGS, FeatureType, check_choice, check_linear


class IsotypicLinear(Layer):
    """Linear map that commutes with the group: by Schur's lemma one matrix for each irrep.

    For an irrep of real type the map is `I_dim (x) W`; for complex and quaternionic type it is
    `sum_j J_j (x) W_j` over the commutant's basis. The bias is invariant: trivial copies only.

    Parameters are `weight_<irrep>` of shape `(m_out, m_in)` for real type, else
    `(end_dim, m_out, m_in)`, and `bias` of shape `(m_out of the trivial irrep,)`.

    Args:
        in_type: Type of the input channels.
        out_type: Type of the output channels, over the same group.
        bias: Whether to add an invariant bias.
        init: `"normal"` (standard deviation 0.02 as in vision transformers, scaled so that
            the output varies as under a dense map of the same width) or `"uniform"`
            (`nn.Linear`'s own, for the block's own fan-in).
        lowering: How the blocks are multiplied: `"separate"`, one product for each; `"batched"`,
            neighbouring products of one size in one call; `"dense"`, one product with the expanded
            matrix, which costs its FLOPs and wins only where blocks are tiny. The parameters are
            the same.
        device: Where the parameters live.
        dtype: Their dtype.

    Raises:
        IrrepMismatchError: If the types lie over different groups, or share no irrep.

    Cost:
        `2 sum_i dim_i end_dim_i m_i m'_i` FLOPs a position (1 MAC = 2 FLOPs) and
        `sum_i end_dim_i m_i m'_i` weights.

    References:
        Serre, *Linear Representations of Finite Groups*, sec. 2.2 (Schur) and 13.2 (real types).
        Flopping for FLOPs (arXiv 2502.05169), the case of two irreps.

    Examples:
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.flop(), "3*sym + 2*asym")
        >>> IsotypicLinear(X, 2 * X)(torch.ones(5, 5)).shape
        torch.Size([5, 10])
    """

    def __init__(
        self,
        in_type: FeatureType,
        out_type: FeatureType,
        bias: bool = True,
        init: str = "normal",
        lowering: str = "separate",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_linear(in_type, out_type)
        self.in_type, self.out_type, self.init = in_type, out_type, init
        self.in_dim, self.out_dim = in_type.dim, out_type.dim
        factory = {"device": device, "dtype": dtype}
        check_choice("lowering", lowering, LINEAR_LOWERINGS)
        self.lowering = lowering
        self._maps = block_maps(in_type, out_type)
        batched = lowering == "batched"
        self._product = BlockProduct(self.in_dim, self.out_dim, self._maps, batched)
        # What inference keeps: the dense matrix, or a stack of weights for each group of products.
        self._expanded = [Expanded() for _ in self._product.groups] or [Expanded()]
        for block in self._reached():
            weight = nn.Parameter(torch.empty(block.weight_shape, **factory))
            self.register_parameter(f"weight_{block.name}", weight)
        invariants = out_type.num_invariants if bias else 0
        self.bias = nn.Parameter(torch.empty(invariants, **factory)) if invariants else None
        self.reset_parameters()

    def _reached(self) -> list[BlockMap]:
        return [block for block in self._maps if block.reached]

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's generator; the bias is zero."""
        for block in self._reached():
            fan_in = block.copies[0] * block.end_dim
            initialise_(self.weight(block.name), self.init, fan_in, self.in_dim)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def weight(self, irrep: str) -> Tensor:
        """The parameter of one irrep."""
        return getattr(self, f"weight_{irrep}")

    def forward(self, x: Float[Tensor, "*batch in_dim"]) -> Float[Tensor, "*batch out_dim"]:
        """Apply the map along the last axis."""
        check_channels(x, self.in_type, self.in_dim)
        rows = x.reshape(-1, self.in_dim)
        if self.lowering == "dense":
            bias = None if self.bias is None else invariant_channels(self.bias, self.out_dim)
            weight = self._expanded[0].get(x, self._sources(), self.weight_matrix)
            out = F.linear(rows, weight, bias)
        else:
            out = self._product(rows, self.bias, self._weights(x))
        return out.view(*x.shape[:-1], self.out_dim)

    def _weights(self, x: Tensor) -> list[Tensor]:
        """What `BlockProduct` takes: a matrix or a stack for each group, then mixed blocks."""
        groups = [
            self._matrix(group[0].block) if len(group) == 1 else self._stack(x, group, kept)
            for group, kept in zip(self._product.groups, self._expanded, strict=False)
        ]
        return groups + [self._matrix(block) for block in self._product.mixed]

    def _stack(self, x: Tensor, group: tuple[Product, ...], kept: Expanded) -> Tensor:
        blocks = [product.block for product in group]
        return kept.get(
            x,
            tuple(self.weight(block.name) for block in blocks),
            lambda: torch.stack([self._matrix(block) for block in blocks]),
        )

    def _sources(self) -> tuple[Tensor, ...]:
        return tuple(self.weight(block.name) for block in self._reached())

    def _matrix(self, block: BlockMap) -> Tensor:
        """Real matrix of a block's products: `(end_dim * m_out, end_dim * m_in)`."""
        return real_matrix(block, self.weight(block.name))

    def _commutants(self) -> list[tuple[BlockMap, Tensor]]:
        """Each reached block with its irrep's commutant `(end_dim, dim, dim)`."""
        sample = next(self.parameters())
        return [
            (b, torch.as_tensor(self.out_type.group.irrep(b.name).commutant).to(sample))
            for b in self._reached()
        ]

    def weight_matrix(self) -> Float[Tensor, "out_dim in_dim"]:
        """The map as one dense matrix: what a network without symmetry would multiply by."""
        dense = next(self.parameters()).new_zeros(self.out_dim, self.in_dim)
        for block in self._reached():
            e, size, (copies, new_copies) = block.end_dim, block.components, block.copies
            part = dense[slice(*block.target), slice(*block.source)]
            part = part.unflatten(1, (e, size, copies)).unflatten(0, (e, size, new_copies))
            matrix = self._matrix(block).view(e, new_copies, e, copies)
            for c in range(size):
                part[:, c, :, :, c] = matrix
        return dense

    @torch.no_grad()
    def load_matrix_(self, matrix: Float[Tensor, "out_dim in_dim"]) -> None:
        """Set the weights to the orthogonal projection of a dense matrix on the intertwiners."""
        for block, commutant in self._commutants():
            d, (copies, new_copies) = commutant.shape[-1], block.copies
            part = matrix[slice(*block.target), slice(*block.source)].to(commutant)
            part = part.reshape(d, new_copies, d, copies)
            weights = torch.einsum("jab,aobi->joi", commutant, part) / d
            self.weight(block.name).copy_(weights.view(block.weight_shape))

    def _dense(self) -> nn.Linear:
        sample = next(self.parameters())
        dense = nn.Linear(
            self.in_dim,
            self.out_dim,
            bias=self.bias is not None,
            device=sample.device,
            dtype=sample.dtype,
        )
        with torch.no_grad():
            dense.weight.copy_(self.weight_matrix())
            if self.bias is not None:
                dense.bias.zero_()
                dense.bias[: len(self.bias)] = self.bias
        return dense

    def extra_repr(self) -> str:
        """Types and bias."""
        lowered = "" if self.lowering == "separate" else f", lowering={self.lowering!r}"
        return f"{self.in_type} -> {self.out_type}, bias={self.bias is not None}{lowered}"
