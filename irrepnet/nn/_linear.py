"""`IsotypicLinear`: an intertwiner between feature types, one small matrix for each irrep."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet.nn._block_map import BlockMap, Call, Span, block_maps, calls
from irrepnet.nn._block_product import BlockProduct
from irrepnet.nn._expanded import Expanded
from irrepnet.nn._initialise import initialise_
from irrepnet.nn._layer import Layer
from irrepnet.nn._prepacked import Packed
from irrepnet.nn._real_matrix import real_matrix
from irrepnet.nn._shapes import check_channels
from irrepnet.types import FeatureType, Lowering, check_linear, check_lowering


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
            matrix, which costs its FLOPs and wins only where blocks are tiny; `"prepacked"`, as
            `"separate"`, but in float32 inference on a CPU by oneDNN with weights in its own layout
            (see `Packed`). Pairs of one of them and names of irreps give neighbouring blocks one
            each. The parameters are the same.
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
        lowering: Lowering = "separate",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_linear(in_type, out_type)
        self.in_type, self.out_type, self.init = in_type, out_type, init
        self.in_dim, self.out_dim = in_type.dim, out_type.dim
        factory = {"device": device, "dtype": dtype}
        check_lowering(lowering, out_type)
        self.lowering = lowering
        self._maps = block_maps(in_type, out_type)
        self._calls = calls(self._maps, lowering)
        self._product = BlockProduct(self.in_dim, self.out_dim, self._maps, self._calls)
        # What inference keeps for each call: an expanded matrix, or a stack of weights.
        self._expanded = [Expanded() for _ in self._calls]
        self._packed = [Packed() if call.way == "prepacked" else None for call in self._calls]
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
        out = self._product(rows, self.bias, self._weights(rows))
        return out.view(*x.shape[:-1], self.out_dim)

    def _weights(self, x: Tensor) -> list[Tensor]:
        """What `BlockProduct` takes: the weight of each call, then those of mixed blocks."""
        calls = [self._weight(k, x) for k in range(len(self._calls))]
        return calls + [self._matrix(block) for block in self._product.mixed]

    def _weight(self, k: int, x: Tensor) -> Tensor:
        """The weight of a call: a matrix, packed or not, or a stack of them."""
        call, packed = self._calls[k], self._packed[k]
        if packed is not None and packed.fits(x, self._sources(call)):
            return packed.get(x, self._sources(call), self._expand(call))
        if call.way != "dense" and len(call.spans) == 1:
            return self._matrix(call.blocks[0])
        return self._expanded[k].get(x, self._sources(call), self._expand(call))

    def _expand(self, call: Call) -> Callable[[], Tensor]:
        """What makes a call's matrices from the parameters."""
        if call.way == "dense":
            return lambda: self._expanded_matrix(call.blocks, call.spans[0])
        if len(call.spans) == 1:
            return lambda: self._matrix(call.blocks[0])
        return lambda: torch.stack([self._matrix(block) for block in call.blocks])

    def _sources(self, call: Call) -> tuple[Tensor, ...]:
        return tuple(self.weight(block.name) for block in call.blocks if block.reached)

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
        return self._expanded_matrix(self._maps, ((0, self.in_dim), (0, self.out_dim)))

    def _expanded_matrix(self, blocks: tuple[BlockMap, ...], spans: tuple[Span, Span]) -> Tensor:
        """The part of the dense matrix from an input span to an output span."""
        (first, last), (start, stop) = spans
        dense = next(self.parameters()).new_zeros(stop - start, last - first)
        for block in (b for b in blocks if b.reached):
            e, size, (copies, new_copies) = block.end_dim, block.components, block.copies
            part = dense[block.target[0] - start : block.target[1] - start]
            part = part[:, block.source[0] - first : block.source[1] - first]
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
