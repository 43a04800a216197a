"""`SlotBasis`: the orthogonal change between a natural basis and irreps, run by run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._eager import writes_in_place
from irrepnet.types import Run

#: Up to this size a transform is written out in additions; above, it is one small product.
ADDITIONS_UP_TO = 2


@dataclass(frozen=True)
class _Side:
    """One direction of a run, as plain numbers.

    Attributes:
        count: Channels of each coordinate.
        sources: First channel of each coordinate that goes in.
        targets: The same for those that come out.
        matrix: Rows are targets.
        copied: Source and sign of each target where nothing is added.
        adjacent: Whether the sources are neighbours.
    """

    count: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    matrix: tuple[tuple[float, ...], ...]
    copied: tuple[tuple[int, float], ...] | None
    adjacent: bool

    @property
    def written_out(self) -> bool:
        """Whether the transform is copies or additions instead of a product."""
        return self.copied is not None or len(self.sources) <= ADDITIONS_UP_TO


def _side(run: Run, to_points: bool) -> _Side:
    sources, targets = (run.slots, run.points) if to_points else (run.points, run.slots)
    matrix = run.matrix.T if to_points else run.matrix
    copied = None
    if run.signed_permutation is not None:
        pairs = sorted(
            (row, column, sign) if not to_points else (column, row, sign)
            for row, (column, sign) in enumerate(run.signed_permutation)
        )
        copied = tuple((source, float(sign)) for _, source, sign in pairs)
    return _Side(
        run.count,
        sources,
        targets,
        tuple(tuple(float(v) for v in row) for row in matrix),
        copied,
        sources == tuple(sources[0] + run.count * k for k in range(len(sources))),
    )


class SlotBasis(ConstantsLayer):
    """Orthogonal change between a natural basis and the isotypic one.

    Args:
        runs: Copies of small representations, whose channels lie next to each other on both sides.
        dim: Number of channels.
        device: Where the tables live.
        dtype: Their dtype.

    Cost:
        A run of `n` copies of dimension `P`: `2 P^2 n` FLOPs a position as a product; `P = 2` is
        written out in `4 n`, and a signed permutation costs its signs. One pass over memory.
    """

    def __init__(
        self,
        runs: Iterable[Run],
        dim: int,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        runs = tuple(runs)
        self.dim = dim
        self._up = tuple(_side(run, to_points=False) for run in runs)
        self._down = tuple(_side(run, to_points=True) for run in runs)
        #: Whether nothing moves.
        self.is_identity = all(
            side.sources == side.targets
            and side.copied == tuple((k, 1.0) for k in range(len(side.sources)))
            for side in self._up
        )
        for k, run in enumerate(runs):
            if not self._up[k].written_out:
                self.register_constant(f"matrix{k}", run.matrix, device, dtype)

    def to_points(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """From irreps to the natural basis."""
        return self._transform(x, to_points=True)

    def to_irreps(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """From the natural basis to irreps: the inverse of `to_points`."""
        return self._transform(x, to_points=False)

    def _transform(self, x: Tensor, to_points: bool) -> Tensor:
        if self.is_identity:
            return x
        if writes_in_place(x):
            out = torch.empty_like(x, memory_format=torch.contiguous_format)
            return self.write(x, out, to_points)
        return self._build(x, to_points)

    def write(self, x: Tensor, out: Tensor, to_points: bool) -> Tensor:
        """Write the transform of `x` into `out` (not the same memory); no autograd."""
        for k, side in enumerate(self._down if to_points else self._up):
            n = side.count
            if side.written_out:
                parts = [x[..., s : s + n] for s in side.sources]
                for row, t in enumerate(side.targets):
                    _combine(parts, side, row, out[..., t : t + n])
            else:
                product = self._product(k, x, side, to_points)
                for part, t in zip(product.unbind(-2), side.targets, strict=True):
                    out[..., t : t + n] = part
        return out

    def _build(self, x: Tensor, to_points: bool) -> Tensor:
        parts: list[tuple[int, Tensor]] = []
        for k, side in enumerate(self._down if to_points else self._up):
            n = side.count
            if side.written_out:
                slices = [x[..., s : s + n] for s in side.sources]
                planes = [_combined(slices, side, row) for row in range(len(slices))]
            else:
                planes = list(self._product(k, x, side, to_points).unbind(-2))
            parts += zip(side.targets, planes, strict=True)
        return torch.cat([plane for _, plane in sorted(parts, key=lambda p: p[0])], dim=-1)

    def _product(self, k: int, x: Tensor, side: _Side, to_points: bool) -> Tensor:
        """Planes of the transformed run: `(..., size, count)`."""
        n, size = side.count, len(side.sources)
        if side.adjacent:
            first = side.sources[0]
            stacked = x[..., first : first + n * size].unflatten(-1, (size, n))
        else:
            stacked = torch.stack([x[..., s : s + n] for s in side.sources], dim=-2)
        matrix = getattr(self, f"matrix{k}").to(x.dtype)
        return torch.matmul(matrix.t() if to_points else matrix, stacked)


def _combine(parts: list[Tensor], side: _Side, row: int, out: Tensor) -> None:
    """Write one coordinate into `out`."""
    if side.copied is not None:
        source, sign = side.copied[row]
        if sign > 0:
            out.copy_(parts[source])
        else:
            torch.neg(parts[source], out=out)
    else:  # r0 a + r1 b = r0 (a + (r1 / r0) b), and no entry is zero
        first, second = side.matrix[row]
        torch.add(parts[0], parts[1], alpha=second / first, out=out)
        if first != 1:
            out.mul_(first)


def _combined(parts: list[Tensor], side: _Side, row: int) -> Tensor:
    if side.copied is not None:
        source, sign = side.copied[row]
        return parts[source] if sign > 0 else -parts[source]
    first, second = side.matrix[row]
    total = torch.add(parts[0], parts[1], alpha=second / first)
    return total if first == 1 else total * first
