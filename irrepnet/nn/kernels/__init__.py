"""Kernels for GPUs, optional: what several layers do, in one pass. See `docs/kernels.md`."""

from irrepnet.nn.kernels._available import available as available
from irrepnet.nn.kernels._mlp_in import FusedMLPIn as FusedMLPIn
from irrepnet.nn.kernels._residual_norm import ResidualNorm as ResidualNorm

if available():
    from irrepnet.nn.kernels import _flops as _flops
