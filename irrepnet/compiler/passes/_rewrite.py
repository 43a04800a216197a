"""Rewriting the chains of a spec: the frame of every pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from irrepnet.compiler._check import check
from irrepnet.compiler._plan import Plan
from irrepnet.specs import Chain, Classifier, Residual, Spec

Steps = tuple[tuple[str, Spec], ...]


def rewrite_chains(plan: Plan, change: Callable[[Steps], Steps]) -> Plan:
    """Apply a change to the steps of every chain, innermost first, and type the result again.

    Args:
        plan: A checked plan.
        change: From the steps of one chain to new ones that do the same.

    Raises:
        IrrepnetError: If the changed network does not type: a wrong pass cannot go unnoticed.
    """
    spec = _rewritten(plan.root.spec, change)
    return plan if spec == plan.root.spec else replace(plan, root=check(spec, plan.source))


def _rewritten(spec: Spec, change: Callable[[Steps], Steps]) -> Spec:
    if isinstance(spec, Classifier):
        features = _rewritten(spec.features, change)
        assert isinstance(features, Chain)
        return replace(spec, features=features)
    if isinstance(spec, Chain | Residual):
        steps = ((name, _inner(step, change)) for name, step in spec.steps)
        return replace(spec, steps=change(tuple(steps)))
    changed = change((("", spec),))  # a layer by itself is a chain of one
    return changed[0][1] if len(changed) == 1 else spec


def _inner(step: Spec, change: Callable[[Steps], Steps]) -> Spec:
    """Chains inside a chain; its single layers are changed with the chain."""
    return _rewritten(step, change) if isinstance(step, Chain | Residual) else step
