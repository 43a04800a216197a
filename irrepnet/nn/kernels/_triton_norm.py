"""The kernels of `ResidualNorm`: a row's addition, centring and norm in one pass.

Imported only where they run: the import of Triton itself is optional.
"""

from __future__ import annotations

import torch
import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]
from torch import Tensor

from irrepnet.nn.kernels._norm_plan import NormPlan
from irrepnet.nn.kernels._triton_functions import jit

# A slot is (first channel, width, padded width, whether centred, share).


@jit
def _centre(part, mask, WIDTH: tl.constexpr, CENTRED: tl.constexpr):
    """Subtract each row's mean over a slot; what lies outside the slot stays zero."""
    if CENTRED:
        part = tl.where(mask, part - (tl.sum(part, axis=1) / WIDTH)[:, None], 0.0)
    return part


@jit
def _zeros(ROWS: tl.constexpr, WIDTH: tl.constexpr):
    """A slot's sums; a shape cannot take what comes out of a tuple."""
    return tl.zeros((ROWS, WIDTH), tl.float32)


@jit
def _residual_norm(
    x,
    y,
    scale,
    weight,
    bias,
    total,
    out,
    num_rows,
    HAS_SCALE: tl.constexpr,
    HAS_WEIGHT: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    SLOTS: tl.constexpr,
    DIM: tl.constexpr,
    EPS: tl.constexpr,
    ROWS: tl.constexpr,
):
    """`total = x + scale * y` and its norm, for a few rows, which stay in registers."""
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    row_mask = rows < num_rows
    first = rows.to(tl.int64)[:, None] * DIM
    held = ()
    variance = tl.zeros((ROWS,), tl.float32)
    for s in tl.static_range(len(SLOTS)):
        columns = tl.arange(0, SLOTS[s][2])
        inside = columns < SLOTS[s][1]
        mask = row_mask[:, None] & inside[None, :]
        at = first + SLOTS[s][0] + columns[None, :]
        part = tl.load(y + at, mask=mask, other=0.0).to(tl.float32)
        if HAS_SCALE:
            factor = tl.load(scale + SLOTS[s][0] + columns, mask=inside, other=0.0)
            part = part * factor.to(tl.float32)[None, :]
        part += tl.load(x + at, mask=mask, other=0.0).to(tl.float32)
        stored = part.to(total.dtype.element_ty)
        tl.store(total + at, stored, mask=mask)
        # The norm is that of what was stored, as the backward pass computes it again.
        part = _centre(stored.to(tl.float32), mask, SLOTS[s][1], SLOTS[s][3])
        variance += SLOTS[s][4] * tl.sum(part * part, axis=1)
        held = held + (part,)  # noqa: RUF005
    inverse = tl.rsqrt(variance + EPS)[:, None]
    for s in tl.static_range(len(SLOTS)):
        columns = tl.arange(0, SLOTS[s][2])
        inside = columns < SLOTS[s][1]
        part = held[s] * inverse
        if HAS_WEIGHT:
            factor = tl.load(weight + SLOTS[s][0] + columns, mask=inside, other=0.0)
            part = part * factor.to(tl.float32)[None, :]
        if HAS_BIAS:
            shift = tl.load(bias + SLOTS[s][0] + columns, mask=inside, other=0.0)
            part += shift.to(tl.float32)[None, :]
        at = first + SLOTS[s][0] + columns[None, :]
        mask = row_mask[:, None] & inside[None, :]
        tl.store(out + at, part.to(out.dtype.element_ty), mask=mask)


@jit
def _residual_norm_backward(
    total,
    y,
    scale,
    weight,
    to_total,
    to_out,
    into_x,
    into_y,
    sums,
    num_rows,
    num_programs,
    HAS_SCALE: tl.constexpr,
    HAS_WEIGHT: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    SLOTS: tl.constexpr,
    DIM: tl.constexpr,
    EPS: tl.constexpr,
    ROWS: tl.constexpr,
):
    """What goes back to `x` and `y`, and each program's sums over its rows for the factors.

    With `c` the centred row, `r` its reciprocal deviation and `g` what comes back to `c r`, there
    goes back to `c`: `r g - r^3 share c sum(g c)`; centring is its own transpose.
    """
    scale_sums, weight_sums, bias_sums = (), (), ()
    for s in tl.static_range(len(SLOTS)):
        zeros = _zeros(ROWS, SLOTS[s][2])
        scale_sums = scale_sums + (zeros,)  # noqa: RUF005
        weight_sums = weight_sums + (zeros,)  # noqa: RUF005
        bias_sums = bias_sums + (zeros,)  # noqa: RUF005

    for tile in range(tl.program_id(0), tl.cdiv(num_rows, ROWS), num_programs):
        rows = tile * ROWS + tl.arange(0, ROWS)
        row_mask = rows < num_rows
        first = rows.to(tl.int64)[:, None] * DIM
        held, backs = (), ()
        variance = tl.zeros((ROWS,), tl.float32)
        product = tl.zeros((ROWS,), tl.float32)
        for s in tl.static_range(len(SLOTS)):
            columns = tl.arange(0, SLOTS[s][2])
            inside = columns < SLOTS[s][1]
            mask = row_mask[:, None] & inside[None, :]
            at = first + SLOTS[s][0] + columns[None, :]
            part = tl.load(total + at, mask=mask, other=0.0).to(tl.float32)
            part = _centre(part, mask, SLOTS[s][1], SLOTS[s][3])
            back = tl.load(to_out + at, mask=mask, other=0.0).to(tl.float32)
            variance += SLOTS[s][4] * tl.sum(part * part, axis=1)
            held = held + (part,)  # noqa: RUF005
            backs = backs + (back,)  # noqa: RUF005
            if HAS_WEIGHT:
                factor = tl.load(weight + SLOTS[s][0] + columns, mask=inside, other=0.0)
                back = back * factor.to(tl.float32)[None, :]
            product += tl.sum(back * part, axis=1)
        # A row past the end has variance 0, and eps may be 0 as well.
        inverse = tl.rsqrt(tl.where(row_mask, variance + EPS, 1.0))
        curve = (inverse * inverse * inverse * product)[:, None]
        inverse = inverse[:, None]

        new_scale, new_weight, new_bias = (), (), ()
        for s in tl.static_range(len(SLOTS)):
            columns = tl.arange(0, SLOTS[s][2])
            inside = columns < SLOTS[s][1]
            mask = row_mask[:, None] & inside[None, :]
            at = first + SLOTS[s][0] + columns[None, :]
            back = backs[s]
            new_bias = new_bias + (bias_sums[s] + back,)  # noqa: RUF005
            new_weight = new_weight + (weight_sums[s] + back * inverse * held[s],)  # noqa: RUF005
            if HAS_WEIGHT:
                factor = tl.load(weight + SLOTS[s][0] + columns, mask=inside, other=0.0)
                back = back * factor.to(tl.float32)[None, :]
            into = inverse * back - curve * SLOTS[s][4] * held[s]
            into = _centre(into, mask, SLOTS[s][1], SLOTS[s][3])
            into += tl.load(to_total + at, mask=mask, other=0.0).to(tl.float32)
            tl.store(into_x + at, into.to(into_x.dtype.element_ty), mask=mask)
            if HAS_SCALE:
                part = tl.load(y + at, mask=mask, other=0.0).to(tl.float32)
                new_scale = new_scale + (scale_sums[s] + into * part,)  # noqa: RUF005
                factor = tl.load(scale + SLOTS[s][0] + columns, mask=inside, other=0.0)
                into = into * factor.to(tl.float32)[None, :]
                tl.store(into_y + at, into.to(into_y.dtype.element_ty), mask=mask)
            else:
                new_scale = new_scale + (scale_sums[s],)  # noqa: RUF005
        scale_sums, weight_sums, bias_sums = new_scale, new_weight, new_bias

    for s in tl.static_range(len(SLOTS)):
        columns = tl.arange(0, SLOTS[s][2])
        inside = columns < SLOTS[s][1]
        at = sums + tl.program_id(0) * 3 * DIM + SLOTS[s][0] + columns
        if HAS_SCALE:
            tl.store(at, tl.sum(scale_sums[s], axis=0), mask=inside)
        if HAS_WEIGHT:
            tl.store(at + DIM, tl.sum(weight_sums[s], axis=0), mask=inside)
        if HAS_BIAS:
            tl.store(at + 2 * DIM, tl.sum(bias_sums[s], axis=0), mask=inside)


#: Rows held at a time have about as many channels as this; what a program's registers take.
HELD, HELD_BACKWARD = 4096, 2048


def rows_of(plan: NormPlan, held: int) -> int:
    """How many rows a program holds at a time: a power of two."""
    return max(1, 1 << (held // plan.padded).bit_length() >> 1)


def constants(plan: NormPlan, rows: int, *optional: Tensor | bool | None) -> dict[str, object]:
    """What a kernel is compiled for.

    Args:
        plan: The norm.
        rows: Rows held at a time.
        optional: LayerScale, factors and shifts: which are there.
    """
    there = [t is not None and t is not False for t in optional]
    return {
        "HAS_SCALE": there[0],
        "HAS_WEIGHT": there[1],
        "HAS_BIAS": there[2],
        "SLOTS": tuple((s.start, s.width, s.padded, s.centred, s.share) for s in plan.slots),
        "DIM": plan.dim,
        "EPS": plan.eps,
        "ROWS": rows,
    }


def launch(
    x: Tensor,
    y: Tensor,
    scale: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    plan: NormPlan,
) -> tuple[Tensor, Tensor]:
    """`total = x + scale * y` and its norm.

    Args:
        x: The residual stream `(rows, dim)`.
        y: What is added to it.
        scale: LayerScale's factor of each channel.
        weight: The norm's factor of each channel.
        bias: The norm's shift of each channel.
        plan: The norm.
    """
    x, y = x.contiguous(), y.contiguous()
    total, out = torch.empty_like(x), torch.empty_like(x)
    if not len(x):
        return total, out
    rows = rows_of(plan, HELD)
    optional = (scale, weight, bias)
    # A missing tensor is never read; the input stands for it.
    _residual_norm[(triton.cdiv(len(x), rows),)](
        x,
        y,
        *(x if t is None else t for t in optional),
        total,
        out,
        len(x),
        **constants(plan, rows, *optional),
        num_warps=4,
    )
    return total, out


def launch_backward(
    total: Tensor,
    y: Tensor,
    scale: Tensor | None,
    weight: Tensor | None,
    has_bias: bool,
    to_total: Tensor,
    to_out: Tensor,
    plan: NormPlan,
) -> tuple[Tensor, Tensor, Tensor]:
    """What goes back to `x`, to `y` if there is a scale, and to the three vectors of factors.

    Args:
        total: What the forward pass stored.
        y: What it added; not read without a scale.
        scale: LayerScale's factors.
        weight: The norm's factors.
        has_bias: Whether the norm shifts.
        to_total: What comes back to the sum.
        to_out: What comes back to its norm.
        plan: The norm.
    """
    total, y, to_total, to_out = (t.contiguous() for t in (total, y, to_total, to_out))
    into_x = torch.empty_like(total)
    into_y = y.new_empty(0) if scale is None else torch.empty_like(y)
    rows = rows_of(plan, HELD_BACKWARD)
    programs = min(triton.cdiv(len(total), rows), _programs(total))
    sums = total.new_zeros(programs, 3, plan.dim, dtype=torch.float32)
    if programs:
        _residual_norm_backward[(programs,)](
            total,
            y,
            total if scale is None else scale,
            total if weight is None else weight,
            to_total,
            to_out,
            into_x,
            into_y if scale is not None else into_x,
            sums,
            len(total),
            programs,
            **constants(plan, rows, scale, weight, has_bias),
            num_warps=4,
        )
    return into_x, into_y, sums.sum(0)


def _programs(x: Tensor) -> int:
    """Two programs for each multiprocessor, so that few sums are left to add."""
    if not x.is_cuda:
        return 2
    return 2 * torch.cuda.get_device_properties(x.device).multi_processor_count
