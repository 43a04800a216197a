"""Whether what one layer gives is what the next one takes."""

from __future__ import annotations

from irrepnet._errors import IrrepMismatchError, SpecError
from irrepnet.compiler._edge import Edge, Features
from irrepnet.types import FeatureType, GSetType, check_channels_exist


def check_types_meet(got: FeatureType, expected: FeatureType) -> None:
    """Raise `IrrepMismatchError` with the first difference unless the types are equal."""
    if got == expected:
        return
    if got.group != expected.group:
        raise IrrepMismatchError(
            f"got {got} over {got.group.name}, expected {expected} over {expected.group.name}: "
            f"put a Restrict between them if {expected.group.name} is a subgroup."
        )
    irrep, a, b = next(
        (i.name, a, b)
        for i, a, b in zip(
            got.group.irreps, got.multiplicities, expected.multiplicities, strict=True
        )
        if a != b
    )
    raise IrrepMismatchError(
        f"got {got} over {got.group.name}, expected {expected}.\n"
        f"  They differ at {irrep}: multiplicity {a} against {b}.\n"
        f"  Declare the same type on both sides, or put a Linear between them."
    )


def require_features(
    edge: Edge,
    expected: FeatureType,
    any_basis: bool = False,
    gset: GSetType | None = None,
    maps: bool = False,
) -> Features:
    """The edge, if it carries features of the expected type in the expected basis.

    Args:
        edge: What comes in.
        expected: Its type.
        any_basis: Whether the layer works in any basis of the channels.
        gset: The points that the channels must be on; irreps if `None`.
        maps: Whether the channels must lie on axis 1, as maps have them.

    Raises:
        FeatureTypeError: If the expected type has no channels.
        SpecError: If it carries images, the basis differs, or the axis of the channels does.
        IrrepMismatchError: If the types differ.
    """
    check_channels_exist(expected)
    if not isinstance(edge, Features):
        raise SpecError(f"got {edge}: expected features of type {expected}; start with PatchEmbed.")
    check_types_meet(edge.type, expected)
    if edge.maps != maps:
        other, between = ("tokens", "ToMaps") if maps else ("maps", "FromMaps")
        raise SpecError(f"got {other}, {edge}: put a {between} between them.")
    if not any_basis and edge.gset != gset:
        raise SpecError(
            f"got {edge} on {edge.gset or 'irreps'}: expected {gset or 'irreps'}; put a ToIrreps "
            f"between them."
        )
    return edge


def require_grid(edge: Features) -> Features:
    """The edge, if its features stand on a grid of tokens.

    Raises:
        SpecError: If they do not.
    """
    if edge.grid is None or edge.positions is None:
        raise SpecError(
            f"got {edge} without a grid: expected tokens, as PatchEmbed or PositionalEmbedding "
            f"gives them."
        )
    return edge
