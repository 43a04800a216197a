"""`Restrict`: the change of basis where a network gives up part of its symmetry."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from irrepnet.nn._constants import ConstantsLayer
from irrepnet.nn._dense import linear
from irrepnet.nn._gset_basis import GSetBasis
from irrepnet.types import Restriction


class Restrict(ConstantsLayer):
    """Features of a group, written in the isotypic basis of a subgroup.

    Args:
        restriction: The types, the embedding and the basis.
        enter: Basis of the input, `"irreps"` or (through points only) `"points"`.
        device: Where the tables live.
        dtype: Their dtype.

    Cost:
        One copy where the subgroup's irreps are components of the group's, else one small product
        for each irrep that splits otherwise, or two changes of basis through points.
    """

    order: Tensor

    def __init__(
        self,
        restriction: Restriction,
        enter: str = "irreps",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.restriction, self.enter = restriction, enter
        self.through_points = restriction.basis == "gset"
        if self.through_points:
            after, order = restriction.gset_after
            self.before = GSetBasis(restriction.gset, device, dtype)
            self.after = GSetBasis(after, device, dtype)
            self._sorted = bool((np.diff(order) == 1).all())
            self.register_constant("order", order, device)
            return
        self._blocks = tuple((b.start, b.stop, b.irrep.dim) for b in restriction.in_type.blocks)
        self._rows = restriction.monomial_alignments
        self._pieces = tuple((p.irrep, p.row) for p in restriction.pieces())
        for i, (_, alignment) in enumerate(restriction.alignments):
            if self._rows[i] is None:
                self.register_constant(f"alignment{i}", alignment, device, dtype)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """Change the basis along the last axis."""
        if self.through_points:
            x = x if self.enter == "points" else self.before.to_points(x)
            x = x if self._sorted else x.index_select(-1, self.order)
            return self.after.to_irreps(x)
        planes = [self._align(x, i) for i in range(len(self._blocks))]
        return torch.cat([planes[i][row] for i, row in self._pieces], dim=-1)

    def _align(self, x: Tensor, i: int) -> list[Tensor]:
        """Each row of one irrep's alignment, applied to every copy."""
        start, stop, dim = self._blocks[i]
        part = x[..., start:stop].unflatten(-1, (dim, -1))
        rows = self._rows[i]
        if rows is None:
            return list(torch.matmul(getattr(self, f"alignment{i}").to(x.dtype), part).unbind(-2))
        return [part[..., c, :] if sign > 0 else -part[..., c, :] for c, sign in rows]

    def _dense(self) -> nn.Linear:
        if self.enter == "points":
            return linear(self.restriction.matrix() @ self.restriction.gset.basis())
        return linear(self.restriction.matrix())

    def extra_repr(self) -> str:
        """Both types."""
        r = self.restriction
        return f"{r.in_type} over {r.in_type.group.name} -> {r.out_type} over {r.subgroup.name}"
