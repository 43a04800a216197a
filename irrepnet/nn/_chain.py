"""Layers one after another, around a skip connection, and as an image classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from irrepnet.nn._dense import DenseResidual
from irrepnet.nn._layer import Layer


class Chain(Layer):
    """Named layers, one after another.

    Args:
        layers: Pairs of name and layer; the names are attributes and prefix the parameters.
    """

    def __init__(self, layers: Iterable[tuple[str, nn.Module]]) -> None:
        super().__init__()
        names = []
        for name, layer in layers:
            self.add_module(name, layer)
            names.append(name)
        self.names = tuple(names)
        self.grad_checkpointing = False

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, position: int) -> nn.Module:
        return self.get_submodule(self.names[position])

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layers in order."""
        for name in self.names:
            layer = getattr(self, name)
            if self.grad_checkpointing and torch.is_grad_enabled():
                x = checkpoint(layer, x, use_reentrant=False)
            else:
                x = layer(x)
        return x

    def _dense(self) -> nn.Sequential:
        return _named(nn.Sequential(), self)


class Skip(nn.Module):
    """The addition of a skip connection."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Add."""
        return x + y


class Residual(Chain):
    """`x + f(x)`, with `f` named layers one after another."""

    def __init__(self, layers: Iterable[tuple[str, nn.Module]]) -> None:
        super().__init__(layers)
        self.skip = Skip()

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layers and add the input."""
        return self.skip(x, super().forward(x))

    def _dense(self) -> nn.Sequential:
        return _named(DenseResidual(), self)


def _named(dense: nn.Sequential, chain: Chain) -> nn.Sequential:
    """The dense twins of a chain's layers under the same names."""
    for name in chain.names:
        layer = chain.get_submodule(name)
        assert isinstance(layer, Layer)
        dense.add_module(name, layer._dense())
    return dense


class Classifier(Layer):
    """An image classifier with the surface that users of timm know.

    Args:
        features: Named layers from images to tokens.
        head: Layers from tokens to logits; the last is called `fc`.
        num_features: Channels of the tokens.
        rebuild_head: Makes a new plan and head for `reset_classifier`, from
            `(plan, num_classes, global_pool, device, dtype)`.
    """

    def __init__(
        self,
        features: Chain,
        head: Chain,
        num_features: int,
        rebuild_head: Callable[..., tuple[Any, Chain]],
    ) -> None:
        super().__init__()
        self.names = features.names
        for name in self.names:
            self.add_module(name, features.get_submodule(name))
        self.head = head
        self.num_features = num_features
        self.default_cfg: dict[str, Any] = {}
        self._rebuild_head = rebuild_head

    @property
    def num_classes(self) -> int:
        """Number of logits."""
        return self.plan.spec.num_classes

    def forward_features(self, x: Tensor) -> Tensor:
        """From images `(batch, channels, height, width)` to tokens `(batch, tokens, dim)`."""
        for name in self.names:
            x = getattr(self, name)(x)
        return x

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """From tokens to logits `(batch, num_classes)`, or to what the last layer sees."""
        if not pre_logits:
            return self.head(x)
        for name in self.head.names:
            x = x if name == "fc" else getattr(self.head, name)(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """From images to logits."""
        return self.forward_head(self.forward_features(x))

    def get_classifier(self) -> nn.Module:
        """The last layer; the identity for a network without classes."""
        return self.head.get_submodule("fc") if "fc" in self.head.names else nn.Identity()

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the head by a fresh one.

        Args:
            num_classes: Number of logits; 0 for none, so that the network gives what the last
                layer would see.
            global_pool: `"token"` or `"avg"`; by default as before.
        """
        sample = next(self.parameters())
        self.plan, self.head = self._rebuild_head(
            self.plan, num_classes, global_pool, sample.device, sample.dtype
        )
        self.head.train(self.training)

    def no_weight_decay(self) -> set[str]:
        """Names of parameters that optimisers should not decay, as in timm."""
        return {
            name
            for name, _ in self.named_parameters()
            if name.split(".")[0] in ("pos_embed", "cls_token", "registers")
        }

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Recompute each block's activations in the backward pass instead of storing them."""
        blocks = self.get_submodule("blocks")
        assert isinstance(blocks, Chain)
        blocks.grad_checkpointing = enable

    def _dense(self) -> nn.Sequential:
        dense = nn.Sequential()
        for name in (*self.names, "head"):
            layer = self.get_submodule(name)
            assert isinstance(layer, Layer)
            dense.add_module(name, layer._dense())
        return dense
