"""What the shared pieces of layers cost: intertwiners and changes of basis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from irrepnet.nn import ADDITIONS_UP_TO
from irrepnet.types import Block, FeatureType, GSetType, Lowering, Run

Pairs = list[tuple[Block, Block]]


def common_blocks(in_type: FeatureType, out_type: FeatureType) -> Pairs:
    """Blocks of the irreps that both types have."""
    targets = {b.irrep.index: b for b in out_type.blocks}
    return [(b, targets[b.irrep.index]) for b in in_type.blocks if b.irrep.index in targets]


def num_weights(in_type: FeatureType, out_type: FeatureType) -> int:
    """Dimension of `Hom_G(V, W)`: `sum_i e_i m_i m'_i`."""
    return _num_weights(common_blocks(in_type, out_type))


def _num_weights(pairs: Pairs) -> int:
    return sum(a.irrep.end_dim * a.multiplicity * b.multiplicity for a, b in pairs)


def product_flops(in_type: FeatureType, out_type: FeatureType) -> int:
    """FLOPs of an intertwiner for one position: `2 sum_i d_i e_i m_i m'_i`."""
    return _product_flops(common_blocks(in_type, out_type))


def _product_flops(pairs: Pairs) -> int:
    return 2 * sum(
        a.irrep.dim * a.irrep.end_dim * a.multiplicity * b.multiplicity for a, b in pairs
    )


def lowered(
    in_type: FeatureType, out_type: FeatureType, lowering: Lowering | None
) -> tuple[int, int]:
    """FLOPs of an intertwiner for one position, and the weights that it reads, as it is lowered."""
    ways = () if lowering is None else lowering
    if isinstance(ways, str):
        ways = ((ways, tuple(block.irrep.name for block in out_type.blocks)),)
    pairs, expanded = common_blocks(in_type, out_type), 0
    for way, names in ways:
        inside = [pair for pair in pairs if pair[0].irrep.name in names]
        if way == "dense" and inside:
            targets = [block for block in out_type.blocks if block.irrep.name in names]
            columns = inside[-1][0].stop - inside[0][0].start
            expanded += columns * (targets[-1].stop - targets[0].start)
            pairs = [pair for pair in pairs if pair not in inside]
    return 2 * expanded + _product_flops(pairs), expanded + _num_weights(pairs)


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
