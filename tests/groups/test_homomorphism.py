"""Homomorphisms and quotients."""

import itertools
import pickle

import numpy as np
import pytest

from irrepnet import groups
from irrepnet._errors import GroupError
from irrepnet.groups import Group, Homomorphism


def is_homomorphism(f: Homomorphism) -> bool:
    images = np.array(f.images)
    products = f.target.products(images[:, None], images)
    return np.array_equal(images[f.source.cayley_table], products)


@pytest.mark.parametrize(
    ("source", "target", "count"),
    [("C4", "C2", 2), ("S3", "C2", 2), ("S3", "S3", 10), ("D4", "V4", 16), ("Q8", "D4", 28)],
)
def test_exactly_the_homomorphisms_pass(source: str, target: str, count: int) -> None:
    G, K = groups.parse(source), groups.parse(target)
    found = 0
    for images in itertools.product(range(K.order), repeat=len(G.generators)):
        try:
            f = groups.homomorphism(G, K, images)
        except GroupError:
            continue
        found += 1
        assert is_homomorphism(f)
        assert tuple(f(g) for g in G.generators) == images
        assert f.kernel.order * f.image.order == G.order
        assert f.kernel.is_normal
        assert f.kernel.elements == tuple(a for a in range(G.order) if f(a) == 0)
        assert set(f.image.elements) == set(f.images)
        assert f.is_injective == (f.kernel.order == 1)
        assert f.is_surjective == (f.image.order == K.order)
    assert found == count


def test_isomorphism() -> None:
    f = groups.homomorphism(groups.octahedral(), groups.symmetric(4), [3, 10])
    assert f.is_isomorphism
    assert not groups.homomorphism(groups.cyclic(4), groups.cyclic(2), [1]).is_isomorphism


def test_composition_and_preimage() -> None:
    S4 = groups.symmetric(4)
    f = groups.quotient_map(S4, groups.normal_closure(S4, [7]))
    g = groups.quotient_map(f.target, groups.commutator_subgroup(f.target))
    sign = g @ f
    assert is_homomorphism(sign)
    assert sign.kernel == groups.commutator_subgroup(S4)
    assert f.preimage(g.kernel) == sign.kernel
    with pytest.raises(GroupError, match=r"cannot compose: the first map ends in .*, the sec"):
        _ = f @ g


def test_values() -> None:
    f = groups.homomorphism(groups.symmetric(3), groups.cyclic(2), [1, 0])
    for other in (eval(repr(f), {"groups": groups}), pickle.loads(pickle.dumps(f))):
        assert other == f
        assert hash(other) == hash(f)


def test_errors() -> None:
    S3, C2 = groups.symmetric(3), groups.cyclic(2)
    with pytest.raises(GroupError, match="S3 has 2 generators, but 1 images were given"):
        groups.homomorphism(S3, C2, [1])
    with pytest.raises(GroupError, match=r"2 is not an element of C2: expected 0\.\.1"):
        groups.homomorphism(S3, C2, [1, 2])
    with pytest.raises(GroupError, match=r"no homomorphism from S3 to C2 maps the generators"):
        groups.homomorphism(S3, C2, [1, 1])
    with pytest.raises(GroupError, match="2 is not an element of C2"):
        groups.homomorphism(C2, S3, [1])(2)


def test_the_counterexample_is_one() -> None:
    C4, C3 = groups.cyclic(4), groups.cyclic(3)
    with pytest.raises(GroupError, match=r"1 \* 3 = 0 would map to 0 .* to 1 \* 0 = 1 along"):
        groups.homomorphism(C4, C3, [1])


@pytest.mark.parametrize("name", ["C6", "D4", "Q8", "A4", "S4", "D6", "B3"])
def test_quotients(name: str) -> None:
    group = groups.parse(name)
    for N in group.subgroup_classes:
        if not N.is_normal:
            continue
        Q, f = groups.quotient(group, N), groups.quotient_map(group, N)
        assert Q.order == N.index
        assert f.target == Q
        assert is_homomorphism(f)
        assert f.kernel == N
        assert f.is_surjective
        assert [f(a) for a in N.left_transversal] == list(range(Q.order))
        assert Q.subgroup(Q.generators).order == Q.order
        assert eval(repr(Q), {"groups": groups}) == Q == groups.quotient(group, N.generators)


def test_quotient_errors() -> None:
    S4 = groups.symmetric(4)
    with pytest.raises(GroupError, match=r"of order 2 that is not normal: 9 \* 1 \* 9\^-1 = 21"):
        groups.quotient(S4, [1])
    with pytest.raises(GroupError, match="cannot divide S4 by a subgroup of D4"):
        groups.quotient_map(S4, groups.dihedral(4).subgroup([2]))


def test_words_reach_every_element_once(small: Group) -> None:
    from irrepnet.groups._words import word_levels

    reached = [0]
    for i, parents, children in word_levels(small):
        assert set(parents.tolist()) <= set(reached)
        products = small.left_multiply(small.generators[i])[parents]
        assert np.array_equal(products, children)
        reached += children.tolist()
    assert sorted(reached) == list(range(small.order))
