"""Fast transforms: equal to the dense basis, cheaper, and counted by their nonzero entries."""

import numpy as np
import pytest

from irrepnet import groups, reps
from irrepnet.reps._coset_basis import coset_basis
from irrepnet.reps._fast import fast_transform
from tests.reps.oracle import hard


def sparse_factors(transform) -> int:
    """Nonzero entries of all factors, recounted from dense matrices."""
    if transform.smaller is None:
        return 0
    dense = np.zeros((transform.index, transform.index))
    for row, (columns, values) in enumerate(
        zip(transform.columns, transform.coefficients, strict=True)
    ):
        dense[row, columns] += values
    below = len(transform.points) * sparse_factors(transform.smaller)
    return int(np.count_nonzero(dense)) + below


@pytest.mark.parametrize(
    "name", ["flop", "D4", "C8", "Q8", "S4", "A5", "C2xC2xC2xC2xC2", "SL(2,3)"]
)
def test_equal_to_the_dense_basis(name: str) -> None:
    G = hard(name) if name == "SL(2,3)" else groups.parse(name)
    stabilisers = [(0,)]
    if G.order <= 24:
        stabilisers = [H.elements for H in groups.conjugacy_classes_of_subgroups(G)]
    for H in stabilisers:
        transform, U = fast_transform(G, H), coset_basis(G, H)
        eye = np.eye(len(U))
        assert np.abs(transform.apply(eye).T - U).max() < 1e-12
        assert np.abs(transform.adjoint(eye) - U).max() < 1e-12
        assert transform.flops == 2 * sparse_factors(transform)
        x = np.sin(np.arange(3.0 * len(U))).reshape(3, 1, len(U))
        assert np.abs(transform.apply(x) - x @ U.T).max() < 1e-12


def test_walsh_hadamard_is_n_log_n() -> None:
    for k in range(1, 7):
        G = groups.parse("x".join(["C2"] * k)) if k > 1 else groups.cyclic(2)
        assert fast_transform(G, (0,)).flops == 2 * 2 * k * 2**k
        assert reps.regular(G).decompose().basis.flops == 2 * 2 * k * 2**k


def test_large_orbits_use_the_factors() -> None:
    G = groups.parse("C2xC2xC2xC2xC2xC2xC2")
    V = 2 * reps.regular(G)
    kind = V.decompose().orbit_types[0]
    assert kind._use_factors
    x = np.cos(np.arange(256.0))
    y = V.decompose().basis.apply(x)
    assert np.abs(V.decompose().basis.adjoint(y) - x).max() < 1e-12
    dense = x[kind.points] @ kind.basis.T
    assert np.abs(np.sort(dense.ravel()) - np.sort(y)).max() < 1e-12
    assert V.decompose().basis.flops == 2 * 2 * 2 * 7 * 128


def test_flops_of_other_bases() -> None:
    flop = groups.flop()
    signed = reps.signed_permutation(flop, [[1, 0]], [[-1, -1]])
    assert signed.decompose().basis.flops == 8
    E = reps.of_irrep(groups.dihedral(4).irrep("E"))
    assert (E @ E).decompose().basis.flops == 2 * 16
    assert reps.isotypic(flop, (3, 4)).decompose().basis.flops == 0
    assert (reps.isotypic(flop, (3, 4)) + reps.regular(flop)).decompose().basis.flops == 8
