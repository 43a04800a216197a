"""Measuring a forward pass on the meta device: what torch counts, and which operations ran."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from irrepnet._errors import FlopCountError

aten = torch.ops.aten

#: Operations that move or describe data: no arithmetic.
FREE = {
    aten.alias, aten.arange, aten.as_strided, aten._to_copy, aten.cat, aten.clone, aten.copy_,
    aten.detach, aten.empty, aten.empty_like, aten.expand, aten.fill_, aten.index,
    aten.index_select,
    aten.lift_fresh, aten.new_empty, aten.new_zeros, aten.ones_like, aten.permute,
    aten.promote_types, aten.select,
    aten.slice,
    aten.split, aten.split_with_sizes, aten.squeeze, aten.stack, aten.t, aten.transpose,
    aten.unbind, aten.unsqueeze, aten.view, aten._unsafe_view, aten.zero_, aten.zeros,
    aten.empty_strided,
    aten.new_empty_strided, aten.reshape, aten._reshape_alias, aten.unflatten, aten.flatten,
}  # fmt: skip

#: Arithmetic whose FLOPs the layers' own cost formulas state (`Cost.other`).
STATED = {
    aten.abs, aten.add, aten.add_, aten.amax, aten.bernoulli_, aten.div, aten.gelu,
    aten.linalg_vector_norm, aten.sin, aten.softshrink,
    aten.mean, aten.mul, aten.mul_, aten.native_layer_norm, aten.neg, aten.pow, aten.relu,
    aten.rsqrt, aten.sigmoid, aten.silu, aten.sub, aten.sum, aten.tanh, aten._softmax,
    aten.abs_, aten.gelu_, aten.relu_, aten.sigmoid_, aten.silu_, aten.sin_, aten.tanh_,
    aten._safe_softmax,
}  # fmt: skip


@dataclass(frozen=True)
class Measurement:
    """One forward pass on the meta device.

    Attributes:
        matmul_flops: What `torch.utils.flop_counter` counts.
        operations: Names of all operations that ran.
    """

    matmul_flops: int
    operations: frozenset[str]


class _Recorder(TorchDispatchMode):
    """Notes every operation, and those for which no cost is known."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.unknown: set[str] = set()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        packet = func._overloadpacket
        self.seen.add(str(packet))
        if packet not in FREE and packet not in STATED and packet not in flop_registry:
            self.unknown.add(str(packet))
        return func(*args, **(kwargs or {}))


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while: what training adds (dropout) is no part of the count."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def measure(model: nn.Module, input_shape: tuple[int, ...]) -> Measurement:
    """Run a model on the meta device, whatever device it lives on; no memory, no arithmetic.

    On a CPU torch counts 0 FLOPs for attention, so counts are always taken on meta.

    Args:
        model: The model.
        input_shape: Shape of its input, batch included.

    Raises:
        FlopCountError: If an operation runs whose cost nobody stated.
    """
    with torch.no_grad():
        state = {
            name: torch.empty_like(value, device="meta")
            for named in (model.named_parameters, model.named_buffers)
            for name, value in named()
        }
        dtype = next((v.dtype for v in state.values() if v.is_floating_point()), None)
        x = torch.empty(input_shape, dtype=dtype, device="meta")
        recorder, counter = _Recorder(), FlopCounterMode(display=False)
        with _evaluating(model), counter, recorder:
            torch.func.functional_call(model, state, (x,))
    if recorder.unknown:
        names = ", ".join(sorted(recorder.unknown))
        raise FlopCountError(
            f"the model runs operations whose cost is unknown: {names}. Expected those of "
            f"irrepnet's layers; give your own layer a cost (LayerRule.cost) and make its "
            f"operations known with irrepnet.accounting.state_operation."
        )
    return Measurement(counter.get_total_flops(), frozenset(recorder.seen))


def state_operation(packet: Any) -> None:
    """Declare that a layer's own cost formula states the FLOPs of an operation.

    Args:
        packet: An overload packet that is no matrix product, such as `torch.ops.aten.erf`.

    Raises:
        FlopCountError: If torch counts it itself.
    """
    if packet in flop_registry:
        raise FlopCountError(
            f"torch counts {packet} itself: expected an operation that it does not."
        )
    STATED.add(packet)
