"""Pass "lower": how each intertwiner's blocks are multiplied, unless the spec says so.

`"block"` multiplies every block by itself, which is what all published counts use and what was
measured fastest on CPUs for blocks of 48 channels and more. `"auto"` asks a cost model: one call
for each product against one call with the expanded dense matrix, at the positions that the plan
knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from irrepnet.compiler._cost_of_basis import num_weights, product_flops
from irrepnet.compiler._edge import Features
from irrepnet.compiler._plan import Node, Plan
from irrepnet.compiler.passes._rewrite import Steps, rewrite_chains
from irrepnet.nn import block_maps, products
from irrepnet.specs import Linear


@dataclass(frozen=True)
class Machine:
    """What the cost model knows of a machine.

    Attributes:
        flops: FLOPs a second of a large float32 matrix product.
        bandwidth: Bytes a second from and to memory.
        call: Seconds that one operation costs besides its arithmetic.
    """

    flops: float
    bandwidth: float
    call: float


#: One core of a server of 2024: 100 GFLOP/s in float32, 10 GB/s, 10 microseconds a call.
NOMINAL = Machine(flops=100e9, bandwidth=10e9, call=10e-6)


def seconds(spec: Linear, positions: int, lowering: str, machine: Machine = NOMINAL) -> float:
    """Predicted time of an intertwiner in float32 inference, where expanded weights are kept.

    Args:
        spec: The layer.
        positions: Rows of its input, batch included.
        lowering: One of `nn`'s linear lowerings.
        machine: What is known of the machine.
    """
    groups = products(block_maps(spec.in_type, spec.out_type), lowering == "batched")
    width, height = spec.in_type.dim, spec.out_type.dim
    flops, calls = positions * product_flops(spec.in_type, spec.out_type), len(groups)
    weights = num_weights(spec.in_type, spec.out_type)
    if lowering == "dense":
        flops, calls, weights = 2 * positions * width * height, 1, width * height
    traffic = 4 * (positions * (width + height) + weights)
    return calls * machine.call + max(flops / machine.flops, traffic / machine.bandwidth)


def lower(plan: Plan) -> Plan:
    """Choose the lowering of every `Linear` that leaves it open."""
    at = {
        (node.path.rpartition(".")[2], node.spec): _positions(node)
        for node in plan.root.walk()
        if isinstance(node.spec, Linear)
    }
    return rewrite_chains(plan, lambda steps: _in_chain(steps, plan.lowering, at))


def _in_chain(steps: Steps, lowering: str, at: dict) -> Steps:
    return tuple(
        (name, replace(spec, lowering=_choice(spec, lowering, at[name, spec])))
        if isinstance(spec, Linear) and spec.lowering is None
        else (name, spec)
        for name, spec in steps
    )


def _choice(spec: Linear, lowering: str, positions: int) -> str:
    if lowering == "block":
        return "separate"
    return min(("separate", "batched", "dense"), key=lambda way: seconds(spec, positions, way))


def _positions(node: Node) -> int:
    """Rows for a batch of one; 1 where the plan leaves them open."""
    known = node.source.positions if isinstance(node.source, Features) else None
    return known or 1
