"""Pass "bases": adjacent changes of basis cancel, and one moves to where it is cheapest.

A layer that works on the points of a G-set goes there from irreps and back. Where the next one
needs the same points, neither change is made. Where pooling follows, the change back is made after
it, on one position instead of all.
"""

from __future__ import annotations

from dataclasses import replace

from irrepnet.compiler._plan import Plan
from irrepnet.compiler._rule import rule_of
from irrepnet.compiler.passes._rewrite import Steps, rewrite_chains
from irrepnet.specs import Chain, DropPath, Residual, Spec, ToIrreps, TokenPool
from irrepnet.types import GSetType

#: Layers that act alike on every channel, so that any orthogonal change of basis passes them.
TRANSPARENT = (DropPath, TokenPool)
#: Those among them that leave fewer positions.
REDUCING = (TokenPool,)


def bases(plan: Plan) -> Plan:
    """Cancel and move changes of basis."""
    return rewrite_chains(plan, _in_chain)


def _in_chain(steps: Steps) -> Steps:
    changed = list(steps)
    at = 0
    while at < len(changed):
        name, spec = changed[at]
        points = _points(spec, "points_out")
        if points is not None and getattr(spec, "leave", None) == "irreps":
            last = at + 1
            while last < len(changed) and isinstance(changed[last][1], TRANSPARENT):
                last += 1
            between = [step for _, step in changed[at + 1 : last]]
            if last < len(changed) and _points(changed[last][1], "points_in") == points:
                changed[at] = (name, replace(spec, leave="points"))
                after, consumer = changed[last]
                changed[last] = (after, replace(consumer, enter="points"))
            elif any(isinstance(step, REDUCING) for step in between):
                changed[at] = (name, replace(spec, leave="points"))
                back = ToIrreps(points.feature_type, points.counts)
                changed.insert(last, (f"{name}_to_irreps", back))
        at += 1
    return tuple(changed)


def _points(spec: Spec, side: str) -> GSetType | None:
    """The points on which a layer takes or gives its features, if it works on points."""
    if isinstance(spec, Chain | Residual):
        return None
    ask = getattr(rule_of(spec), side, None)
    return None if ask is None else ask(spec)
