"""Passes, each from a plan to a plan that computes the same; one per file, in this order."""

from collections.abc import Callable

from irrepnet.compiler._plan import Plan
from irrepnet.compiler.passes._bases import bases as bases
from irrepnet.compiler.passes._check_types import check_types as check_types
from irrepnet.compiler.passes._fold import fold as fold
from irrepnet.compiler.passes._group import group as group
from irrepnet.compiler.passes._lower import lower as lower

PASSES: tuple[Callable[[Plan], Plan], ...] = (fold, bases, group, lower)


def run(plan: Plan) -> Plan:
    """Apply all passes; each types its result again, so that a wrong one raises."""
    for step in PASSES:
        plan = step(plan)
    return plan
