"""Specs of functions that are not linear: activations without points, and invariants."""

from __future__ import annotations

from dataclasses import dataclass

from irrepnet.specs._spec import Spec
from irrepnet.types import FeatureType


@dataclass(frozen=True)
class DirectActivation(Spec):
    """A pointwise function on the stored channels, without a change of basis before it.

    Legal for any function on trivial copies; where the group permutes channels up to sign, for odd
    functions, and for even ones, whose output has another type.

    Attributes:
        feature_type: Type of the input.
        function: One of `nn.FUNCTIONS`.
    """

    feature_type: FeatureType
    function: str = "tanh"


@dataclass(frozen=True)
class Gated(Spec):
    """Every copy times a function of an invariant; legal on any type.

    The input has one more trivial copy for each copy that is not trivial, its gate: its type is
    `feature_type + gates`.

    Attributes:
        feature_type: Type of the output.
        function: Applied to trivial copies, one of `nn.FUNCTIONS`.
        gate: Applied to gates, one of `nn.FUNCTIONS`.
    """

    feature_type: FeatureType
    function: str = "silu"
    gate: str = "sigmoid"

    @property
    def gates(self) -> int:
        """Number of copies that are gated."""
        return sum(self.feature_type.multiplicities) - self.feature_type.num_invariants

    @property
    def in_type(self) -> FeatureType:
        """Type of the input."""
        x = self.feature_type
        return x + FeatureType.trivial(x.group, self.gates)


@dataclass(frozen=True)
class NormActivation(Spec):
    """Every copy times a function of its norm plus a learned bias; legal on any type.

    Attributes:
        feature_type: Type of the channels.
        function: One of `nn.FUNCTIONS`; `"sigmoid"` makes it SiLU on trivial copies.
    """

    feature_type: FeatureType
    function: str = "sigmoid"


@dataclass(frozen=True)
class MaxFilter(Spec):
    """Invariants `max_g <g x, w_k>` for learned vectors `w_k`.

    Attributes:
        feature_type: Type of the input.
        filters: Number of vectors.
    """

    feature_type: FeatureType
    filters: int


@dataclass(frozen=True)
class PolynomialMap(Spec):
    """Polynomial invariants: generators up to a degree, for each part of a multiple of one type.

    Attributes:
        feature_type: Type of the input, `n` times a smallest one.
        degree: Largest degree.
    """

    feature_type: FeatureType
    degree: int = 3
