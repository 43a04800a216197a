"""Reading a published state dict key by key, so that nothing is missed and nothing left over."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from irrepnet._errors import CheckpointError
from irrepnet.nn import Classifier, IsotypicLinear, Layer


class StateReader:
    """A state dict that remembers what was read.

    Args:
        state: The published state dict.
        kind: What it claims to be, for messages.
    """

    def __init__(self, state: Mapping[str, Tensor], kind: str) -> None:
        self.state, self.kind = dict(state), kind
        self.missing: list[str] = []
        self.wrong: list[str] = []
        self.read: set[str] = set()

    def take(self, key: str, shape: tuple[int, ...] | None = None) -> Tensor | None:
        """The tensor under a key, noting a missing key or a wrong shape."""
        if key not in self.state:
            self.missing.append(key)
            return None
        self.read.add(key)
        value = torch.as_tensor(self.state[key])
        if shape is not None and tuple(value.shape) != tuple(shape):
            self.wrong.append(f"{key}: got shape {tuple(value.shape)}, expected {tuple(shape)}")
            return None
        return value

    @torch.no_grad()
    def copy(self, key: str, parameter: Tensor | None, scale: float = 1) -> None:
        """Copy a tensor, times a number, into a parameter of the same shape up to ones."""
        value = self.take(key)
        if value is None or parameter is None:
            return
        if value.squeeze().shape != parameter.squeeze().shape:
            self.wrong.append(
                f"{key}: got shape {tuple(value.shape)}, expected {tuple(parameter.shape)}"
            )
            return
        parameter.copy_(value.reshape(parameter.shape) * scale)

    def drop(self, key: str, expected: Tensor) -> None:
        """Check a stored tensor that carries no freedom, and forget it."""
        value = self.take(key)
        if value is None:
            return
        fits = expected.numel() in (1, value.numel())
        if not fits or not torch.equal(value.to(expected), expected.expand_as(value)):
            self.wrong.append(f"{key}: got values other than the only ones that the network has")

    def finish(self) -> None:
        """Raise `CheckpointError` listing every missing, unknown and ill-shaped key."""
        unknown = sorted(set(self.state) - self.read)
        problems = [
            f"{what}: {', '.join(keys)}"
            for what, keys in (
                ("missing keys", self.missing),
                ("unknown keys", unknown),
                ("wrong tensors", self.wrong),
            )
            if keys
        ]
        if problems:
            raise CheckpointError(
                f"the state dict is not that of a {self.kind} network with this config.\n  "
                + "\n  ".join(problems)
                + "\n  Check kind= and config= against the network that wrote it."
            )


L = TypeVar("L", bound=Layer)


def layer_at(model: nn.Module, path: str, kind: type[L]) -> L:
    """The layer of a model at a path, which is of a known kind."""
    layer = model.get_submodule(path)
    assert isinstance(layer, kind)
    return layer


def only_weight(layer: nn.Module) -> Tensor:
    """The weight of a layer in which only one irrep occurs."""
    (weight,) = (p for name, p in layer.named_parameters(recurse=False) if name != "bias")
    return weight


def read_head(reader: StateReader, model: Classifier) -> None:
    """The last layer; a network without classes has none."""
    if model.num_classes:
        head = layer_at(model, "head.fc", IsotypicLinear)
        reader.copy("head.weight", only_weight(head))
        reader.copy("head.bias", head.bias)


@contextmanager
def reading(state: Mapping[str, Tensor], kind: str):
    """A `StateReader` that checks on leaving that everything was read."""
    reader = StateReader(state, kind)
    yield reader
    reader.finish()
