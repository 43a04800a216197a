"""Specs made of specs: chains, skip connections, classifiers."""

from __future__ import annotations

from dataclasses import dataclass

from irrepnet._errors import IrrepnetError, SpecError
from irrepnet.specs._invariants import Invariants, invariants
from irrepnet.specs._layers import InvariantDropout, LayerNorm, Linear, TokenPool
from irrepnet.specs._spec import Spec
from irrepnet.types import FeatureType

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
        num_classes: Number of logits; 0 for a network that gives what the last layer would see.
        global_pool: `"token"` or `"avg"`.
        drop_rate: Dropout before the last layer.
        invariants: Invariants that the last layer sees (see `specs.invariants`).
        architecture: Name of the architecture.
        per_token: Whether invariants are taken of every token, before pooling.
        norm_eps: If given, an ordinary LayerNorm with this epsilon stands before the last layer.
        neck: Pairs of name and spec from tokens to the trivial channels that the last layer sees,
            in place of pooling and invariants; the last spec has a `feature_type`.
    """

    features: Chain
    feature_type: FeatureType
    num_classes: int
    global_pool: str = "token"
    drop_rate: float = 0.0
    invariants: Invariants = "trivial"
    architecture: str = ""
    per_token: bool = False
    norm_eps: float | None = None
    neck: Steps | None = None

    @property
    def head(self) -> Chain:
        """From tokens to logits; the last step is called `fc`."""
        if self.neck is not None:
            if self.global_pool != "avg":
                raise SpecError(
                    f"got global_pool={self.global_pool!r} for a network that pools its tokens "
                    f"with {self.neck[0][1]!r}: expected 'avg'."
                )
            return self._head(self.neck, getattr(self.neck[-1][1], "feature_type"))  # noqa: B009
        try:
            layer, seen = invariants(self.feature_type, self.invariants)
        except IrrepnetError as problem:
            raise type(problem)(f"head.invariants: {problem}") from None
        taken = ("invariants", layer)
        if self.per_token:
            steps: Steps = (taken, ("pool", TokenPool(seen, self.global_pool)))
        else:
            steps = (("pool", TokenPool(self.feature_type, self.global_pool)), taken)
        if self.norm_eps is not None:  # its epsilon is divided by the group's order
            eps = self.norm_eps * self.feature_type.group.order
            steps += (("norm", LayerNorm(seen, eps=eps)),)
        return self._head(steps, seen)

    def _head(self, steps: Steps, seen: FeatureType) -> Chain:
        steps = (*steps, ("drop", InvariantDropout(seen, self.drop_rate)))
        if self.num_classes < 0:
            raise SpecError(f"got num_classes={self.num_classes}: expected 0 (no logits) or more.")
        if self.num_classes:
            logits = FeatureType.trivial(self.feature_type.group, self.num_classes)
            steps = (*steps, ("fc", Linear(seen, logits)))
        return Chain(steps)


def chain(*parts: Spec, **named: Spec) -> Chain:
    """Specs one after another, under the given names or numbered.

    Examples:
        >>> from irrepnet import groups, specs
        >>> X = FeatureType(groups.flop(), "2*sym")
        >>> specs.chain(norm=specs.LayerNorm(X), scale=specs.LayerScale(X)).steps[1][0]
        'scale'
    """
    return Chain(_steps(parts, named))


def residual(*parts: Spec, **named: Spec) -> Residual:
    """`x + f(x)`, with `f` specs one after another, under the given names or numbered.

    Examples:
        >>> from irrepnet import groups, specs
        >>> X = FeatureType(groups.flop(), "2*sym")
        >>> [name for name, _ in specs.residual(specs.LayerNorm(X) >> specs.Linear(X, X)).steps]
        ['0', '1']
    """
    return Residual(_steps(parts, named))


def _steps(parts: tuple[Spec, ...], named: dict[str, Spec]) -> Steps:
    flat = [step for part in parts for step in _unnamed(part)]
    return (*((str(k), step) for k, step in enumerate(flat)), *named.items())


def _unnamed(spec: Spec) -> tuple[Spec, ...]:
    """The steps of a chain that `>>` made, so that `>>` is associative; else the spec itself."""
    if isinstance(spec, Chain) and len(spec.steps) > 1:
        names, steps = zip(*spec.steps, strict=True)
        # `n * a` is one thing repeated, and stays one step.
        if names == tuple(map(str, range(len(names)))) and len(set(steps)) > 1:
            return steps
    return (spec,)


Spec.compose = lambda parts: chain(*parts)
