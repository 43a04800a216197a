"""Pass 1, check: from a spec to a typed tree with every choice filled in, or an error."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from irrepnet import nn
from irrepnet._errors import IrrepMismatchError, IrrepnetError, SpecError
from irrepnet.compiler._edge import Edge, Features
from irrepnet.compiler._meet import check_types_meet
from irrepnet.compiler._plan import Node
from irrepnet.compiler._rule import LayerRule, rule_of
from irrepnet.specs import Chain, Classifier, Residual, Spec
from irrepnet.types import FeatureType

#: Steps become attributes of such a module.
_MODULE = nn.Residual(())


def source_of(spec: Spec) -> Edge:
    """What a network takes: its first layer's input."""
    if isinstance(spec, Chain | Residual):
        if not spec.steps:
            raise SpecError(f"got a {type(spec).__name__} without steps: expected at least one.")
        return source_of(spec.steps[0][1])
    return source_of(spec.features) if isinstance(spec, Classifier) else rule_of(spec).source(spec)


def check(spec: Spec, edge: Edge | None = None, path: str = "", head: Chain | None = None) -> Node:
    """Type a network.

    Args:
        spec: The network.
        edge: What comes in; by default what the first layer takes.
        path: Where the spec stands in the whole network.
        head: What a classifier ends in; by default what its spec says.

    Returns:
        The typed tree; its specs have every choice filled in.

    Raises:
        IrrepnetError: If a layer does not fit; the message starts with the layer's path.
    """
    edge = source_of(spec) if edge is None else edge
    if isinstance(spec, Classifier):
        return _classifier(spec, edge, path, head or spec.head)
    if isinstance(spec, Chain | Residual):
        children = _steps(spec, edge, path)
        if isinstance(spec, Residual):
            _check_skip(children, edge, path)
        resolved = replace(spec, steps=_named(spec, children))
        return Node(path, resolved, edge, children[-1].target, children=children)
    try:
        resolved, target, decision = _typed(rule_of(spec), spec, edge)
        return Node(path, resolved, edge, target, decision)
    except IrrepnetError as problem:
        raise type(problem)(f"{_place(path, spec)}: {problem}") from None


@lru_cache(maxsize=1 << 14)
def _typed(rule: LayerRule[Any], spec: Spec, edge: Edge) -> tuple[Spec, Edge, str]:
    """A layer typed and explained, by value: blocks repeat, and every pass types them again."""
    resolved, target = rule.check(spec, edge)
    return resolved, target, rule.decide(resolved, edge)


def _place(path: str, spec: Spec) -> str:
    kind = type(spec).__name__
    return f"{path} ({kind})" if path else kind


def joined(path: str, name: str) -> str:
    """The path of a step of the chain at a path."""
    return f"{path}.{name}" if path else name


def _steps(spec: Chain | Residual, edge: Edge, path: str) -> tuple[Node, ...]:
    names = [name for name, _ in spec.steps]
    if not names:
        raise SpecError(f"{_place(path, spec)}: got no steps: expected at least one.")
    if len(set(names)) < len(names) or not all(n and "." not in n for n in names):
        raise SpecError(
            f"{_place(path, spec)}: got the step names {names}: expected distinct names without "
            f"dots, since they name modules and parameters."
        )
    taken = [name for name in names if hasattr(_MODULE, name)]
    if taken:
        raise SpecError(
            f"{_place(path, spec)}: got the step names {taken}: expected names that a module does "
            f"not use itself; choose others."
        )
    children = []
    for name, step in spec.steps:
        children.append(check(step, edge, joined(path, name)))
        edge = children[-1].target
    return tuple(children)


def _check_skip(children: tuple[Node, ...], edge: Edge, path: str) -> None:
    target = children[-1].target
    if target == edge:
        return
    try:
        if isinstance(edge, Features) and isinstance(target, Features):
            check_types_meet(target.type, edge.type)
        raise SpecError(f"got {target} after the layers and {edge} before them: expected the same.")
    except IrrepnetError as problem:
        kind = IrrepMismatchError if isinstance(problem, IrrepMismatchError) else SpecError
        raise kind(f"{path or 'Residual'}: cannot add a skip connection: {problem}") from None


def _named(spec: Chain | Residual, children: tuple[Node, ...]) -> Any:
    return tuple((name, c.spec) for (name, _), c in zip(spec.steps, children, strict=True))


def _classifier(spec: Classifier, edge: Edge, path: str, last: Chain) -> Node:
    features = check(spec.features, edge, path)
    tokens = features.target
    if not isinstance(tokens, Features):
        raise SpecError(f"{_place(path, spec)}: got {tokens} from its features: expected tokens.")
    check_types_meet(tokens.type, spec.feature_type)
    head = check(last, tokens, joined(path, "head"))
    resolved = replace(spec, features=features.spec)
    return Node(path, resolved, edge, head.target, children=(*features.children, head))


def _in_type(spec: Spec) -> FeatureType | None:
    return _type_of(source_of(spec))


def _out_type(spec: Spec) -> FeatureType | None:
    return _type_of(check(spec).target)


def _type_of(edge: Edge) -> FeatureType | None:
    return edge.type if isinstance(edge, Features) else None


Spec.theory.update(in_type=_in_type, out_type=_out_type)
