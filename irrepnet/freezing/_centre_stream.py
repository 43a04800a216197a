"""Folding: layers that write zero-mean features, so that no norm has to centre them.

A norm with `centring="every_irrep"` subtracts from every component its mean over the copies. If
every layer that writes to the residual stream writes features of mean zero, there is nothing to
subtract, and the norm is one native pass. Nothing but norms reads the stream, so the output is the
same.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from irrepnet.compiler import Node
from irrepnet.freezing._frozen import Frozen, State
from irrepnet.specs import (
    Chain,
    Classifier,
    ClassToken,
    LayerNorm,
    Linear,
    PatchEmbed,
    PositionalEmbedding,
    Residual,
    Spec,
)


def centre_stream(frozen: Frozen) -> Frozen:
    """Centre every writer of the residual stream, if norms alone read it."""
    if not isinstance(frozen.root.spec, Classifier):
        return frozen
    trunk = _trunk(frozen.root.children[:-1])
    writers, norms = _writers(trunk), _norms(trunk)
    if writers is None or not norms or not all(_centres(n.spec) for n in norms):
        return frozen
    state = dict(frozen.state)
    for writer in writers:
        _centre_output(state, writer)
    changes: dict[str, Spec | None] = {
        n.path: replace(n.spec, centred_input=True) for n in norms if isinstance(n.spec, LayerNorm)
    }
    return frozen.edit(changes, state)


def _trunk(nodes: tuple[Node, ...]) -> list[Node]:
    """Layers on the residual stream, chains opened."""
    trunk: list[Node] = []
    for node in nodes:
        trunk += _trunk(node.children) if isinstance(node.spec, Chain) else [node]
    return trunk


def _writers(trunk: list[Node]) -> list[Node] | None:
    """What writes to the stream; `None` if something reads it that is no norm."""
    *body, last = trunk
    if not isinstance(last.spec, LayerNorm):
        return None
    writers: list[Node] = []
    for node in body:
        if isinstance(node.spec, PatchEmbed | PositionalEmbedding | ClassToken):
            writers.append(node)
        elif isinstance(node.spec, Residual) and isinstance(node.children[-1].spec, Linear):
            writers.append(node.children[-1])
        else:
            return None
    return writers


def _norms(trunk: list[Node]) -> list[Node]:
    """The layers that read the stream."""
    return [n.children[0] if isinstance(n.spec, Residual) else n for n in trunk if _reads(n)]


def _reads(node: Node) -> bool:
    return isinstance(node.spec, Residual | LayerNorm)


def _centres(spec: Spec) -> bool:
    return isinstance(spec, LayerNorm) and spec.centring == "every_irrep"


def _centre_output(state: State, writer: Node) -> None:
    """Subtract from every parameter of a writer its mean over the output copies."""
    path = f"{writer.path}.proj" if isinstance(writer.spec, PatchEmbed) else writer.path
    matrix = isinstance(writer.spec, Linear | PatchEmbed)
    for key in [k for k in state if k.rpartition(".")[0] == path]:
        copies = -2 if matrix and not key.endswith(".bias") else -1
        state[key] = _centred(state[key], copies)


def _centred(weight: Tensor, axis: int) -> Tensor:
    return weight - weight.mean(axis, keepdim=True)
