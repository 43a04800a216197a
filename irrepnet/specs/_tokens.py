"""Specs that treat tokens together, and norms without bias."""

from __future__ import annotations

from dataclasses import dataclass

from irrepnet.specs._spec import Spec
from irrepnet.types import FeatureType


@dataclass(frozen=True)
class PermutedAttention(Spec):
    """Multi-head attention whose heads the group permutes, of tokens typed `3 * feature_type`.

    Attributes:
        feature_type: Type of the output, a permutation representation.
        heads: Number of heads; each lies on one point of some orbits.
        dropout: Probability of dropping an attention weight in training.
        gset: As in `Activation`.
    """

    feature_type: FeatureType
    heads: int
    dropout: float = 0.0
    gset: tuple[tuple[tuple[int, ...], int], ...] | None = None


@dataclass(frozen=True)
class RMSNorm(Spec):
    """`LayerNorm` without bias, and without centring unless asked for.

    Attributes:
        feature_type: Type of the channels.
        centring: `"every_irrep"`, `"invariant"` or `"none"`.
        weighting: `"share"` or `"irrep"`.
        eps: Added to the sum of the mean squares before it is divided by the group's order.
        affine: Whether to scale.
    """

    feature_type: FeatureType
    centring: str = "none"
    weighting: str = "share"
    eps: float = 1e-6
    affine: bool = True


@dataclass(frozen=True)
class RegisterTokens(Spec):
    """Several learned invariant tokens before the others.

    Attributes:
        feature_type: Type of the channels.
        count: Number of tokens.
    """

    feature_type: FeatureType
    count: int


@dataclass(frozen=True)
class Dropout(Spec):
    """Dropout that is equivariant for every draw: whole copies, on whole orbits of tokens.

    Attributes:
        feature_type: Type of the channels.
        rate: Probability of dropping.
    """

    feature_type: FeatureType
    rate: float
