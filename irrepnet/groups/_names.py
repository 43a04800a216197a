"""Groups by name."""

from __future__ import annotations

import re
from collections.abc import Callable

from irrepnet._errors import GroupError
from irrepnet.groups import _families as families
from irrepnet.groups._group import Group
from irrepnet.groups._products import direct_product

_WORDS: dict[str, Callable[[], Group]] = {
    "trivial": families.trivial,
    "flop": families.flop,
    "klein_four": families.klein_four,
    "V4": families.klein_four,
    "octic": families.octic,
    "quaternion": families.quaternion,
    "Q8": families.quaternion,
}

_LETTERS: dict[str, Callable[[int], Group]] = {
    "C": families.cyclic,
    "D": families.dihedral,
    "Dic": families.dicyclic,
    "S": families.symmetric,
    "A": families.alternating,
}

_FORMS = (
    'a word ("trivial", "flop", "klein_four", "octic", "quaternion", "Q8"), a family and its '
    'number ("C4", "D4" of order 8, "Dic3" of order 12, "S5", "A5"), or a product of these with '
    '"x" ("C2xC2")'
)


def parse(name: str) -> Group:
    """The group that a name denotes.

    Args:
        name: `trivial`, `flop`, `klein_four` or `V4`, `octic`, `quaternion` or `Q8`; `C<n>` cyclic,
            `D<n>` dihedral of order `2n`, `Dic<n>` dicyclic of order `4n`, `S<n>` symmetric, `A<n>`
            alternating; or direct products of them, `C2xC2`, from left to right.

    Raises:
        GroupError: If the name has none of these forms.

    Examples:
        >>> from irrepnet import groups
        >>> groups.parse("D4")
        groups.dihedral(4)
        >>> groups.parse("C2xS3").order
        12
    """
    if not isinstance(name, str) or not name.strip():
        raise GroupError(f"{name!r} is not the name of a group: expected {_FORMS}.")
    left, _, right = name.strip().rpartition("x")
    if left:
        return direct_product(parse(left), parse(right))
    word = right.strip()
    if word in _WORDS:
        return _WORDS[word]()
    match = re.fullmatch(r"([A-Za-z]+)_?(\d+)", word)
    if match and match[1] in _LETTERS:
        return _LETTERS[match[1]](int(match[2]))
    raise GroupError(f"{name!r} is not the name of a group: expected {_FORMS}.")
