"""Folding: biases and activations write over what the map before them made."""

from __future__ import annotations

from dataclasses import replace

from irrepnet.freezing._frozen import Frozen
from irrepnet.specs import Activation, Linear, Spec, TokenBias


def overwrite(frozen: Frozen) -> Frozen:
    """Let what follows a linear map write in place: nothing else reads the map's output.

    Measured on ViT-B's 3072 hidden channels (one thread, float32, 8 images): 4.4 to 3.4 ms under
    the flopping group, 2.4 to 1.7 ms under the trivial one.
    """
    changes: dict[str, Spec | None] = {}
    for chain in frozen.chains():
        fresh = False
        for node in chain.children:
            if fresh and isinstance(node.spec, Activation | TokenBias):
                changes[node.path] = replace(node.spec, overwrite=True)
            else:
                fresh = isinstance(node.spec, Linear)
    return frozen.edit(changes, frozen.state)
