import numpy as np
import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import actions, groups, nn, reps, specs, testing
from irrepnet._errors import ActivationError, GroupError, SpecError
from irrepnet.groups import Group
from irrepnet.types import FeatureType, GSetType, Restriction, gset_for
from tests.nn.contract import EXACT, UNEVEN, LayerContract, group, rho, typed
from tests.nn.test_activation import by_fourier


def inside(name: str, elements: list[int]) -> tuple[Group, tuple[int, ...]]:
    """A subgroup by generators, as a group of its own with its embedding."""
    subgroup = group(name).subgroup(elements)
    return subgroup.as_group(), subgroup.elements


def image_subgroup(small: str) -> tuple[Group, tuple[int, ...]]:
    smaller = actions.image(small)
    return smaller.group, smaller.embedding(actions.image("D4"))


#: Group, type, generators of the subgroup (or the name of an image action in D4's).
CASES = {
    "D4 klein_four": ("D4", UNEVEN["D4"], "klein_four"),
    "D4 flop": ("D4", UNEVEN["D4"], "flop"),
    "D4 C4": ("D4", UNEVEN["D4"], "C4"),
    "D4 trivial": ("D4", UNEVEN["D4"], "trivial"),
    "D4 D4": ("D4", UNEVEN["D4"], "D4"),
    "C4 C2": ("C4", UNEVEN["C4"], [2]),
    "Q8 C4": ("Q8", UNEVEN["Q8"], [2]),
    "D3 C3": ("D3", UNEVEN["D3"], [1]),
    "D3 mirror": ("D3", UNEVEN["D3"], [4]),
    "A4 V4": ("A4", UNEVEN["A4"], None),
    "Q8xD3 Q8": ("Q8xD3", UNEVEN["Q8xD3"], [12, 24]),
}
REGULAR = {
    "D4 klein_four points": ("D4", "4*A1 + 2*A2 + 4*B1 + 2*B2 + 6*E", "klein_four"),
    "D4 flop points": ("D4", "4*A1 + 2*A2 + 4*B1 + 2*B2 + 6*E", "flop"),
    "D4 trivial points": ("D4", "2*A1 + 2*A2 + 2*B1 + 2*B2 + 4*E", "trivial"),
    "C4 C2 points": ("C4", "3*chi0 + 2*chi1 + chi2", [2]),
    "A4 V4 points": ("A4", "2*chi0 + chi1 + 4*chi2", None),
}


def spec_of(case: str) -> specs.Restrict:
    name, text, smaller = (CASES | REGULAR)[case]
    G = actions.image("D4").group if isinstance(smaller, str) else group(name)
    if isinstance(smaller, str):
        small, embedding = image_subgroup(smaller)
    else:
        involutions = [a for a in range(G.order) if G.element_orders[a] == 2]
        small, embedding = inside(name, involutions if smaller is None else smaller)
    basis = "gset" if case in REGULAR else "irrep"
    return specs.Restrict(FeatureType(G, text), small, tuple(embedding), basis)


def through_irreps(spec: specs.Restrict) -> np.ndarray:
    """Each copy of each irrep by its own alignment; rows in the order of the smaller type."""
    small, rows = spec.subgroup, []
    found = []
    for block in spec.in_type.blocks:
        matrices = np.stack([block.irrep.matrix(a) for a in spec.embedding])
        found.append(reps.from_matrices(small, matrices).decompose())
    for irrep in small.irreps:
        for component in range(irrep.dim):
            for block, d in zip(spec.in_type.blocks, found, strict=True):
                before = sum(
                    i.dim * m
                    for i, m in zip(small.irreps, d.multiplicities, strict=True)
                    if i.index < irrep.index
                )
                copies = d.multiplicities[irrep.index]
                for copy in range(copies):
                    alignment = d.basis.to_dense()[before + component * copies + copy]
                    for k in range(block.multiplicity):
                        row = np.zeros(spec.in_type.dim)
                        for c, value in enumerate(alignment):
                            row[block.start + c * block.multiplicity + k] = value
                        rows.append(row)
    return np.stack(rows)


def through_points(spec: specs.Restrict) -> np.ndarray:
    """To the points that the group permutes, and from there to the subgroup's irreps."""
    gset = gset_for(spec.in_type)
    images, start = [], 0
    for h, n in gset.counts:
        cosets = np.asarray(reps.quotient(gset.group, h).images)
        for_each = [
            [start + point * n + orbit for point in cosets[a] for orbit in range(n)]
            for a in spec.embedding
        ]
        images.append(np.array(for_each))
        start += cosets.shape[1] * n
    kinds = reps.permutation(spec.subgroup, np.concatenate(images, axis=1)).decompose().orbit_types
    small = GSetType(spec.subgroup, tuple((k.stabiliser, k.num_orbits) for k in kinds))
    order = [p for k in kinds for coset in range(k.points.shape[1]) for p in k.points[:, coset]]
    return by_fourier(small) @ by_fourier(gset).T[order]


class TestRestrict(LayerContract):
    CASES = (*CASES, *REGULAR)
    TRACED = ("D4 flop", "D4 klein_four points")
    ANY_AXES = True

    def make(self, case: str) -> specs.Restrict:
        return spec_of(case)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        spec = layer.plan.spec
        matrix = through_points(spec) if spec.basis == "gset" else through_irreps(spec)
        return x @ torch.tensor(matrix).t()


@pytest.mark.parametrize("case", [*CASES, *REGULAR])
def test_the_change_of_basis_is_orthogonal_and_commutes(case: str) -> None:
    spec = spec_of(case)
    layer = ir.compile(spec, dtype=torch.float64)
    matrix = layer(torch.eye(spec.in_type.dim, dtype=torch.float64)).numpy().T
    assert np.abs(matrix @ matrix.T - np.eye(len(matrix))).max() < EXACT
    out = layer.plan.target.type
    assert out.group == spec.subgroup
    for h, g in enumerate(spec.embedding):
        assert np.abs(matrix @ rho(spec.in_type, g) - rho(out, h) @ matrix).max() < EXACT


def test_known_branchings() -> None:
    # B1 is trivial on the axis mirrors, B2 is -1 on both, E is -1 on one of them at a time.
    assert spec_of("D4 klein_four").restriction.out_type.multiplicities == (5, 3, 3, 4)
    assert str(spec_of("C4 C2").restriction.out_type) == "3*chi0 + 4*chi1"
    assert str(spec_of("Q8 C4").restriction.out_type) == "2*chi0 + 3*chi1 + 4*chi2"
    assert str(spec_of("D4 trivial").restriction.out_type) == "15*chi0"


def test_everything_to_points_is_the_ordinary_network() -> None:
    """The papers' hybrid for the flop: `(s + a) / sqrt 2` and `(s - a) / sqrt 2`."""
    layer = ir.compile(
        specs.Restrict(typed("flop", "2*sym + 2*asym"), groups.trivial(), (0,), "gset")
    )
    x = torch.randn(3, 4)
    s, a = x[:, :2], x[:, 2:]
    expected = torch.cat([s + a, s - a], dim=1) / 2**0.5
    assert torch.allclose(layer(x), expected)


def test_a_chain_of_restrictions() -> None:
    d4, k4, flop = (actions.image(n) for n in ("D4", "klein_four", "flop"))
    x = FeatureType(d4.group, "2*A1 + 2*A2 + 2*B1 + 2*B2 + 4*E")
    first = specs.Restrict(x, k4.group, k4.embedding(d4), "irrep", "klein_four")
    y = first.restriction.out_type
    second = specs.Restrict(y, flop.group, flop.embedding(k4), "gset", "flop")
    z = second.restriction.out_type
    net = ir.compile(
        specs.Chain(
            (
                ("position", specs.PositionalEmbedding(x, d4, (3, 3))),
                ("mix", specs.Linear(x, x)),
                ("first", first),
                ("middle", specs.Linear(y, y)),
                ("second", second),
                ("last", specs.Linear(z, z)),
            )
        )
    )
    testing.randomise_(net)
    testing.assert_equivariant(net)
    assert net.plan.target.embedding == flop.embedding(d4)


# -- errors -----------------------------------------------------------------------------------


def test_unknown_basis() -> None:
    with pytest.raises(SpecError, match="unknown basis 'fourier': expected one of irrep, gset"):
        Restriction(typed("flop"), groups.trivial(), (0,), "fourier")


def test_too_few_images() -> None:
    with pytest.raises(GroupError, match="C2 into flop has 1 distinct images: expected 2, one"):
        Restriction(typed("flop"), groups.cyclic(2), (0,), "irrep")
    with pytest.raises(GroupError, match="has 1 distinct images: expected 2"):
        Restriction(typed("flop"), groups.cyclic(2), (0, 0), "irrep")


def test_no_homomorphism() -> None:
    with pytest.raises(
        GroupError, match="the embedding of C2 into C4 is no homomorphism: elements"
    ):
        Restriction(typed("C4"), groups.cyclic(2), (0, 1), "irrep")


def test_no_points_to_go_through() -> None:
    with pytest.raises(ActivationError, match="is no permutation representation"):
        Restriction(typed("flop", "sym + 2*asym"), groups.trivial(), (0,), "gset")
