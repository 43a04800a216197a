"""What the shared pieces of layers cost: intertwiners and changes of basis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from irrepnet.nn import ADDITIONS_UP_TO, block_maps, calls
from irrepnet.types import Block, FeatureType, GSetType, Lowering, Run


def common_blocks(in_type: FeatureType, out_type: FeatureType) -> list[tuple[Block, Block]]:
    """Blocks of the irreps that both types have."""
    targets = {b.irrep.index: b for b in out_type.blocks}
    return [(b, targets[b.irrep.index]) for b in in_type.blocks if b.irrep.index in targets]


def num_weights(in_type: FeatureType, out_type: FeatureType) -> int:
    """Dimension of `Hom_G(V, W)`: `sum_i e_i m_i m'_i`."""
    return sum(
        a.irrep.end_dim * a.multiplicity * b.multiplicity
        for a, b in common_blocks(in_type, out_type)
    )


def product_flops(in_type: FeatureType, out_type: FeatureType) -> int:
    """FLOPs of an intertwiner for one position: `2 sum_i d_i e_i m_i m'_i`."""
    return 2 * sum(
        a.irrep.dim * a.irrep.end_dim * a.multiplicity * b.multiplicity
        for a, b in common_blocks(in_type, out_type)
    )


def lowered(
    in_type: FeatureType, out_type: FeatureType, lowering: Lowering | None
) -> tuple[int, int]:
    """FLOPs of an intertwiner for one position, and the weights that it reads, as it is lowered."""
    if lowering is None or (isinstance(lowering, str) and lowering != "dense"):
        return product_flops(in_type, out_type), num_weights(in_type, out_type)
    maps = block_maps(in_type, out_type)
    expanded = [call for call in calls(maps, lowering) if call.way == "dense"]
    inside = {block.name for call in expanded for block in call.blocks}
    others = [block for block in maps if block.name not in inside]
    flops = sum(call.flops for call in expanded)
    weights = flops // 2 + sum(block.num_weights for block in others)
    return flops + sum(block.flops for block in others), weights


def quotient(whole: int, part: int) -> int:
    """How often a part that divides a whole fits; a symbolic whole stands for its multiples."""
    return whole // part if isinstance(whole, int) else whole / part


def gset_of(spec: Any) -> GSetType:
    """The G-set of a spec whose choice is made."""
    assert spec.gset is not None
    return GSetType(spec.feature_type.group, spec.gset)


def basis_flops(gset: GSetType) -> tuple[int, int]:
    """FLOPs of one change of basis for one position: as products, and as additions."""
    return run_flops(gset.runs)


def run_flops(runs: Iterable[Run]) -> tuple[int, int]:
    """The same for any runs."""
    products = additions = 0
    for run in runs:
        if run.signed_permutation is not None:
            additions += run.count * sum(sign < 0 for _, sign in run.signed_permutation)
        elif run.size > ADDITIONS_UP_TO:
            products += 2 * run.size**2 * run.count
        else:  # one addition and one multiplication for each channel
            additions += 2 * run.width
    return products, additions
