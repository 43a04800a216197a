"""Last pass, emit: from a typed tree to torch modules."""

from __future__ import annotations

from dataclasses import replace

import torch

from irrepnet import nn, specs
from irrepnet._errors import SpecError
from irrepnet.compiler._check import check
from irrepnet.compiler._edge import Edge
from irrepnet.compiler._plan import Node, Plan
from irrepnet.compiler._rule import Factory, rule_of
from irrepnet.compiler.passes import run

LOWERINGS = ("block", "auto")


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
            published counts use. `"auto"`: what a cost model expects to be fastest, a dense product
            included; parameters and results are the same.
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
    return emit(plan_network(spec, lowering), Factory(device, dtype))


def plan_network(spec: specs.Spec, lowering: str = "block", edge: Edge | None = None) -> Plan:
    """Check a network and apply all passes."""
    root = check(spec, edge)
    return run(Plan(root, lowering, root.spec))


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
    plan = plan_network(spec, plan.lowering, plan.source)
    return plan, _chain(nn.Chain, plan.root.children[-1].children, Factory(device, dtype))
