"""`Expanded`: an expanded weight that plain inference keeps between calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from irrepnet.nn._eager import writes_in_place


class Expanded:
    """Remembers a tensor made from parameters until one of them changes.

    Nothing is remembered while autograd records or a call is traced, and nothing is ever stored
    with the weights. Changes are seen through torch's version counters, which writing through
    `.data` bypasses: write under `torch.no_grad` instead.
    """

    def __init__(self) -> None:
        self._kept: tuple[tuple[Tensor, ...], list[Any], Tensor] | None = None

    def get(self, x: Tensor, sources: tuple[Tensor, ...], expand: Callable[[], Tensor]) -> Tensor:
        """What `expand` gives for the sources, computed anew only if needed.

        Args:
            x: The input of the call.
            sources: The parameters that `expand` reads.
            expand: Makes the expanded tensor.
        """
        if not writes_in_place(x) or any(s.is_inference() for s in sources):
            return expand()
        state = [(s._version, s.data_ptr(), s.dtype, s.device) for s in sources]
        kept = self._kept
        if kept is not None and kept[1] == state and all(map(_same, kept[0], sources)):
            return kept[2]
        value = expand()
        if not value.is_meta:
            self._kept = (sources, state, value)
        return value

    def __getstate__(self) -> dict[str, Any]:
        return {"_kept": None}

    def __deepcopy__(self, memo: dict[int, Any]) -> Expanded:
        return Expanded()


def _same(a: Tensor, b: Tensor) -> bool:
    return a is b
