"""Group elements in words."""

from __future__ import annotations

from irrepnet.actions import ImageAction

#: Keys are matrices on (row down, column right).
_WORDS = {
    ((1, 0), (0, 1)): "left as it is",
    ((1, 0), (0, -1)): "mirrored left to right",
    ((-1, 0), (0, 1)): "mirrored upside down",
    ((-1, 0), (0, -1)): "turned by half a turn",
    ((0, -1), (1, 0)): "turned left by a quarter",
    ((0, 1), (-1, 0)): "turned right by a quarter",
    ((0, 1), (1, 0)): "mirrored at the main diagonal",
    ((0, -1), (-1, 0)): "mirrored at the other diagonal",
}


def move_name(action: ImageAction, element: int) -> str:
    """What an element does to a picture.

    Examples:
        >>> from irrepnet.actions import image
        >>> move_name(image("flop"), 1)
        'mirrored left to right'
    """
    return _WORDS[action.matrices[element]]
