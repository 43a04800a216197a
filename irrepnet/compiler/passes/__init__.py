"""Passes, each from a plan to a plan that computes the same; one per file, in this order."""

from collections.abc import Callable

from irrepnet.compiler._plan import Plan
from irrepnet.compiler.passes._bases import bases as bases
from irrepnet.compiler.passes._fold import fold as fold
from irrepnet.compiler.passes._lower import NOMINAL as NOMINAL
from irrepnet.compiler.passes._lower import Machine as Machine
from irrepnet.compiler.passes._lower import lower as lower
from irrepnet.compiler.passes._lower import seconds as seconds
from irrepnet.compiler.passes._rewrite import rewrite_chains as rewrite_chains

PASSES: tuple[Callable[[Plan], Plan], ...] = (fold, bases, lower)


def run(plan: Plan) -> Plan:
    """Apply all passes; each result is typed again, so a wrong pass raises."""
    for step in PASSES:
        plan = step(plan)
    return plan
