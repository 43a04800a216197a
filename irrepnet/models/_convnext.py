"""ConvNeXts as specs, in stages or isotropic, over any group that moves images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from irrepnet import specs
from irrepnet._errors import GridError, SpecError
from irrepnet.actions import ImageAction, as_image_action
from irrepnet.models._breaks import Breaks, breaks_by_block, restricted, stream_type
from irrepnet.models._options import image_size
from irrepnet.types import FeatureType, convolved_grid

Steps = list[tuple[str, specs.Spec]]


@dataclass(frozen=True)
class ConvNeXtSize:
    """Sizes of a ConvNeXt in stages.

    Attributes:
        patch: Patch height and width of the first layer, in pixels.
        widths: Channels of each stage.
        depths: Blocks of each stage.
        init_values: Initial LayerScale, or `None` for none.
    """

    patch: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    init_values: float | None = 1e-6


@dataclass(frozen=True)
class IsotropicConvNeXtSize:
    """Sizes of a ConvNeXt of one stage.

    Attributes:
        patch: Patch height and width of the first layer, in pixels.
        width: Channels.
        depth: Number of blocks.
        init_values: Initial LayerScale, or `None` for none.
    """

    patch: int
    width: int
    depth: int
    init_values: float | None = None

    @property
    def stages(self) -> ConvNeXtSize:
        """The same as one stage."""
        return ConvNeXtSize(self.patch, (self.width,), (self.depth,), self.init_values)


@dataclass(frozen=True)
class _Place:
    """Where the network has got to."""

    type: FeatureType
    action: ImageAction
    grid: tuple[int, int]


def convnext(
    architecture: str,
    size: ConvNeXtSize | IsotropicConvNeXtSize,
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
    pairing: str | None = None,
    kernel_size: int = 7,
    mlp_ratio: float = 4,
    norm_eps: float = 1e-6,
) -> specs.Classifier:
    """A ConvNeXt: depthwise convolutions and MLPs; windows of 2 x 2 between stages.

    With one stage (isotropic) the first layer has no norm, as published.

    Args:
        architecture: Its name.
        size: Patch, widths, depths and LayerScale.
        group: What it is invariant to: a name of `actions.image`, or an `ImageAction`;
            `"trivial"` is the ordinary network.
        num_classes: Number of logits.
        img_size: Height and width of the images, or one number for both.
        in_chans: Image channels.
        global_pool: `"avg"`; there is no class token.
        drop_rate: Dropout before the last layer.
        drop_path_rate: Stochastic depth of the last block; it grows linearly from zero.
        break_at: Pairs `(subgroup, block)`: from that block on only the subgroup is respected;
            blocks are counted through all stages.
        feature_type: Type of the first stage's tokens; by default copies of the regular
            representation. The other stages have as many times more of it as they are wider.
        invariants: What the last layer sees: `"trivial"` copies, norms as well (`"norm"`, `"rms"`),
            `("max_filter", filters)` or `("polynomial", degree)` (see `specs.invariants`); taken at
            every pixel, before the mean.
        pairing: Of the depthwise convolutions, see `specs.DepthwiseConv`.
        kernel_size: Height and width of their kernels, odd.
        mlp_ratio: Hidden channels over token channels.
        norm_eps: Epsilon of the norms.

    Returns:
        A spec; `irrepnet.compile` builds it.

    Raises:
        IrrepnetError: If the group does not fit the sizes, naming what would.

    References:
        Liu et al., *A ConvNet for the 2020s* (arXiv 2201.03545), sec. 3.3 for the isotropic ones;
        Flopping for FLOPs (arXiv 2502.05169).
    """
    size = size.stages if isinstance(size, IsotropicConvNeXtSize) else size
    _check(size, kernel_size)
    action = as_image_action(group)
    x = stream_type(action, feature_type, size.widths[0])
    height, width = image_size(img_size)
    patch = (size.patch, size.patch)
    stem = specs.PatchEmbed(action, in_chans, (height, width), patch, x, init="normal")
    steps: Steps = [("patch_embed", stem)]
    if len(size.widths) > 1:
        steps.append(("norm", specs.LayerNorm(x, eps=norm_eps)))
    block = Block(pairing, kernel_size, mlp_ratio, size.init_values, norm_eps)
    place = _Place(x, action, (height // size.patch, width // size.patch))
    blocks, place = _blocks(block, place, size, drop_path_rate, break_at)
    steps.append(("blocks", blocks))
    return specs.Classifier(
        specs.Chain(tuple(steps)),
        place.type,
        num_classes,
        global_pool,
        drop_rate,
        invariants,
        architecture,
        per_token=True,
        norm_eps=norm_eps,
    )


def _check(size: ConvNeXtSize, kernel_size: int) -> None:
    if len(size.widths) != len(size.depths) or not size.widths:
        raise SpecError(
            f"got {len(size.widths)} widths and {len(size.depths)} depths: expected as many, one "
            f"of each for every stage."
        )
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise SpecError(
            f"got kernel_size={kernel_size}: expected an odd number, so that a skip connection "
            f"meets a grid of the same size."
        )


@dataclass(frozen=True)
class Block:
    """What all blocks share."""

    pairing: str | None
    kernel_size: int
    mlp_ratio: float
    init_values: float | None
    norm_eps: float

    def spec(self, at: _Place, drop_path: float) -> specs.Residual:
        """Depthwise convolution and MLP around a skip connection."""
        x, k = at.type, self.kernel_size
        hidden = FeatureType(x.group, [int(self.mlp_ratio * m) for m in x.multiplicities])
        conv = specs.DepthwiseConv(
            x, at.action, at.grid, (k, k), padding=(k // 2, k // 2), pairing=self.pairing
        )
        steps: Steps = [
            ("dwconv", conv),
            ("norm", specs.LayerNorm(x, eps=self.norm_eps)),
            ("fc1", specs.Linear(x, hidden)),
            ("act", specs.Activation(hidden, "gelu")),
            ("fc2", specs.Linear(hidden, x)),
        ]
        if self.init_values is not None:
            steps.append(("scale", specs.LayerScale(x, self.init_values)))
        steps.append(("drop_path", specs.DropPath(x, drop_path)))
        return specs.Residual(tuple(steps))


def _blocks(
    block: Block, at: _Place, size: ConvNeXtSize, drop_path_rate: float, break_at: Breaks | None
) -> tuple[specs.Chain, _Place]:
    """All blocks, with windows between stages and restrictions between blocks."""
    depth = sum(size.depths)
    breaks = breaks_by_block(break_at, at.action, depth)
    starts = [sum(size.depths[:stage]) for stage in range(len(size.depths))]
    steps: Steps = []
    for index in range(depth):
        if index in starts[1:]:
            down, at = _downsample(at, size.widths, starts.index(index), block.norm_eps)
            steps.append((f"downsample{index}", down))
        if index in breaks:
            name = f"restrict{index}"
            restrict, x = restricted(at.type, at.action, breaks[index], f"blocks.{name}")
            steps.append((name, restrict))
            at = _Place(x, breaks[index], at.grid)
        steps.append((str(index), block.spec(at, drop_path_rate * index / max(1, depth - 1))))
    return specs.Chain(tuple(steps)), at


def _downsample(
    at: _Place, widths: Sequence[int], stage: int, norm_eps: float
) -> tuple[specs.Chain, _Place]:
    """A norm and windows of 2 x 2, before a stage."""
    before, after = widths[stage - 1], widths[stage]
    wide = [m * after for m in at.type.multiplicities]
    if any(m % before for m in wide):
        raise SpecError(
            f"stage {stage} is {after} / {before} times as wide as the one before, which does not "
            f"divide the multiplicities of {at.type}: expected widths whose ratio does, such as "
            f"{before} and {2 * before}."
        )
    x = FeatureType(at.type.group, [m // before for m in wide])
    down: specs.Spec = specs.Downsample(at.type, at.action, at.grid, (2, 2), x)
    if at.grid[0] % 2 or at.grid[1] % 2:  # the last row or column is left out, as published
        if min(at.grid) > 1 and _may_leave_out(at):
            down = specs.Conv(at.type, at.action, at.grid, x, (2, 2), (2, 2), (0, 0))
    steps = (("norm", specs.LayerNorm(at.type, eps=norm_eps)), ("reduce", down))
    return specs.Chain(steps), _Place(x, at.action, (at.grid[0] // 2, at.grid[1] // 2))


def _may_leave_out(at: _Place) -> bool:
    """Whether no element moves an odd grid's last row or column to the other end."""
    try:
        convolved_grid(at.action, at.grid, (2, 2), (2, 2), (0, 0))
    except GridError:
        return False
    return True
