"""Groups by name."""

import pytest

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups import Group

NAMES = {
    "trivial": groups.trivial(),
    "flop": groups.flop(),
    "klein_four": groups.klein_four(),
    "V4": groups.klein_four(),
    "octic": groups.dihedral(4),
    "quaternion": groups.quaternion(),
    "Q8": groups.quaternion(),
    "Q16": groups.dicyclic(4),
    "C4": groups.cyclic(4),
    "C_4": groups.cyclic(4),
    "D4": groups.dihedral(4),
    "Dic3": groups.dicyclic(3),
    "S5": groups.symmetric(5),
    "A5": groups.alternating(5),
    "B3": groups.hyperoctahedral(3),
    "T": groups.tetrahedral(),
    "octahedral": groups.octahedral(),
    "I": groups.icosahedral(),
    "C2xC2": groups.direct_product(groups.cyclic(2), groups.cyclic(2)),
    " D4 x flop ": groups.direct_product(groups.dihedral(4), groups.flop()),
    "C2wrS3": groups.wreath_product(groups.cyclic(2), groups.symmetric(3)),
    "klein_fourxC3": groups.direct_product(groups.klein_four(), groups.cyclic(3)),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    assert groups.parse(name) == NAMES[name]


def test_products_group_from_the_left() -> None:
    c2, c3 = groups.cyclic(2), groups.cyclic(3)
    product = groups.direct_product
    assert groups.parse("C2xC3xC2") == product(product(c2, c3), c2)
    assert groups.parse("C2x(C3xC2)") == product(c2, product(c3, c2))
    assert groups.parse("C2^3") == groups.parse("C2xC2xC2")
    assert groups.parse("(C2xC3)^2").order == 36


def test_names_are_parsed_back(small: Group) -> None:
    assert groups.parse(small.name) == small or small.name.startswith("Dic")


@pytest.mark.parametrize(
    "name",
    ["", "x", "C", "Z4", "C4x", "xC4", "foo", "(C2", "C2)", "C2 C2", "C2^0", "C2^65", "Q12", "D-4"],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(
        GroupError, match=r"is not the name of a group.\n  Expected a word: trivial"
    ):
        groups.parse(name)


def test_errors_pass_through() -> None:
    with pytest.raises(GroupError, match=r"cyclic\(0\): expected a positive integer"):
        groups.parse("C0")
    with pytest.raises(GroupError, match="more than 200000 elements"):
        groups.parse("S12")
    with pytest.raises(GroupError, match="4 is not the name of a group"):
        groups.parse(4)  # type: ignore[arg-type]
