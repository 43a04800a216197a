"""Specs of layers that know a grid: windows, convolutions, maps."""

from __future__ import annotations

from dataclasses import dataclass

from irrepnet.actions import ImageAction
from irrepnet.specs._spec import Spec
from irrepnet.types import FeatureType


@dataclass(frozen=True)
class PatchEmbed(Spec):
    """Image patches to tokens.

    Attributes:
        action: How the group moves images.
        channels: Image channels.
        image_size: Height and width.
        patch: Patch height and width.
        out_type: Type of the tokens.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `nn.IsotypicLinear`).
    """

    action: ImageAction
    channels: int
    image_size: tuple[int, int]
    patch: tuple[int, int]
    out_type: FeatureType
    bias: bool = True
    init: str = "uniform"


@dataclass(frozen=True)
class Unpatchify(Spec):
    """Tokens to image patches: the adjoint of `PatchEmbed`.

    Attributes:
        action: How the group moves images.
        in_type: Type of the tokens.
        grid: Height and width of the token grid.
        patch: Patch height and width.
        channels: Image channels.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `nn.IsotypicLinear`).
    """

    action: ImageAction
    in_type: FeatureType
    grid: tuple[int, int]
    patch: tuple[int, int]
    channels: int
    bias: bool = True
    init: str = "normal"


@dataclass(frozen=True)
class Downsample(Spec):
    """Windows of tokens to one token each: a convolution whose stride is its kernel.

    Attributes:
        in_type: Type of the input tokens.
        action: How the group moves the grid.
        grid: Height and width of the input grid.
        window: Height and width of a window.
        out_type: Type of the output tokens.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `nn.IsotypicLinear`).
    """

    in_type: FeatureType
    action: ImageAction
    grid: tuple[int, int]
    window: tuple[int, int]
    out_type: FeatureType
    bias: bool = True
    init: str = "normal"


@dataclass(frozen=True)
class Upsample(Spec):
    """Every token to a window of tokens: the adjoint of `Downsample`.

    Attributes:
        in_type: Type of the input tokens.
        action: How the group moves the grid.
        grid: Height and width of the input grid.
        window: Height and width of a window.
        out_type: Type of the output tokens.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `nn.IsotypicLinear`).
    """

    in_type: FeatureType
    action: ImageAction
    grid: tuple[int, int]
    window: tuple[int, int]
    out_type: FeatureType
    bias: bool = True
    init: str = "normal"


@dataclass(frozen=True)
class Conv(Spec):
    """A convolution of tokens on a grid, any kernel size, stride and padding.

    Attributes:
        in_type: Type of the input tokens.
        action: How the group moves the grid.
        grid: Height and width of the input grid.
        out_type: Type of the output tokens.
        kernel: Height and width of the kernel.
        stride: Vertical and horizontal step.
        padding: Zero rows above and below, zero columns left and right.
        bias: Whether to add an invariant bias.
        init: Initial weights (see `nn.IsotypicLinear`).
    """

    in_type: FeatureType
    action: ImageAction
    grid: tuple[int, int]
    out_type: FeatureType
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (1, 1)
    bias: bool = True
    init: str = "normal"


@dataclass(frozen=True)
class DepthwiseConv(Spec):
    """A convolution in which every channel sees one channel.

    Attributes:
        feature_type: Type of the tokens.
        action: How the group moves the grid.
        grid: Height and width of the input grid.
        kernel: Height and width of the kernel.
        stride: Vertical and horizontal step.
        padding: Zero rows above and below, zero columns left and right.
        pairing: `"pairs"`: in irreps, every channel paired with one channel; for groups whose
            irreps are all real of dimension one. `"gset"`: on the points of a G-set, where the
            group moves channels and kernels alike; for any group, at the cost of two changes of
            basis. `None` takes `"pairs"` where it exists (nothing but the convolution to pay for,
            and the published networks' choice), else `"gset"`.
        bias: Whether to add an invariant bias.
        gset: As in `Activation`, for `"gset"`.
        enter: Basis of the input, `"irreps"` or (for `"gset"`) `"points"`, as in `Activation`.
        leave: Basis of the output.
    """

    feature_type: FeatureType
    action: ImageAction
    grid: tuple[int, int]
    kernel: tuple[int, int] = (7, 7)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (3, 3)
    pairing: str | None = None
    bias: bool = True
    gset: tuple[tuple[tuple[int, ...], int], ...] | None = None
    enter: str = "irreps"
    leave: str = "irreps"


@dataclass(frozen=True)
class ToMaps(Spec):
    """Tokens of a grid as maps `(batch, channels, height, width)`; prefix tokens are left out.

    The end of a network whose features go on to dense prediction or to stock torch modules. The
    group moves the maps' pixels and acts on their channels as it did on the tokens'.

    Attributes:
        feature_type: Type of the channels.
        action: How the group moves the grid.
        grid: Height and width of the token grid.
    """

    feature_type: FeatureType
    action: ImageAction
    grid: tuple[int, int]


@dataclass(frozen=True)
class FromMaps(Spec):
    """Maps `(batch, channels, height, width)` as tokens, row by row: the inverse of `ToMaps`.

    Attributes:
        feature_type: Type of the channels, which lie on axis 1.
        action: How the group moves the maps' pixels.
        grid: Height and width of the maps.
    """

    feature_type: FeatureType
    action: ImageAction
    grid: tuple[int, int]
