"""The public test kit: what irrepnet's own tests use, for your layers and networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from irrepnet import nn
from irrepnet.accounting import FlopReport, flops
from irrepnet.certificate import certify, random_input

#: Relative error that rounding alone explains, by dtype.
TOLERANCES = {
    torch.float64: 1e-12,
    torch.float32: 2e-5,
    torch.bfloat16: 5e-2,
    torch.float16: 5e-3,
}


@torch.no_grad()
def randomise_(model: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Draw every parameter and stored buffer at order one, in place.

    Biases that start at zero and LayerScale at 1e-6 hide errors; after this nothing is small.
    Matrices get variance one over their number of columns, so that outputs stay of order one.

    Args:
        model: Any module.
        seed: Seed; the same seed gives the same values on every machine.

    Returns:
        The model.

    Examples:
        >>> layer = randomise_(torch.nn.Linear(2, 2))
        >>> bool((layer.bias != 0).all())
        True
    """
    generator = torch.Generator().manual_seed(seed)
    for value in model.state_dict(keep_vars=True).values():
        if value.is_floating_point() and not value.is_meta:
            drawn = torch.randn(value.shape, generator=generator, dtype=torch.float64)
            fan_in = value.shape[-1] if value.ndim > 1 else 1
            value.copy_(drawn / math.sqrt(fan_in))
    return model


def assert_equivariant(model: nn.Layer, tolerance: float | None = None, seed: int = 0) -> None:
    """Fail unless the network commutes with every element of its group, in float64.

    Args:
        model: A compiled network; call `randomise_` first.
        tolerance: Largest relative error; by default what rounding explains.
        seed: Seed of the random inputs.
    """
    __tracebackhide__ = True
    certificate = certify(model, dtypes=(torch.float64,), seed=seed, every_element=True)
    bound = TOLERANCES[torch.float64] if tolerance is None else tolerance
    if certificate.worst > bound:
        raise AssertionError(
            f"the network is not equivariant: relative error {certificate.worst:.1e} exceeds "
            f"{bound:.1e}.\n{certificate.table()}"
        )


def assert_matches_dense(
    model: nn.Layer, x: Tensor | None = None, tolerance: float | None = None
) -> None:
    """Fail unless the network equals its own dense twin, with and without autograd.

    Args:
        model: A compiled network.
        x: Its input; by default random numbers.
        tolerance: Largest relative error; by default what rounding explains in its dtype.
    """
    __tracebackhide__ = True
    dtype = next((p.dtype for p in model.parameters()), torch.get_default_dtype())
    if x is None:
        x = random_input(model.plan.source, 2, torch.Generator().manual_seed(0), dtype)
    dense = model.to_dense(x.dtype).train(model.training)
    bound = TOLERANCES[x.dtype] if tolerance is None else tolerance
    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            got, expected = model(x), dense(x)
        if got.shape != expected.shape:
            raise AssertionError(
                f"got shape {tuple(got.shape)}, the dense twin's is {tuple(expected.shape)}."
            )
        error = (got - expected).abs().max().item() / expected.abs().max().clamp_min(1e-30).item()
        if not error <= bound:
            raise AssertionError(
                f"the network differs from its dense twin by {error:.1e} (relative) with "
                f"grad={grad}; rounding explains {bound:.1e}."
            )


def assert_flops(
    model: nn.Layer,
    input_size: tuple[int, ...],
    matmul_flops: int | None = None,
    training: bool = True,
) -> FlopReport:
    """Fail unless the plan's counts equal what torch measures on the meta device.

    Args:
        model: A compiled network.
        input_size: Shape of one sample.
        matmul_flops: What the products must cost, if known.
        training: Whether to compare the backward pass as well.

    Returns:
        The report.
    """
    __tracebackhide__ = True
    report = flops(model, input_size, training)
    if matmul_flops is not None and report.matmul_flops != matmul_flops:
        raise AssertionError(f"got {report.matmul_flops:,} FLOPs, expected {matmul_flops:,}.")
    return report
