"""What the runtime's own steps of autograd share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def differentiable_gradients(
    build: Callable[..., Tensor], inputs: Sequence[Tensor | None], gradient: Tensor
) -> tuple[Tensor | None, ...]:
    """Gradients that can be differentiated again, for a backward pass that records.

    Args:
        build: The step out of operations that autograd knows.
        inputs: What it takes.
        gradient: What comes back to its result.

    Returns:
        For each input what goes back to it, `None` where nothing does.
    """
    # One tensor may come in twice; what goes back is asked for each place by itself.
    places = [None if t is None else t.view_as(t) for t in inputs]
    wanted = [t for t in places if t is not None and t.requires_grad]
    found = iter(torch.autograd.grad(build(*places), wanted, gradient, create_graph=True))
    return tuple(next(found) if t is not None and t.requires_grad else None for t in places)
