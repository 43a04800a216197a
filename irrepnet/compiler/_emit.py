"""Last pass, emit: from a typed tree to torch modules."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch

from irrepnet import nn, specs
from irrepnet._errors import SpecError
from irrepnet.compiler._check import check
from irrepnet.compiler._edge import Edge
from irrepnet.compiler._machine import Machine
from irrepnet.compiler._plan import Node, Plan
from irrepnet.compiler._rule import RULES, Factory, LayerRule, rule_of
from irrepnet.compiler.passes import run

LOWERINGS = ("block", "auto", "prepacked")


def compile(
    spec: specs.Spec,
    lowering: str = "block",
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> nn.Layer:
    """Build the network that a spec declares.

    Args:
        spec: A layer, a chain of layers, or a whole network.
        lowering: How blocks are computed. `"block"`: one product for each isotypic block, what all
            published counts use. `"auto"`: what a cost model with this machine's stored calibration
            expects to be fastest for one sample, a dense product included. `"prepacked"`: as
            `"block"`, with float32 inference on a CPU by oneDNN. Parameters and results are the
            same.
        device: Where parameters live; `"meta"` builds without memory.
        dtype: Their dtype.

    Returns:
        A torch module over plain tensors; `.plan` says what was decided.

    Raises:
        IrrepnetError: If a layer does not fit, naming the layer.

    Examples:
        >>> import irrepnet as ir
        >>> X = ir.FeatureType(ir.groups.flop(), "2*sym + 2*asym")
        >>> ir.compile(ir.specs.Linear(X, 2 * X))
        IsotypicLinear(2*sym + 2*asym -> 4*sym + 4*asym, bias=True)
    """
    if lowering not in LOWERINGS:
        raise SpecError(
            f"unknown lowering {lowering!r}: expected one of {', '.join(map(repr, LOWERINGS))}."
        )
    if not isinstance(spec, specs.Spec):
        raise SpecError(
            f"got {spec!r}: expected a spec, such as irrepnet.specs.Linear(in_type, out_type)."
        )
    try:
        hash(spec)
    except TypeError as problem:
        raise SpecError(
            f"got a spec that cannot be compared by value ({problem}): expected numbers, text, "
            f"types and tuples in its fields; turn lists into tuples."
        ) from None
    return emit(plan_network(spec, lowering, dtype=dtype), Factory(device, dtype))


def plan_network(
    spec: specs.Spec,
    lowering: str = "block",
    edge: Edge | None = None,
    dtype: torch.dtype | None = None,
) -> Plan:
    """Check a network and apply all passes.

    Args:
        spec: As in `compile`.
        lowering: As in `compile`.
        edge: What comes in; by default what the first layer takes.
        dtype: As in `compile`.
    """
    if lowering != "auto":
        return _planned(spec, lowering, edge, tuple(RULES.items()))
    name = str(dtype or torch.get_default_dtype()).removeprefix("torch.")
    return _planned(spec, lowering, edge, tuple(RULES.items()), name, Machine.load())


@lru_cache(maxsize=64)
def _planned(
    spec: specs.Spec,
    lowering: str,
    edge: Edge | None,
    rules: tuple[tuple[type[specs.Spec], LayerRule[Any]], ...],
    dtype: str = "float32",
    machine: Machine | None = None,
) -> Plan:
    """Plans by value, and by the rules that made them."""
    root = check(spec, edge)
    return run(Plan(root, lowering, root.spec, dtype=dtype, machine=machine))


def emit(plan: Plan, factory: Factory) -> nn.Layer:
    """The module of a plan."""
    net = _module(plan.root, factory)
    net.plan = plan
    return net


def _module(node: Node, factory: Factory) -> nn.Layer:
    if isinstance(node.spec, specs.Classifier):
        *features, head = node.children
        x = node.spec.feature_type
        return nn.Classifier(
            _chain(nn.Chain, tuple(features), factory),
            _chain(nn.Chain, head.children, factory),
            x.dim,
            rebuild_head,
        )
    if isinstance(node.spec, specs.Residual):
        return _chain(nn.Residual, node.children, factory)
    if isinstance(node.spec, specs.Chain):
        return _chain(nn.Chain, node.children, factory)
    return rule_of(node.spec).emit(node.spec, node.source, factory)


def _chain(kind: type[nn.Chain], children: tuple[Node, ...], factory: Factory) -> nn.Chain:
    return kind((c.path.rpartition(".")[2], _module(c, factory)) for c in children)


def rebuild_head(
    plan: Plan,
    num_classes: int,
    global_pool: str | None,
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[Plan, nn.Chain]:
    """A classifier's plan and head for other classes or another pooling."""
    spec = plan.spec
    assert isinstance(spec, specs.Classifier)
    spec = replace(spec, num_classes=num_classes, global_pool=global_pool or spec.global_pool)
    plan = plan_network(spec, plan.lowering, plan.source, dtype)
    return plan, _chain(nn.Chain, plan.root.children[-1].children, Factory(device, dtype))
