"""Specs of layers on two axes, tokens (x) channels: what a ResMLP needs besides `Linear`."""

from __future__ import annotations

from dataclasses import dataclass

from irrepnet.actions import PointAction
from irrepnet.specs._spec import Spec
from irrepnet.types import FeatureType


@dataclass(frozen=True)
class Tokens(Spec):
    """What a network of tokens takes, where its first layer would not say: changes nothing.

    Attributes:
        feature_type: Type of the channels.
        points: How the group permutes the tokens.
    """

    feature_type: FeatureType
    points: PointAction


@dataclass(frozen=True)
class TokenLinear(Spec):
    """An intertwiner along the token axis, the same for all channels.

    Attributes:
        feature_type: Type of the channels.
        points: How the group permutes the tokens.
        bias: Whether to add a vector of `(R^tokens (x) V)^G`, alike on the copies of an irrep.
        init: Initial weights, `"normal"` or `"uniform"` (see `nn.IsotypicLinear`).
    """

    feature_type: FeatureType
    points: PointAction
    bias: bool = True
    init: str = "normal"


@dataclass(frozen=True)
class TokenBias(Spec):
    """A learned vector of `(R^tokens (x) V)^G`, alike on all orbits of a kind.

    Attributes:
        feature_type: Type of the channels.
        points: How the group permutes the tokens.
        overwrite: Whether plain inference may write the sum over the input, which then nobody else
            may keep (`irrepnet.freeze` sees to it).
    """

    feature_type: FeatureType
    points: PointAction
    overwrite: bool = False


@dataclass(frozen=True)
class Affine(Spec):
    """One factor for each copy of each irrep, and a bias.

    Attributes:
        feature_type: Type of the channels.
        points: If given, the bias lives in `(R^tokens (x) V)^G`, alike on all orbits of a kind;
            else in `V^G`.
        bias: Whether there is one.
    """

    feature_type: FeatureType
    points: PointAction | None = None
    bias: bool = True


@dataclass(frozen=True)
class OrbitOrder(Spec):
    """Tokens sorted by kind of orbit, then coset, then orbit, so that mixing them needs no gather.

    Attributes:
        feature_type: Type of the channels.
        points: How the group permutes the tokens before.
    """

    feature_type: FeatureType
    points: PointAction


@dataclass(frozen=True)
class OrbitPool(Spec):
    """Invariants of tokens (x) channels, the mean over all tokens.

    Attributes:
        feature_type: Type of the channels, a permutation representation.
        points: How the group permutes the tokens.
        kind: `"trivial"`: one linear invariant for each orbit of the channels; `"norm"`: as many
            norms of the other parts as well (see `nn.OrbitPool`).
        gset: The channels' points, as in `Activation`; `None` lets the compiler choose.
    """

    feature_type: FeatureType
    points: PointAction
    kind: str = "trivial"
    gset: tuple[tuple[tuple[int, ...], int], ...] | None = None
