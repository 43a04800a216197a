"""Specs made of specs: chains, skip connections, classifiers."""

from __future__ import annotations

from dataclasses import dataclass

from irrepnet.specs._layers import InvariantDropout, InvariantMap, Linear, TokenPool
from irrepnet.specs._spec import Spec
from irrepnet.types import FeatureType, num_invariants

Steps = tuple[tuple[str, Spec], ...]


@dataclass(frozen=True)
class Chain(Spec):
    """Layers one after another.

    Attributes:
        steps: Pairs of name and spec; names prefix the parameters.
    """

    steps: Steps


@dataclass(frozen=True)
class Residual(Spec):
    """`x + f(x)`, `f` being layers one after another that end in the type they start from.

    Attributes:
        steps: Pairs of name and spec.
    """

    steps: Steps


@dataclass(frozen=True)
class Classifier(Spec):
    """An image classifier: layers from images to tokens, then a head that it derives.

    Attributes:
        features: From images to tokens, ending in `feature_type`; one step is called `blocks`.
        feature_type: Type of the tokens.
        num_classes: Number of logits.
        global_pool: `"token"` or `"avg"`.
        drop_rate: Dropout before the last layer.
        invariants: Invariants that the last layer sees (see `InvariantMap`).
        architecture: Name of the architecture.
    """

    features: Chain
    feature_type: FeatureType
    num_classes: int
    global_pool: str = "token"
    drop_rate: float = 0.0
    invariants: str = "trivial"
    architecture: str = ""

    @property
    def head(self) -> Chain:
        """From tokens to logits; the last step is called `fc`."""
        group = self.feature_type.group
        seen = FeatureType.trivial(group, num_invariants(self.feature_type, self.invariants))
        return Chain(
            (
                ("pool", TokenPool(self.feature_type, self.global_pool)),
                ("invariants", InvariantMap(self.feature_type, self.invariants)),
                ("drop", InvariantDropout(seen, self.drop_rate)),
                ("fc", Linear(seen, FeatureType.trivial(group, self.num_classes))),
            )
        )
