"""Clebsch-Gordan coefficients, branching rules, Bratteli diagrams, Molien series, invariants."""

import networkx as nx
import numpy as np
import pytest
import sympy

from irrepnet import groups, reps
from irrepnet._errors import GroupError, NotExactError, RepresentationError
from tests.reps.oracle import hard


@pytest.mark.parametrize("name", ["D4", "Q8", "A4", "C5", "S4", "SL(2,3)"])
def test_clebsch_gordan_maps_are_equivariant(name: str) -> None:
    G = hard(name) if name == "SL(2,3)" else groups.parse(name)
    pairs = [(a, b) for a in G.irreps for b in G.irreps[-2:]]
    for first, second in pairs:
        total = 0
        for coupling in reps.clebsch_gordan(first, second):
            rho = coupling.irrep
            trace = first.characters * second.characters * rho.characters
            m = float(trace[G.class_labels].mean()) / rho.end_dim
            assert coupling.multiplicity == round(m)
            assert coupling.coefficients.shape == (round(m), rho.dim, first.dim, second.dim)
            for c in coupling.coefficients:
                for g in G.generators:
                    moved = np.einsum("kij,ia,jb->kab", c, first.matrix(g), second.matrix(g))
                    assert np.abs(moved - np.einsum("kl,lab->kab", rho.matrix(g), c)).max() < 1e-12
                gram = np.einsum("kij,lij->kl", c, c)
                assert np.abs(gram - np.eye(rho.dim)).max() < 1e-12
            total += coupling.multiplicity * rho.dim
        assert total == first.dim * second.dim


def test_branching_against_restricted_characters() -> None:
    for G in (groups.symmetric(4), hard("SL(2,3)"), groups.dihedral(6), hard("Q8xC3")):
        for H in groups.conjugacy_classes_of_subgroups(G):
            rules = reps.branching(H)
            for rho in G.irreps:
                down = reps.restrict(reps.of_irrep(rho), H)
                assert tuple(rules[rho.index]) == down.multiplicities
                assert rules[rho.index] @ [s.dim for s in H.as_group().irreps] == rho.dim


def test_youngs_lattice() -> None:
    """Along S1 < ... < S5 branching is free of multiplicity, and paths count dimensions."""
    S5 = groups.symmetric(5)
    chain = []
    for n in range(1, 6):
        fixing = [a for a in range(S5.order) if all(S5.permutation(a)[i] == i for i in range(n, 5))]
        chain.append(S5.subgroup(fixing))
    graph = reps.bratteli_diagram(chain)
    assert [sum(1 for level, _ in graph if level == i) for i in range(5)] == [1, 2, 3, 5, 7]
    assert {m for _, _, m in graph.edges(data="multiplicity")} == {1}
    start = (0, "chi0")
    for irrep in S5.irreps:
        paths = list(nx.all_simple_paths(graph, start, (4, irrep.name)))
        assert len(paths) == irrep.dim
        assert graph.nodes[4, irrep.name]["dim"] == irrep.dim


def test_bratteli_of_real_types() -> None:
    Q8 = groups.quaternion()
    graph = reps.bratteli_diagram([Q8.subgroup([1]), Q8.subgroup([2]), Q8.subgroup([2, 4])])
    assert graph.nodes[2, "chi4"]["kind"] == "H"
    ((_, _, m),) = graph.in_edges((2, "chi4"), data="multiplicity")
    assert m == 2  # four dimensions over C4 are two complex lines
    with pytest.raises(GroupError, match="each inside the next, smallest first"):
        reps.bratteli_diagram([Q8.subgroup([2, 4]), Q8.subgroup([2])])
    with pytest.raises(RepresentationError, match=r"expected a subgroup made by G.subgroup"):
        reps.branching(Q8)


def test_alignment_turns_a_restricted_irrep_into_the_subgroups_own() -> None:
    G = groups.symmetric(4)
    for H in groups.conjugacy_classes_of_subgroups(G):
        rules = reps.branching(H)
        for rho in G.irreps:
            U = reps.alignment(rho, H)
            own = reps.isotypic(H.as_group(), rules[rho.index])
            for i, h in enumerate(H.elements):
                assert np.abs(U @ rho.matrix(h) @ U.T - own.matrix(i)).max() < 1e-12


t = sympy.Symbol("t")
MOLIEN = {
    "flop": (lambda: reps.regular(groups.flop()), 1 / ((1 - t) * (1 - t**2))),
    "sign": (lambda: reps.of_irrep(groups.flop().irreps[1]), 1 / (1 - t**2)),
    "S4": (
        lambda: reps.permutation(groups.symmetric(4), groups.symmetric(4).elements),
        1 / ((1 - t) * (1 - t**2) * (1 - t**3) * (1 - t**4)),
    ),
    "C4": (
        lambda: reps.of_irrep(groups.cyclic(4).irreps[-1]),
        (1 + t**4) / ((1 - t**2) * (1 - t**4)),
    ),
    "A5": (
        lambda: reps.of_irrep(groups.alternating(5).irreps[1]),
        (1 + t**15) / ((1 - t**2) * (1 - t**6) * (1 - t**10)),
    ),
    "cube": (
        lambda: reps.of_irrep(groups.symmetric(4).irreps[4]),
        (1 + t**9) / ((1 - t**2) * (1 - t**4) * (1 - t**6)),
    ),
}


@pytest.mark.parametrize("name", MOLIEN)
def test_molien_series_of_the_textbooks(name: str) -> None:
    make, expected = MOLIEN[name]
    assert sympy.simplify(reps.molien_series(make()) - expected) == 0


@pytest.mark.parametrize("name", ["Q8", "SL(2,3)", "D5", "Dic3", "S4"])
def test_molien_series_against_determinants(name: str) -> None:
    """At numbers, against the average of `1 / det(1 - t g)` over all elements."""
    G = groups.parse(name) if name in ("Q8", "S4") else hard(name)
    V = reps.of_irrep(G.irreps[-1])
    series = reps.molien_series(V)
    for x in (0.3, -0.7):
        direct = np.mean([1 / np.linalg.det(np.eye(V.dim) - x * m) for m in V.matrices])
        assert np.isclose(float(series.subs(t, sympy.Rational(x))), direct)
    terms = sympy.Poly(sympy.series(series, t, 0, 9).removeO(), t).all_coeffs()[::-1]
    assert [int(c) for c in terms] + [0] * (9 - len(terms)) == list(reps.invariant_dimensions(V, 8))


def test_large_coefficients_are_exact() -> None:
    """Dimensions beyond 64 bits, from several primes."""
    G = groups.flop()
    V = 30 * reps.regular(G)
    found = reps.invariant_dimensions(V, 60)
    expected = sympy.Poly(
        sympy.series(((1 - t) ** -60 + (1 - t**2) ** -30) / 2, t, 0, 61).removeO(), t
    ).all_coeffs()[::-1]
    assert list(found) == [int(c) for c in expected]
    assert found[-1] > 2**64


def test_polynomial_invariants_are_invariant_and_generate() -> None:
    x = sympy.symbols("x0:4")
    S3 = groups.symmetric(3)
    found = reps.polynomial_invariants(reps.permutation(S3, S3.elements), 6)
    assert found == (
        x[0] + x[1] + x[2],
        x[0] ** 2 + x[1] ** 2 + x[2] ** 2,
        x[0] ** 3 + x[1] ** 3 + x[2] ** 3,
    )
    for V, degree, degrees in (
        (reps.of_irrep(groups.dihedral(3).irrep("E")), 6, [2, 3]),
        (reps.of_irrep(groups.cyclic(4).irreps[-1]), 4, [2, 4, 4]),
        (reps.regular(groups.flop()), 2, [1, 2]),
    ):
        generators = reps.polynomial_invariants(V, degree)
        variables = sympy.symbols(f"x0:{V.dim}")
        assert [sympy.Poly(p, *variables).total_degree() for p in generators] == degrees
        for p in generators:
            for g in V.group.generators:
                images = V.exact_matrix(g) * sympy.Matrix(variables)
                moved = p.subs(dict(zip(variables, images, strict=True)), simultaneous=True)
                assert sympy.expand(moved - p) == 0


def test_floats_are_refused() -> None:
    E = reps.from_matrices(groups.flop(), [[[-1.0]]])
    with pytest.raises(NotExactError, match="whose character is known in floats only"):
        reps.molien_series(E)
    with pytest.raises(NotExactError, match="whose matrices are known in floats only"):
        E.exact_matrix(0)


def test_exact_matrices_of_products() -> None:
    G = groups.dihedral(3)
    E, P = reps.of_irrep(G.irrep("E")), reps.regular(G)
    signed = reps.exterior_square(P)
    for V in (
        E @ E,
        E + P,
        P @ E,
        signed,
        reps.isotypic(G, (1, 0, 2)),
        reps.restrict(E, G.subgroup([1])),
    ):
        for g in V.group.generators:
            floats = np.array(V.exact_matrix(g).evalf(20).tolist(), dtype=float)
            assert np.abs(floats - V.matrix(g)).max() < 1e-14
