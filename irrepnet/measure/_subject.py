"""`Subject`: a network to be measured, as a value that another process can rebuild."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from irrepnet.models import create_model
from irrepnet.nn import Classifier


@dataclass(frozen=True)
class Subject:
    """A registered model over a named group.

    Attributes:
        model: One of `list_models()`.
        group: Name of an image action.
        break_at: Pairs `(subgroup, block)`, as `create_model` takes them.
        sizes: Pairs of an option of `create_model` and its value, such as `("depth", 2)`.
        seed: Seed of the weights.
    """

    model: str
    group: str = "trivial"
    break_at: tuple[tuple[str, int], ...] = ()
    sizes: tuple[tuple[str, Any], ...] = ()
    seed: int = 0

    def build(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> Classifier:
        """The network, in evaluation mode; the global random state is left alone.

        Raises:
            IrrepnetError: If the group does not fit the sizes.
        """
        options: dict[str, Any] = dict(self.sizes)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            model = create_model(
                self.model,
                group=self.group,
                break_at=self.break_at or None,
                device=device,
                dtype=dtype,
                **options,
            )
        return model.eval()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Subject:
        """The subject whose fields went through JSON."""
        return cls(
            **{**values, "break_at": _pairs(values["break_at"]), "sizes": _pairs(values["sizes"])}
        )


def _pairs(values: Iterable[Iterable[Any]]) -> tuple[tuple[Any, Any], ...]:
    return tuple((first, second) for first, second in values)
