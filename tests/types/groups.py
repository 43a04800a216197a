"""Groups that the tests of types share."""

from functools import cache

from irrepnet import groups
from irrepnet.groups import Group

NAMES = {
    "trivial": groups.trivial,
    "flop": groups.flop,
    "C3": lambda: groups.cyclic(3),
    "C4": lambda: groups.cyclic(4),
    "klein_four": groups.klein_four,
    "D3": lambda: groups.dihedral(3),
    "D4": lambda: groups.dihedral(4),
    "Q8": groups.quaternion,
    "A4": lambda: groups.alternating(4),
    "C3xD3": lambda: groups.direct_product(groups.cyclic(3), groups.dihedral(3)),
}


@cache
def group(name: str) -> Group:
    return NAMES[name]()
