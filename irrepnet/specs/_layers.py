"""Specs of single layers."""

from __future__ import annotations

from dataclasses import dataclass

from irrepnet.actions import ImageAction, PointAction
from irrepnet.groups import Group
from irrepnet.specs._spec import Spec
from irrepnet.types import FeatureType, Lowering, Restriction


@dataclass(frozen=True)
class Linear(Spec):
    """An intertwiner along the last axis.

    Attributes:
        in_type: Type of the input channels.
        out_type: Type of the output channels.
        bias: Whether to add an invariant bias.
        init: Initial weights, `"normal"` or `"uniform"` (see `nn.IsotypicLinear`).
        lowering: How the blocks are multiplied, `"separate"`, `"batched"`, `"dense"` or
            `"prepacked"`, or pairs of one of them and names of neighbouring irreps (see
            `nn.IsotypicLinear`); `None` lets the compiler choose, and store its choice in the plan.
    """

    in_type: FeatureType
    out_type: FeatureType
    bias: bool = True
    init: str = "normal"
    lowering: Lowering | None = None


@dataclass(frozen=True)
class LayerNorm(Spec):
    """LayerNorm with one joint scale (see `nn.IsotypicLayerNorm`).

    Attributes:
        feature_type: Type of the channels.
        centring: `"every_irrep"`, `"invariant"` or `"none"`.
        weighting: `"share"` or `"irrep"`.
        eps: Added to the sum of the variances before it is divided by the group's order.
        affine: Whether to scale and shift.
        centred_input: Whether the input is known to have mean zero over the copies of every
            component, so that nothing needs to be subtracted (`irrepnet.freeze` sees to it).
    """

    feature_type: FeatureType
    centring: str = "every_irrep"
    weighting: str = "share"
    eps: float = 1e-6
    affine: bool = True
    centred_input: bool = False


@dataclass(frozen=True)
class Activation(Spec):
    """A pointwise function through a basis that the group permutes.

    Where the type has no such basis, an odd function may act on the stored channels themselves, if
    the group permutes them up to sign; else `Gated` and `NormActivation` are legal on every type.

    Attributes:
        feature_type: Type of the channels.
        function: One of `nn.FUNCTIONS`.
        gset: Pairs of a stabiliser (its elements) and a number of orbits; `None` lets the compiler
            choose, most regular orbits first, and store its choice in the plan; `()` asks for no
            points: an odd function on the stored channels.
        enter: Basis of the input, `"irreps"` or `"points"` (of the G-set); a pass of the compiler
            sets it where the layer before leaves its output on the same points.
        leave: Basis of the output.
        normalised: Whether changes of basis between two points have their factor `sqrt(1/2)`; if
            not, the maps around take it (`irrepnet.freeze` sees to it).
        overwrite: Whether plain inference may write the result over the input, which then nobody
            else may keep (`irrepnet.freeze` sees to it).
        points: If given, a `TokenBias` of the input is added first (`irrepnet.freeze` sees to it).
    """

    feature_type: FeatureType
    function: str = "gelu"
    gset: tuple[tuple[tuple[int, ...], int], ...] | None = None
    enter: str = "irreps"
    leave: str = "irreps"
    normalised: bool = True
    overwrite: bool = False
    points: PointAction | None = None


@dataclass(frozen=True)
class ToIrreps(Spec):
    """From the points of a G-set back to irreps; a pass puts it where the change is cheapest.

    Attributes:
        feature_type: Type of the channels.
        gset: Pairs of a stabiliser (its elements) and a number of orbits.
    """

    feature_type: FeatureType
    gset: tuple[tuple[tuple[int, ...], int], ...]


@dataclass(frozen=True)
class Attention(Spec):
    """Multi-head attention of tokens typed `3 * feature_type` (query, key, value).

    Attributes:
        feature_type: Type of the output.
        heads: Number of heads, each with an equal share of every irrep's copies.
        dropout: Probability of dropping an attention weight in training.
    """

    feature_type: FeatureType
    heads: int
    dropout: float = 0.0


@dataclass(frozen=True)
class LayerScale(Spec):
    """One learned factor for each copy of each irrep.

    Attributes:
        feature_type: Type of the channels.
        init: Initial value.
    """

    feature_type: FeatureType
    init: float = 1e-6


@dataclass(frozen=True)
class DropPath(Spec):
    """Stochastic depth, one draw for each sample.

    Attributes:
        feature_type: Type of the channels.
        rate: Probability of dropping the sample's input.
    """

    feature_type: FeatureType
    rate: float


@dataclass(frozen=True)
class InvariantDropout(Spec):
    """Dropout on invariant channels.

    Attributes:
        feature_type: Type of the channels, trivial irreps only.
        rate: Probability of dropping a channel.
    """

    feature_type: FeatureType
    rate: float


@dataclass(frozen=True)
class PositionalEmbedding(Spec):
    """A learned vector of `(R^tokens (x) V)^G`, added to the grid's tokens.

    Attributes:
        feature_type: Type of the channels.
        action: How the group moves the grid.
        grid: Height and width of the grid.
    """

    feature_type: FeatureType
    action: ImageAction
    grid: tuple[int, int]


@dataclass(frozen=True)
class ClassToken(Spec):
    """A learned invariant token before the others.

    Attributes:
        feature_type: Type of the channels.
    """

    feature_type: FeatureType


@dataclass(frozen=True)
class Restrict(Spec):
    """From here on only a subgroup is respected.

    Attributes:
        in_type: Type of the channels over the group.
        subgroup: The subgroup as a group of its own.
        embedding: For each of its elements the group's element that it is.
        basis: `"irrep"` or `"gset"` (see `types.Restriction`).
        name: What to call the smaller image action.
        enter: Basis of the input, `"irreps"` or (with `basis="gset"`) `"points"`.
        through: A restriction to a larger subgroup that this one follows, both in one change of
            basis; a pass composes them.
    """

    in_type: FeatureType
    subgroup: Group
    embedding: tuple[int, ...]
    basis: str = "irrep"
    name: str = "subgroup"
    enter: str = "irreps"
    through: Restrict | None = None

    @property
    def restriction(self) -> Restriction:
        """The change of basis."""
        before = self.through and self.through.restriction
        return Restriction(self.in_type, self.subgroup, self.embedding, self.basis, before)


@dataclass(frozen=True)
class TokenPool(Spec):
    """One feature vector from all tokens.

    Attributes:
        feature_type: Type of the channels.
        kind: `"token"` (the class token) or `"avg"` (mean over the grid's tokens).
    """

    feature_type: FeatureType
    kind: str = "token"


@dataclass(frozen=True)
class InvariantMap(Spec):
    """Invariants of typed channels.

    Attributes:
        feature_type: Type of the input.
        kind: `"trivial"`, or `"norm"` or `"rms"` for the size of the other copies as well.
    """

    feature_type: FeatureType
    kind: str = "trivial"
