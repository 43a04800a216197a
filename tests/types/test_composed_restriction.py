"""Two restrictions one after another, as one change of basis."""

import numpy as np
import pytest

from irrepnet import groups
from irrepnet._errors import SpecError
from irrepnet.groups import Group
from irrepnet.types import FeatureType, Restriction


def inside(group: Group, elements: list[int]) -> tuple[Group, tuple[int, ...]]:
    """The subgroup that some elements generate, with its embedding."""
    subgroup = group.subgroup(elements)
    return subgroup.as_group(), tuple(subgroup.elements)


def chains(group: Group) -> list[tuple[Restriction, Restriction]]:
    """Restrictions to a largest proper subgroup of two generators, then to cyclic ones."""
    pairs = ([a, b] for a in range(group.order) for b in range(a))
    proper = (p for p in pairs if group.subgroup(p).order < group.order)
    x = FeatureType(group, [(1 + i) % 3 + 1 for i in range(len(group.irreps))])
    small, embedding = inside(group, max(proper, key=lambda p: group.subgroup(p).order))
    first = Restriction(x, small, embedding, "irrep")
    found = (inside(small, [a]) for a in (0, 1, small.order - 1))
    return [(first, Restriction(first.out_type, h, e, "irrep")) for h, e in found]


def composed(first: Restriction, second: Restriction) -> Restriction:
    embedding = tuple(first.embedding[h] for h in second.embedding)
    return Restriction(first.in_type, second.subgroup, embedding, "irrep", first)


@pytest.mark.parametrize("name", ["D4", "Q8", "A4", "S4", "A5", "C12"])
def test_one_change_of_basis_is_the_product_of_two(name: str) -> None:
    for first, second in chains(groups.parse(name)):
        both = composed(first, second)
        assert both.out_type == second.out_type
        product = second.matrix() @ first.matrix()
        np.testing.assert_allclose(both.matrix(), product, rtol=0, atol=1e-14)
        if not any(m is None for r in (first, second) for m in r.monomial_alignments):
            assert None not in both.monomial_alignments


def test_copies_stand_in_another_order_than_after_one_restriction() -> None:
    orders = [
        np.abs(composed(*pair).matrix() - at_once(composed(*pair)).matrix()).max()
        for pair in chains(groups.parse("S4"))
    ]
    assert max(orders) > 0.5


def at_once(both: Restriction) -> Restriction:
    return Restriction(both.in_type, both.subgroup, both.embedding, "irrep")


def test_points_do_not_compose() -> None:
    G = groups.klein_four()
    first = Restriction(FeatureType.regular(G, 4), *inside(G, [1]), "gset")
    trivial = (groups.trivial(), (0,))
    with pytest.raises(SpecError, match="basis='gset' and basis='irrep' as one: expected 'irrep'"):
        Restriction(first.in_type, *trivial, "irrep", first)
