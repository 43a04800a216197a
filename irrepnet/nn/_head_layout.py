"""`HeadLayout`: typed channels as heads of attention and back; no autograd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from irrepnet.nn._attend import attend, attend_back
from irrepnet.nn._eager import row_parts
from irrepnet.nn.native import Attention, Heads
from irrepnet.types import FeatureType


@dataclass(frozen=True)
class HeadLayout:
    """Where heads find their share of every component.

    Attributes:
        components: First channel, first channel inside a head, and copies of each component.
        heads: Number of heads.
    """

    components: tuple[tuple[int, int, int], ...]
    heads: int

    @classmethod
    def of(cls, feature_type: FeatureType, heads: int) -> HeadLayout:
        """The layout of a type, each head on its own copies of every irrep."""
        slots = [
            (block.start + k * block.multiplicity, block.multiplicity)
            for block in feature_type.blocks
            for k in range(block.irrep.dim)
        ]
        return cls(tuple((start, start // heads, copies) for start, copies in slots), heads)

    @property
    def dim(self) -> int:
        """Channels of a token."""
        return self.compiled.dim

    @property
    def compiled(self) -> Attention:
        """Kernels compiled for this machine, for attention without heads in memory."""
        return Attention(self.components, self.heads)

    def attend(self, x: Tensor) -> Tensor:
        """Attention by a kernel, or a few samples at a time: heads stay in the cache.

        Args:
            x: Query, key and value, `(batch, tokens, 3 * dim)`.

        Returns:
            The attended values, `(batch, tokens, dim)`.
        """
        if self.compiled.serves(x):
            return self.compiled.forward(x)
        out = x.new_empty(*x.shape[:-1], self.dim)
        for part, target in row_parts(x, out):
            self.merge(attend(self.pack(part))[0], target)
        return out

    def attend_once(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Attention of all samples, and what `attend_back` takes besides it."""
        if self.compiled.serves(x):
            return self.compiled.forward(x), None
        attended, total = attend(self.pack(x))
        return self.merge(attended, x.new_empty(*x.shape[:-1], self.dim)), total

    def attend_back(
        self, x: Tensor, gradient: Tensor, out: Tensor | None, total: Tensor | None
    ) -> Tensor:
        """What goes back to query, key and value.

        Args:
            x: Query, key and value.
            gradient: What comes back to the output.
            out: The output, where there is a `total`.
            total: The second result of `attend_once`.
        """
        gradient = gradient.resolve_neg()  # behind complex numbers the sign is a bit beside them
        if total is None and self.compiled.serves(x, gradient):
            return self.compiled.backward(x, gradient)
        heads = None if out is None else self.by_heads(out)
        return self.unpack(attend_back(self.by_heads(gradient), self.pack(x), heads, total))

    def pack(self, x: Tensor) -> Tensor:
        """Query, key and value by heads, `(3, batch, heads, tokens, head_dim)`."""
        return self._packed(x, 3)

    def unpack(self, packed: Tensor) -> Tensor:
        """The inverse of `pack`."""
        _, batch, _, tokens, _ = packed.shape
        x = packed.new_empty(batch, tokens, 3 * self.dim)
        self._unpack(packed, x)
        return x

    def by_heads(self, x: Tensor) -> Tensor:
        """Channels `(batch, tokens, dim)` as `(batch, heads, tokens, head_dim)`."""
        return self._packed(x, 1)[0]

    def merge(self, attended: Tensor, out: Tensor) -> Tensor:
        """Write heads into channels, which are contiguous: the inverse of `by_heads`."""
        self._unpack(attended[None], out)
        return out

    def _packed(self, x: Tensor, parts: int) -> Tensor:
        x, share = x.contiguous(), self.dim // self.heads
        packed = x.new_empty(parts, len(x), self.heads, x.shape[1], share)
        compiled = Heads(self.components, self.heads)
        if compiled.serves(x):
            compiled.pack(x, packed)
            return packed
        for channels, places in self._paired(x, packed):
            places.copy_(channels)
        return packed

    def _unpack(self, packed: Tensor, x: Tensor) -> None:
        compiled = Heads(self.components, self.heads)
        if compiled.serves(x):
            compiled.unpack(x, packed.contiguous())
            return
        for channels, places in self._paired(x, packed):
            channels.copy_(places)

    def _paired(self, x: Tensor, packed: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Views of the same numbers in `x` and in `packed`, `(parts, batch, heads, tokens, e)`.

        One pair for each component: with several in one copy, heads of eight components took twice
        as long.
        """
        parts = len(packed)
        for start, first, copies in self.components:
            share = copies // self.heads
            part = x[..., parts * start : parts * (start + copies)]
            part = part.unflatten(-1, (parts, self.heads, share))
            yield part.permute(2, 0, 3, 1, 4), packed[..., first : first + share]
