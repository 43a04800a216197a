"""When a module may write into its own buffers instead of building an autograd graph."""

import torch
from torch import Tensor


def writes_in_place(x: Tensor) -> bool:
    """Whether results may be written with `out=` and in place.

    True in plain eager inference. False when autograd records, when the call is being traced
    (`torch.compile`, `torch.export`) or transformed
    (`torch.func.vmap`), and under autocast, which does not reach `out=` variants.
    """
    if torch.compiler.is_compiling() or torch.is_grad_enabled():
        return False
    if torch._C._are_functorch_transforms_active():  # vmap has no rule for `out=`
        return False
    if torch.autograd.forward_ad._current_level >= 0:  # nor have dual numbers
        return False
    device = x.device.type
    return not (torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device))
