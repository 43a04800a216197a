"""`Frozen`: a network's spec and weights on their way through the foldings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from torch import Tensor

from irrepnet.compiler import Node, check
from irrepnet.specs import Chain, Classifier, Residual, Spec

State = dict[str, Tensor]


@dataclass(frozen=True)
class Frozen:
    """A typed network with its weights; every folding takes one and gives one.

    Attributes:
        root: The network.
        state: Its state dict.
    """

    root: Node
    state: State

    def chains(self) -> Iterator[Node]:
        """The nodes whose children run one after another, but a classifier's derived head."""
        chains = (n for n in self.root.walk() if isinstance(n.spec, Chain | Residual))
        derived = isinstance(self.root.spec, Classifier)
        return (n for n in chains if not (derived and n.path.partition(".")[0] == "head"))

    def edit(self, changes: dict[str, Spec | None], state: State) -> Frozen:
        """The network with other layers at some paths, or none (`None`), and other weights.

        Raises:
            IrrepnetError: If the result does not type: a wrong folding cannot go unnoticed.
        """
        if not changes:
            return replace(self, state=state)
        spec = _edited(self.root, changes)
        return Frozen(check(spec, self.root.source), state)


def _edited(node: Node, changes: dict[str, Spec | None]) -> Spec:
    spec = node.spec
    if isinstance(spec, Classifier):
        features = _steps(spec.features, node.children[:-1], changes)
        return replace(spec, features=replace(spec.features, steps=features))
    if isinstance(spec, Chain | Residual):
        return replace(spec, steps=_steps(spec, node.children, changes))
    return spec


def _steps(
    spec: Chain | Residual, children: tuple[Node, ...], changes: dict[str, Spec | None]
) -> tuple[tuple[str, Spec], ...]:
    steps = []
    for (name, _), child in zip(spec.steps, children, strict=True):
        changed = changes.get(child.path, _edited(child, changes))
        if changed is not None:
            steps.append((name, changed))
    return tuple(steps)
