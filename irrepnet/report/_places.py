"""Which part of which block a layer is, in the words of a report."""

from __future__ import annotations

import re

from irrepnet.compiler import Row

#: Parts in the order of a report. A layer of no known kind is a part under its kind's own name.
PARTS = (
    "patch embedding",
    "position, class",
    "norm",
    "qkv",
    "attention",
    "projection",
    "MLP",
    "activation",
    "scale, skip",
    "smaller group",
    "head",
)

_BY_KIND = {
    "PatchEmbed": "patch embedding",
    "PositionalEmbedding": "position, class",
    "ClassToken": "position, class",
    "LayerNorm": "norm",
    "Attention": "attention",
    "Activation": "activation",
    "LayerScale": "scale, skip",
    "DropPath": "scale, skip",
    "Skip": "scale, skip",
    "Restrict": "smaller group",
}

_LINEAR = {"qkv": "qkv", "proj": "projection", "fc1": "MLP", "fc2": "MLP"}

_BLOCK = re.compile(r"blocks\.(\w+)")


def block_of(row: Row) -> str:
    """Name of the block that a layer belongs to.

    Examples:
        >>> from irrepnet.compiler import Cost
        >>> row = Row("blocks.3.mlp.fc1", "Linear", Cost())
        >>> block_of(row), part_of(row)
        ('block 3', 'MLP')
    """
    found = _BLOCK.match(row.path)
    if found:
        number = found[1].removeprefix("restrict")  # stands right before the block of that number
        return f"block {number}"
    return "head" if _is_head(row) else "embedding"


def part_of(row: Row) -> str:
    """Name of the part that a layer is."""
    if _is_head(row):
        return "head"
    if row.kind == "Linear":
        return _LINEAR.get(row.path.rpartition(".")[2], "linear")
    return _BY_KIND.get(row.kind, row.kind)


def _is_head(row: Row) -> bool:
    """The last norm counts as part of the head."""
    return row.path == "norm" or row.path.split(".")[0] == "head"
