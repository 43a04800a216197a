"""`Packed`: a product by oneDNN, with the weight in the layout that its kernels read."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from irrepnet.nn._eager import writes_in_place
from irrepnet.nn._expanded import Expanded


def can_prepack() -> bool:
    """Whether this torch has oneDNN and its products with packed weights."""
    ops = torch.ops.mkldnn
    return torch.backends.mkldnn.is_available() and all(
        hasattr(ops, name) for name in ("_reorder_linear_weight", "_linear_pointwise")
    )


class Packed:
    """Remembers a matrix in oneDNN's own layout until one of the parameters changes.

    Float32 products of a CPU go to the BLAS that torch was built with, whose kernels are not the
    fastest on every processor; inductor's freezing leaves them there, too. Nothing is stored with
    the weights (see `Expanded`).

    Cost:
        One more copy of the weights in memory.
    """

    def __init__(self) -> None:
        self._kept = Expanded()

    def fits(self, x: Tensor, sources: tuple[Tensor, ...]) -> bool:
        """Whether the product can be had this way: plain float32 inference on a CPU.

        Args:
            x: The input of the call.
            sources: The parameters that the matrix is made of.
        """
        return (
            x.device.type == "cpu"
            and writes_in_place(x)
            and all(t.dtype == torch.float32 for t in (x, *sources))
            and not any(s.is_inference() for s in sources)  # they have no version to watch
            and torch.backends.mkldnn.enabled
            and can_prepack()
        )

    def get(self, x: Tensor, sources: tuple[Tensor, ...], matrix: Callable[[], Tensor]) -> Tensor:
        """The packed matrix.

        Args:
            x: The input of the call.
            sources: The parameters that `matrix` reads.
            matrix: Makes the matrix, shape `(width_out, width_in)`.
        """
        pack = torch.ops.mkldnn._reorder_linear_weight
        return self._kept.get(x, sources, lambda: pack(matrix().contiguous(), None))


def multiply_packed(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`x @ W.T + bias` with a packed `W`: `(rows, width_in)` to `(rows, width_out)`."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
