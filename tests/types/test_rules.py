import numpy as np
import pytest

from irrepnet import actions, groups
from irrepnet._errors import (
    FeatureTypeError,
    GridError,
    HeadsError,
    IrrepMismatchError,
    SpecError,
)
from irrepnet.types import (
    FeatureType,
    Restriction,
    WindowType,
    check_choice,
    check_linear,
    check_norm,
    fixed_dims,
    grid_orbits,
    head_type,
    num_invariants,
)
from tests.types.groups import group

EXACT = 1e-12


def d4(text: str) -> FeatureType:
    return FeatureType(group("D4"), text)


# -- heads ------------------------------------------------------------------------------------


def test_heads() -> None:
    x = d4("12*A1 + 6*B2 + 18*E")
    for heads in (1, 2, 3, 6):
        assert heads * head_type(x, heads) == x


@pytest.mark.parametrize("heads", [-1, 0, 4, 5, 12])
def test_heads_that_do_not_split(heads: int) -> None:
    with pytest.raises(HeadsError, match=r"Expected one of these head counts: 1, 2, 3, 6\.$"):
        head_type(d4("12*A1 + 6*B2 + 18*E"), heads)


def test_the_irreps_that_do_not_split_are_named() -> None:
    with pytest.raises(
        HeadsError,
        match=r"into 4 heads: 6 copies of B2, 18 copies of E are not a multiple of 4\.",
    ):
        head_type(d4("12*A1 + 6*B2 + 18*E"), 4)


def test_many_legal_heads_are_cut() -> None:
    with pytest.raises(HeadsError, match=r"counts: 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 18, \.\.\."):
        head_type(d4("360*A1"), 7)


# -- linear, norm, choices --------------------------------------------------------------------


def test_linear_maps_that_exist() -> None:
    check_linear(d4("A1 + E"), d4("3*E"))


def test_linear_maps_that_do_not() -> None:
    with pytest.raises(
        IrrepMismatchError, match=r"from 2\*A1 to 3\*E is zero \(Schur's lemma\): e"
    ):
        check_linear(d4("2*A1"), d4("3*E"))
    with pytest.raises(
        IrrepMismatchError, match="has no common group: expected both types over on"
    ):
        check_linear(d4("A1"), FeatureType(group("flop"), "sym"))
    with pytest.raises(FeatureTypeError, match="the input type of a linear map is empty"):
        check_linear(d4("0"), d4("A1"))
    with pytest.raises(FeatureTypeError, match="the output type of a linear map is empty"):
        check_linear(d4("A1"), d4("0"))


@pytest.mark.parametrize(
    ("text", "centring", "lost"),
    [
        ("2*A1 + 2*E", "every_irrep", ""),
        ("2*A1 + E", "every_irrep", "E"),
        ("A1 + 2*B1 + E", "every_irrep", "A1, E"),
        ("2*A1 + E", "invariant", ""),
        ("A1 + 2*E", "invariant", "A1"),
        ("A1 + E", "none", ""),
        ("B1 + E", "invariant", ""),
    ],
)
def test_centring_needs_two_copies(text: str, centring: str, lost: str) -> None:
    if not lost:
        check_norm(d4(text), centring, "share")
        return
    with pytest.raises(FeatureTypeError, match=f"'{centring}' would turn {lost} of .* into zero"):
        check_norm(d4(text), centring, "share")


def test_choices() -> None:
    check_choice("colour", "red", ("red", "blue"))
    with pytest.raises(SpecError, match="unknown colour 'green': expected one of red, blue"):
        check_choice("colour", "green", ("red", "blue"))


def test_number_of_invariants() -> None:
    assert num_invariants(d4("3*A1 + 2*B1 + 5*E"), "trivial") == 3
    assert num_invariants(d4("3*A1 + 2*B1 + 5*E"), "norm") == 10


# -- grids ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "channels", "expected"),
    [
        ("flop", (2, 2), 3, "6*sym + 6*asym"),
        ("flop", (3, 3), 1, "6*sym + 3*asym"),
        ("flop", (1, 1), 3, "3*sym"),
        ("flop", (16, 16), 3, "384*sym + 384*asym"),
        ("trivial", (2, 3), 2, "12*chi0"),
        ("D4", (1, 1), 2, "2*A1"),
        # Corners and edge centres are D4/<mirror>, the middle is a point.
        ("D4", (3, 3), 1, "3*A1 + 1*B1 + 1*B2 + 2*E"),
        ("D4", (16, 16), 1, "36*A1 + 28*A2 + 28*B1 + 36*B2 + 64*E"),
        ("C4", (3, 3), 1, "3*chi0 + 2*chi1 + 2*chi2"),
    ],
)
def test_patches(name: str, size: tuple[int, int], channels: int, expected: str) -> None:
    action = actions.image(name)
    patch = WindowType.of(action, size, FeatureType.trivial(action.group, channels))
    assert str(patch.feature_type) == expected
    assert sorted(patch.pixels.tolist()) == list(range(size[0] * size[1]))


@pytest.mark.parametrize("name", ["flop", "C4", "D4", "transpose", "klein_four"])
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 3)])
def test_windows_of_features(name: str, size: tuple[int, int]) -> None:
    """`R^pixels (x) V` against `P(g) (x) rho(g)`, for every irrep in V."""
    action = actions.image(name)
    G = action.group
    x = FeatureType(G, [1 + k % 2 for k in range(len(G.irreps))])
    window = WindowType.of(action, size, x)
    num = size[0] * size[1]
    basis = np.zeros((num * x.dim, num * x.dim))
    for run in window.runs:
        for row, slot in enumerate(run.slots):
            for column, point in enumerate(run.points):
                for k in range(run.count):
                    basis[slot + k, point + k] = run.matrix[row, column]
    assert np.abs(basis @ basis.T - np.eye(num * x.dim)).max() < EXACT
    for a, images in enumerate(action.permutation(*size)):
        pixels = np.eye(num)[:, images][np.ix_(window.pixels, window.pixels)]
        natural = np.zeros_like(basis)
        for block in x.blocks:  # component, pixel, copy
            span = slice(block.start * num, block.stop * num)
            moved = np.kron(np.kron(block.irrep.matrix(a), pixels), np.eye(block.multiplicity))
            natural[span, span] = moved
        expected = window.feature_type.matrix(a)
        assert np.abs(basis @ natural @ basis.T - expected).max() < EXACT


def test_patches_that_turns_do_not_preserve() -> None:
    with pytest.raises(GridError, match="'C4' exchanges rows and columns, so it does not preserve"):
        WindowType.of(actions.image("C4"), (2, 3), FeatureType(group("C4"), "chi0"))


@pytest.mark.parametrize("name", ["flop", "C4", "D4", "klein_four"])
@pytest.mark.parametrize("grid", [(1, 1), (3, 3), (4, 4)])
def test_fixed_dimensions(name: str, grid: tuple[int, int]) -> None:
    """`dim rho^H` by characters, and every cell in one orbit."""
    action = actions.image(name)
    x = FeatureType(action.group, [1] * len(action.group.irreps))
    found = fixed_dims(x, action, grid)
    kinds = grid_orbits(action, grid)
    assert sum(orbits * points for orbits, points, _ in found) == grid[0] * grid[1]
    for (_, points, dims), kind in zip(found, kinds, strict=True):
        assert points * len(kind.stabiliser) == action.group.order
        for irrep, dim in zip(action.group.irreps, dims, strict=True):
            mean = np.mean([np.trace(irrep.matrix(h)) for h in kind.stabiliser])
            assert dim == round(mean)


# -- restriction ------------------------------------------------------------------------------


def characters(x: FeatureType, elements: tuple[int, ...]) -> list[float]:
    return [np.trace(x.matrix(a)) for a in elements]


@pytest.mark.parametrize("basis", ["irrep", "gset"])
def test_characters_are_restricted(basis: str) -> None:
    x = FeatureType.regular(group("D4"), 24)
    for subgroup in group("D4").subgroup_classes:
        small = subgroup.as_group()
        r = Restriction(x, small, tuple(subgroup.elements), basis)
        got = characters(r.out_type, tuple(range(small.order)))
        assert np.allclose(got, characters(x, subgroup.elements), atol=1e-12)
        matrix = r.matrix()
        assert np.abs(matrix @ matrix.T - np.eye(24)).max() < EXACT
        for h, g in enumerate(subgroup.elements):
            moved = matrix @ x.matrix(g) @ matrix.T
            assert np.abs(moved - r.out_type.matrix(h)).max() < EXACT


def test_to_the_trivial_group() -> None:
    r = Restriction(d4("2*A1 + 3*E"), groups.trivial(), (0,), "irrep")
    assert str(r.out_type) == "8*chi0"
    assert np.abs(np.abs(r.matrix()).sum(axis=1) - 1).max() == 0  # components, only moved


def test_pieces_tile_the_output() -> None:
    x = d4("2*A1 + A2 + 3*B1 + 4*E")
    action = actions.image("klein_four")
    r = Restriction(x, action.group, action.embedding(actions.image("D4")), "irrep")
    widths = [x.blocks[piece.irrep].multiplicity for piece in r.pieces()]
    assert sum(widths) == x.dim
    assert len(set(r.pieces())) == len(widths)
