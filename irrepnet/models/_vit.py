"""Vision transformers as specs: the DeiT III network over any group that moves images."""

from __future__ import annotations

from dataclasses import dataclass, replace

from irrepnet import specs
from irrepnet._errors import IrrepnetError, SpecError
from irrepnet.actions import ImageAction, as_image_action
from irrepnet.models._breaks import Breaks, breaks_by_block, restricted, stream_type
from irrepnet.models._options import image_size
from irrepnet.types import FeatureType


@dataclass(frozen=True)
class ViTSize:
    """Sizes of a vision transformer.

    Attributes:
        patch: Patch height and width, in pixels.
        width: Channels of a token.
        depth: Number of blocks.
        heads: Attention heads.
    """

    patch: int
    width: int
    depth: int
    heads: int


def vit(
    architecture: str,
    size: ViTSize,
    group: str | ImageAction = "trivial",
    *,
    num_classes: int = 1000,
    img_size: int | tuple[int, int] = 224,
    in_chans: int = 3,
    global_pool: str = "token",
    drop_rate: float = 0.0,
    drop_path_rate: float = 0.0,
    break_at: Breaks | None = None,
    feature_type: FeatureType | str | None = None,
    invariants: specs.Invariants = "trivial",
    invariant_at: tuple[specs.Invariants, int] | None = None,
    register_tokens: int = 0,
    mlp_ratio: float = 4,
    init_values: float = 1e-6,
    qkv_bias: bool = True,
    norm_eps: float = 1e-6,
) -> specs.Classifier:
    """A DeiT III vision transformer: LayerScale, no position on the class token.

    Args:
        architecture: Its name.
        size: Patch, width, depth and heads.
        group: What it is invariant to: a name of `actions.image`, or an `ImageAction`;
            `"trivial"` is the ordinary network.
        num_classes: Number of logits.
        img_size: Height and width of the images, or one number for both.
        in_chans: Image channels.
        global_pool: `"token"`, or `"avg"` for a network without class token.
        drop_rate: Dropout before the last layer.
        drop_path_rate: Stochastic depth of the last block; it grows linearly from zero.
        break_at: Pairs `(subgroup, block)`: from that block on only the subgroup is respected.
        feature_type: Type of the tokens; by default copies of the regular representation.
        invariants: What the last layer sees: `"trivial"` copies, norms as well (`"norm"`, `"rms"`),
            `("max_filter", filters)` or `("polynomial", degree)` (see `specs.invariants`).
        invariant_at: Such invariants and a block: from that block on the channels are
            invariants of the features before it, mixed by a linear map to the same width
            (early invariantisation). The tokens are still permuted by the group.
        register_tokens: Further learned tokens, after the class token.
        mlp_ratio: Hidden channels over token channels.
        init_values: Initial LayerScale.
        qkv_bias: Whether query, key and value have an (invariant) bias.
        norm_eps: Epsilon of the norms.

    Returns:
        A spec; `irrepnet.compile` builds it.

    Raises:
        IrrepnetError: If the group does not fit the sizes, naming what would.

    References:
        Touvron, Cord, Jegou, *DeiT III* (arXiv 2204.07118); Flopping for FLOPs (arXiv 2502.05169);
        Octic ViTs (arXiv 2505.15441).
    """
    action = as_image_action(group)
    x = stream_type(action, feature_type, size.width)
    height, width = image_size(img_size)
    grid = (height // size.patch, width // size.patch)
    steps: list[tuple[str, specs.Spec]] = [
        (
            "patch_embed",
            specs.PatchEmbed(action, in_chans, (height, width), (size.patch, size.patch), x),
        ),
        ("pos_embed", specs.PositionalEmbedding(x, action, grid)),
    ]
    if register_tokens:
        steps.append(("registers", specs.RegisterTokens(x, register_tokens)))
    if global_pool == "token":
        steps.append(("cls_token", specs.ClassToken(x)))
    block = Block(x, size.heads, mlp_ratio, init_values, qkv_bias, norm_eps)
    blocks, last = _blocks(block, action, size, drop_path_rate, break_at, invariant_at)
    steps += [("blocks", blocks), ("norm", specs.LayerNorm(last, eps=norm_eps))]
    return specs.Classifier(
        specs.Chain(tuple(steps)),
        last,
        num_classes,
        global_pool,
        drop_rate,
        invariants,
        architecture,
    )


@dataclass(frozen=True)
class Block:
    """One transformer block."""

    type: FeatureType
    heads: int
    mlp_ratio: float
    init_values: float
    qkv_bias: bool
    norm_eps: float

    def spec(self, drop_path: float) -> specs.Chain:
        """Attention, then MLP, each around a skip connection."""
        x = self.type
        hidden = FeatureType(x.group, [int(self.mlp_ratio * m) for m in x.multiplicities])
        tail: tuple[tuple[str, specs.Spec], ...] = (
            ("scale", specs.LayerScale(x, self.init_values)),
            ("drop_path", specs.DropPath(x, drop_path)),
        )
        attention = specs.Residual(
            (
                ("norm", specs.LayerNorm(x, eps=self.norm_eps)),
                ("qkv", specs.Linear(x, 3 * x, bias=self.qkv_bias)),
                ("attend", specs.Attention(x, self.heads)),
                ("proj", specs.Linear(x, x)),
                *tail,
            )
        )
        mlp = specs.Residual(
            (
                ("norm", specs.LayerNorm(x, eps=self.norm_eps)),
                ("fc1", specs.Linear(x, hidden)),
                ("act", specs.Activation(hidden, "gelu")),
                ("fc2", specs.Linear(hidden, x)),
                *tail,
            )
        )
        return specs.Chain((("attention", attention), ("mlp", mlp)))


def _blocks(
    block: Block,
    action: ImageAction,
    size: ViTSize,
    drop_path_rate: float,
    break_at: Breaks | None,
    invariant_at: tuple[specs.Invariants, int] | None,
) -> tuple[specs.Chain, FeatureType]:
    """All blocks, with restrictions between them, and the type at the end."""
    depth = size.depth
    breaks = breaks_by_block(break_at, action, depth)
    kind, place = _inside(invariant_at, depth)
    steps: list[tuple[str, specs.Spec]] = []
    for index in range(depth):
        if index in breaks:
            smaller = breaks[index]
            name = f"restrict{index}"
            restrict, x = restricted(block.type, action, smaller, f"blocks.{name}")
            steps.append((name, restrict))
            action, block = smaller, replace(block, type=x)
        if index == place:
            name = f"invariants{index}"
            found, x = _invariants(block.type, kind, size.width, f"blocks.{name}")
            steps.append((name, found))
            block = replace(block, type=x)
        rate = drop_path_rate * index / max(1, depth - 1)
        steps.append((str(index), block.spec(rate)))
    return specs.Chain(tuple(steps)), block.type


def _inside(
    invariant_at: tuple[specs.Invariants, int] | None, depth: int
) -> tuple[specs.Invariants, int | None]:
    """The kind of invariants and the block before which they are taken, if any."""
    if invariant_at is None:
        return "", None
    try:
        kind, place = invariant_at
    except (TypeError, ValueError):
        raise SpecError(
            f"got invariant_at={invariant_at!r}: expected a kind of invariants and a block, such "
            f"as ('norm', {depth // 2})."
        ) from None
    if not isinstance(place, int) or not 0 <= place < depth:
        raise SpecError(
            f"invariant_at={invariant_at!r} names block {place}: expected a block index between 0 "
            f"and {depth - 1}."
        )
    return kind, place


def _invariants(
    x: FeatureType, kind: specs.Invariants, width: int, path: str
) -> tuple[specs.Chain, FeatureType]:
    """Invariants of typed channels, mixed to `width` invariant channels."""
    try:
        layer, found = specs.invariants(x, kind)
    except IrrepnetError as problem:
        raise type(problem)(f"{path}: {problem}") from None
    mixed = FeatureType.trivial(x.group, width)
    return specs.Chain((("map", layer), ("mix", specs.Linear(found, mixed)))), mixed
