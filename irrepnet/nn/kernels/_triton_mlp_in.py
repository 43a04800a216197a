"""The kernel of `FusedMLPIn`: the products of a tile, and the activation before it is stored.

Imported only where it runs: the import of Triton itself is optional.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]
from torch import Tensor

from irrepnet.nn._straight_line import StraightLine
from irrepnet.nn.kernels._available import interpreted
from irrepnet.nn.kernels._mlp_plan import MLPPlan, Orbits
from irrepnet.nn.kernels._triton_functions import apply, derivative, jit


@jit
def _add(values, STEPS: tl.constexpr, OUTPUTS: tl.constexpr):
    """A `StraightLine` on tiles in registers, unrolled."""
    for s in tl.static_range(len(STEPS)):
        values = values + (values[STEPS[s][0]] + STEPS[s][2] * values[STEPS[s][1]],)  # noqa: RUF005
    moved = ()
    for k in tl.static_range(len(OUTPUTS)):
        moved = moved + (values[OUTPUTS[k][0]] * OUTPUTS[k][1],)  # noqa: RUF005
    return moved


@jit
def _product(
    x,
    weight,
    bias,
    row_offsets,
    row_mask,
    columns,
    column_mask,
    SOURCE: tl.constexpr,
    CHUNK: tl.constexpr,
    STRIDE: tl.constexpr,
    SUMMANDS: tl.constexpr,
    FIRST: tl.constexpr,
    BIAS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
    WIDEN: tl.constexpr,
):
    """A tile of one slot's linear map: `(ROWS, COLUMNS)` in float32."""
    total = tl.zeros((ROWS, COLUMNS), tl.float32)
    for start in range(0, SUMMANDS, DEPTH):
        k = start + tl.arange(0, DEPTH)
        # The mask is constant where tiles divide the depth, and the compiler drops it.
        inside = (k < SUMMANDS) | (SUMMANDS % DEPTH == 0)
        if STRIDE == CHUNK:
            channels = SOURCE + k
        else:
            channels = SOURCE + k // CHUNK * STRIDE + k % CHUNK
        left = tl.load(
            x + row_offsets[:, None] + channels[None, :],
            mask=row_mask[:, None] & inside[None, :],
            other=0.0,
        )
        right = tl.load(
            weight + FIRST + columns[None, :] * SUMMANDS + k[:, None],
            mask=column_mask[None, :] & inside[:, None],
            other=0.0,
        )
        if WIDEN:
            left, right = left.to(tl.float32), right.to(tl.float32)
        total = tl.dot(left, right, total, input_precision=PRECISION)
    if BIAS >= 0:
        added = tl.load(bias + BIAS + columns, mask=column_mask, other=0.0)
        total += added.to(tl.float32)[None, :]
    return total


@jit
def _mlp_in(
    x,
    weight,
    bias,
    gradient,
    out,
    num_rows,
    x_stride,
    OUT_DIM: tl.constexpr,
    BACKWARD: tl.constexpr,
    FUNCTION: tl.constexpr,
    COUNT: tl.constexpr,
    SLOTS: tl.constexpr,
    POINT_STEPS: tl.constexpr,
    POINT_OUTPUTS: tl.constexpr,
    IRREP_STEPS: tl.constexpr,
    IRREP_OUTPUTS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
    WIDEN: tl.constexpr,
):
    """All slots of a tile of orbits: `y = B f(B^T u)`, or `B (f'(B^T u) * B^T dy)`.

    `u = W x + b` never leaves the chip, and `B` goes from points to irreps.
    """
    tiles: tl.constexpr = (COUNT + COLUMNS - 1) // COLUMNS
    rows = tl.program_id(0) // tiles * ROWS + tl.arange(0, ROWS)
    columns = tl.program_id(0) % tiles * COLUMNS + tl.arange(0, COLUMNS)
    row_mask = rows < num_rows
    column_mask = (columns < COUNT) | (COUNT % COLUMNS == 0)
    mask = row_mask[:, None] & column_mask[None, :]
    # Rows times channels can pass 2^31.
    x_rows = rows.to(tl.int64) * x_stride
    out_tile = rows.to(tl.int64)[:, None] * OUT_DIM + columns[None, :]

    values = ()
    for s in tl.static_range(len(SLOTS)):
        tile = _product(
            x, weight, bias, x_rows, row_mask, columns, column_mask,
            SLOTS[s][1], SLOTS[s][2], SLOTS[s][3], SLOTS[s][4], SLOTS[s][5], SLOTS[s][6],
            ROWS, COLUMNS, DEPTH, PRECISION, WIDEN,
        )  # fmt: skip
        values = values + (tile,)  # noqa: RUF005
    values = _add(values, POINT_STEPS, POINT_OUTPUTS)

    back = ()
    if BACKWARD:
        for s in tl.static_range(len(SLOTS)):
            part = tl.load(gradient + out_tile + SLOTS[s][0], mask=mask, other=0.0)
            back = back + (part.to(tl.float32),)  # noqa: RUF005
        back = _add(back, POINT_STEPS, POINT_OUTPUTS)

    done = ()
    for s in tl.static_range(len(SLOTS)):
        if BACKWARD:
            done = done + (derivative(values[s], FUNCTION) * back[s],)  # noqa: RUF005
        else:
            done = done + (apply(values[s], FUNCTION),)  # noqa: RUF005
    done = _add(done, IRREP_STEPS, IRREP_OUTPUTS)
    for s in tl.static_range(len(SLOTS)):
        tl.store(out + out_tile + SLOTS[s][0], done[s].to(out.dtype.element_ty), mask=mask)


@dataclass(frozen=True)
class Tile:
    """What one program computes at a time.

    Attributes:
        rows: Rows of the input.
        columns: Orbits, each with all its points.
        depth: Input channels of one step.
        num_warps: Warps of the program.
    """

    rows: int
    columns: int
    depth: int
    num_warps: int


def tile_for(orbits: Orbits, itemsize: int) -> Tile:
    """A tile whose sums fit into registers, by what compilers report; nothing is timed.

    Args:
        orbits: What the tile's columns are.
        itemsize: Bytes of a channel.
    """
    points = _power_of_two(len(orbits.slots))
    rows = {1: 128, 2: 128, 4: 64, 8: 64, 16: 32}[points]
    columns = min((1 << 14) // (points * rows), _power_of_two(orbits.count))
    depth = min(128 // itemsize, _power_of_two(max(slot.depth for slot in orbits.slots)))
    # Tensor cores multiply nothing smaller than 16.
    return Tile(rows, max(16, columns), max(16, depth), num_warps=8)


def _power_of_two(number: int) -> int:
    """The next power of two."""
    return 1 << max(0, number - 1).bit_length()


def constants(
    plan: MLPPlan, orbits: Orbits, tile: Tile, backward: bool, widen: bool = False
) -> dict[str, object]:
    """What the kernel is compiled for.

    Args:
        plan: The map.
        orbits: One of its kinds of orbit.
        tile: What a program computes at a time.
        backward: Whether for the backward pass.
        widen: Whether to multiply in float32 whatever the dtype.
    """
    down, up = _line(orbits.to_points), _line(orbits.to_irreps)
    slots = tuple(
        (s.target, s.source, s.chunk, s.stride, s.depth, s.weight, s.bias) for s in orbits.slots
    )
    return {
        "OUT_DIM": plan.out_dim,
        "BACKWARD": backward,
        "FUNCTION": plan.function,
        "COUNT": orbits.count,
        "SLOTS": slots,
        "POINT_STEPS": down[0],
        "POINT_OUTPUTS": down[1],
        "IRREP_STEPS": up[0],
        "IRREP_OUTPUTS": up[1],
        "ROWS": tile.rows,
        "COLUMNS": tile.columns,
        "DEPTH": tile.depth,
        "PRECISION": "tf32" if torch.backends.cuda.matmul.allow_tf32 else "ieee",
        "WIDEN": widen,
    }


def _line(line: StraightLine) -> tuple[tuple[object, ...], tuple[object, ...]]:
    return line.steps, line.outputs


def launch(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    gradient: Tensor | None,
    plan: MLPPlan,
    tile: Tile | None = None,
) -> Tensor:
    """The map's output, or what goes back to the output of its linear part.

    Args:
        x: Input `(rows, in_dim)`.
        weight: The blocks' matrices, one after another.
        bias: Added to the copies of the trivial irrep.
        gradient: What comes back to the output, `(rows, out_dim)`; `None` for the output itself.
        plan: The map.
        tile: By default what `tile_for` says.
    """
    out = x.new_empty(x.shape[0], plan.out_dim)
    if not len(x):
        return out
    x = x if x.stride(1) == 1 else x.contiguous()
    gradient = None if gradient is None else gradient.contiguous()
    # Triton 3.7's interpreter multiplies the bits of bfloat16 as if they were whole numbers.
    widen = interpreted() and x.dtype == torch.bfloat16
    for orbits in plan.orbits:
        chosen = tile or tile_for(orbits, x.element_size())
        grid = (triton.cdiv(len(x), chosen.rows) * triton.cdiv(orbits.count, chosen.columns),)
        # A missing tensor is never read; the input stands for it.
        _mlp_in[grid](
            x,
            weight,
            x if bias is None else bias,
            x if gradient is None else gradient,
            out,
            len(x),
            x.stride(0),
            **constants(plan, orbits, chosen, gradient is not None, widen),
            num_warps=chosen.num_warps,
        )
    return out
