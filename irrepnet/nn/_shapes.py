"""Whether a tensor fits a layer's feature type; torch's own message would not name the type."""

from torch import Tensor

from irrepnet._errors import IrrepMismatchError, SpecError
from irrepnet.types import FeatureType


def check_channels(x: Tensor, feature_type: FeatureType, dim: int) -> None:
    """Raise `IrrepMismatchError` unless the last axis of `x` has the type's `dim` channels."""
    if x.shape[-1] != dim:
        raise IrrepMismatchError(
            f"got a tensor of shape {tuple(x.shape)}: expected {dim} channels on the last axis, "
            f"typed {feature_type} over {feature_type.group.name}."
        )


def check_axes(x: Tensor, axes: str) -> None:
    """Raise `SpecError` unless `x` has these axes: kernels count on them."""
    if x.ndim != axes.count(",") + 1:
        raise SpecError(f"got a tensor of shape {tuple(x.shape)}: expected the axes ({axes}).")


def check_tokens(x: Tensor, tokens: int, feature_type: FeatureType) -> None:
    """Raise unless `x` has so many tokens on its last axis but one, and the type's channels."""
    check_channels(x, feature_type, feature_type.dim)
    if x.ndim < 2 or x.shape[-2] != tokens:
        raise SpecError(
            f"got a tensor of shape {tuple(x.shape)}: expected {tokens} tokens on the last axis "
            f"but one, the points that the group permutes."
        )
