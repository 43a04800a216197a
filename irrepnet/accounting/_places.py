"""Which part of which block a layer is, in the words of a report."""

from __future__ import annotations

import re
from collections.abc import Sequence

from irrepnet.compiler import Row

#: Parts in the order of a report. A layer of no known kind is a part under its kind's own name.
PARTS = (
    "patch embedding",
    "position, class",
    "smaller group",
    "downsampling",
    "depthwise",
    "norm",
    "qkv",
    "attention",
    "projection",
    "token mixing",
    "MLP",
    "activation",
    "scale, skip",
    "head",
)

_BY_KIND = {
    "PatchEmbed": "patch embedding",
    "OrbitOrder": "patch embedding",
    "PositionalEmbedding": "position, class",
    "ClassToken": "position, class",
    "Restrict": "smaller group",
    "Downsample": "downsampling",
    "DepthwiseConv": "depthwise",
    "LayerNorm": "norm",
    "Affine": "norm",
    "Attention": "attention",
    "TokenLinear": "token mixing",
    "Activation": "activation",
    "LayerScale": "scale, skip",
    "DropPath": "scale, skip",
    "Skip": "scale, skip",
}

#: Linear maps and biases by the start of their names.
_BY_NAME = {"qkv": "qkv", "proj": "projection", "fc": "MLP", "token": "token mixing"}

#: `blocks.3`, or what stands right before that block: `blocks.restrict3`, `blocks.downsample3`.
_BLOCK = re.compile(r"blocks\.[a-z]*(\d+)")


def places(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Names of the block and of the part of each layer.

    What comes before the numbered blocks is the embedding; what comes after them is the head, the
    last norm included.

    Args:
        rows: A network's layers in the order in which they run.

    Examples:
        >>> from irrepnet.compiler import Cost
        >>> names = [("patch_embed", "PatchEmbed"), ("blocks.3.mlp.fc1", "Linear"), ("norm", "?")]
        >>> places([Row(path, kind, Cost()) for path, kind in names])
        [('embedding', 'patch embedding'), ('block 3', 'MLP'), ('head', 'head')]
    """
    found = [_BLOCK.match(row.path) for row in rows]
    last = max((i for i, match in enumerate(found) if match), default=-1)
    result = []
    for i, (row, match) in enumerate(zip(rows, found, strict=True)):
        if match:
            result.append((f"block {match[1]}", _part(row)))
        elif i > last >= 0:
            result.append(("head", "head"))
        else:
            result.append(("embedding", _part(row)))
    return result


def _part(row: Row) -> str:
    if row.kind in _BY_KIND:
        return _BY_KIND[row.kind]
    name = row.path.rpartition(".")[2]
    return next((part for start, part in _BY_NAME.items() if name.startswith(start)), row.kind)
