"""Folding: what multiplies copies next to a linear map goes into its weights."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from torch import Tensor

from irrepnet.freezing._frozen import Frozen, State
from irrepnet.specs import (
    DropPath,
    InvariantDropout,
    LayerNorm,
    LayerScale,
    Linear,
    Spec,
    TokenBias,
)


def drop_dropout(frozen: Frozen) -> Frozen:
    """Leave out layers that act in training only."""
    chains = (child for chain in frozen.chains() for child in chain.children)
    changes: dict[str, Spec | None] = {
        child.path: None for child in chains if isinstance(child.spec, DropPath | InvariantDropout)
    }
    return frozen.edit(changes, frozen.state)


def fold_layer_scale(frozen: Frozen) -> Frozen:
    """`scale(W x + b) = (scale W) x + scale b`, with `b` in the map or a `TokenBias` behind it."""
    state, changes = dict(frozen.state), {}
    for chain in frozen.chains():
        for k, scale in enumerate(chain.children):
            before = chain.children[max(0, k - 2) : k]
            scaled = before[-1:] if before and isinstance(before[-1].spec, Linear) else before
            kinds = [type(node.spec) for node in scaled]
            if isinstance(scale.spec, LayerScale) and kinds in ([Linear], [Linear, TokenBias]):
                for block in scale.spec.feature_type.blocks:
                    factors = state.pop(f"{scale.path}.weight_{block.irrep.name}")
                    _scale_rows(state, scaled[0].path, block.irrep.name, factors)
                    for bias in scaled[1:]:
                        key = f"{bias.path}.weight_{block.irrep.name}"
                        state[key] = state[key] * factors
                    if block.irrep.index == 0 and f"{scaled[0].path}.bias" in state:
                        state[f"{scaled[0].path}.bias"] = state[f"{scaled[0].path}.bias"] * factors
                changes[scale.path] = None
    return frozen.edit(changes, state)


def fold_norm_affine(frozen: Frozen) -> Frozen:
    """`W (scale x + shift) + b = (W scale) x + (W shift + b)`."""
    state, changes = dict(frozen.state), {}
    for chain in frozen.chains():
        for norm, linear in pairwise(chain.children):
            if (
                isinstance(norm.spec, LayerNorm)
                and norm.spec.affine
                and isinstance(linear.spec, Linear)
            ):
                changes[norm.path] = replace(norm.spec, affine=False)
                changes[linear.path] = _absorb(state, norm.path, linear.path, linear.spec)
    return frozen.edit(changes, state)


def _absorb(state: State, norm: str, linear: str, spec: Linear) -> Linear:
    """Move a norm's factors and shift into the weights of the map behind it."""
    trivial = spec.in_type.group.irreps[0].name
    shift = state.pop(f"{norm}.bias", None)
    weight = state.get(f"{linear}.weight_{trivial}")
    if shift is not None and weight is not None:
        moved = weight @ shift
        state[f"{linear}.bias"] = moved + state[f"{linear}.bias"] if spec.bias else moved
        spec = replace(spec, bias=True)
    for block in spec.in_type.blocks:
        factors = state.pop(f"{norm}.weight_{block.irrep.name}")
        key = f"{linear}.weight_{block.irrep.name}"
        if key in state:
            state[key] = state[key] * factors
    return spec


def _scale_rows(state: State, path: str, irrep: str, factors: Tensor) -> None:
    key = f"{path}.weight_{irrep}"
    if key in state:
        state[key] = state[key] * factors[:, None]
