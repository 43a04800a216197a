"""Folding: activations write over what the map before them has just made."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from irrepnet.freezing._frozen import Frozen
from irrepnet.specs import Activation, Linear, Spec


def overwrite(frozen: Frozen) -> Frozen:
    """Let activations behind a linear map write in place: nothing else reads the map's output.

    Measured on ViT-B's 3072 hidden channels (one thread, float32, 8 images): 4.4 to 3.4 ms under
    the flopping group, 2.4 to 1.7 ms under the trivial one.
    """
    changes: dict[str, Spec | None] = {
        node.path: replace(node.spec, overwrite=True)
        for chain in frozen.chains()
        for before, node in pairwise(chain.children)
        if isinstance(before.spec, Linear) and isinstance(node.spec, Activation)
    }
    return frozen.edit(changes, frozen.state)
