"""Intertwiners: dimensions three ways, every basis element, projection against averaging."""

import numpy as np
import pytest

from irrepnet import groups, reps
from irrepnet._errors import RepresentationError
from irrepnet.reps import Representation
from tests.reps.oracle import hard


def sylvester_dimension(V: Representation, W: Representation) -> int:
    """Null space of `W(g) X - X V(g)`, by rank over the rationals or floats; no library code."""
    rows = [
        np.kron(W.matrix(g), np.eye(V.dim)) - np.kron(np.eye(W.dim), V.matrix(g).T)
        for g in V.group.generators
    ]
    system = np.concatenate([*rows, np.zeros((1, V.dim * W.dim))])
    return V.dim * W.dim - int(np.linalg.matrix_rank(system, tol=1e-8))


def average(V: Representation, W: Representation, X: np.ndarray) -> np.ndarray:
    total = sum(W.matrix(a) @ X @ V.matrix(a).T for a in range(V.group.order))
    return total / V.group.order


PAIRS = [
    ("D4", lambda G: (reps.regular(G), reps.quotient(G, [0, 4]))),
    ("A4", lambda G: (reps.permutation(G, G.elements), reps.regular(G))),
    ("C5", lambda G: (reps.regular(G), reps.regular(G))),
    ("Q8", lambda G: (reps.regular(G), reps.regular(G))),
    ("Dic3", lambda G: (reps.regular(G), reps.permutation(G, G.elements))),
    (
        "S4",
        lambda G: (
            reps.permutation(G, G.elements),
            reps.permutation(G, G.elements) @ (reps.permutation(G, G.elements)),
        ),
    ),
]


def build(name: str, make) -> tuple[Representation, Representation]:
    return make(hard(name) if name == "Dic3" else groups.parse(name))


@pytest.mark.parametrize(("name", "make"), PAIRS)
def test_dimension_three_ways(name: str, make) -> None:
    V, W = build(name, make)
    H = reps.hom(V, W)
    by_characters = round(float((V.character * W.character)[V.group.class_labels].mean()))
    assert H.dim == by_characters == H.orbitals.max() + 1 == V.inner(W)
    assert H.dim == sylvester_dimension(V, W)


@pytest.mark.parametrize(("name", "make"), PAIRS)
def test_every_basis_element_commutes(name: str, make) -> None:
    V, W = build(name, make)
    H = reps.hom(V, W)
    basis = H.materialize()
    assert basis.shape == (H.dim, W.dim, V.dim)
    for b in basis:
        assert H.contains(b, 1e-12)
    gram = np.einsum("aij,bij->ab", basis, basis)
    norms = [
        i.dim for i, s in zip(V.group.irreps, H.shapes, strict=True) for _ in range(np.prod(s))
    ]
    assert np.abs(gram - np.diag(norms)).max() < 1e-11
    for k in range(H.dim):
        assert H.contains((H.orbitals == k).astype(int), 0)


@pytest.mark.parametrize(("name", "make"), PAIRS)
def test_projection_is_the_average(name: str, make) -> None:
    V, W = build(name, make)
    H = reps.hom(V, W)
    X = np.sin(np.arange(W.dim * V.dim) ** 1.5).reshape(W.dim, V.dim)
    P = H.project(X)
    assert np.abs(P - average(V, W, X)).max() < 1e-12
    assert np.abs(H.project(P) - P).max() < 1e-12
    assert not H.contains(X)
    flat = np.concatenate([p.ravel() for p in H.parameters(X)])
    assert np.abs(H.materialize(flat) - P).max() < 1e-12
    assert np.abs(np.tensordot(flat, H.materialize(), axes=1) - P).max() < 1e-12
    assert np.abs(H.materialize(H.parameters(X)) - P).max() < 1e-12


def test_matrix_representations_and_types() -> None:
    """An H-type block of two copies has 4 * 2 * 2 parameters, a C-type block 2 * 2 * 2."""
    for name, expected in (("Q8", 16), ("C3", 8), ("D4", 4)):
        G = groups.parse(name)
        V = 2 * reps.of_irrep(G.irreps[-1])
        H = reps.hom(V, V)
        assert H.dim == expected == sylvester_dimension(V, V)
        X = np.cos(np.arange(V.dim**2)).reshape(V.dim, V.dim)
        assert np.abs(H.project(X) - average(V, V, X)).max() < 1e-12


def test_composition_is_multiplication_over_the_division_algebra() -> None:
    for name in ("Q8", "C3"):
        G = groups.parse(name)
        H = reps.hom(reps.of_irrep(G.irreps[-1]), reps.of_irrep(G.irreps[-1]))
        units = H.materialize()
        assert np.abs(units[0] - np.eye(H.source.dim)).max() < 1e-12
        assert np.abs(units[1] @ units[1] + units[0]).max() < 1e-12
        if name == "Q8":
            assert np.abs(units[1] @ units[2] - units[3]).max() < 1e-12


def test_nothing_in_common() -> None:
    G = groups.dihedral(4)
    H = reps.hom(reps.of_irrep(G.irrep("A1")), reps.of_irrep(G.irrep("E")))
    assert H.dim == 0
    assert H.materialize().shape == (0, 2, 1)
    assert np.abs(H.project(np.ones((2, 1)))).max() == 0


def test_errors() -> None:
    G = groups.flop()
    V = reps.regular(G)
    H = reps.hom(V, V)
    with pytest.raises(RepresentationError, match="expected two of the same group"):
        reps.hom(V, reps.regular(groups.cyclic(2)))
    with pytest.raises(RepresentationError, match=r"expected 2 rows \(target\) and 2 columns"):
        H.project(np.ones((2, 3)))
    with pytest.raises(RepresentationError, match="one per irrep, or a flat vector of length 2"):
        H.materialize(np.ones(5))
    with pytest.raises(RepresentationError, match="orbitals need permutation representations"):
        _ = reps.hom(V, reps.of_irrep(G.irreps[1])).orbitals
