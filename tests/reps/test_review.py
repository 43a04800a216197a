"""A second look, by other means: laws of representation theory on groups the other tests lack."""

import itertools
import os
import subprocess
import sys
import tracemalloc
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from irrepnet import groups, reps
from irrepnet._errors import GroupError, RepresentationError
from irrepnet.actions import image
from irrepnet.groups import Group
from tests.reps.oracle import central_product, linear_group

ROOT = Path(__file__).parents[2]
UPPER, LOWER = [[1, 1], [0, 1]], [[1, 0], [1, 1]]


@cache
def group(name: str) -> Group:
    made = {
        "Heis3": lambda: heisenberg(3),
        "Heis5": lambda: heisenberg(5),
        "F21": lambda: affine(7, 2),
        "F42": lambda: affine(7, 1),
        "F55": lambda: affine(11, 2),
        "2^5-": lambda: central_product(groups.dihedral(4), groups.quaternion()),
        "GL(2,5)": lambda: linear_group(5, [UPPER, LOWER, [[2, 0], [0, 1]]]),
        "SL(2,7)": lambda: linear_group(7, [UPPER, LOWER]),
        "C3:C8": lambda: groups.from_permutations(
            [
                [1, 2, 0, *range(3, 11)],
                [0, 2, 1, 4, 5, 6, 7, 8, 9, 10, 3],
            ]
        ),
    }
    return made[name]() if name in made else groups.parse(name)


def heisenberg(p: int) -> Group:
    """Upper unitriangular 3x3 matrices over GF(p), acting on themselves."""
    elements = list(itertools.product(range(p), repeat=3))
    number = {x: i for i, x in enumerate(elements)}

    def times(g: tuple[int, ...], x: tuple[int, ...]) -> int:
        return number[(g[0] + x[0]) % p, (g[1] + x[1]) % p, (g[2] + x[2] + g[0] * x[1]) % p]

    return groups.from_permutations(
        [[times(g, x) for x in elements] for g in ((1, 0, 0), (0, 1, 0))]
    )


def affine(p: int, power: int) -> Group:
    """Maps `x -> a x + b` of GF(p), `a` a power of the given power of a primitive root."""
    root = next(r for r in range(2, p) if len({pow(r, k, p) for k in range(p)}) == p - 1)
    factor = pow(root, power, p)
    return groups.from_permutations(
        [[(x + 1) % p for x in range(p)], [x * factor % p for x in range(p)]]
    )


NAMES = ["Heis3", "Heis5", "F21", "F42", "F55", "2^5-", "GL(2,5)", "SL(2,7)", "C3:C8"]
NAMES += ["C4wrC3", "Q8wrC2", "Dic15", "C6xS3", "Q8xQ8xC3", "D4wrC2", "B4"]


@pytest.mark.parametrize("name", NAMES)
def test_indicators_count_square_roots_of_every_element(name: str) -> None:
    # Isaacs, Lemma 4.4: sum over chi of fs(chi) chi(g) is the number of x with x^2 = g.
    G, table = group(name), group(name).character_table
    roots = np.bincount(G.powers(np.arange(G.order), 2), minlength=G.order)
    expected = [int(roots[c.representative]) for c in G.conjugacy_classes]
    found = np.array(table.frobenius_schur) @ table.residues % table.prime
    assert found.tolist() == expected


@pytest.mark.parametrize("name", NAMES)
def test_orthogonality_of_rows_and_columns_exactly(name: str) -> None:
    G, table = group(name), group(name).character_table
    p, sizes = table.prime, table.class_sizes
    conjugate = table.residues[:, table.inverse_classes]
    rows = (table.residues * sizes % p) @ conjugate.T % p
    assert (rows == G.order % p * np.eye(len(rows), dtype=int)).all()
    columns = table.residues.T @ conjugate % p
    assert (columns == np.diag(G.order // sizes % p)).all()
    # Residues decide: the table is what its eigenvalues say in another field too.
    assert (table.modulo(p, table.root) == table.residues).all()


@pytest.mark.parametrize("name", NAMES)
def test_squares_of_irreps_know_their_type(name: str) -> None:
    # An invariant bilinear form is symmetric for R; of one each kind for C; for H also three skew.
    for irrep in group(name).irreps:
        if irrep.dim <= 8:
            V, trivial = reps.of_irrep(irrep), group(name).irreps[0]
            symmetric = trivial.multiplicity_in(reps.symmetric_square(V))
            skew = trivial.multiplicity_in(reps.exterior_square(V))
            assert (symmetric, skew) == {"R": (1, 0), "C": (1, 1), "H": (1, 3)}[irrep.kind]


def scattered(G: Group, seed: int) -> reps.PermutationRepresentation:
    """Orbits of several types, two of them regular where that is small, with points shuffled."""
    rng = np.random.default_rng(seed)
    parts = [reps.quotient(G, G.subgroup(rng.integers(0, G.order, k).tolist())) for k in (1, 1, 2)]
    parts = [part for part in parts if part.dim <= 64] or [reps.quotient(G, range(G.order))]
    if G.order <= 48:
        parts += [reps.regular(G)] * 2
    starts = np.cumsum([0, *(part.dim for part in parts)])
    images = np.hstack([part.images + s for part, s in zip(parts, starts, strict=False)])
    shuffle = rng.permutation(images.shape[1])
    return reps.permutation(G, np.argsort(shuffle)[images[:, shuffle]])


@pytest.mark.parametrize("name", ["Heis3", "F21", "C3:C8", "2^5-", "Dic15", "C4wrC3", "C6xS3"])
@pytest.mark.parametrize("signed", [False, True])
def test_blocks_of_scattered_orbits(name: str, signed: bool) -> None:
    G, V = group(name), scattered(group(name), 3)
    if signed:
        flips = np.random.default_rng(4).choice([-1, 1], V.dim)
        V = reps.signed_permutation(G, V.images, flips * flips[V.images])
    d = V.decompose()
    U = d.basis.to_dense()
    assert np.abs(U @ U.T - np.eye(V.dim)).max() < 1e-12
    for g in range(0, G.order, max(1, G.order // 24)):
        blocks, start = np.zeros((V.dim, V.dim)), 0
        for irrep, m in zip(G.irreps, d.multiplicities, strict=True):
            size = irrep.dim * m
            blocks[start : start + size, start : start + size] = np.kron(irrep.matrix(g), np.eye(m))
            start += size
        assert np.abs(U @ V.matrix(g) @ U.T - blocks).max() < 1e-12


@pytest.mark.parametrize("name", ["Heis3", "F21", "C3:C8", "2^5-", "F42"])
def test_dimension_of_hom_in_three_ways(name: str) -> None:
    G, rng = group(name), np.random.default_rng(5)
    V, W = (reps.quotient(G, G.subgroup([int(rng.integers(1, G.order))])) for _ in range(2))
    H = reps.hom(V, W)
    fixed = [(part.images == np.arange(part.dim)).sum(axis=1) for part in (V, W)]
    burnside = int(fixed[0] @ fixed[1]) // G.order
    eye_v, eye_w = np.eye(V.dim), np.eye(W.dim)
    system = [np.kron(W.matrix(g), eye_v) - np.kron(eye_w, V.matrix(g).T) for g in G.generators]
    rank = np.linalg.matrix_rank(sum(s.T @ s for s in system), tol=1e-6)
    assert H.dim == burnside == V.dim * W.dim - rank == len(np.unique(H.orbitals))
    X = rng.normal(size=(W.dim, V.dim))
    mean = sum(W.matrix(g) @ X @ V.matrix(G.inverse(g)) for g in range(G.order)) / G.order
    assert np.abs(H.project(X) - mean).max() < 1e-12
    assert H.contains(mean)
    assert not H.contains(X)


DIGEST = """
import hashlib, numpy as np
from irrepnet import groups, reps
h = hashlib.sha256()
for name in ("S4", "Q8", "C12", "Dic5", "A5", "C3wrC3", "Q8xS3"):
    G = groups.from_permutations([groups.parse(name).permutation(g)
                                  for g in groups.parse(name).generators])
    h.update(str(G.character_table).encode())
    for irrep in G.irreps:
        h.update(f"{irrep.name}{irrep.kind}{irrep.rows}{irrep.provenance}".encode())
        h.update(irrep.matrices.tobytes())
    h.update(reps.regular(G).decompose().basis.to_dense().tobytes())
    h.update(repr([H.elements for H in G.subgroup_classes]).encode())
print(h.hexdigest())
"""


def test_nothing_depends_on_the_process() -> None:
    settings = [{"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "1", "SYMPY_GROUND_TYPES": "python"}]
    digests = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            cwd=ROOT,
            env={**os.environ, **setting},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for setting in settings
    ]
    assert digests[0] == digests[1] != ""


MATHIEU = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0], [0, 1, 6, 9, 5, 3, 10, 2, 8, 4, 7]]


@pytest.mark.parametrize(
    ("make", "order"),
    [
        (lambda: groups.from_permutations(MATHIEU), 7920),
        (lambda: groups.symmetric(7), 5040),
        (lambda: groups.from_permutations([[1, 2, 3, 4, 5, 6, 0], [1, 0, *range(2, 7)]]), 5040),
        (lambda: groups.cyclic(1000), 1000),
        (lambda: groups.parse("S3^5"), 7776),
        (lambda: affine(97, 1), 9312),
    ],
)
def test_tables_of_large_groups(make: object, order: int) -> None:
    G = make()  # type: ignore[operator]
    indicators, degrees = G.character_table.frobenius_schur, G.character_table.degrees
    assert sum(d * d for d in degrees) == G.order == order
    involutions = int((G.element_orders <= 2).sum())
    assert sum(f * d for f, d in zip(indicators, degrees, strict=True)) == involutions


def test_images_are_decomposed_without_square_matrices() -> None:
    action = image("D4")
    images = action.permutation(64, 64)
    tracemalloc.start()
    V = reps.permutation(action.group, images)
    y = V.decompose().basis.apply(np.arange(64 * 64))
    x = V.decompose().basis.adjoint(y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.abs(x - np.arange(64 * 64)).max() < 1e-9
    assert peak < 4 << 20  # dim^2 numbers would be 128 MiB
    V = reps.permutation(action.group, action.permutation(14, 14))
    assert V.decompose().multiplicities == (28, 21, 21, 28, 49)


def test_a_chain_may_end_in_the_group_itself() -> None:
    S4 = groups.symmetric(4)
    lower = [S4.subgroup([]), S4.subgroup([S4.index([1, 0, 2, 3])])]
    whole = S4.subgroup(S4.generators)
    named, listed = (reps.bratteli_diagram([*lower, top]) for top in (S4, whole))
    assert list(named.edges(data="multiplicity")) == list(listed.edges(data="multiplicity"))
    with pytest.raises(GroupError, match="each inside the next, smallest first"):
        reps.bratteli_diagram([S4, lower[1]])
    with pytest.raises(RepresentationError, match=r"got \(0, 1\) in a chain: expected subgroups"):
        reps.bratteli_diagram([(0, 1), S4])  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["C3:C8", "2^5-", "F42", "Q8xQ8xC3"])
def test_branching_counts_intertwiners(name: str) -> None:
    # Hom_H(Res rho, sigma) has dimension end_dim(sigma) times the branching number.
    G, rng = group(name), np.random.default_rng(6)
    for _ in range(3):
        H = G.subgroup(rng.integers(0, G.order, 2).tolist())
        rules = reps.branching(H)
        for rho in G.irreps[-4:]:
            restricted = reps.restrict(reps.of_irrep(rho), H)
            for sigma in H.as_group().irreps[-4:]:
                dim = reps.hom(restricted, reps.of_irrep(sigma)).dim
                assert dim == sigma.end_dim * rules[rho.index, sigma.index]
