"""`Layer`: what every module of the runtime has besides `forward`."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Layer(nn.Module):
    """Base of all layers: a plan that says what was built, and a dense twin.

    Attributes:
        plan: What the compiler decided; `None` for a module built by hand.
    """

    plan: Any = None

    def to_dense(self) -> nn.Module:
        """The same function out of stock torch layers, with copies of the weights."""
        sample = next(self.parameters(), None)
        if sample is None:
            return self._dense().to(torch.get_default_dtype())
        return self._dense().to(sample.device, sample.dtype)

    def _dense(self) -> nn.Module:
        """`to_dense` before the cast: constants are still float64."""
        raise AssertionError(f"{type(self).__name__} has no dense twin")
