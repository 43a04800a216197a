"""Pass "fold": layers that do nothing are left out: no stochastic depth, no dropout."""

from __future__ import annotations

from irrepnet.compiler._plan import Plan
from irrepnet.compiler.passes._rewrite import Steps, rewrite_chains
from irrepnet.specs import DropPath, InvariantDropout, Spec


def fold(plan: Plan) -> Plan:
    """Leave out layers that are the identity in training and inference alike."""
    return rewrite_chains(plan, _in_chain)


def _in_chain(steps: Steps) -> Steps:
    kept = tuple((name, spec) for name, spec in steps if not _is_identity(spec))
    return kept or steps[:1]


def _is_identity(spec: Spec) -> bool:
    return isinstance(spec, DropPath | InvariantDropout) and spec.rate == 0
