"""Constants of a layer: exact float64 tables that are no parameters and survive every cast."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from irrepnet.nn._layer import Layer


class ConstantsLayer(Layer):
    """A module with tables computed from its plan, kept out of the state_dict.

    A float32 buffer that is cast to float64 keeps float32's error, which breaks equivariance at
    1e-8; a buffer built on the meta device is garbage after `to_empty`. So every move and cast
    rebuilds the tables from their float64 source.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sources: dict[str, np.ndarray] = {}

    def register_constant(
        self,
        name: str,
        source: np.ndarray,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Keep a table under `name`, cast to `dtype` (default dtype) if it is of floats."""
        self._sources[name] = source
        self.register_buffer(name, _tensor(source, device, dtype), persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> ConstantsLayer:
        super()._apply(fn, recurse)
        for name, source in self._sources.items():
            moved = getattr(self, name)
            setattr(self, name, _tensor(source, moved.device, moved.dtype))
        return self


def _tensor(
    source: np.ndarray, device: torch.device | str | None, dtype: torch.dtype | None
) -> Tensor:
    if np.issubdtype(source.dtype, np.integer):
        return torch.tensor(source, dtype=torch.int64, device=device)
    return torch.tensor(source, dtype=dtype or torch.get_default_dtype(), device=device)
