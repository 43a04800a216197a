"""`Attention`: scaled dot-product attention of typed channels, read where they lie."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from irrepnet.nn.native._library import included, kernels, library, takes
from irrepnet.nn.native._rows import over_rows

#: Above this many tokens a head no longer lies in the cache. Measured: up to 8192 tokens twice as
#: fast as torch's fused attention, forward and back (float32, one thread, heads of 64 channels).
TOKENS = 8192


@dataclass(frozen=True)
class Attention:
    """Attention between tokens `(batch, tokens, 3 * dim)`, and what goes back through it.

    One head at a time: its query, key and value are gathered from their components into a scratch,
    products and softmax are made there in float32, and the result is written to its components.
    Logits and weights never leave the cache, and nothing is kept for the backward pass.

    Attributes:
        components: For each component its first channel, its first channel inside a head, and its
            copies.
        heads: Number of heads; each takes an equal share of every component.

    Cost:
        `4 tokens^2 dim` FLOPs a sample and `10 tokens^2 dim` back; one pass over memory each.

    References:
        Vaswani et al. (arXiv 1706.03762); Dao et al., *FlashAttention* (arXiv 2205.14135).
    """

    components: tuple[tuple[int, int, int], ...]
    heads: int

    @property
    def dim(self) -> int:
        """Channels of a token."""
        return sum(copies for *_, copies in self.components)

    def serves(self, x: Tensor, *gradient: Tensor) -> bool:
        """Whether there is a kernel for query, key and value `x`, and it is the fastest way.

        Args:
            x: Query, key and value, `(batch, tokens, 3 * dim)`.
            gradient: What comes back to the output, if `backward` is to be called.
        """
        if x.dtype == torch.bfloat16 and _multiplies_tiles():
            return False
        few = 0 < x.shape[1] <= TOKENS
        if not (few and takes(x, *gradient)):
            return False
        return _core() is not None and _moves(self, x.dtype) is not None

    def forward(self, x: Tensor) -> Tensor:
        """The attended values, `(batch, tokens, dim)`.

        Args:
            x: Query, key and value, `(batch, tokens, 3 * dim)`.
        """
        out = x.new_empty(*x.shape[:-1], self.dim)
        self._call("attention_forward", [x.contiguous(), out])
        return out

    def backward(self, x: Tensor, gradient: Tensor) -> Tensor:
        """What goes back to query, key and value, from them and what comes back to the output."""
        into = torch.empty_like(x, memory_format=torch.contiguous_format)
        self._call("attention_backward", [x.contiguous(), gradient.contiguous(), into])
        return into

    def _call(self, name: str, tensors: list[Tensor]) -> None:
        moves = _moves(self, tensors[0].dtype)
        assert moves is not None, "expected that `serves` was asked"
        batch, tokens = tensors[0].shape[:2]
        pointer = ctypes.c_void_p
        read_and_write = [ctypes.cast(getattr(moves, way), pointer) for way in ("read", "write")]

        def run(first: int, last: int) -> None:
            # Of the tensors themselves: they live as long as a thread works on them.
            failed = getattr(_core(), name)(
                *(t.data_ptr() for t in tensors),
                *read_and_write,
                tokens,
                self.heads,
                self.dim // self.heads,
                first,
                last,
            )
            if failed:
                raise MemoryError(f"no memory for attention between {tokens} tokens")

        over_rows(run, batch * self.heads, tokens * max(tokens, self.dim // self.heads))


@functools.cache
def _core() -> ctypes.CDLL | None:
    """Products and softmax of any head."""
    text = "".join(included(f"{name}.h") for name in ("functions", "products", "attention"))
    loaded = library(text, fuses=True)
    if loaded is not None:
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        loaded.attention_forward.argtypes = [pointer] * 4 + [number] * 5
        loaded.attention_backward.argtypes = [pointer] * 5 + [number] * 5
    return loaded


@functools.cache
def _moves(attention: Attention, dtype: torch.dtype) -> ctypes.CDLL | None:
    """How `read` and `write` gather a head and spread it."""
    return kernels(dtype, source(attention))


@functools.cache
def _multiplies_tiles() -> bool:
    """Whether the processor multiplies bfloat16 by tiles (AMX), as no kernel here does."""
    return torch.cpu._is_amx_tile_supported()


def source(attention: Attention) -> str:
    """Both moves in C, sizes being constants so that a share is a few wide moves."""
    heads = attention.heads
    text = [f"enum {{ HEADS = {heads}, DIM = {attention.dim} }};"]
    arguments = "int64_t sample, int64_t tokens, int64_t parts, int64_t part, int64_t head,"
    row = "(sample * tokens + t) * parts * DIM"
    text += [
        f"void read(const T *x, {arguments}",
        "    float *rows, int64_t stride, float factor) {",
        "  for (int64_t t = 0; t < tokens; t++, rows += stride) {",
        f"    const T *token = x + {row};",
        *(
            _move(heads, *place, "{row} = LOAD({channel}) * factor;")
            for place in attention.components
        ),
        "  }",
        "}",
        f"void write(T *x, {arguments}",
        "    int64_t first, int64_t last, const float *rows, int64_t stride,",
        "    const float *factors) {",
        "  for (int64_t t = first; t < last; t++, rows += stride) {",
        f"    T *token = x + {row};",
        "    float factor = factors ? factors[t - first] : 1.0f;",
        *(
            _move(heads, *place, "{channel} = STORE({row} * factor);")
            for place in attention.components
        ),
        "  }",
        "}",
    ]
    return "\n".join(text)


def _move(heads: int, start: int, first: int, width: int, step: str) -> str:
    """A loop over one head's share of a component."""
    share = width // heads
    channel = f"token[parts * {start} + part * {width} + head * {share} + c]"
    moved = step.format(channel=channel, row=f"rows[{first} + c]")
    return f"    INDEPENDENT for (int64_t c = 0; c < {share}; c++) {moved}"
