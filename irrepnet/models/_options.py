"""Options that all families share, brought into form."""

from __future__ import annotations

from typing import Any

from irrepnet._errors import SpecError
from irrepnet.specs import check_fields


def image_size(img_size: Any) -> tuple[int, int]:
    """Height and width of the images, given as a pair or as one number for both.

    Raises:
        SpecError: If it is neither.
    """
    pair = img_size if isinstance(img_size, tuple | list) else (img_size, img_size)
    if len(pair) != 2 or not all(type(n) is int and n > 0 for n in pair):
        raise SpecError(
            f"got img_size={img_size!r}: expected height and width above zero, or one number for "
            f"both, such as 224."
        )
    return (pair[0], pair[1])


def check_size(size: Any) -> None:
    """Raise `SpecError` unless a family's sizes are of the right kind, and its patch is a size."""
    check_fields(size)
    if size.patch < 1:
        raise SpecError(f"got patch={size.patch}: expected at least one pixel.")
