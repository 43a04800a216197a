"""Folding: a bias on tokens is added by the activation behind it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from irrepnet.freezing._frozen import Frozen
from irrepnet.specs import Activation, Spec, TokenBias


def fold_token_bias(frozen: Frozen) -> Frozen:
    """`f(A (x + b))` in one pass over memory instead of two.

    Measured on ResMLP-24's 1536 hidden channels under the flopping group (one thread, float32, 8
    images): 0.93 to 0.69 ms.
    """
    state, changes = dict(frozen.state), dict[str, Spec | None]()
    for chain in frozen.chains():
        for bias, act in pairwise(chain.children):
            on_points = isinstance(act.spec, Activation) and act.spec.gset
            if isinstance(bias.spec, TokenBias) and on_points:
                changes[bias.path] = None
                changes[act.path] = replace(act.spec, points=bias.spec.points)
                for key in [key for key in state if key.startswith(f"{bias.path}.")]:
                    state[f"{act.path}.bias{key.removeprefix(bias.path)}"] = state.pop(key)
    return frozen.edit(changes, state)
