"""Which pointwise functions may act on which stored channels: the theorem, as a check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from irrepnet import reps
from irrepnet._errors import ActivationError
from irrepnet.groups import Group
from irrepnet.types._feature_type import FeatureType
from irrepnet.types._gset_solver import gset_for, scaled_gset
from irrepnet.types._gset_type import GSetType, canonical_stabiliser
from irrepnet.types._scaled import ScaledType

Counts = tuple[tuple[tuple[int, ...], int], ...]

#: Parity of the known functions; a function that is not listed has none.
PARITY = {"tanh": "odd", "sin": "odd", "softshrink": "odd", "abs": "even", "square": "even"}


@dataclass(frozen=True, eq=False)
class SignedChannels:
    """How an even function leaves the channels of a signed permutation type.

    Attributes:
        gset: The points that `|rho|` permutes, one kind of orbit for each irrep of the type.
        order: The channel that stands at each point.
    """

    gset: GSetType
    order: np.ndarray


def is_signed_permutation(irrep: reps.Irrep) -> bool:
    """Whether every matrix of an irrep, as stored, has one entry +-1 in each row, exactly."""
    matrices = np.stack([irrep.matrix(a) for a in range(irrep.group.order)])
    return bool((np.abs(matrices).sum(-1) == 1).all() and (np.abs(matrices).max(-1) == 1).all())


def check_pointwise(feature_type: FeatureType, function: str) -> str:
    """Whether a pointwise function may act on the stored channels; why not, if it may not.

    Args:
        feature_type: Type of the channels, in irreps.
        function: Its name; `PARITY` says whether it is odd or even.

    Returns:
        `"any"` where the group leaves every channel alone, else the function's parity.

    Raises:
        ActivationError: With the reason, and what would be legal.

    References:
        Pacini, Dong, Lepri, Santin, *A Characterization Theorem for Equivariant Networks with
        Point-wise Activations*, ICLR 2024, Theorem 1. An irrep in which the group permutes the
        channels fixes their sum, so it is trivial; that is why `"any"` means trivial copies.

    Examples:
        >>> from irrepnet import groups
        >>> check_pointwise(FeatureType(groups.octic(), "2*A1 + 3*E"), "tanh")
        'odd'
    """
    if feature_type.num_invariants == feature_type.dim:
        return "any"
    dense = [b.irrep.name for b in feature_type.blocks if not is_signed_permutation(b.irrep)]
    if dense:
        signed = [i.name for i in feature_type.group.irreps if is_signed_permutation(i)]
        raise ActivationError(
            f"{function} cannot act on the channels of {feature_type} one by one: "
            f"{feature_type.group.name} mixes those of {', '.join(dense)}. Expected only irreps "
            f"whose channels are permuted up to sign ({', '.join(signed)}), points of a G-set "
            f"(specs.Activation), or a function of norms and invariants (specs.NormActivation, "
            f"specs.Gated)."
        )
    parity = PARITY.get(function)
    if parity is None:
        changed = [b.irrep.name for b in feature_type.blocks if b.irrep.index]
        raise ActivationError(
            f"{function} cannot act on the channels of {feature_type} one by one: "
            f"{feature_type.group.name} changes signs of {', '.join(changed)} and {function} is "
            f"neither odd nor even. Expected trivial copies only, one of {', '.join(PARITY)}, "
            f"points of a G-set (specs.Activation), or specs.NormActivation or specs.Gated."
        )
    return parity


def acts_directly(feature_type: FeatureType, function: str, counts: Counts | None) -> bool:
    """Whether an activation acts on the stored channels instead of points.

    Points are preferred where there are any: on stored channels a function cannot mix irreps.

    Args:
        feature_type: Type of the channels.
        function: Name of the function.
        counts: The G-set that was asked for; `()` for none, `None` for any.

    Raises:
        ActivationError: If no points are asked for and the function may not act without, or if
            there are no points and neither may it act directly; says what would be legal.

    Examples:
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.flop(), "sym + 3*asym")
        >>> acts_directly(X, "tanh", None), acts_directly(2 * X, "tanh", ())
        (True, True)
    """
    if counts is not None and (counts or feature_type.dim == 0):
        return False
    if counts is None:
        try:
            gset_for(feature_type)
        except ActivationError as problem:
            return _odd_or_raise(feature_type, function, problem)
        return False
    if check_pointwise(feature_type, function) == "even":
        raise ActivationError(_even(feature_type, function))
    return True


def _odd_or_raise(feature_type: FeatureType, function: str, problem: ActivationError) -> bool:
    """What is left where there are no points."""
    parity = PARITY.get(function)
    if parity and all(is_signed_permutation(b.irrep) for b in feature_type.blocks):
        if parity == "odd":
            return True
        raise ActivationError(f"{problem} {_even(feature_type, function)}") from None
    raise problem


def _even(feature_type: FeatureType, function: str) -> str:
    found = absolute_type(feature_type).gset.feature_type
    return (
        f"{function} is even: on the stored channels of {feature_type} it gives another type, "
        f"{found}, where the signs are gone; say so with specs.DirectActivation."
    )


def absolute_type(feature_type: FeatureType) -> SignedChannels:
    """`|rho|` of a signed permutation type: where even functions of its channels live.

    Examples:
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.octic(), "A2 + E")
        >>> str(absolute_type(X).gset.feature_type)
        '2*A1 + 1*B1'
    """
    if isinstance(feature_type, ScaledType):
        found = absolute_type(feature_type.origin)
        return SignedChannels(scaled_gset(found.gset, feature_type.scale), found.order)
    counts, order = [], []
    for block in feature_type.blocks:
        stabiliser, components = _lines(feature_type.group, block.irrep.index)
        counts.append((stabiliser, block.multiplicity))
        order += [np.arange(block.stop)[block.component(c)] for c in components]
    return SignedChannels(GSetType(feature_type.group, tuple(counts)), np.concatenate(order))


@lru_cache(maxsize=256)
def _lines(group: Group, index: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The coordinate lines of a monomial irrep: stabiliser of one, and the line at each coset."""
    irrep = group.irreps[index]
    fixing = [
        tuple(a for a in range(group.order) if irrep.matrix(a)[c, c] != 0) for c in range(irrep.dim)
    ]
    stabiliser = canonical_stabiliser(group, fixing[0])
    first = fixing.index(stabiliser)
    (cosets,) = reps.quotient(group, stabiliser).decompose().orbit_types
    return stabiliser, tuple(
        int(np.abs(irrep.matrix(t)[:, first]).argmax()) for t in cosets.transversal
    )
