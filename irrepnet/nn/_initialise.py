"""Initial weights that keep the variance of a dense network of the same width."""

import math

from torch import Tensor, nn

from irrepnet._errors import SpecError

#: Standard deviation of a dense vision transformer's weights (DeiT III).
STD = 0.02


def initialise_(weight: Tensor, kind: str, fan_in: int, width: int) -> None:
    """Fill a block's weight in place.

    Args:
        weight: The block's weight.
        kind: `"normal"`: a dense layer of `width` inputs with standard deviation 0.02 has
            output variance `width * 0.02^2`; a block that sums only `fan_in` inputs needs
            `0.02 sqrt(width / fan_in)` for the same. `"uniform"`: `U(-1/sqrt(fan_in), ...)`, the
            default of `nn.Linear` and `nn.Conv2d`.
        fan_in: How many inputs each output of the block sums.
        width: How many inputs a dense layer would sum.

    Raises:
        SpecError: If the kind is unknown.
    """
    if kind == "normal":
        std = STD * math.sqrt(width / fan_in)
        nn.init.normal_(weight, std=std)
    elif kind == "uniform":
        bound = 1 / math.sqrt(fan_in)
        nn.init.uniform_(weight, -bound, bound)
    else:
        raise SpecError(f"unknown initialisation {kind!r}: expected 'normal' or 'uniform'.")
