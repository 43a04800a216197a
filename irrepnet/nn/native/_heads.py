"""`Heads`: typed channels of tokens to attention's heads and back, in one pass."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

from torch import Tensor

from irrepnet.nn.native._library import library, readable
from irrepnet.nn.native._rows import over_rows


@dataclass(frozen=True)
class Heads:
    """Where channels of `(batch, tokens, parts * dim)` lie in `(parts, batch, heads, tokens, e)`.

    Attributes:
        components: For each component its first channel, its first channel inside a head, and its
            copies.
        heads: Number of heads; each takes an equal share of every component.
    """

    components: tuple[tuple[int, int, int], ...]
    heads: int

    def serves(self, x: Tensor) -> bool:
        """Whether there is a kernel for `x`."""
        return readable(x) and _moves(self, x.element_size()) is not None

    def pack(self, x: Tensor, packed: Tensor) -> None:
        """Write typed channels into heads; both contiguous."""
        self._move("pack", x, packed)

    def unpack(self, x: Tensor, packed: Tensor) -> None:
        """Write heads into typed channels; both contiguous."""
        self._move("unpack", x, packed)

    def _move(self, name: str, x: Tensor, packed: Tensor) -> None:
        move = getattr(_moves(self, x.element_size()), name)
        parts, batch, _, tokens, _ = packed.shape

        def run(first: int, last: int) -> None:
            # Of the tensors themselves: they live as long as a thread works on them.
            move(x.data_ptr(), packed.data_ptr(), parts, batch, tokens, first, last)

        over_rows(run, batch * tokens, x.shape[-1])


@functools.cache
def _moves(heads: Heads, size: int) -> ctypes.CDLL | None:
    loaded = library(source(heads, size))
    if loaded is not None:
        for move in (loaded.pack, loaded.unpack):
            move.argtypes, move.restype = [ctypes.c_void_p] * 2 + [ctypes.c_int64] * 5, None
    return loaded


def source(heads: Heads, size: int) -> str:
    """Both moves in C, sizes being constants so that a share is a few wide moves.

    Args:
        heads: What to move.
        size: Bytes of a number.
    """
    number = sum(width for *_, width in heads.components)
    text = [
        "#include <stdint.h>",
        "#include <string.h>",
        f"enum {{ SIZE = {size}, HEADS = {heads.heads}, DIM = {number} }};",
    ]
    for name in ("pack", "unpack"):
        text += [
            f"void {name}(char *x, char *packed, int64_t parts, int64_t batch, int64_t tokens,",
            "    int64_t first, int64_t last) {",
            "  int64_t head = tokens * (DIM / HEADS) * SIZE, part = batch * HEADS * head;",
            "  for (int64_t row = first; row < last; row++) {",
            "    char *from = x + row * parts * DIM * SIZE;",
            "    char *to = packed + row / tokens * HEADS * head",
            "             + row % tokens * (DIM / HEADS) * SIZE;",
            *(line for place in heads.components for line in _copies(name, heads.heads, *place)),
            "  }",
            "}",
        ]
    return "\n".join(text)


def _copies(name: str, heads: int, start: int, first: int, width: int) -> list[str]:
    """A loop over the shares of one component."""
    channel = f"from + (parts * {start} + p * {width} + h * {width // heads}) * SIZE"
    place = f"to + p * part + h * head + {first} * SIZE"
    pair = (place, channel) if name == "pack" else (channel, place)
    return [
        "    for (int64_t p = 0; p < parts; p++)",
        "      for (int64_t h = 0; h < HEADS; h++)",
        f"        memcpy({pair[0]}, {pair[1]}, {width // heads} * SIZE);",
    ]
