"""What flows along an edge of a network: images, or typed features at positions."""

from __future__ import annotations

from dataclasses import dataclass

from irrepnet.actions import ImageAction, PointAction
from irrepnet.groups import Group
from irrepnet.types import FeatureType, GSetType


@dataclass(frozen=True)
class Images:
    """Images of shape `(batch, channels, height, width)`.

    Attributes:
        action: How the group moves them.
        channels: Image channels, left alone by the group.
        size: Height and width.
        embedding: As in `Features`.
    """

    action: ImageAction
    channels: int
    size: tuple[int, int]
    embedding: tuple[int, ...] | None = None

    @property
    def group(self) -> Group:
        """The group."""
        return self.action.group

    def __str__(self) -> str:
        height, width = self.size
        return f"images {self.channels} x {height} x {width} under {self.action.name!r}"


@dataclass(frozen=True)
class Features:
    """Typed features: the last axis, or of maps axis 1, has the type's channels.

    Attributes:
        type: Type of the channels.
        positions: Feature vectors of one sample, or `None` for any leading axes.
        action: How the group moves the grid of tokens, if there is one.
        grid: Height and width of the token grid.
        points: How the group permutes the tokens where they are no grid of an image.
        prefix: Tokens before the others, which the group leaves in place.
        gset: The points that the channels are on; `None` where they are in irreps.
        embedding: After a restriction, for each element of the group the element of the network's
            input group that it is; `None` before one.
        maps: Whether they are maps `(batch, channels, height, width)` of the grid.
    """

    type: FeatureType
    positions: int | None = None
    action: ImageAction | None = None
    grid: tuple[int, int] | None = None
    points: PointAction | None = None
    prefix: int = 0
    gset: GSetType | None = None
    embedding: tuple[int, ...] | None = None
    maps: bool = False

    @property
    def group(self) -> Group:
        """The group."""
        return self.type.group

    @property
    def tokens(self) -> PointAction | None:
        """How the group permutes the tokens (those after the prefix), if it does."""
        if self.action is not None and self.grid is not None:
            return self.action.on_grid(*self.grid)
        return self.points

    def __str__(self) -> str:
        where = "" if self.positions is None else f"{self.positions} x "
        basis = "" if self.gset is None else " on points"
        maps = " as maps" if self.maps else ""
        return f"{where}({self.type}) over {self.group.name}{basis}{maps}"


Edge = Images | Features
