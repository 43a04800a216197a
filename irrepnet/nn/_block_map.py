"""`BlockMap`: which products carry one output block of an intertwiner, as plain integers."""

from __future__ import annotations

from dataclasses import dataclass

from irrepnet.types import Block, FeatureType

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
class Product:
    """One matrix product: a block's map on one pair of spans."""

    block: BlockMap
    source: Span
    target: Span


def products(maps: tuple[BlockMap, ...], batched: bool) -> tuple[tuple[Product, ...], ...]:
    """The products of an intertwiner; those in one group have one size and adjacent spans.

    Args:
        maps: The output blocks.
        batched: Whether to group at all.
    """
    groups: list[list[Product]] = []
    for block in maps:
        for source, target in block.pairs:
            product = Product(block, source, target)
            if batched and groups and _follows(groups[-1][-1], product):
                groups[-1].append(product)
            else:
                groups.append([product])
    return tuple(tuple(group) for group in groups)


def _follows(last: Product, product: Product) -> bool:
    """Whether a product has the size of the one before and stands right after it."""
    return all(
        a[1] == b[0] and a[1] - a[0] == b[1] - b[0]
        for a, b in ((last.source, product.source), (last.target, product.target))
    )
