"""When a module may write into its own buffers instead of building an autograd graph."""

import torch
from torch import Tensor


def writes_in_place(x: Tensor) -> bool:
    """Whether results may be written with `out=` and in place.

    True in plain eager inference. False when autograd records, when the call is being traced
    (`torch.compile`, `torch.export`), and under autocast, which does not reach `out=` variants.
    """
    return not (
        torch.compiler.is_compiling()
        or torch.is_grad_enabled()
        or torch.is_autocast_enabled(x.device.type)
    )
