"""Folding: what a ResMLP has in place of norms goes into the maps of channels behind it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from irrepnet import nn
from irrepnet.compiler import Node, compile
from irrepnet.freezing._frozen import Frozen, State
from irrepnet.specs import Affine, Linear, Spec, TokenBias


def fold_affine(frozen: Frozen) -> Frozen:
    """`W (scale x + shift) + b = (W scale) x + (W shift + b)`, where both shifts have one form.

    The shift is either one invariant vector and goes into the map's bias, or a vector for each
    token and goes into the `TokenBias` behind the map.
    """
    state, changes = dict(frozen.state), {}
    for chain in frozen.chains():
        kids = chain.children
        for affine, linear, after in zip(kids, kids[1:], (*kids[2:], None), strict=False):
            if not (isinstance(affine.spec, Affine) and isinstance(linear.spec, Linear)):
                continue
            if affine.spec.points is None:
                changes[linear.path] = _into_bias(state, affine, linear)
            elif after is not None and _same_points(affine, after):
                _into_token_bias(state, affine, linear, after)
            else:
                continue
            for block in affine.spec.feature_type.blocks:
                factors = state.pop(f"{affine.path}.weight_{block.irrep.name}")
                key = f"{linear.path}.weight_{block.irrep.name}"
                if key in state:
                    state[key] = state[key] * factors
            changes[affine.path] = None
    return frozen.edit(changes, state)


def _same_points(affine: Node, bias: Node) -> bool:
    assert isinstance(affine.spec, Affine)
    return isinstance(bias.spec, TokenBias) and bias.spec.points == affine.spec.points


def _into_bias(state: State, affine: Node, linear: Node) -> Spec:
    """Move an invariant shift; the map's spec with a bias, if it needs one now."""
    assert isinstance(linear.spec, Linear)
    trivial = linear.spec.in_type.group.irreps[0].name
    shift = state.pop(f"{affine.path}.bias", None)
    weight = state.get(f"{linear.path}.weight_{trivial}")
    if shift is None or weight is None:
        return linear.spec
    key = f"{linear.path}.bias"
    state[key] = weight @ shift + state[key] if linear.spec.bias else weight @ shift
    return replace(linear.spec, bias=True)


def _into_token_bias(state: State, affine: Node, linear: Node, bias: Node) -> None:
    """Move a shift of every token."""
    assert isinstance(affine.spec, Affine)
    assert affine.spec.points is not None
    shift = TokenBias(affine.spec.feature_type, affine.spec.points)
    first = _loaded(shift, state, f"{affine.path}.bias.")
    last = _loaded(bias.spec, state, f"{bias.path}.")
    weights = _loaded(linear.spec, state, f"{linear.path}.")
    assert isinstance(first, nn.TokenBias)
    assert isinstance(last, nn.TokenBias)
    assert isinstance(weights, nn.IsotypicLinear)
    with torch.no_grad():
        last.load_value_(first.value() @ weights.weight_matrix().t() + last.value())
    for key in first.state_dict():
        del state[f"{affine.path}.bias.{key}"]
    for key, value in last.state_dict().items():
        state[f"{bias.path}.{key}"] = value.to(state[f"{bias.path}.{key}"])


def _loaded(spec: Spec, state: State, prefix: str) -> nn.Layer:
    """A layer with its weights, in float64."""
    found: dict[str, Tensor] = {
        key.removeprefix(prefix): value.double()
        for key, value in state.items()
        if key.startswith(prefix)
    }
    device = next((value.device for value in found.values()), None)
    layer = compile(spec, device=device, dtype=torch.float64)
    layer.load_state_dict(found)
    return layer
