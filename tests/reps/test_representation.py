"""Representations and their algebra, against dense matrices written here."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irrepnet import groups, reps
from irrepnet._errors import GroupError, RepresentationError
from irrepnet.reps import Representation
from irrepnet.reps._representation import multiplicities_of_character
from tests.reps.oracle import hard

D4 = groups.dihedral(4)
SMALL = ["flop", "C4", "C5", "D3", "D4", "Q8", "A4", "C2xC2", "S4"]


def check_homomorphism(V: Representation) -> None:
    G, M = V.group, np.stack([V.matrix(a) for a in range(V.group.order)])
    for g in G.generators:
        assert np.abs(M[g] @ M - M[G.left_multiply(g)]).max(initial=0) < 1e-12
    traces = np.trace(M, axis1=1, axis2=2)
    assert np.abs(traces - V.character[G.class_labels]).max() < 1e-12


def block_diagonal(V: Representation, a: int) -> np.ndarray:
    """`(+)_i rho_i(a) (x) I_(m_i)`, written independently of the library's assembly."""
    blocks = [
        np.kron(irrep.matrix(a), np.eye(m))
        for irrep, m in zip(V.group.irreps, V.decompose().multiplicities, strict=True)
    ]
    full, start = np.zeros((V.dim, V.dim)), 0
    for block in blocks:
        stop = start + len(block)
        full[start:stop, start:stop] = block
        start = stop
    return full


def projector(V: Representation, irrep: reps.Irrep) -> np.ndarray:
    """Onto the copies of an irrep, by its character (Serre, sec. 2.6, Thm. 8)."""
    weights = irrep.dim / irrep.end_dim * irrep.characters[V.group.class_labels] / V.group.order
    return sum((w * V.matrix(a) for a, w in enumerate(weights)), np.zeros((V.dim, V.dim)))


def check_decomposition(V: Representation) -> None:
    check_homomorphism(V)
    d = V.decompose()
    U = d.basis.to_dense()
    assert np.abs(U @ U.T - np.eye(V.dim)).max(initial=0) < 1e-12
    for a in range(V.group.order):
        error = U @ V.matrix(a) @ U.T - block_diagonal(V, a)
        assert np.abs(error).max(initial=0) < 1e-12
    x = np.sin(np.arange(3 * V.dim)).reshape(3, V.dim)
    assert np.abs(d.basis.apply(x) - x @ U.T).max(initial=0) < 1e-12
    assert np.abs(d.basis.adjoint(x) - x @ U).max(initial=0) < 1e-12
    for irrep in V.group.irreps:
        assert np.abs(d.part(x, irrep) - x @ projector(V, irrep).T).max(initial=0) < 1e-12
    characters = sum(
        (m * i.characters for i, m in zip(V.group.irreps, d.multiplicities, strict=True)),
        np.zeros(len(V.group.conjugacy_classes)),
    )
    assert np.abs(characters - V.character).max() < 1e-9
    assert [i.multiplicity_in(V) for i in V.group.irreps] == list(d.multiplicities)


def as_matrices(V: Representation) -> Representation:
    """The same representation, given by floats only."""
    return reps.from_matrices(V.group, [V.matrix(a) for a in range(V.group.order)])


@pytest.mark.parametrize("name", SMALL)
def test_regular_representations(name: str) -> None:
    G = groups.parse(name)
    V = reps.regular(G)
    assert V.decompose().multiplicities == tuple(i.dim // i.end_dim for i in G.irreps)
    check_decomposition(V)
    check_decomposition(as_matrices(V))


@pytest.mark.parametrize("name", ["SL(2,3)", "Q8xC3", "Dic3", "A5", "D4 o Q8", "C3xC3", "GL(2,3)"])
def test_regular_representations_of_hard_groups(name: str) -> None:
    check_decomposition(reps.regular(hard(name)))


def test_the_flop_basis_is_the_butterfly() -> None:
    U = reps.regular(groups.flop()).decompose().basis.to_dense()
    assert (U == np.array([[1, 1], [1, -1]]) * np.sqrt(0.5)).all()


@pytest.mark.parametrize("name", ["D4", "Q8", "A4", "S4", "C6", "SL(2,3)"])
def test_every_coset_representation(name: str) -> None:
    G = hard(name) if name == "SL(2,3)" else groups.parse(name)
    for H in groups.conjugacy_classes_of_subgroups(G):
        V = reps.quotient(G, H)
        assert V.dim == H.index
        check_decomposition(V)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_random_permutation_representations(data: st.DataObject) -> None:
    degree = data.draw(st.integers(2, 4))
    generators = data.draw(st.lists(st.permutations(range(degree)), min_size=1, max_size=2))
    G = groups.from_permutations(generators)
    parts = [[0], list(range(G.order))]
    V = reps.permutation(G, G.elements) + reps.quotient(G, data.draw(st.sampled_from(parts)))
    check_decomposition(V)
    assert V.decompose().orbit_types


def test_signed_permutations() -> None:
    G = groups.quaternion()
    images = [[1, 0, 3, 2], [2, 3, 0, 1]]  # left multiplication by i and j on 1, i, j, k
    signs = [[1, -1, 1, -1], [1, -1, -1, 1]]
    V = reps.signed_permutation(G, images, signs)
    check_decomposition(V)
    assert V.decompose().multiplicities == (0, 0, 0, 0, 1)
    mirror = reps.signed_permutation(groups.flop(), {1: [0, 1, 2]}, {1: [1, -1, -1]})
    check_decomposition(mirror)
    assert mirror.decompose().multiplicities == (1, 2)
    check_decomposition(reps.exterior_square(reps.regular(groups.symmetric(3))))


@pytest.mark.parametrize("name", ["D4", "Q8", "C5", "A4", "Dic3"])
def test_tensor_products_and_squares(name: str) -> None:
    G = groups.parse(name) if name != "Dic3" else hard(name)
    for irrep in G.irreps[-2:]:
        V = reps.of_irrep(irrep)
        W = V @ V
        check_decomposition(W)
        symmetric, exterior = reps.symmetric_square(V), reps.exterior_square(V)
        check_decomposition(symmetric)
        check_decomposition(exterior)
        assert W.multiplicities == tuple(
            a + b for a, b in zip(symmetric.multiplicities, exterior.multiplicities, strict=True)
        )
        assert W.multiplicities == as_matrices(W).multiplicities
    P = reps.regular(G)
    assert (P @ P).multiplicities == tuple(G.order * m for m in P.multiplicities)
    check_homomorphism(reps.symmetric_square(P))
    symmetric = reps.symmetric_square(P)
    assert symmetric.multiplicities == reps.symmetric_square(as_matrices(P)).multiplicities
    S, T = reps.symmetric_square(P).matrix(1), reps.symmetric_square(as_matrices(P)).matrix(1)
    assert np.abs(S - T).max() < 1e-12
    S, T = reps.exterior_square(P).matrix(1), reps.exterior_square(as_matrices(P)).matrix(1)
    assert np.abs(S - T).max() < 1e-12


def test_squares_have_the_frobenius_schur_indicator() -> None:
    """Invariant forms are symmetric for type R; three of the four are antisymmetric for H."""
    for G in (D4, groups.quaternion(), groups.cyclic(3)):
        V = reps.of_irrep(G.irreps[-1])
        counts = (
            reps.symmetric_square(V).multiplicities[0],
            reps.exterior_square(V).multiplicities[0],
        )
        assert counts == {"R": (1, 0), "C": (1, 1), "H": (1, 3)}[G.irreps[-1].kind]


def test_sums_and_multiples() -> None:
    V, E = reps.regular(D4), reps.of_irrep(D4.irrep("E"))
    W = 2 * E + V + E
    assert W.dim == 14
    assert W.multiplicities == (1, 1, 1, 1, 5)
    check_decomposition(W)
    check_decomposition(V + V)
    assert (V + V).decompose().orbit_types[0].num_orbits == 2
    assert (0 * E).dim == 0
    check_decomposition(reps.isotypic(D4, (2, 0, 1, 0, 3)))
    assert str(W.decompose()) == "1*A1 + 1*A2 + 1*B1 + 1*B2 + 5*E"
    assert str((0 * E).decompose()) == "0"
    signed = reps.signed_permutation(groups.flop(), [[0]], [[-1]])
    check_decomposition(signed + reps.regular(groups.flop()))


@pytest.mark.parametrize("name", ["D4", "A4", "S4", "Q8"])
def test_restriction_induction_and_frobenius_reciprocity(name: str) -> None:
    G = groups.parse(name)
    for H in groups.conjugacy_classes_of_subgroups(G):
        for sigma in H.as_group().irreps:
            W = reps.of_irrep(sigma)
            up = reps.induce(W, H)
            check_homomorphism(up)
            assert up.multiplicities == as_matrices(up).multiplicities
            for rho in G.irreps:
                V = reps.of_irrep(rho)
                down = reps.restrict(V, H)
                assert up.inner(V) == W.inner(down)
                assert down.multiplicities == as_matrices(down).multiplicities
        regular = reps.induce(reps.regular(H.as_group()), H)
        assert regular.multiplicities == reps.regular(G).multiplicities
        check_decomposition(reps.restrict(reps.regular(G), H))


def test_mackey() -> None:
    """Restriction of an induced representation is a sum over double cosets."""
    G = groups.symmetric(4)
    H, K = G.subgroup([1, 2]), G.subgroup([7, 16])
    for sigma in H.as_group().irreps:
        W = reps.of_irrep(sigma)
        left = reps.restrict(reps.induce(W, H), K)
        total = np.zeros(len(K.as_group().irreps), dtype=int)
        for s in groups.double_cosets(K, H):
            both = H.conjugate(s).intersection(K)
            inner = groups.Subgroup(K.as_group(), tuple(K.elements.index(x) for x in both.elements))
            back = [
                H.elements.index(G.multiply(G.multiply(G.inverse(s), x), s)) for x in both.elements
            ]
            moved = reps.from_matrices(inner.as_group(), [W.matrix(b) for b in back])
            total += reps.induce(moved, inner).multiplicities
        assert left.multiplicities == tuple(total)


def test_dual_of_matrices_that_are_not_orthogonal() -> None:
    scale = np.diag([1.0, 3.0])
    E = D4.irrep("E").matrices
    skew = reps.from_matrices(D4, scale @ E @ np.linalg.inv(scale))
    check_homomorphism(reps.dual(skew))
    assert np.abs(reps.dual(skew).matrix(1) - np.linalg.inv(scale) @ E[1] @ scale).max() < 1e-12
    assert skew.multiplicities == (0, 0, 0, 0, 1)
    with pytest.raises(RepresentationError, match="matrices that are not orthogonal"):
        skew.decompose()


def grid(n: int) -> Representation:
    """D4 on an n x n grid: r turns, s flips rows."""
    i, j = np.indices((n, n))
    return reps.permutation(D4, [(j * n + n - 1 - i).ravel(), ((n - 1 - i) * n + j).ravel()])


def test_a_grid() -> None:
    V = grid(14)
    d = V.decompose()
    assert d.multiplicities == (28, 21, 21, 28, 49)
    assert [(t.index, t.num_orbits) for t in d.orbit_types] == [(8, 21), (4, 7)]
    assert reps.hom(V, V).dim == 4851
    check_decomposition(grid(5))


def test_a_large_grid_needs_no_matrix() -> None:
    d = grid(64).decompose()
    assert d.multiplicities == (528, 496, 496, 528, 1024)
    x = np.sin(np.arange(4096.0))
    assert np.abs(d.basis.adjoint(d.basis.apply(x)) - x).max() < 1e-12
    a = 3
    y = d.basis.apply(x[np.argsort(grid(64).images[a])])  # a acting on x
    z, start = d.basis.apply(x), 0
    for irrep, m in zip(D4.irreps, d.multiplicities, strict=True):
        block = z[start : start + irrep.dim * m].reshape(irrep.dim, m)
        expected = (irrep.matrix(a) @ block).ravel()
        assert np.abs(y[start : start + irrep.dim * m] - expected).max() < 1e-12
        start += irrep.dim * m


def test_orbit_types_are_what_they_say() -> None:
    V = grid(7)
    G = D4
    kinds = V.decompose().orbit_types
    assert [t.index for t in kinds] == sorted((t.index for t in kinds), reverse=True)
    for kind in kinds:
        assert kind.transversal[0] == 0
        for row in kind.points:
            fixed = [a for a in range(8) if V.images[a][row[0]] == row[0]]
            assert tuple(fixed) == kind.stabiliser
            assert [V.images[t][row[0]] for t in kind.transversal] == row.tolist()
        conjugates = [G.subgroup(kind.stabiliser).conjugate(g).elements for g in range(8)]
        assert kind.stabiliser == min(conjugates)
        smallest = [min(row) for row in kind.points]
        assert smallest == sorted(smallest)
        assert np.abs(kind.basis @ kind.basis.T - np.eye(kind.index)).max() < 1e-12


def test_bases_are_deterministic_and_positive() -> None:
    """The first nonzero coordinate of each fixed vector is positive, and J_q v follow v."""
    for G in (D4, groups.symmetric(4), hard("SL(2,3)"), hard("Dic3")):
        for H in groups.conjugacy_classes_of_subgroups(G):
            for irrep in G.irreps:
                F = reps.fixed_basis(irrep, H)
                assert np.abs(F.T @ F - np.eye(F.shape[1])).max(initial=0) < 1e-12
                for h in H.elements:
                    assert np.abs(irrep.matrix(h) @ F - F).max(initial=0) < 1e-12
                copies = F.shape[1] // irrep.end_dim
                assert reps.quotient(G, H).multiplicities[irrep.index] == copies
                for q, unit in enumerate(irrep.commutant):
                    shifted = F[:, q * copies : (q + 1) * copies]
                    assert np.abs(unit @ F[:, :copies] - shifted).max(initial=0) < 1e-12
                for column in F[:, :copies].T:
                    assert column[np.abs(column) > 1e-9][0] > 0


def test_errors() -> None:
    flop = groups.flop()
    with pytest.raises(RepresentationError, match=r"not a permutation of 0\.\.1: expected each"):
        reps.permutation(flop, [[0, 0]])
    with pytest.raises(RepresentationError, match="do not multiply as D4 does, at generator 1"):
        reps.permutation(D4, [[1, 2, 0], [0, 1, 2]])
    with pytest.raises(RepresentationError, match=r"expected integers of shape \(8, num_points\)"):
        reps.permutation(D4, [[0, 1]])
    with pytest.raises(RepresentationError, match=r"expected all generators, \[4\] are missing"):
        reps.permutation(D4, {1: [0, 1]})
    with pytest.raises(RepresentationError, match="expected 1 or -1 for each of the images"):
        reps.signed_permutation(flop, [[0]], [[2]])
    with pytest.raises(RepresentationError, match="images and signs that do not multiply"):
        reps.signed_permutation(groups.cyclic(3), [[0]], [[-1]])
    with pytest.raises(RepresentationError, match="matrices that do not multiply as flop does"):
        reps.from_matrices(flop, [[[2.0]]])
    with pytest.raises(RepresentationError, match="one square matrix for each generator"):
        reps.from_matrices(flop, [[1.0]])
    with pytest.raises(RepresentationError, match="expected two of the same group"):
        reps.regular(flop) + reps.regular(D4)
    with pytest.raises(
        RepresentationError, match="expected 2 natural numbers, one for each of sym"
    ):
        reps.isotypic(flop, (1, -1))
    with pytest.raises(RepresentationError, match="expected at least one to add"):
        reps.direct_sum([])
    with pytest.raises(RepresentationError, match="expected 2 coordinates on the last axis"):
        reps.regular(flop).decompose().basis.apply(np.ones(3))
    with pytest.raises(RepresentationError, match="got irrep A1 of D4: expected one of flop"):
        reps.regular(flop).decompose().part(np.ones(2), D4.irreps[0])
    with pytest.raises(GroupError, match="is not a subgroup of D4: expected the identity 0"):
        reps.quotient(D4, [0, 1])
    for wrong in (3, D4, flop.subgroup([1])):
        with pytest.raises(GroupError, match=r"as a subgroup of D4: expected its elements, or G"):
            reps.quotient(D4, wrong)
    with pytest.raises(RepresentationError, match="expected a subgroup of D4"):
        reps.restrict(reps.regular(D4), flop.subgroup([1]))
    with pytest.raises(RepresentationError, match=r"expected one of H.as_group\(\)"):
        reps.induce(reps.regular(D4), D4.subgroup([1]))
    with pytest.raises(RepresentationError, match=r"contains sym 0\.5 times"):
        multiplicities_of_character(flop, np.array([1.0, 0.0]))
