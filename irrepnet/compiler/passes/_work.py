"""What a layer without parameters takes, for passes that choose between equal networks."""

from __future__ import annotations

from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._machine import NOMINAL
from irrepnet.compiler._rule import rule_of
from irrepnet.specs import Spec


def work(edge: Edge, *specs: Spec) -> float:
    """Seconds of layers one after another for one sample, on a nominal machine.

    Nominal, so that a plan does not depend on where it was made; whether one order takes less than
    another hardly does.

    Args:
        edge: What comes in; where the number of positions is open, several are taken for it.
        specs: The layers.
    """
    rates, total = NOMINAL.float32, 0.0
    for spec in specs:
        assert isinstance(edge, Features)
        positions = edge.positions or edge.prefix + 2
        rule = rule_of(spec)
        cost, target = rule.cost(spec, edge, positions), rule.check(spec, edge)[1]
        assert isinstance(target, Features)
        flops = cost.matmul + sum(number for _, number in cost.other)
        reads = positions * edge.type.dim if cost.reads is None else cost.reads
        after = target.positions or target.prefix + 2
        writes = after * target.type.dim if cost.writes is None else cost.writes
        total += max(flops / rates.flops, 4 * (reads + writes) / rates.bandwidth)
        edge = target
    return total
