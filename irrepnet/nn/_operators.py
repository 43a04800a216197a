"""Operators of torch: what traced inference on a CPU calls instead of the operations inside.

A compiler sees one node that writes into slices and reuses the cache, as eager inference does.
Traced as they stand, inductor evaluates an activation twice where two sums read it, joins slices
with a copy, and turns the products of attention back into torch's fused attention, which is three
times slower in bfloat16 on a CPU.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from irrepnet.nn._eager import autocast_dtype
from irrepnet.nn.native import Shift, works

#: What operators do, by a text that says all about it; they take it as a text.
_PLANS: dict[str, Any] = {}


class Registered:
    """A plan that operators find, in every process that makes or unpickles one.

    Args:
        plan: What an operator does; its `repr` says all about it.

    Attributes:
        plan: The same.
        key: The text that operators take; alike for equal plans.
    """

    def __init__(self, plan: Any) -> None:
        self.plan, self.key = plan, repr(plan)
        _PLANS.setdefault(self.key, plan)

    def __reduce__(self) -> tuple[Any, ...]:
        return Registered, (self.plan,)


def plan_of(key: str) -> Any:
    """The plan that was registered under a key."""
    return _PLANS[key]


def takes_operators(x: Tensor) -> bool:
    """Whether a layer should call an operator: traced inference on a CPU, but no export.

    An exported program is to run where irrepnet is not installed.
    """
    return (
        torch.compiler.is_compiling()
        and not torch.compiler.is_exporting()
        and not torch.is_grad_enabled()
        and x.device.type == "cpu"
        and autocast_dtype(x) is None
    )


def takes_kernels(x: Tensor) -> bool:
    """Whether it may call an operator that is a kernel compiled for this machine."""
    return takes_operators(x) and x.dtype in (torch.float32, torch.bfloat16) and _works()


def _works() -> bool:
    return works()


# What `torch.compiler.assume_constant_result` does, which would load torch's tracer at start-up.
vars(_works)["_dynamo_marked_constant"] = True


def _operator(schema: str, mutates: tuple[str, ...] = ()) -> Any:
    name = "irrepnet::" + schema.split("(")[0]
    return torch.library.custom_op(name, mutates_args=mutates, schema=schema[schema.index("(") :])


@_operator(
    "block_product(Tensor x, Tensor? bias, Tensor[] weights, int out_dim, str plan) -> Tensor"
)
def block_product(
    x: Tensor, bias: Tensor | None, weights: list[Tensor], out_dim: int, plan: str
) -> Tensor:
    """`BlockProduct.write`: `(rows, in_dim)` to `(rows, out_dim)`."""
    return plan_of(plan).write(x, bias, weights)


@block_product.register_fake
def _(x: Tensor, bias: Any, weights: Any, out_dim: int, plan: str) -> Tensor:
    return x.new_empty(x.shape[0], out_dim)


@_operator("attention(Tensor x, str plan) -> Tensor")
def attention(x: Tensor, plan: str) -> Tensor:
    """`HeadLayout.attend`: `(batch, tokens, 3 * dim)` to `(batch, tokens, dim)`."""
    return plan_of(plan).attend(x)


@attention.register_fake
def _(x: Tensor, plan: str) -> Tensor:
    return x.new_empty(*x.shape[:-1], x.shape[-1] // 3)


@_operator(
    "conjugate(Tensor x, str function, str plan, Tensor? shift=None, int repeat=1) -> Tensor"
)
def conjugate(
    x: Tensor, function: str, plan: str, shift: Tensor | None = None, repeat: int = 1
) -> Tensor:
    """`Conjugations.write` into a new tensor."""
    out = torch.empty_like(x, memory_format=torch.contiguous_format)
    plan_of(plan).write(function, out, x, shift=_shift(shift, repeat))
    return out


@conjugate.register_fake
def _(x: Tensor, function: str, plan: str, shift: Any = None, repeat: int = 1) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)


@_operator(
    "conjugate_(Tensor(a!) x, str function, str plan, Tensor? shift=None, int repeat=1) -> ()",
    ("x",),
)
def conjugate_(
    x: Tensor, function: str, plan: str, shift: Tensor | None = None, repeat: int = 1
) -> None:
    """`Conjugations.write` over the input."""
    plan_of(plan).write(function, x, x, shift=_shift(shift, repeat))


def _shift(vectors: Tensor | None, repeat: int) -> Shift | None:
    return None if vectors is None else Shift(vectors.contiguous(), repeat)


@_operator("typed_norm(Tensor x, Tensor? weight, Tensor? bias, str plan) -> Tensor")
def typed_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, plan: str) -> Tensor:
    """`TypedNorm.forward` along the last axis."""
    return plan_of(plan).forward(x, weight, bias)


@typed_norm.register_fake
def _(x: Tensor, weight: Any, bias: Any, plan: str) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)
