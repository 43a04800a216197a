"""For which feature types a layer exists: checks shared by specs, compiler and runtime."""

from __future__ import annotations

import math

from irrepnet._errors import FeatureTypeError, HeadsError, IrrepMismatchError, SpecError
from irrepnet.types._checks import check_channels_exist
from irrepnet.types._feature_type import FeatureType

CENTRINGS = ("every_irrep", "invariant", "none")
WEIGHTINGS = ("share", "irrep")
LINEAR_LOWERINGS = ("separate", "batched", "dense", "prepacked")
ACTIVATION_BASES = ("irreps", "points")
INITIALISATIONS = ("normal", "uniform")
POOLS = ("token", "avg")
INVARIANTS = ("trivial", "norm", "rms")

#: How the blocks of a linear map are multiplied: one of `LINEAR_LOWERINGS` for all, or pairs of one
#: and the names of neighbouring irreps of the output, in order.
Lowering = str | tuple[tuple[str, tuple[str, ...]], ...]
POOLED_INVARIANTS = ("trivial", "norm")


def check_choice(what: str, value: str, known: tuple[str, ...]) -> None:
    """Raise if a named choice is unknown."""
    if value not in known:
        raise SpecError(f"unknown {what} {value!r}: expected one of {', '.join(known)}.")


def check_lowering(lowering: Lowering, out_type: FeatureType) -> None:
    """Raise `SpecError` unless every block of the output type has one known lowering."""
    if isinstance(lowering, str):
        check_choice("lowering", lowering, LINEAR_LOWERINGS)
        return
    for way, _ in lowering:
        check_choice("lowering", way, LINEAR_LOWERINGS)
    got = [name for _, names in lowering for name in names]
    expected = [b.irrep.name for b in out_type.blocks]
    if got != expected:
        raise SpecError(
            f"got lowerings of the irreps {', '.join(got) or 'of nothing'}: expected one for each "
            f"irrep of {out_type}, in this order."
        )


def describe_lowering(lowering: Lowering) -> str:
    """In words.

    Examples:
        >>> describe_lowering((("batched", ("A1", "A2")), ("separate", ("E",))))
        'batched A1, A2; separate E'
    """
    if isinstance(lowering, str):
        return lowering
    return "; ".join(f"{way} {', '.join(names)}" for way, names in lowering)


def head_type(feature_type: FeatureType, heads: int) -> FeatureType:
    """The sub-representation that each of `heads` heads holds.

    Raises:
        HeadsError: If the multiplicities do not split evenly; names the head counts that do.
    """
    multiplicities = feature_type.multiplicities
    common = math.gcd(*multiplicities)
    if heads < 1 or common % heads:
        odd = [b for b in feature_type.blocks if heads < 1 or b.multiplicity % heads]
        legal = [h for h in range(1, common + 1) if common % h == 0]
        shown = ", ".join(map(str, legal[:12])) + (", ..." if len(legal) > 12 else "")
        raise HeadsError(
            f"{feature_type} does not split into {heads} heads: "
            f"{', '.join(f'{b.multiplicity} copies of {b.irrep.name}' for b in odd)} "
            f"are not a multiple of {heads}. Expected one of these head counts: {shown}."
        )
    return FeatureType(feature_type.group, [m // heads for m in multiplicities])


def check_norm(feature_type: FeatureType, centring: str, weighting: str) -> None:
    """Whether the norm exists for the type; raises with the reason if not."""
    check_channels_exist(feature_type)
    check_choice("centring", centring, CENTRINGS)
    check_choice("weighting", weighting, WEIGHTINGS)
    single = [
        b.irrep.name
        for b in feature_type.blocks
        if b.multiplicity == 1
        and (centring == "every_irrep" or (centring == "invariant" and b.irrep.index == 0))
    ]
    if single:
        others = "'invariant' or 'none'" if centring == "every_irrep" else "'none'"
        raise FeatureTypeError(
            f"centring={centring!r} would turn {', '.join(single)} of {feature_type} into zero, "
            f"since the mean over one copy is that copy: expected at least two copies of each "
            f"irrep that is centred, or centring={others}."
        )


def num_invariants(feature_type: FeatureType, kind: str) -> int:
    """How many invariants `InvariantMap` gives."""
    return feature_type.num_invariants if kind == "trivial" else sum(feature_type.multiplicities)


def check_invariants(feature_type: FeatureType, kind: str) -> int:
    """How many invariants `InvariantMap` gives; raises if the kind is unknown or gives none."""
    check_choice("invariant", kind, INVARIANTS)
    count = num_invariants(feature_type, kind)
    if count == 0:
        raise IrrepMismatchError(
            f"{feature_type} has no trivial copy, so kind='trivial' gives nothing: expected "
            f"kind='norm', or a type with trivial copies."
        )
    return count


def check_linear(in_type: FeatureType, out_type: FeatureType) -> None:
    """Whether a nonzero intertwiner exists between the types; raises with the reason if not."""
    if in_type.group != out_type.group:
        raise IrrepMismatchError(
            f"a linear map from {in_type} over {in_type.group.name} to {out_type} over "
            f"{out_type.group.name} has no common group: expected both types over one group; "
            f"restrict the larger one first (specs.Restrict)."
        )
    for name, feature_type in (("input", in_type), ("output", out_type)):
        if feature_type.dim == 0:
            raise FeatureTypeError(f"the {name} type of a linear map is empty: expected a channel.")
    if not any(
        a and b for a, b in zip(in_type.multiplicities, out_type.multiplicities, strict=True)
    ):
        raise IrrepMismatchError(
            f"every equivariant map from {in_type} to {out_type} is zero (Schur's lemma): expected "
            f"types that share an irrep."
        )
