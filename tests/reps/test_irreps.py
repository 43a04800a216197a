"""Real irreps: matrices on all elements, types, commutants, exact forms, names and order."""

import itertools
import math
import pickle

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from irrepnet import groups
from irrepnet._errors import GroupError, NotExactError
from irrepnet.groups import Group
from irrepnet.reps import Irrep, real_irreps
from irrepnet.reps._clifford import Situation
from irrepnet.reps._linear import Linear
from irrepnet.reps._modular import splitting_prime
from irrepnet.reps._numeric_model import NumericModel
from tests.reps.oracle import HARD, NAMES, hard, oracle_group

TOLERANCE = 1e-12


def check_matrices(
    group: Group, matrices: np.ndarray, characters: np.ndarray, commutant: np.ndarray
) -> None:
    """Homomorphism, orthogonality, traces and commutant on all elements; real irreducibility."""
    size = matrices.shape[-1]
    for g in group.generators:
        error = matrices[g] @ matrices - matrices[group.left_multiply(g)]
        assert np.abs(error).max() < TOLERANCE, "not a homomorphism"
    error = matrices @ matrices.transpose(0, 2, 1) - np.eye(size)
    assert np.abs(error).max() < TOLERANCE, "not orthogonal"
    traces = np.trace(matrices, axis1=1, axis2=2)
    assert np.abs(traces - characters[group.class_labels]).max() < TOLERANCE, "wrong traces"
    assert np.isclose((traces**2).mean(), len(commutant)), "not irreducible"
    for unit in commutant:
        assert np.abs(matrices @ unit - unit @ matrices).max() < TOLERANCE, "not in the commutant"


def check_irreps(group: Group) -> None:
    irreps = group.irreps
    assert sum(i.dim**2 // i.end_dim for i in irreps) == group.order
    rows = sorted(row for i in irreps for row in i.rows)
    assert rows == list(range(len(group.conjugacy_classes)))
    for index, irrep in enumerate(irreps):
        assert irrep.index == index
        assert irrep.end_dim == {"R": 1, "C": 2, "H": 4}[irrep.kind]
        check_matrices(group, irrep.matrices, irrep.characters, irrep.commutant)
        check_modulo(irrep)


def check_modulo(irrep: Irrep) -> None:
    """The exact matrices multiply as the group does, in residues modulo a large prime."""
    group, p = irrep.group, 0
    exponent = math.lcm(4, *(c.element_order for c in group.conjugacy_classes))
    found, bound = None, 1_000_000
    while found is None:
        p, root = splitting_prime(exponent, bound)
        found, bound = irrep.modular(np.arange(group.order), p, root), p
    matrices, units = found
    for g in group.generators:
        assert (matrices[g] @ matrices % p == matrices[group.left_multiply(g)]).all()
    for unit in units:
        assert (matrices @ unit % p == unit @ matrices % p).all()
    traces = np.trace(matrices, axis1=1, axis2=2) % p
    table = group.character_table.modulo(p, root)[[*irrep.rows]].sum(axis=0)
    table = table * (2 if irrep.kind == "H" else 1) % p
    assert (traces == table[group.class_labels]).all()


@pytest.mark.parametrize("name", NAMES)
def test_oracle_groups(name: str) -> None:
    check_irreps(oracle_group(name))
    assert all(irrep.is_exact for irrep in oracle_group(name).irreps)


@pytest.mark.parametrize("name", HARD)
def test_hard_groups(name: str) -> None:
    check_irreps(hard(name))
    assert all(irrep.is_exact for irrep in hard(name).irreps)


def test_the_checks_can_fail() -> None:
    group = groups.dihedral(4)
    E, B1 = group.irrep("E"), group.irrep("B1")
    one = np.ones((8, 1, 1))
    reducible = np.concatenate(
        [
            np.concatenate([B1.matrices, 0 * one], axis=2),
            np.concatenate([0 * one, one], axis=2),
        ],
        axis=1,
    )
    with pytest.raises(AssertionError, match="not irreducible"):
        check_matrices(group, reducible, B1.characters + 1, np.eye(2)[None])
    with pytest.raises(AssertionError, match="not a homomorphism"):
        check_matrices(group, E.matrices.transpose(0, 2, 1), E.characters, E.commutant)
    with pytest.raises(AssertionError, match="wrong traces"):
        check_matrices(group, E.matrices, -E.characters, E.commutant)
    scale = np.diag([1.0, 2.0])
    skew = scale @ E.matrices @ np.linalg.inv(scale)
    with pytest.raises(AssertionError, match="not orthogonal"):
        check_matrices(group, skew, E.characters, E.commutant)
    wrong_group = groups.quaternion()  # same characters as D4, in some order
    with pytest.raises(AssertionError):
        check_matrices(wrong_group, E.matrices, E.characters, E.commutant)


@pytest.mark.parametrize("name", ["SL(2,3)", "Q8xC3", "Dic3", "SL(2,3)xQ8", "SL(2,5)"])
def test_commutants_are_canonical(name: str) -> None:
    for irrep in hard(name).irreps:
        units, eye = irrep.commutant, np.eye(irrep.dim)
        small = units[:, :: irrep.dim // irrep.end_dim, :: irrep.dim // irrep.end_dim]
        for unit, block in zip(units, small, strict=True):
            assert (unit == np.kron(block, np.eye(irrep.dim // irrep.end_dim))).all()
        assert (units[0] == eye).all()
        if irrep.kind != "R":
            assert all((u @ u == -eye).all() for u in units[1:])
            first = [u[:, 0].argmax() for u in small]
            assert first == list(range(irrep.end_dim))  # J_q e_0 = e_q
        if irrep.kind == "H":
            assert (units[1] @ units[2] == units[3]).all()


def test_all_nine_pairs_of_types() -> None:
    """Outer tensor products: RR = R, RC = C, RH = H, CC = 2 C, CH = 2 C, HH = 4 R."""
    factors = {"R": groups.symmetric(3), "C": groups.cyclic(3), "H": groups.quaternion()}
    expected = {
        ("R", "R"): ("R", 1), ("R", "C"): ("C", 1), ("R", "H"): ("H", 1),
        ("C", "R"): ("C", 1), ("C", "C"): ("C", 2), ("C", "H"): ("C", 2),
        ("H", "R"): ("H", 1), ("H", "C"): ("C", 2), ("H", "H"): ("R", 4),
    }  # fmt: skip
    for (first, second), (kind, copies) in expected.items():
        left, right = factors[first], factors[second]
        both = groups.direct_product(left, right)
        check_irreps(both)
        rho, sigma = left.irreps[-1], right.irreps[-1]
        assert (rho.kind, sigma.kind) == (first, second)
        a, b = np.divmod(np.arange(both.order), right.order)
        trace = rho.characters[left.class_labels[a]] * sigma.characters[right.class_labels[b]]
        found = {}
        for irrep in both.irreps:
            inner = (trace * irrep.characters[both.class_labels]).mean() / irrep.end_dim
            if round(inner):
                found[irrep.kind] = found.get(irrep.kind, 0) + round(inner)
        assert found == {kind: copies}


def test_exact_matrices_are_the_floats_and_multiply() -> None:
    for name in ("A5", "SL(2,3)", "Dic3", "C3xC3"):
        group = hard(name)
        g, h = group.generators[0], group.generators[-1]
        for irrep in group.irreps:
            a, b, c = (irrep.exact(x) for x in (g, h, group.multiply(g, h)))
            for exact, x in ((a, g), (b, h)):
                floats = np.array(exact.evalf(25).tolist(), dtype=float)
                assert np.abs(floats - irrep.matrix(x)).max() < 1e-14
            assert max(abs((a * b - c).evalf(40))) < 1e-35
            if irrep.dim <= 2:
                assert sympy.simplify(a * b - c).is_zero_matrix
                assert sympy.simplify(a * a.T - sympy.eye(irrep.dim)).is_zero_matrix


def test_dihedral_names_follow_mulliken() -> None:
    """Element k is r^k and n + k is s r^k; the axis mirrors are the class of s."""
    D4 = groups.dihedral(4)
    assert [i.name for i in D4.irreps] == ["A1", "A2", "B1", "B2", "E"]
    signs = {i.name: i.matrices[:, 0, 0].tolist() for i in D4.irreps if i.dim == 1}
    assert signs["A1"] == [1] * 8
    assert signs["A2"] == [1, 1, 1, 1, -1, -1, -1, -1]
    assert signs["B1"] == [1, -1, 1, -1, 1, -1, 1, -1]
    assert signs["B2"] == [1, -1, 1, -1, -1, 1, -1, 1]
    E = D4.irrep("E")
    assert E.matrix(1).tolist() == [[0, -1], [1, 0]]  # a quarter turn
    assert E.matrix(4).tolist() == [[1, 0], [0, -1]]  # the mirror of the first axis
    for a in range(8):  # signed permutation matrices, exactly
        assert sorted(np.abs(E.matrix(a)).ravel().tolist()) == [0, 0, 1, 1]
    assert [i.name for i in groups.dihedral(3).irreps] == ["A1", "A2", "E"]
    assert [i.name for i in groups.dihedral(1).irreps] == ["A1", "A2"]
    assert [i.name for i in groups.dihedral(2).irreps] == ["A1", "A2", "B1", "B2"]
    assert [i.name for i in groups.dihedral(7).irreps] == ["A1", "A2", "E1", "E2", "E3"]
    for n in range(1, 9):
        check_irreps(groups.dihedral(n))
        E1 = groups.dihedral(n).irreps[-1]
        assert E1.matrix(n).tolist() == np.diag([1, -1][: E1.dim]).tolist() or E1.dim == 1


def test_names_and_order_of_other_groups() -> None:
    assert [i.name for i in groups.flop().irreps] == ["sym", "asym"]
    assert groups.flop().irrep("asym").matrices.ravel().tolist() == [1, -1]
    C6 = groups.cyclic(6)
    assert [(i.name, i.dim, i.kind) for i in C6.irreps] == [
        ("chi0", 1, "R"), ("chi1", 1, "R"), ("chi2", 2, "C"), ("chi3", 2, "C"),
    ]  # fmt: skip
    assert C6.irreps[2].characters[1] == 1.0  # 2 cos 60 before 2 cos 120
    for name in ("SL(2,3)", "Q8xC3", "A6"):
        irreps = hard(name).irreps
        keys = [(i.dim, "RCH".index(i.kind)) for i in irreps]
        assert keys == sorted(keys)
        assert irreps[0].characters.tolist() == [1] * len(irreps[0].characters)
        for a, b in itertools.pairwise(irreps):
            if (a.dim, a.kind) == (b.dim, b.kind):
                difference = (a.characters - b.characters).round(9)
                assert difference[difference != 0][0] > 0


def test_coxeter_matrices_of_the_quaternion_group() -> None:
    H = groups.quaternion().irreps[-1]
    i, j = groups.quaternion().generators
    assert (H.matrix(i) @ H.matrix(j) == -H.matrix(j) @ H.matrix(i)).all()
    assert set(np.abs(H.matrices).ravel()) == {0.0, 1.0}


def test_every_dihedral_matrix_is_orthogonal_to_the_last_bit() -> None:
    """Closed forms have no rounding beyond that of a cosine."""
    for n in (5, 12, 100):
        for irrep in groups.dihedral(n).irreps[-2:]:
            M = irrep.matrices
            assert np.abs(M @ M.transpose(0, 2, 1) - np.eye(irrep.dim)).max() <= 2.3e-16


def test_irreps_are_values() -> None:
    for name in ("SL(2,3)", "Dic3"):
        group = hard(name)
        irrep = group.irreps[-1]
        again = pickle.loads(pickle.dumps(irrep))
        assert again == irrep
        assert hash(again) == hash(irrep)
        assert (again.matrices == irrep.matrices).all()
        assert irrep != group.irreps[0]
        with pytest.raises(AttributeError):
            irrep.name = "other"
        with pytest.raises(ValueError, match="read-only"):
            irrep.matrices[0] = 0
    assert str(groups.flop().irreps[1]) == "asym"


def test_the_same_group_built_twice_has_equal_matrices() -> None:
    generators = [
        list(p) for p in (hard("SL(2,3)").permutation(g) for g in hard("SL(2,3)").generators)
    ]
    first, second = (groups.from_permutations(generators) for _ in range(2))
    for a, b in zip(real_irreps(first), real_irreps(second), strict=True):
        assert (a.matrices == b.matrices).all()


@pytest.mark.parametrize("name", ["A4", "SL(2,3)", "Dic3", "Q8xQ8", "D5"])
def test_numeric_last_resort(name: str) -> None:
    """Cut every irrep out of several copies of itself, as if there were no exact way."""
    group = hard(name)
    table = group.character_table
    for irrep in group.irreps:
        values = table.residues[irrep.rows[0]][group.class_labels]
        situation = Situation(group, values, irrep.kind, table.prime, table.root)
        model = NumericModel(situation, Linear.trivial(group), situation.degree)
        matrices = model.matrices(np.arange(group.order))
        check_matrices(group, matrices, irrep.characters, irrep.commutant)
        numeric = Irrep(group, irrep.index, irrep.name, irrep.kind, irrep.dim, irrep.rows, model)
        assert not numeric.is_exact
        assert "numeric" in numeric.provenance
        with pytest.raises(NotExactError, match="has no exact matrices: got a numeric"):
            numeric.exact(1)


def test_errors() -> None:
    irrep = groups.dihedral(4).irrep("E")
    with pytest.raises(GroupError, match=r"8 is not an element of D4: expected 0\.\.7"):
        irrep.matrix(8)
    with pytest.raises(GroupError, match="expected one of A1, A2, B1, B2, E"):
        groups.dihedral(4).irrep("chi0")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_random_permutation_groups(data: st.DataObject) -> None:
    degree = data.draw(st.integers(2, 6))
    generators = data.draw(st.lists(st.permutations(range(degree)), min_size=1, max_size=3))
    group = groups.from_permutations(generators)
    if group.order <= 200:
        check_irreps(group)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(8)))
def test_relabelling_permutes_irreps_of_equal_type(relabel: list[int]) -> None:
    group = groups.from_permutations([[1, 2, 3, 0, 5, 6, 7, 4], [4, 7, 6, 5, 2, 1, 0, 3]])
    moved = [
        [relabel[group.permutation(g)[relabel.index(i)]] for i in range(8)]
        for g in group.generators
    ]
    other = groups.from_permutations(moved)
    assert [(i.dim, i.kind) for i in group.irreps] == [(i.dim, i.kind) for i in other.irreps]
    carried = [
        other.class_of(
            other.index(
                [relabel[group.permutation(c.representative)[relabel.index(i)]] for i in range(8)]
            )
        )
        for c in group.conjugacy_classes
    ]
    ours = sorted(tuple(i.characters.round(9)) for i in group.irreps)
    theirs = sorted(tuple(i.characters[carried].round(9)) for i in other.irreps)
    assert ours == theirs
