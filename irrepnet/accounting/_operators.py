"""What the operators of traced inference cost, told to torch's counter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from irrepnet.accounting._audit import count_operation, state_operation
from irrepnet.nn._operators import plan_of


def _block_product(
    x: Sequence[int], _bias: Any, _weights: Any, _dim: int, plan: str, **_: Any
) -> int:
    """As many as the products inside."""
    return x[0] * plan_of(plan).flops


def _attention(x: Sequence[int], plan: str, **_: Any) -> int:
    """Query by key, and weights by value: `2 tokens^2 dim` each."""
    batch, tokens = x[:2]
    return 4 * batch * tokens**2 * plan_of(plan).dim


count_operation(torch.ops.irrepnet.block_product, _block_product)
count_operation(torch.ops.irrepnet.attention, _attention)
for _operator in ("conjugate", "conjugate_", "typed_norm"):
    state_operation(getattr(torch.ops.irrepnet, _operator))
