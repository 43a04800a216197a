"""`Layer`: what every module of the runtime has besides `forward`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from irrepnet._errors import CheckpointError, SpecError


class Layer(nn.Module):
    """Base of all layers: a plan that says what was built, and a dense twin.

    Attributes:
        plan: What the compiler decided; `None` for a module built by hand.
        notes: What a reader should know of the weights, such as of a loaded checkpoint's.
    """

    plan: Any = None
    notes: tuple[str, ...] = ()

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """As torch's, with an error that names layer and irrep.

        Raises:
            CheckpointError: If keys are missing or unknown (when `strict`), or shapes differ.
        """
        problems = _mismatches(self.state_dict(), state_dict, strict)
        if problems:
            shown = problems[:20] + [f"... and {len(problems) - 20} more"] * (len(problems) > 20)
            raise CheckpointError(
                "the state dict does not fit this network:\n  "
                + "\n  ".join(shown)
                + "\n  Expected the state dict of a network with the same spec "
                "(irrepnet.save keeps both together)."
            )
        return super().load_state_dict(state_dict, strict, assign)

    def to_dense(self, dtype: torch.dtype | None = None) -> nn.Module:
        """The same function out of stock torch layers, with copies of the weights.

        Args:
            dtype: Its dtype; by default that of the parameters, or torch's default without any.
        """
        sample = next(self.parameters(), None)
        if sample is None:
            return self._dense().to(dtype or torch.get_default_dtype())
        return self._dense().to(sample.device, dtype or sample.dtype)

    def _dense(self) -> nn.Module:
        """`to_dense` before the cast: constants are still float64."""
        raise SpecError(
            f"{type(self).__name__} has no dense twin: expected a method _dense that returns the "
            f"same function out of stock torch layers."
        )


def _mismatches(own: Mapping[str, Any], given: Mapping[str, Any], strict: bool) -> list[str]:
    """Each difference between two state dicts, by layer and irrep."""
    problems = []
    for key in own:
        if key not in given:
            problems += [f"{_where(key)}: missing"] if strict else []
        elif own[key].shape != given[key].shape:
            got, expected = tuple(given[key].shape), tuple(own[key].shape)
            problems.append(f"{_where(key)}: got shape {got}, expected {expected}")
    if strict:
        problems += [f"{_where(key)}: unknown" for key in given if key not in own]
    return problems


def _where(key: str) -> str:
    path, _, name = key.rpartition(".")
    layer = f"layer {path}" if path else "the layer"
    irrep = name.removeprefix("weight_")
    return f"{layer}, irrep {irrep}" if irrep != name else f"{layer}, {name}"
