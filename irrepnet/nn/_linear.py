"""`IsotypicLinear`: an intertwiner between feature types, one small matrix for each irrep."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from irrepnet.nn._block_map import BlockMap, Call, Span, block_maps, calls
from irrepnet.nn._copies import invariant_channels
from irrepnet.nn._eager import writes_in_place
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
        called = {block.name for call in self._calls for block in call.blocks}
        self._apart = tuple(block for block in self._maps if block.name not in called)
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
        out = self._write(rows) if writes_in_place(x) else self._build(rows)
        return out.view(*x.shape[:-1], self.out_dim)

    def _write(self, x: Tensor) -> Tensor:
        """Each product goes straight into its slice of the output: no copy, no concatenation."""
        out = x.new_empty(x.shape[0], self.out_dim)
        for block in self._apart:
            bias = self.bias if block.invariant else None
            first, last = block.target
            if block.reached:
                out[:, first:last] = self._mixed(x, block)
            elif bias is None:
                out[:, first:last].zero_()
            else:
                out[:, first:last].copy_(bias)
        for k, call in enumerate(self._calls):
            source, target = _stacked(x, call, 0), _stacked(out, call, 1)
            bias, packed = self._bias(call), self._packed[k]
            if packed is not None and packed.fits(x, self._sources(call)):
                made = packed.multiply(source, self._sources(call), self._expand(call), bias)
                if made.shape == out.shape:
                    return made
                target.copy_(made)
                continue
            weight = self._weights(k, x).mT
            if len(call.spans) > 1:
                torch.bmm(source, weight, out=target)
                if bias is not None:
                    target[0] += bias
            elif bias is None:
                torch.mm(source, weight, out=target)
            else:
                torch.addmm(bias, source, weight, out=target)
        return out

    def _build(self, x: Tensor) -> Tensor:
        """The same map without writing in place, for autograd, tracing and autocast."""
        parts = []
        for block in self._apart:
            bias = self.bias if block.invariant else None
            if block.reached:
                parts.append((block.target[0], self._mixed(x, block)))
            else:
                shape = (x.shape[0], block.target[1] - block.target[0])
                part = x.new_zeros(shape) if bias is None else bias.to(x).expand(shape)
                parts.append((block.target[0], part))
        for k, call in enumerate(self._calls):
            source, weight, bias = _stacked(x, call, 0), self._weights(k, x), self._bias(call)
            if len(call.spans) == 1:
                parts.append((call.spans[0][1][0], F.linear(source, weight, bias)))
                continue
            planes = torch.bmm(source, weight.mT).unbind(0)
            if bias is not None:
                planes = (planes[0] + bias.to(planes[0].dtype), *planes[1:])
            targets = (target[0] for _, target in call.spans)
            parts += zip(targets, planes, strict=True)
        ordered = [part for _, part in sorted(parts, key=lambda pair: pair[0])]
        if len(ordered) == 1:
            return ordered[0]
        return torch.cat([part.to(ordered[0].dtype) for part in ordered], dim=-1)

    def _bias(self, call: Call) -> Tensor | None:
        """The bias of a call's first product."""
        if self.bias is None or not call.invariant:
            return None
        return invariant_channels(self.bias, call.spans[0][1][1])

    def _weights(self, k: int, x: Tensor) -> Tensor:
        """The matrices of a call: one, or a stack of them."""
        call = self._calls[k]
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

    def _mixed(self, x: Tensor, block: BlockMap) -> Tensor:
        """Complex or quaternionic type with several components for each commutant direction."""
        e, size, (copies, _) = block.end_dim, block.components, block.copies
        part = x[:, block.source[0] : block.source[1]].unflatten(-1, (e, size, copies))
        part = part.transpose(1, 2).flatten(0, 1).flatten(1)
        out = F.linear(part, self._matrix(block)).view(x.shape[0], size, e, block.copies[1])
        return out.transpose(1, 2).flatten(1)

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


def _stacked(x: Tensor, call: Call, side: int) -> Tensor:
    """A view of the columns of a call: `(rows, width)`, or `(products, rows, width)`."""
    spans = [pair[side] for pair in call.spans]
    columns = x[:, spans[0][0] : spans[-1][1]]
    if len(spans) == 1:
        return columns
    return columns.unflatten(-1, (len(spans), -1)).transpose(0, 1)
