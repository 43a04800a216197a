"""ResMLPs as specs: tokens mixed by linear maps, over any group that moves images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from irrepnet import specs
from irrepnet._errors import IrrepnetError, SpecError
from irrepnet.actions import ImageAction, PointAction, as_image_action
from irrepnet.models._breaks import Breaks, breaks_by_block, restricted, stream_type
from irrepnet.models._options import image_size
from irrepnet.types import (
    POOLED_INVARIANTS,
    FeatureType,
    TokenType,
    gset_for,
    num_pooled,
    tiled_grid,
)

Steps = list[tuple[str, specs.Spec]]


@dataclass(frozen=True)
class ResMLPSize:
    """Sizes of a ResMLP.

    Attributes:
        patch: Patch height and width, in pixels.
        width: Channels of a token.
        depth: Number of blocks.
        init_values: Initial LayerScale, which deeper networks need smaller.
    """

    patch: int
    width: int
    depth: int
    init_values: float


def resmlp(
    architecture: str,
    size: ResMLPSize,
    group: str | ImageAction = "trivial",
    *,
    num_classes: int = 1000,
    img_size: int | tuple[int, int] = 224,
    in_chans: int = 3,
    global_pool: str = "avg",
    drop_rate: float = 0.0,
    drop_path_rate: float = 0.0,
    break_at: Breaks | None = None,
    feature_type: FeatureType | str | None = None,
    invariants: specs.Invariants = "trivial",
    mlp_ratio: float = 4,
    activation: str = "gelu",
) -> specs.Classifier:
    """A ResMLP: both axes typed, the group moves tokens and channels.

    Tokens stand in orbit order from the patches on, so that mixing them gathers nothing.

    Args:
        architecture: Its name.
        size: Patch, width, depth and initial LayerScale.
        group: What it is invariant to: a name of `actions.image`, or an `ImageAction`;
            `"trivial"` is the ordinary network.
        num_classes: Number of logits.
        img_size: Height and width of the images, or one number for both.
        in_chans: Image channels.
        global_pool: `"avg"`; there is no class token.
        drop_rate: Dropout before the last layer.
        drop_path_rate: Stochastic depth, the same in every block as published.
        break_at: Pairs `(subgroup, block)`: from that block on only the subgroup is respected.
        feature_type: Type of the tokens; by default copies of the regular representation.
        invariants: What the last layer sees: `"trivial"`, the linear invariants of tokens (x)
            channels, or `"norm"` as well (see `specs.OrbitPool`); other kinds of
            `specs.invariants` are taken of the mean over tokens.
        mlp_ratio: Hidden channels over token channels.
        activation: `"gelu"`; the published flopping checkpoints use `"quick_gelu"`.

    Returns:
        A spec; `irrepnet.compile` builds it.

    Raises:
        IrrepnetError: If the group does not fit the sizes, naming what would.

    References:
        Touvron et al., *ResMLP* (arXiv 2105.03404); Flopping for FLOPs (arXiv 2502.05169).
    """
    if global_pool != "avg":
        raise SpecError(f"got global_pool={global_pool!r} for {architecture}: expected 'avg'.")
    action = as_image_action(group)
    x = stream_type(action, feature_type, size.width)
    image = image_size(img_size)
    patch = (size.patch, size.patch)
    try:
        grid = tiled_grid(action, image, patch, "image", "patch")
    except IrrepnetError as problem:
        raise type(problem)(f"patch_embed (PatchEmbed): {problem}") from None
    points = action.on_grid(*grid)
    block = Block(x, TokenType.of(points).in_order, mlp_ratio, size.init_values, activation)
    steps: Steps = [
        ("patch_embed", specs.PatchEmbed(action, in_chans, image, patch, x)),
        ("order", specs.OrbitOrder(x, points)),
    ]
    breaks = breaks_by_block(break_at, action, size.depth)
    blocks, last = _blocks(block, action, size.depth, drop_path_rate, breaks)
    return specs.Classifier(
        specs.Chain((*steps, ("blocks", blocks))),
        last.type,
        num_classes,
        global_pool,
        drop_rate,
        invariants,
        architecture,
        neck=_neck(last, invariants),
    )


@dataclass(frozen=True)
class Block:
    """One block: tokens mixed, then channels, each around a skip connection."""

    type: FeatureType
    points: PointAction
    mlp_ratio: float
    init_values: float
    activation: str

    @property
    def biased(self) -> PointAction | None:
        """The points on which biases live; where no token moves they are ordinary ones."""
        return None if TokenType.of(self.points).is_fixed else self.points

    def linear(self, name: str, x: FeatureType, y: FeatureType) -> Steps:
        """A map of the channels with its bias."""
        if self.biased is None:
            return [(name, specs.Linear(x, y))]
        bias = specs.TokenBias(y, self.biased)
        return [(name, specs.Linear(x, y, bias=False)), (f"{name}_bias", bias)]

    def spec(self, drop_path: float) -> specs.Chain:
        """Its layers."""
        x = self.type
        hidden = FeatureType(x.group, [int(self.mlp_ratio * m) for m in x.multiplicities])
        norm = ("norm", specs.Affine(x, self.biased))
        tail: Steps = [
            ("scale", specs.LayerScale(x, self.init_values)),
            ("drop_path", specs.DropPath(x, drop_path)),
        ]
        mix = (norm, ("tokens", specs.TokenLinear(x, self.points)), *tail)
        mlp = (
            norm,
            *self.linear("fc1", x, hidden),
            ("act", specs.Activation(hidden, self.activation)),
            *self.linear("fc2", hidden, x),
            *tail,
        )
        return specs.Chain((("mix", specs.Residual(mix)), ("mlp", specs.Residual(mlp))))


def _blocks(
    block: Block,
    action: ImageAction,
    depth: int,
    drop_path: float,
    breaks: dict[int, ImageAction],
) -> tuple[specs.Chain, Block]:
    """All blocks, with restrictions between them, and what the last one is."""
    steps: Steps = []
    for index in range(depth):
        if index in breaks:
            smaller = breaks[index]
            name = f"restrict{index}"
            restrict, x = restricted(block.type, action, smaller, f"blocks.{name}")
            steps.append((name, restrict))
            embedding = smaller.embedding(action)
            points = block.points.restrict(smaller.name, smaller.group, embedding)
            tokens = TokenType.of(points)
            if not tokens.is_sorted:
                steps.append((f"order{index}", specs.OrbitOrder(x, points)))
            action, block = smaller, replace(block, type=x, points=tokens.in_order)
        steps.append((str(index), block.spec(drop_path)))
    return specs.Chain(tuple(steps)), block


def _neck(last: Block, kind: specs.Invariants) -> tuple[tuple[str, specs.Spec], ...]:
    """From tokens to invariants: pooling, then the affine layer that ends a ResMLP."""
    pooled = kind in POOLED_INVARIANTS
    try:
        steps, seen = (_pooled if pooled else _of_the_mean)(last, kind)
    except IrrepnetError as problem:
        where = "head.pool (OrbitPool)" if pooled else "head.invariants"
        raise type(problem)(f"{where}: {problem}") from None
    return (*steps, ("norm", specs.Affine(seen)))


def _pooled(last: Block, kind: Any) -> tuple[Steps, FeatureType]:
    """Invariants of tokens (x) channels."""
    found = num_pooled(gset_for(last.type), TokenType.of(last.points), kind)
    pool = specs.OrbitPool(last.type, last.points, kind)
    return [("pool", pool)], FeatureType.trivial(last.type.group, found)


def _of_the_mean(last: Block, kind: specs.Invariants) -> tuple[Steps, FeatureType]:
    """Invariants of the mean over tokens."""
    layer, seen = specs.invariants(last.type, kind)
    return [("pool", specs.TokenPool(last.type, "avg")), ("invariants", layer)], seen
