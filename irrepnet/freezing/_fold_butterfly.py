"""Folding: the factors of a butterfly go into the linear maps around it.

Between two points the change of basis is `(s + a) / sqrt(2), (s - a) / sqrt(2)`. The maps before
and behind the activation take the factor, and additions remain.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from irrepnet.compiler import Node
from irrepnet.freezing._frozen import Frozen, State
from irrepnet.specs import Activation, Linear
from irrepnet.types import FeatureType, GSetType


def fold_butterfly(frozen: Frozen) -> Frozen:
    """Take the factors of two-point orbits out of every activation between two linear maps."""
    state, changes = dict(frozen.state), {}
    for chain in frozen.chains():
        kids = chain.children
        for before, node, after in zip(kids, kids[1:], kids[2:], strict=False):
            if _foldable(before, node, after):
                assert isinstance(node.spec, Activation)
                gset = GSetType(node.spec.feature_type.group, node.spec.gset or ())
                for irrep, factors in copy_factors(gset).items():
                    _fold(state, before.path, after.path, irrep, factors)
                trivial = gset.group.irreps[0].name
                _scale(state, f"{before.path}.bias", copy_factors(gset).get(trivial))
                changes[node.path] = replace(node.spec, normalised=False)
    return frozen.edit(changes, state)


def _foldable(before: Node, node: Node, after: Node) -> bool:
    return (
        isinstance(node.spec, Activation)
        and isinstance(before.spec, Linear)
        and isinstance(after.spec, Linear)
        and node.spec.gset is not None
        and node.spec.normalised
        and node.spec.enter == node.spec.leave == "irreps"
        and any(len(run.slots) == 2 for run in _gset(node.spec).runs)
    )


def _gset(spec: Activation) -> GSetType:
    return GSetType(spec.feature_type.group, spec.gset or ())


def copy_factors(gset: GSetType) -> dict[str, Tensor]:
    """For each irrep the factor of each copy: `sqrt(1/2)` in orbits of two points, else 1."""
    feature_type: FeatureType = gset.feature_type
    factors = {
        b.irrep.name: torch.ones(b.multiplicity, dtype=torch.float64) for b in feature_type.blocks
    }
    for run in gset.runs:
        if len(run.slots) != 2:
            continue
        for slot in run.slots:
            block = next(b for b in feature_type.blocks if b.start <= slot < b.stop)
            copy = (slot - block.start) % block.multiplicity
            factors[block.irrep.name][copy : copy + run.count] = 0.5**0.5
    return factors


def _fold(state: State, before: str, after: str, irrep: str, factors: Tensor) -> None:
    _scale(state, f"{before}.weight_{irrep}", factors[:, None])
    _scale(state, f"{after}.weight_{irrep}", factors)


def _scale(state: State, key: str, factors: Tensor | None) -> None:
    if key in state and factors is not None:
        state[key] = state[key] * factors.to(state[key])
