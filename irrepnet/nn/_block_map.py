"""`BlockMap`: which products carry one output block of an intertwiner, as plain integers."""

from __future__ import annotations

from dataclasses import dataclass

from irrepnet.types import Block, FeatureType, Lowering

#: `pattern[a][b] = (j, sign)`: the commutant's basis element that stands at component (a, b).
Pattern = tuple[tuple[tuple[int, int], ...], ...]
Span = tuple[int, int]


@dataclass(frozen=True)
class BlockMap:
    """One output block: where its inputs lie and how its components are paired with them.

    Attributes:
        name: The irrep's name.
        source: First and last channel + 1 of the input block; empty if no input irrep reaches it.
        target: The same for the output block.
        copies: Multiplicities in and out.
        components: `dim / end_dim` of the irrep: how often the commutant's pattern repeats.
        pattern: The commutant's pattern, `end_dim` rows and columns.
        pairs: Input and output spans that one product connects. Empty when several components
            share one commutant direction that is not real, which takes a transpose.
        invariant: Whether the irrep is trivial, so that a bias may be added.
    """

    name: str
    source: Span
    target: Span
    copies: tuple[int, int]
    components: int
    pattern: Pattern
    pairs: tuple[tuple[Span, Span], ...]
    invariant: bool

    @property
    def end_dim(self) -> int:
        """Dimension of the irrep's commutant: 1, 2 or 4."""
        return len(self.pattern)

    @property
    def reached(self) -> bool:
        """Whether an input irrep reaches the block."""
        return self.copies[0] > 0

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """`(m_out, m_in)` for real type, else `(end_dim, m_out, m_in)`."""
        shape = (self.copies[1], self.copies[0])
        return shape if self.end_dim == 1 else (self.end_dim, *shape)

    @property
    def num_weights(self) -> int:
        """How many there are."""
        return self.end_dim * self.copies[0] * self.copies[1]

    @property
    def flops(self) -> int:
        """FLOPs for one position, as products of the block alone: `2 dim end_dim m m'`."""
        return 2 * self.components * self.end_dim * self.num_weights


def block_maps(in_type: FeatureType, out_type: FeatureType) -> tuple[BlockMap, ...]:
    """One entry for each block of the output type, in order."""
    sources = {b.irrep.index: b for b in in_type.blocks}
    return tuple(_block_map(sources.get(b.irrep.index), b) for b in out_type.blocks)


def _block_map(source: Block | None, target: Block) -> BlockMap:
    irrep = target.irrep
    return BlockMap(
        name=irrep.name,
        source=(0, 0) if source is None else (source.start, source.stop),
        target=(target.start, target.stop),
        copies=(0 if source is None else source.multiplicity, target.multiplicity),
        components=irrep.dim // irrep.end_dim,
        pattern=_commutant_pattern(target),
        pairs=() if source is None else _pairs(source, target),
        invariant=irrep.index == 0,
    )


def _commutant_pattern(block: Block) -> Pattern:
    """The commutant is spanned by `J_j = L_j (x) I`, one `L_j` being nonzero at each entry."""
    e = block.irrep.end_dim
    step = block.irrep.dim // e
    small = block.irrep.commutant[:, ::step, ::step]
    return tuple(
        tuple(
            next((j, round(float(m[a, b]))) for j, m in enumerate(small) if m[a, b] != 0)
            for b in range(e)
        )
        for a in range(e)
    )


def _pairs(source: Block, target: Block) -> tuple[tuple[Span, Span], ...]:
    irrep = source.irrep
    if irrep.dim == irrep.end_dim:  # the components that the commutant mixes are adjacent
        return (((source.start, source.stop), (target.start, target.stop)),)
    if irrep.end_dim > 1:
        return ()
    spans = ((source.component(c), target.component(c)) for c in range(irrep.dim))
    return tuple(((s.start, s.stop), (t.start, t.stop)) for s, t in spans)


@dataclass(frozen=True)
class Call:
    """What one call multiplies: the maps of some blocks.

    Attributes:
        way: One of `types.LINEAR_LOWERINGS`.
        blocks: The blocks, in order; those that no input irrep reaches only if expanded.
        spans: Pairs of input and output span, one for each product; all have one size, and
            neighbours are adjacent.
    """

    way: str
    blocks: tuple[BlockMap, ...]
    spans: tuple[tuple[Span, Span], ...]

    @property
    def invariant(self) -> bool:
        """Whether the first product carries the trivial irrep, so that a bias may be added."""
        return self.blocks[0].invariant

    @property
    def flops(self) -> int:
        """FLOPs for one position."""
        return sum(2 * (a[1] - a[0]) * (b[1] - b[0]) for a, b in self.spans)


def calls(maps: tuple[BlockMap, ...], lowering: Lowering) -> tuple[Call, ...]:
    """The calls that carry an intertwiner, in order.

    Blocks without pairs of spans have none, unless they are expanded.

    Args:
        maps: The output blocks.
        lowering: How they are multiplied.
    """
    if isinstance(lowering, str):
        return _calls(maps, lowering)
    by_name = {block.name: block for block in maps}
    parts = (_calls(tuple(by_name[name] for name in names), way) for way, names in lowering)
    return tuple(call for part in parts for call in part)


def _calls(maps: tuple[BlockMap, ...], way: str) -> tuple[Call, ...]:
    reached = [block for block in maps if block.reached]
    if way == "dense":
        if not reached:
            return ()
        source = (min(b.source[0] for b in reached), max(b.source[1] for b in reached))
        return (Call(way, maps, ((source, (maps[0].target[0], maps[-1].target[1])),)),)
    found: list[Call] = []
    for block in reached:
        for pair in block.pairs:
            if way == "batched" and found and _follows(found[-1].spans[-1], pair):
                last = found[-1]
                found[-1] = Call(way, (*last.blocks, block), (*last.spans, pair))
            else:
                found.append(Call(way, (block,), (pair,)))
    return tuple(found)


def _follows(last: tuple[Span, Span], pair: tuple[Span, Span]) -> bool:
    """Whether a product has the size of the one before and stands right after it."""
    return all(a[1] == b[0] and a[1] - a[0] == b[1] - b[0] for a, b in zip(last, pair, strict=True))
