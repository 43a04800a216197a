"""What the kernels' operators cost, told to torch's counter.

Not imported without a GPU: `torch.utils.flop_counter` imports Triton wherever it is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import register_flop_formula

from irrepnet.nn.kernels import _mlp_in as _mlp_in  # the operators must be there
from irrepnet.nn.kernels import _residual_norm as _residual_norm
from irrepnet.nn.kernels._mlp_plan import MLPPlan


@register_flop_formula(torch.ops.irrepnet.mlp_in)
def _mlp_in_flops(x: Sequence[int], weight: Any, bias: Any, key: str, **_: Any) -> int:
    """As many as the two layers count."""
    plan = MLPPlan.from_key(key)
    return x[0] * (plan.product_flops + plan.basis_flops)


@register_flop_formula(torch.ops.irrepnet.mlp_in_backward)
def _mlp_in_backward_flops(
    x: Sequence[int], weight: Any, bias: Any, gradient: Any, key: str, **_: Any
) -> int:
    """The product and the points once more, and two changes of basis for what comes back."""
    plan = MLPPlan.from_key(key)
    return x[0] * (plan.product_flops + 3 * plan.basis_flops // 2)


def _no_products(*_: Any, **__: Any) -> int:
    return 0


# torch counts products only; an unregistered operator would pass for one that nobody thought of.
register_flop_formula(torch.ops.irrepnet.residual_norm)(_no_products)
register_flop_formula(torch.ops.irrepnet.residual_norm_backward)(_no_products)
