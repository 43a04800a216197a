"""`Request`: which networks to compare, on which photo, and how."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from irrepnet.actions import ImageAction, image
from irrepnet.measure import Settings, Subject
from irrepnet.nn import Classifier


@dataclass(frozen=True)
class Request:
    """What `compare` is asked for.

    Attributes:
        model: One of `list_models()`.
        group: Name of an image action; the ordinary network has the trivial one.
        break_at: Pairs `(subgroup, block)`: where the equivariant network gives symmetry up.
        sizes: Pairs of an option of `create_model` and its value, for both networks.
        picture: A picture file; by default a photo that scikit-image brings.
        settings: Conditions of the measurements.
        seed: Seed of the weights.
    """

    model: str
    group: str = "flop"
    break_at: tuple[tuple[str, int], ...] = ()
    sizes: tuple[tuple[str, Any], ...] = ()
    picture: str | None = None
    settings: Settings = field(default_factory=Settings)
    seed: int = 0

    @property
    def dense(self) -> Subject:
        """The ordinary network."""
        return Subject(self.model, "trivial", (), self.sizes, self.seed)

    @property
    def equivariant(self) -> Subject:
        """The equivariant network."""
        return Subject(self.model, self.group, self.break_at, self.sizes, self.seed)

    @property
    def action(self) -> ImageAction:
        """The group that moves the photo."""
        return image(self.group)

    @property
    def last_action(self) -> ImageAction:
        """The group that the logits are invariant to: the smallest, where symmetry is given up."""
        return image(self.break_at[-1][0]) if self.break_at else self.action

    def check(self) -> tuple[Classifier, Classifier]:
        """Refuse what cannot be built or measured, before anything long starts.

        Returns:
            Both networks on the meta device.

        Raises:
            IrrepnetError: If a name is unknown, the group does not fit the sizes, or a setting is
                out of its range.
        """
        self.settings.check()
        return self.dense.build("meta"), self.equivariant.build("meta")

    def to_dict(self) -> dict[str, Any]:
        """The request as plain values."""
        return asdict(self)
