"""`Subject`: a network to be measured, as a value that another process can rebuild."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from irrepnet.freezing import freeze
from irrepnet.measure._reference import reference
from irrepnet.models import create_model

#: timm's names of the same networks; it has no isotropic ConvNeXt and no wider ResMLP.
TIMM = {
    "vit_small_patch16_224": "deit3_small_patch16_224",
    "vit_base_patch16_224": "deit3_base_patch16_224",
    "vit_large_patch16_224": "deit3_large_patch16_224",
    "vit_huge_patch14_224": "deit3_huge_patch14_224",
    "resmlp_12_224": "resmlp_12_224",
    "resmlp_24_224": "resmlp_24_224",
    "convnext_tiny": "convnext_tiny",
    "convnext_small": "convnext_small",
    "convnext_base": "convnext_base",
    "convnext_large": "convnext_large",
}


@dataclass(frozen=True)
class Subject:
    """A registered model over a named group, or the same network made by somebody else.

    Attributes:
        model: One of `list_models()`.
        group: Name of an image action.
        break_at: Pairs `(subgroup, block)`, as `create_model` takes them.
        sizes: Pairs of an option of `create_model` and its value, such as `("depth", 2)`.
        seed: Seed of the weights.
        maker: `"irrepnet"`; or, for ordinary networks only, `"reference"` (written by hand) or
            `"timm"`.
        frozen: Whether it is measured as `irrepnet.freeze` leaves it.
        lowering: As `create_model` takes it.
    """

    model: str
    group: str = "trivial"
    break_at: tuple[tuple[str, int], ...] = ()
    sizes: tuple[tuple[str, Any], ...] = ()
    seed: int = 0
    maker: str = "irrepnet"
    frozen: bool = False
    lowering: str = "block"

    def build(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """The network, in evaluation mode; the global random state is left alone.

        Raises:
            IrrepnetError: If the group does not fit the sizes.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            if self.maker == "irrepnet":
                model = self._own(device, dtype)
                return freeze(model) if self.frozen else model.eval()
            return self._foreign().to(device, dtype).eval()

    def _own(self, device: torch.device | str | None, dtype: torch.dtype | None) -> Any:
        options: dict[str, Any] = dict(self.sizes)
        return create_model(
            self.model,
            group=self.group,
            break_at=self.break_at or None,
            device=device,
            dtype=dtype,
            lowering=self.lowering,
            **options,
        )

    def _foreign(self) -> nn.Module:
        if self.maker == "reference":
            return reference(self.model, **dict(self.sizes))
        import timm  # pyright: ignore[reportMissingImports]

        return timm.create_model(TIMM[self.model], pretrained=False)

    @property
    def input_size(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        sizes = dict(self.sizes)
        size = sizes.get("img_size", 224)
        height, width = (size, size) if isinstance(size, int) else size
        return sizes.get("in_chans", 3), height, width

    @property
    def exists(self) -> bool:
        """Whether its maker can make it here."""
        if self.maker != "timm":
            return True
        return find_spec("timm") is not None and self.model in TIMM and not self.sizes

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Subject:
        """The subject whose fields went through JSON."""
        return cls(
            **{**values, "break_at": _pairs(values["break_at"]), "sizes": _pairs(values["sizes"])}
        )


def _pairs(values: Iterable[Iterable[Any]]) -> tuple[tuple[Any, Any], ...]:
    return tuple((first, second) for first, second in values)
