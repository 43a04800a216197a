"""Direct, semidirect and wreath products against their definitions."""

import numpy as np
import pytest

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups import Group


def census(group: Group) -> list[tuple[int, int]]:
    """Class sizes and element orders: enough to tell apart the groups compared here."""
    return sorted((c.size, c.element_order) for c in group.conjugacy_classes)


@pytest.mark.parametrize(("left", "right"), [("C2", "C3"), ("S3", "Q8"), ("trivial", "D4")])
def test_direct_product(left: str, right: str) -> None:
    G, H = groups.parse(left), groups.parse(right)
    product = groups.direct_product(G, H)
    a, b = np.divmod(np.arange(product.order), H.order)
    expected = G.products(a[:, None], a) * H.order + H.products(b[:, None], b)
    assert np.array_equal(product.cayley_table, expected)
    assert product.generators == (*(g * H.order for g in G.generators), *H.generators)


def test_semidirect_product_by_definition() -> None:
    # S_3 permutes the involutions of the four-group: S_4.
    V4, S3 = groups.klein_four(), groups.symmetric(3)
    product = groups.semidirect_product(V4, S3, [[2, 1], [2, 3]])
    assert census(product) == census(groups.symmetric(4))
    n, h = np.divmod(np.arange(product.order), S3.order)
    swap, cycle = np.array([0, 2, 1, 3]), np.array([0, 2, 3, 1])
    maps = {0: np.arange(4), S3.generators[0]: swap, S3.generators[1]: cycle}
    while len(maps) < S3.order:
        for a in list(maps):
            for b in list(maps):
                maps.setdefault(S3.multiply(a, b), maps[a][maps[b]])
    acting = np.stack([maps[a] for a in range(S3.order)])
    expected = V4.products(n[:, None], acting[h[:, None], n]) * S3.order
    assert np.array_equal(product.cayley_table, expected + S3.products(h[:, None], h))


def test_semidirect_products_that_have_names() -> None:
    cyclic, semidirect = groups.cyclic, groups.semidirect_product
    assert census(semidirect(cyclic(7), cyclic(2), [[6]])) == census(groups.dihedral(7))
    assert census(semidirect(cyclic(3), cyclic(4), [[2]])) == census(groups.dicyclic(3))
    direct = groups.direct_product(cyclic(5), cyclic(3))
    assert census(semidirect(cyclic(5), cyclic(3), [[1]])) == census(direct)
    assert np.array_equal(semidirect(cyclic(5), cyclic(3), [[1]]).cayley_table, direct.cayley_table)
    assert semidirect(groups.trivial(), cyclic(4), [[]]).order == 4
    assert semidirect(cyclic(4), groups.trivial(), []).order == 4


def test_wreath_products() -> None:
    wreath = groups.wreath_product
    assert census(wreath(groups.cyclic(2), groups.cyclic(2))) == census(groups.dihedral(4))
    assert census(groups.parse("C2wrS3")) == census(groups.hyperoctahedral(3))
    assert census(groups.parse("C2wrS4")) == census(groups.hyperoctahedral(4))
    assert wreath(groups.symmetric(3), groups.cyclic(3)).order == 6**3 * 3
    for trivial in (groups.trivial(), groups.cyclic(1)):
        assert wreath(trivial, groups.symmetric(3)).order == 6
        assert wreath(groups.symmetric(3), trivial).order == 6
        assert wreath(trivial, trivial).order == 1
    # An intransitive top group has a bottom group of its own for each orbit.
    intransitive = groups.from_permutations([[1, 0, 2]])
    assert wreath(groups.cyclic(3), intransitive).order == 3**3 * 2


def test_wreath_products_permute_blocks() -> None:
    group = groups.wreath_product(groups.symmetric(3), groups.cyclic(2))
    blocks = group.elements.reshape(-1, 2, 3) // 3
    assert (blocks == blocks[:, :, :1]).all()


def test_products_are_values() -> None:
    for group in (
        groups.parse("C2x(S3xQ8)"),
        groups.parse("C2wrS3"),
        groups.semidirect_product(groups.cyclic(7), groups.cyclic(3), [[2]]),
    ):
        assert eval(repr(group), {"groups": groups}) == group
    assert groups.parse("C2x(S3xQ8)").name == "C2x(S3xQ8)"
    assert groups.semidirect_product(groups.cyclic(7), groups.cyclic(3), [[2]]).name == "C7:C3"


def test_errors() -> None:
    C7, C3, V4 = groups.cyclic(7), groups.cyclic(3), groups.klein_four()
    semidirect = groups.semidirect_product
    with pytest.raises(GroupError, match="the action has 2 rows: expected one for each of the"):
        semidirect(C7, C3, [[2], [2]])
    with pytest.raises(GroupError, match="row 0 of the action is not an automorphism: C7 has"):
        semidirect(C7, C3, [[2, 3]])
    with pytest.raises(GroupError, match="row 0 of the action is not an automorphism: no homo"):
        semidirect(groups.dihedral(4), C3, [[1, 1]])
    with pytest.raises(GroupError, match="automorphism of klein_four: 3 maps to the identity"):
        semidirect(V4, groups.cyclic(2), [[1, 1]])
    with pytest.raises(
        GroupError, match=r"does not satisfy the relations of C3: element 0 = 1 \* 2"
    ):
        semidirect(C7, C3, [[6]])
    for product in (groups.direct_product, groups.wreath_product):
        with pytest.raises(GroupError, match="more than 200000 elements"):
            product(groups.symmetric(7), groups.symmetric(7))
