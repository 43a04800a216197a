"""Passes on the meta device: what torch counts, layer by layer, and which operations ran."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import (
    FlopCounterMode,
    conv_flop_count,
    flop_registry,
    register_flop_formula,
)

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
    aten.abs_, aten.addcmul, aten.gelu_, aten.relu_, aten.sigmoid_, aten.silu_, aten.sin_,
    aten.tanh_, aten._safe_softmax,
}  # fmt: skip


@dataclass(frozen=True)
class Measurement:
    """Passes on the meta device.

    Attributes:
        matmul_flops: What `torch.utils.flop_counter` counts in a forward pass.
        layers: The same by module path.
        operations: Names of all operations that ran.
    """

    matmul_flops: int
    layers: Mapping[str, int]
    operations: frozenset[str]


@dataclass(frozen=True)
class TrainingMeasurement:
    """A forward and a backward pass on the meta device, in evaluation mode.

    Attributes:
        backward_flops: What `torch.utils.flop_counter` counts in the backward pass.
        layers: The same by module path.
        saved: By module path, how many numbers autograd keeps from the forward pass, parameters
            left out; storage that several layers keep is counted at the first of them.
    """

    backward_flops: int
    layers: Mapping[str, int]
    saved: Mapping[str, int]


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


def _convolution_backward(
    grad_out_shape: list[int],
    x_shape: list[int],
    w_shape: list[int],
    _bias: Any,
    _stride: Any,
    _padding: Any,
    _dilation: Any,
    transposed: bool,
    _output_padding: Any,
    _groups: int,
    output_mask: list[bool],
    out_shape: Any,
) -> int:
    """As many products for each gradient as the convolution has itself.

    torch 2.13 counts the gradient of a grouped convolution's weight once for each group too many
    (pytorch/pytorch#183405): for a depthwise convolution, as many times as it has channels.
    """
    one = conv_flop_count(x_shape, w_shape, grad_out_shape, transposed)
    return one * (output_mask[0] + output_mask[1])


def counter() -> FlopCounterMode:
    """`torch.utils.flop_counter`, right about grouped convolutions' gradients."""
    mapping = {aten.convolution_backward: _convolution_backward}
    return FlopCounterMode(display=False, custom_mapping=mapping)


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
    state, x = _on_meta(model, input_shape)
    recorder, counting = _Recorder(), counter()
    with torch.no_grad(), _evaluating(model), counting, recorder:
        torch.func.functional_call(model, state, (x,))
    if recorder.unknown:
        names = ", ".join(sorted(recorder.unknown))
        raise FlopCountError(
            f"the model runs operations whose cost is unknown: {names}. Expected those of "
            f"irrepnet's layers; give your own layer a cost (LayerRule.cost) and make its "
            f"operations known with irrepnet.accounting.state_operation, or, if they are products, "
            f"with irrepnet.accounting.count_operation."
        )
    layers, total = _by_path(model, counting)
    return Measurement(total, layers, frozenset(recorder.seen))


def measure_training(
    model: nn.Module, input_shape: tuple[int, ...], paths: Iterable[str]
) -> TrainingMeasurement:
    """Run a model forwards and backwards on the meta device.

    The sum of its outputs is differentiated with respect to every parameter, not to its input.

    Args:
        model: The model.
        input_shape: Shape of its input, batch included.
        paths: Module paths for which to note what autograd keeps.
    """
    state, x = _on_meta(model, input_shape)
    for name, _ in model.named_parameters():  # not the constants
        state[name].requires_grad_()
    keeper, counting = _Keeper(state.values()), counter()
    with torch.enable_grad(), _evaluating(model), keeper.watching(model, paths), counting:
        y = torch.func.functional_call(model, state, (x,))
        before, forward = _by_path(model, counting)
        if y.requires_grad:
            y.sum().backward()
    after, total = _by_path(model, counting)
    layers = {path: flops - before.get(path, 0) for path, flops in after.items()}
    return TrainingMeasurement(total - forward, layers, keeper.numbers)


def _on_meta(
    model: nn.Module, input_shape: tuple[int, ...]
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """A model's state, and an input, without memory."""
    state = {
        name: torch.empty_like(value, device="meta", requires_grad=False)
        for named in (model.named_parameters, model.named_buffers)
        for name, value in named()
    }
    dtype = next((v.dtype for v in state.values() if v.is_floating_point()), None)
    return state, torch.empty(input_shape, dtype=dtype, device="meta")


def _by_path(model: nn.Module, counting: FlopCounterMode) -> tuple[dict[str, int], int]:
    """Counts by module path (empty for the model itself), and in all."""
    root = type(model).__name__
    counts = {name: sum(found.values()) for name, found in counting.get_flop_counts().items()}
    total = counts.pop("Global", 0)
    return {name.removeprefix(root).removeprefix("."): n for name, n in counts.items()}, total


class _Keeper:
    """Notes what autograd keeps, by the module that runs."""

    def __init__(self, state: Iterable[torch.Tensor]) -> None:
        self.numbers: dict[str, int] = {}
        self._known = {_storage(value): value for value in state}
        self._running: list[str] = [""]

    def _enter(self, path: str, *_: object) -> None:
        self._running.append(path)

    def _leave(self, *_: object) -> None:
        self._running.pop()

    def _pack(self, value: torch.Tensor) -> torch.Tensor:
        if _storage(value) not in self._known:
            self._known[_storage(value)] = value  # kept, so that its address is not used again
            numbers = value.untyped_storage().nbytes() // value.element_size()
            path = self._running[-1]
            self.numbers[path] = self.numbers.get(path, 0) + numbers
        return value

    @contextmanager
    def watching(self, model: nn.Module, paths: Iterable[str]) -> Iterator[None]:
        """Note what is kept while the modules at these paths run."""
        handles = []
        for path in paths:
            module = model.get_submodule(path)
            handles += [
                module.register_forward_pre_hook(partial(self._enter, path)),
                module.register_forward_hook(self._leave),
            ]
        try:
            with torch.autograd.graph.saved_tensors_hooks(self._pack, lambda value: value):
                yield
        finally:
            for handle in handles:
                handle.remove()


def _storage(value: torch.Tensor) -> int:
    return value.untyped_storage()._cdata


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


def count_operation(packet: Any, formula: Callable[..., int]) -> None:
    """Teach torch's counter what an operation's matrix products cost.

    Args:
        packet: An overload packet, such as `torch.ops.mine.fused_product`.
        formula: From the shapes of its arguments (tensors replaced by their shapes) and
            `out_shape=` to FLOPs, 2 for each multiply-accumulate.

    Raises:
        FlopCountError: If its cost is known already.
    """
    if packet in flop_registry or packet in STATED:
        raise FlopCountError(
            f"the cost of {packet} is known already: expected an operation without a formula."
        )
    register_flop_formula(packet)(formula)
