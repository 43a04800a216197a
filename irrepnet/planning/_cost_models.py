"""Cost models: what a layer is expected to take on a machine, from what it computes and moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from irrepnet._errors import OptionError
from irrepnet.compiler import Cost, Plan, Rates, Row, cost
from irrepnet.compiler._cost import Stop, stops
from irrepnet.nn import block_maps, calls
from irrepnet.specs import Linear

#: Bytes of a number.
ITEMSIZE = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}

Model = Callable[[Row, Rates, int, int, int], float]


def roofline(row: Row, rates: Rates, rows: int, batch: int, itemsize: int) -> float:
    """Arithmetic at the peak of products, or traffic at the bandwidth, whichever is longer.

    References:
        Williams, Waterman, Patterson, *Roofline*, CACM 52(4), 2009.
    """
    moved = row.bytes_read(itemsize, batch) + row.bytes_written(itemsize, batch)
    return max(batch * row.flops / rates.flops, moved / rates.bandwidth)


def alpha_flops(row: Row, rates: Rates, rows: int, batch: int, itemsize: int) -> float:
    """FLOPs of products, corrected for how many rows share a weight; all else is free.

    `alpha(S) = ((1 + beta (S - 1)) / S)^gamma` of the FLOPs count, where `S` is the number of rows.
    One row counts in full; many count for the share `beta^gamma` of it, which is what takes
    `1 / rates.flops` seconds.

    References:
        Asperti, Evangelista, Marzolla, *Dissecting FLOPs along input dimensions for GreenAI cost
        estimations* (arXiv 2107.11949): `((S_K + beta_K (S - S_K)) / S)^gamma_K` for kernels of
        size K; a linear map is the case K = 1, with `S_1 = 1`. The paper fits GPUs; `beta` and
        `gamma` are fitted to the machine by `irrepnet bench --calibrate`.
    """
    share = alpha(rows, rates) / rates.beta**rates.gamma
    return batch * row.matmul_flops * share / rates.flops


def alpha(rows: int, rates: Rates) -> float:
    """The factor of alpha-FLOPs for a product with so many rows.

    Examples:
        >>> rates = Rates(1e11, 1e10, 1e-6, beta=0.1, gamma=0.5)
        >>> alpha(1, rates), round(alpha(10**9, rates) ** 2, 6)
        (1.0, 0.1)
    """
    s = max(rows, 1)
    return float(((1 + rates.beta * (s - 1)) / s) ** rates.gamma)


def plain_flops(row: Row, rates: Rates, rows: int, batch: int, itemsize: int) -> float:
    """FLOPs of products at the machine's peak; all else is free."""
    return batch * row.matmul_flops / rates.flops


#: By name. What an operation's call costs is added to each.
COST_MODELS: Mapping[str, Model] = {
    "roofline": roofline,
    "alpha": alpha_flops,
    "flops": plain_flops,
}


def predicted_seconds(
    plan: Plan,
    rates: Rates,
    batch: int = 1,
    dtype: str = "float32",
    model: str = "roofline",
    training: bool = False,
    positions: int | None = None,
) -> dict[str, float]:
    """What each layer of a plan is expected to take.

    A backward pass is taken to move twice the bytes of the forward pass in twice the calls.

    Args:
        plan: The network.
        rates: The machine, in the dtype.
        batch: Samples that are computed together.
        dtype: What numbers are.
        model: One of `COST_MODELS`.
        training: Whether the backward pass is included.
        positions: Feature vectors of one sample, where the plan leaves them open.

    Returns:
        Seconds by module path, in the order in which the layers run.

    Raises:
        OptionError: If there is no such model.
        SpecError: If neither says how many positions there are.
    """
    if model not in COST_MODELS:
        raise OptionError(f"got cost model {model!r}: expected one of {', '.join(COST_MODELS)}.")
    found: dict[str, float] = {}
    for stop, row in zip(stops(plan, positions), cost(plan, positions), strict=True):
        rows = batch * max(stop.target.positions, 1)
        calls, size = num_calls(stop), ITEMSIZE[dtype]
        seconds = calls * rates.call + COST_MODELS[model](row, rates, rows, batch, size)
        if training:
            back = _backward(row)
            seconds += 2 * calls * rates.call
            seconds += COST_MODELS[model](back, rates, rows, batch, size)
        found[row.path] = seconds
    return found


def _backward(row: Row) -> Row:
    """The backward pass of a layer, as if it were a layer."""
    other = (("backward", row.backward_other_flops),)
    both = Cost(matmul=row.backward_matmul_flops, other=other, weights=2 * row.weights)
    return Row(row.path, row.kind, both, 2 * row.reads, 2 * row.writes)


def num_calls(stop: Stop) -> int:
    """Operations that a layer starts; what is known of it, 1 otherwise, 0 if it does nothing."""
    if isinstance(stop.spec, Linear):
        maps = block_maps(stop.spec.in_type, stop.spec.out_type)
        return len(calls(maps, stop.spec.lowering or "separate"))
    return 1
