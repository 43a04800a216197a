"""`MLPPlan`: what the kernel for linear map and activation must know, as plain numbers."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import Any

from irrepnet.nn._activation import GSetActivation
from irrepnet.nn._block_map import BlockMap
from irrepnet.nn._linear import IsotypicLinear
from irrepnet.nn._straight_line import StraightLine, straight_line
from irrepnet.types import Run

#: Orbits with more points than this would not fit into a tile's registers.
MAX_POINTS = 16

#: Pointwise functions that the kernel has.
FUNCTIONS = ("gelu", "quick_gelu", "relu", "silu")


@dataclass(frozen=True)
class PackedBlock:
    """One isotypic block of the map, its real matrix lying in one buffer with the others.

    Attributes:
        source: First input channel.
        target: First output channel.
        end_dim: Dimension of the commutant.
        components: `dim / end_dim` of the irrep.
        copies_in: Multiplicity on the way in.
        copies_out: Multiplicity on the way out.
        weight: Where its matrix `(end_dim * copies_out, end_dim * copies_in)` begins.
    """

    source: int
    target: int
    end_dim: int
    components: int
    copies_in: int
    copies_out: int
    weight: int

    @property
    def depth(self) -> int:
        """Columns of the matrix, the summands of one output channel."""
        return self.end_dim * self.copies_in

    @property
    def height(self) -> int:
        """Rows of the matrix."""
        return self.end_dim * self.copies_out


@dataclass(frozen=True)
class Slot:
    """`count` neighbouring output channels, all with the same input channels.

    Input channel `k` of a slot is `source + (k // chunk) * stride + k % chunk`.

    Attributes:
        target: First output channel.
        source: First input channel.
        chunk: How many input channels lie together.
        stride: From one such chunk to the next; `chunk` itself where there is no gap.
        depth: Number of input channels; 0 where no input reaches the slot.
        weight: Where the first channel's row of weights begins.
        bias: The first channel's bias, -1 for none.
    """

    target: int
    source: int
    chunk: int
    stride: int
    depth: int
    weight: int
    bias: int


@dataclass(frozen=True)
class Orbits:
    """`count` orbits of one kind: the slots that their points mix.

    Attributes:
        count: Number of orbits, the width of each slot.
        slots: One for each point of an orbit.
        to_points: From slots to points.
        to_irreps: And back.
    """

    count: int
    slots: tuple[Slot, ...]
    to_points: StraightLine
    to_irreps: StraightLine


@dataclass(frozen=True)
class MLPPlan:
    """A linear map and the activation after it.

    Attributes:
        in_dim: Input channels.
        out_dim: Output channels.
        function: Name of the pointwise function.
        product_flops: Of the linear map, for one row.
        basis_flops: What both changes of basis count for, one row: as many as the layers' own.
        blocks: The blocks that an input reaches.
        orbits: One entry for each kind of orbit.
    """

    in_dim: int
    out_dim: int
    function: str
    product_flops: int
    basis_flops: int
    blocks: tuple[PackedBlock, ...]
    orbits: tuple[Orbits, ...]

    @property
    def key(self) -> str:
        """The plan as text, which an operator of torch takes as an argument."""
        return json.dumps(astuple(self), separators=(",", ":"))

    @staticmethod
    @lru_cache(maxsize=256)
    def from_key(key: str) -> MLPPlan:
        """The plan that has this key."""
        *numbers, blocks, orbits = json.loads(key)
        in_dim, out_dim, function, product_flops, basis_flops = numbers
        return MLPPlan(
            in_dim,
            out_dim,
            function,
            product_flops,
            basis_flops,
            tuple(PackedBlock(*block) for block in blocks),
            tuple(
                Orbits(count, tuple(Slot(*slot) for slot in slots), _line(down), _line(up))
                for count, slots, down, up in orbits
            ),
        )


def _line(values: tuple[Any, Any] | list[Any]) -> StraightLine:
    steps, outputs = values
    return StraightLine(tuple(map(tuple, steps)), tuple(map(tuple, outputs)))


def why_no_plan(linear: IsotypicLinear, activation: GSetActivation) -> str | None:
    """Why no kernel serves a linear map and the activation after it; `None` where one does."""
    basis = activation.basis
    sizes = [run.size for run in basis._used]
    if any(call.way == "dense" for call in linear._calls):
        return "the linear map has blocks that are lowered to a dense product"
    if activation.pointwise.function not in FUNCTIONS:
        return f"its function is {activation.pointwise.function}, not {', '.join(FUNCTIONS)}"
    if (activation.enter, activation.leave) != ("irreps", "irreps"):
        return "the activation does not go from irreps to irreps"
    if max(sizes) > MAX_POINTS:
        return f"an orbit has {max(sizes)} points, more than {MAX_POINTS}"
    return None


def mlp_plan(linear: IsotypicLinear, activation: GSetActivation) -> MLPPlan:
    """The plan of a linear map and the activation after it; `why_no_plan` must give `None`."""
    blocks, offset = [], 0
    for m in linear._maps:
        if not m.reached:
            continue
        ends = m.source[0], m.target[0]
        block = PackedBlock(*ends, m.end_dim, m.components, *m.copies, offset)
        offset += block.height * block.depth
        blocks.append(block)
    basis = activation.basis
    counted = [run for run, up in zip(basis._used, basis._up, strict=True) if not up.written_out]
    return MLPPlan(
        linear.in_dim,
        linear.out_dim,
        activation.pointwise.function,
        sum(2 * b.components * b.height * b.depth for b in blocks),
        sum(4 * run.size**2 * run.count for run in counted),
        tuple(blocks),
        tuple(_orbits(linear, blocks, run) for run in basis._used),
    )


def _orbits(linear: IsotypicLinear, blocks: list[PackedBlock], run: Run) -> Orbits:
    slots = tuple(_slot(linear, blocks, first) for first in run.slots)
    return Orbits(run.count, slots, straight_line(run.matrix.T), straight_line(run.matrix))


def _slot(linear: IsotypicLinear, blocks: list[PackedBlock], target: int) -> Slot:
    """The slot whose first output channel is `target`."""
    m: BlockMap = next(m for m in linear._maps if m.target[0] <= target < m.target[1])
    bias = target if m.invariant and linear.bias is not None else -1
    if not m.reached:
        return Slot(target, 0, 1, 1, 0, 0, bias)
    block = next(b for b in blocks if b.target == m.target[0])
    component, copy = divmod(target - block.target, block.copies_out)
    # Components that the commutant mixes are `components` apart: (end_dim, components, copies).
    outer, inner = divmod(component, block.components)
    chunk = block.copies_in
    return Slot(
        target=target,
        source=block.source + inner * chunk,
        chunk=chunk,
        stride=chunk if block.end_dim == 1 else block.components * chunk,
        depth=block.depth,
        weight=block.weight + (outer * block.copies_out + copy) * block.depth,
        bias=bias,
    )
