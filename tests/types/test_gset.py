import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irrepnet import reps
from irrepnet._errors import ActivationError
from irrepnet.types import FeatureType, GSetType, canonical_stabiliser, gset_for
from tests.types.groups import group

EXACT = 1e-12

#: Homogeneous spaces of D4 as multiplicities of A1, A2, B1, B2, E (arXiv 2606.27864, App. B): the
#: rotations are 0..3, the axis mirrors 4 and 6, the diagonal ones 5 and 7.
D4_SPACES = {
    (0,): (1, 1, 1, 1, 2),
    (0, 2): (1, 1, 1, 1, 0),
    (0, 1, 2, 3): (1, 1, 0, 0, 0),
    (0, 4): (1, 0, 1, 0, 1),
    (0, 5): (1, 0, 0, 1, 1),
    (0, 2, 4, 6): (1, 0, 1, 0, 0),
    (0, 2, 5, 7): (1, 0, 0, 1, 0),
    (0, 1, 2, 3, 4, 5, 6, 7): (1, 0, 0, 0, 0),
}


def marks(name: str) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Each `R[G/H]`, by characters: `dim rho^H = mean of chi over H`; largest orbits first."""
    G = group(name)
    rows = []
    for subgroup in G.subgroup_classes:
        stabiliser = canonical_stabiliser(G, subgroup.elements)
        fixed = [np.mean([np.trace(i.matrix(h)) for h in stabiliser]) for i in G.irreps]
        rows.append(
            (stabiliser, tuple(round(f / i.end_dim) for f, i in zip(fixed, G.irreps, strict=True)))
        )
    return sorted(rows, key=lambda row: (len(row[0]), row[0]))


def brute_force(name: str, target: tuple[int, ...]) -> tuple | None:
    """The largest counts in the fixed order, out of all that are possible."""
    table = marks(name)
    bounds = [
        min(t // m for t, m in zip(target, row, strict=True) if m) if any(target) else 0
        for _, row in table
    ]
    for counts in itertools.product(*(range(b, -1, -1) for b in bounds)):
        total = np.zeros(len(target), dtype=int)
        for n, (_, row) in zip(counts, table, strict=True):
            total += n * np.array(row)
        if tuple(total) == target:
            return tuple((h, n) for n, (h, _) in zip(counts, table, strict=True) if n)
    return None


@pytest.mark.parametrize("name", ["trivial", "flop", "C3", "C4", "klein_four", "D3"])
def test_against_brute_force(name: str) -> None:
    G = group(name)
    found = 0
    for target in itertools.product(range(4), repeat=len(G.irreps)):
        expected = brute_force(name, target)
        x = FeatureType(G, target)
        if expected is None:
            with pytest.raises(ActivationError, match="is no permutation representation"):
                gset_for(x)
            continue
        found += 1
        gset = gset_for(x)
        assert gset.counts == expected
        assert gset.feature_type == x
    assert found > 3


@pytest.mark.parametrize("name", ["D4", "Q8", "A4"])
@given(data=st.data())
def test_sums_of_orbits_are_found_again(name: str, data: st.DataObject) -> None:
    G, table = group(name), marks(name)
    counts = data.draw(st.tuples(*(st.integers(0, 2) for _ in table)))
    total = sum((n * FeatureType(G, row) for n, (_, row) in zip(counts, table, strict=True)),
                start=FeatureType(G, "0"))  # fmt: skip
    gset = gset_for(total)
    assert gset.feature_type == total
    found = dict(gset.counts)
    chosen = tuple(found.get(h, 0) for h, _ in table)
    assert chosen >= counts  # most regular orbits first, then the next largest, ...
    assert gset.num_orbits == total.num_invariants


@pytest.mark.parametrize(("stabiliser", "multiplicities"), D4_SPACES.items())
def test_the_homogeneous_spaces_of_the_square(
    stabiliser: tuple[int, ...], multiplicities: tuple[int, ...]
) -> None:
    G = group("D4")
    gset = GSetType(G, ((canonical_stabiliser(G, stabiliser), 1),))
    assert gset.feature_type.multiplicities == multiplicities
    assert gset.feature_type.dim == 8 // len(stabiliser)
    assert len(G.subgroup_classes) == len(D4_SPACES)


def test_equal_multiplicities_on_twelve_points() -> None:
    """The type that costs a sixth: D4 and D4/<r^2> together hold each irrep twice."""
    x = FeatureType(group("D4"), [2, 2, 2, 2, 2])
    assert gset_for(x).counts == (((0,), 1), ((0, 2), 1))
    assert str(gset_for(x)) == "1 x G/H, |G/H| = 8; 1 x G/H, |G/H| = 4"


@pytest.mark.parametrize("name", ["flop", "C4", "D4", "Q8", "A4", "C3xD3"])
def test_regular_types_are_regular_orbits(name: str) -> None:
    G = group(name)
    gset = gset_for(FeatureType.regular(G, 768 * G.order))
    assert gset.counts == (((G.identity,), 768),)


@pytest.mark.parametrize("name", ["flop", "C4", "D4", "Q8", "A4", "C3xD3"])
def test_layout(name: str) -> None:
    """Orbits tile the points and the channels, and the basis is orthogonal."""
    G = group(name)
    counts = tuple((h, 1 + k % 3) for k, (h, _) in enumerate(marks(name)))
    gset = GSetType(G, counts)
    dim = gset.feature_type.dim
    points, channels = [], []
    for orbits in gset.orbits:
        assert orbits.index == G.order // len(orbits.stabiliser)
        assert orbits.width == orbits.index * orbits.count
        points += range(orbits.start, orbits.start + orbits.width)
        channels += [slot + k for slot in orbits.slots for k in range(orbits.count)]
    assert points == list(range(dim))
    assert sorted(channels) == list(range(dim))
    basis = gset.basis()
    assert np.abs(basis @ basis.T - np.eye(dim)).max() < EXACT
    invariant = basis[: gset.num_orbits]  # positive and constant on each orbit
    assert (np.sort(invariant, axis=1)[:, 0] >= 0).all()
    assert ((invariant > 0).sum(axis=0) == 1).all()


@pytest.mark.parametrize("name", ["D4", "A4", "D3"])
def test_one_name_for_conjugate_stabilisers(name: str) -> None:
    G = group(name)
    for subgroup in G.subgroup_classes:
        conjugates = {
            tuple(sorted(G.multiply(G.multiply(g, h), G.inverse(g)) for h in subgroup.elements))
            for g in range(G.order)
        }
        names = {canonical_stabiliser(G, c) for c in conjugates}
        assert len(names) == 1
        assert names <= conjugates


def test_text() -> None:
    G = group("D4")
    gset = gset_for(FeatureType(G, [2, 2, 2, 2, 2]))
    assert repr(gset) == "GSetType(groups.dihedral(4), (((0,), 1), ((0, 2), 1)))"
    assert str(GSetType(G, ())) == "no points"
    assert GSetType(G, ()).feature_type.dim == 0


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "legal"),
    [
        ("flop", "2*sym + 3*asym", r"3\*sym \+ 3\*asym"),
        ("C4", "3*chi2", r"3\*chi0 \+ 3\*chi1 \+ 3\*chi2"),
        ("D4", "4*A1 + 3*E", r"4\*A1 \+ 4\*A2 \+ 4\*B1 \+ 4\*B2 \+ 8\*E"),
        ("Q8", "2*chi0 + chi4", r"2\*chi0 \+ 2\*chi1 \+ 2\*chi2 \+ 2\*chi3 \+ 2\*chi4"),
    ],
)
def test_infeasible_types(name: str, text: str, legal: str) -> None:
    x = FeatureType(group(name), text)
    with pytest.raises(
        ActivationError,
        match=rf"over {group(name).name} is no permutation representation, so no basis exists in "
        rf"which the group permutes the channels .* multiple of the regular .* such as {legal}\.$",
    ):
        gset_for(x)
    advised = legal.replace("\\", "")
    assert gset_for(FeatureType(group(name), advised)).feature_type == FeatureType(
        group(name), advised
    )


def test_the_search_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("irrepnet.types._gset_solver.NODE_LIMIT", 0)
    with pytest.raises(
        ActivationError, match="within 0 steps: expected a type built from coset re"
    ):
        gset_for(FeatureType(group("flop"), "2*sym + 1*asym"))


@pytest.mark.parametrize("count", [0, -1, 1.0, "1", True])
def test_counts_are_positive(count: object) -> None:
    """Negative orbits would cancel against others and give a legal type without points."""
    with pytest.raises(
        ActivationError, match=r"orbits G/H with H = \(0, 1\): expected a whole numb"
    ):
        GSetType(group("flop"), (((0,), 3), ((0, 1), count)))


def test_large_types_are_quick() -> None:
    """Thousands of channels whose counts a careless search would try one by one."""
    G = group("D4")
    table = dict(marks("D4"))
    x = FeatureType(G, "0")
    for k, row in enumerate(table.values()):
        x = x + (100 + 37 * k) * FeatureType(G, row)
    assert gset_for(x).feature_type == x


def test_coset_representations_are_what_reps_says() -> None:
    for name in ("D4", "A4", "Q8"):
        for stabiliser, row in marks(name):
            assert tuple(reps.quotient(group(name), stabiliser).multiplicities) == row


def test_stabilisers_are_subgroups_that_stand_for_their_class() -> None:
    D4 = group("D4")
    with pytest.raises(ActivationError, match=r"\(0, 1\) is not a subgroup of D4"):
        GSetType(D4, (((0, 1), 2),))
    assert canonical_stabiliser(D4, (0, 6)) == (0, 4)
    with pytest.raises(ActivationError, match=r"got the stabiliser \(0, 6\) .* expected \(0, 4\)"):
        GSetType(D4, (((0, 6), 2),))
