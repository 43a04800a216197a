"""`GSetBasis`: from irreps to the points of a G-set and back, the group's Fourier transform."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._eager import writes_in_place
from irrepnet.types import GSetType, Orbits

#: Up to this orbit size the transform is written out in additions; above, it is one small product.
ADDITIONS_UP_TO = 2


@dataclass(frozen=True)
class _Run:
    """Where the channels of one kind of orbit lie, as plain integers."""

    count: int
    slots: tuple[int, ...]
    start: int
    matrix: tuple[tuple[float, ...], ...]
    adjacent: bool

    @property
    def points(self) -> tuple[int, ...]:
        """First channel of each point."""
        return tuple(self.start + p * self.count for p in range(len(self.slots)))


def _run(orbits: Orbits) -> _Run:
    first, n = orbits.slots[0], orbits.count
    return _Run(
        count=n,
        slots=orbits.slots,
        start=orbits.start,
        matrix=tuple(tuple(float(v) for v in row) for row in orbits.matrix),
        adjacent=orbits.slots == tuple(range(first, first + n * orbits.index, n)),
    )


class GSetBasis(ConstantsLayer):
    """Orthogonal change between the isotypic basis and the points of a G-set.

    Args:
        gset: The G-set; its `feature_type` is the type on the isotypic side.
        device: Where the tables live.
        dtype: Their dtype.

    Cost:
        For each kind of orbit with `P` points and `n` orbits: `2 P^2 n` FLOPs a position as a
        product, `P (2P - 1) n` as additions (small `P`); one pass over memory.

    References:
        Diaconis and Rockmore, *Efficient computation of the Fourier transform on finite groups*,
        J. AMS 3 (1990).

    Examples:
        >>> from irrepnet import groups
        >>> from irrepnet.types import FeatureType, gset_for
        >>> basis = GSetBasis(gset_for(FeatureType(groups.flop(), "sym + asym")))
        >>> points = basis.to_points(torch.tensor([1.0, 0.0]))
        >>> [round(v, 4) for v in points.tolist()]
        [0.7071, 0.7071]
    """

    def __init__(
        self,
        gset: GSetType,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.gset = gset
        self.dim = gset.feature_type.dim
        self._runs = tuple(_run(o) for o in gset.orbits)
        for k, orbits in enumerate(gset.orbits):
            if orbits.index > ADDITIONS_UP_TO:
                self.register_constant(f"matrix{k}", orbits.matrix, device, dtype)

    def to_points(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """From irreps to points: channel `start + point * count + orbit`."""
        return self._transform(x, to_points=True)

    def to_irreps(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """From points to irreps: the inverse of `to_points`."""
        return self._transform(x, to_points=False)

    @property
    def is_identity(self) -> bool:
        """Whether every orbit is one point, so that nothing moves."""
        return all(len(run.slots) == 1 for run in self._runs)

    def _transform(self, x: Tensor, to_points: bool) -> Tensor:
        if self.is_identity:
            return x
        if writes_in_place(x):
            out = torch.empty_like(x, memory_format=torch.contiguous_format)
            return self.write(x, out, to_points)
        return self._build(x, to_points)

    def write(self, x: Tensor, out: Tensor, to_points: bool) -> Tensor:
        """Write the transform of `x` into `out` (not the same memory); no autograd."""
        for k, run in enumerate(self._runs):
            sources, targets = _sides(run, to_points)
            n, matrix = run.count, _oriented(run, to_points)
            if len(sources) <= ADDITIONS_UP_TO:
                parts = [x[..., s : s + n] for s in sources]
                for row, t in zip(matrix, targets, strict=True):
                    _combine(parts, row, out[..., t : t + n])
            else:
                product = self._product(k, x, sources, run, to_points)
                for part, t in zip(product.unbind(-2), targets, strict=True):
                    out[..., t : t + n] = part
        return out

    def _build(self, x: Tensor, to_points: bool) -> Tensor:
        parts: list[tuple[int, Tensor]] = []
        for k, run in enumerate(self._runs):
            sources, targets = _sides(run, to_points)
            n, matrix = run.count, _oriented(run, to_points)
            if len(sources) <= ADDITIONS_UP_TO:
                slices = [x[..., s : s + n] for s in sources]
                planes = [_combined(slices, row) for row in matrix]
            else:
                planes = self._product(k, x, sources, run, to_points).unbind(-2)
            parts += zip(targets, planes, strict=True)
        return torch.cat([plane for _, plane in sorted(parts, key=lambda p: p[0])], dim=-1)

    def _product(
        self, k: int, x: Tensor, sources: tuple[int, ...], run: _Run, to_points: bool
    ) -> Tensor:
        """Planes of the transformed run: `(..., points, count)`."""
        n = run.count
        if not to_points or run.adjacent:
            first = sources[0]
            stacked = x[..., first : first + n * len(sources)].unflatten(-1, (len(sources), n))
        else:
            stacked = torch.stack([x[..., s : s + n] for s in sources], dim=-2)
        matrix = getattr(self, f"matrix{k}").to(x.dtype)
        return torch.matmul(matrix.t() if to_points else matrix, stacked)

    def extra_repr(self) -> str:
        """The G-set."""
        return str(self.gset)


def _sides(run: _Run, to_points: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return (run.slots, run.points) if to_points else (run.points, run.slots)


def _oriented(run: _Run, to_points: bool) -> tuple[tuple[float, ...], ...]:
    return tuple(zip(*run.matrix, strict=True)) if to_points else run.matrix


def _combine(parts: list[Tensor], row: tuple[float, ...], out: Tensor) -> None:
    """Write `sum_k row[k] * parts[k]` into `out`."""
    if len(parts) == 1:  # one point: the matrix is 1
        out.copy_(parts[0])
    else:  # r0 a + r1 b = r0 (a + (r1 / r0) b), and r1 / r0 is exactly +-1 for orbits of two
        torch.add(parts[0], parts[1], alpha=row[1] / row[0], out=out)
        out.mul_(row[0])


def _combined(parts: list[Tensor], row: tuple[float, ...]) -> Tensor:
    if len(parts) == 1:
        return parts[0]
    return torch.add(parts[0], parts[1], alpha=row[1] / row[0]) * row[0]
