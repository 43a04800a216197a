import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irrepnet import actions, groups
from irrepnet._errors import GridError, GroupError
from irrepnet.actions import ImageAction
from irrepnet.groups import Group

P3 = np.array([["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]])
P4 = np.arange(16).reshape(4, 4)


def moved(action: ImageAction, a: int, picture: np.ndarray) -> np.ndarray:
    """`(g x)(p) = x(g^-1 p)`: what stood at `p` now stands at `g p`."""
    out = np.empty_like(picture).ravel()
    for pixel, target in enumerate(action.permutation(*picture.shape)[a]):
        out[target] = picture.ravel()[pixel]
    return out.reshape(picture.shape)


#: What each named action does, besides nothing.
MOVES = {
    "trivial": [],
    "flop": [np.fliplr],
    "vflip": [np.flipud],
    "rot180": [lambda p: np.rot90(p, 2)],
    "transpose": [np.transpose],
    "antitranspose": [lambda p: np.rot90(p, 2).T],
    "klein_four": [np.fliplr, np.flipud, lambda p: np.rot90(p, 2)],
    "C4": [np.rot90, lambda p: np.rot90(p, 2), lambda p: np.rot90(p, 3)],
    "D4": [
        np.rot90,
        lambda p: np.rot90(p, 2),
        lambda p: np.rot90(p, 3),
        np.flipud,
        np.transpose,
        np.fliplr,
        lambda p: np.rot90(p, 2).T,
    ],
}


@pytest.mark.parametrize("name", actions.image_names())
@pytest.mark.parametrize("picture", [P3, P4, P4[:1, :1]], ids=["3x3", "4x4", "1x1"])
def test_pictures(name: str, picture: np.ndarray) -> None:
    action = actions.image(name)
    assert action.group.order == 1 + len(MOVES[name])
    assert (moved(action, 0, picture) == picture).all()
    for a, move in enumerate(MOVES[name], start=1):
        assert (moved(action, a, picture) == move(picture)).all()
        stack = np.stack([picture, picture[::-1]])[None]
        assert (action.move(a, stack)[0, 0] == move(picture)).all()
        assert (action.move(a, stack)[0, 1] == move(picture[::-1])).all()


def test_by_hand() -> None:
    """No library on the other side."""
    assert moved(actions.image("flop"), 1, P3).tolist() == [
        ["c", "b", "a"],
        ["f", "e", "d"],
        ["i", "h", "g"],
    ]
    assert moved(actions.image("vflip"), 1, P3)[0].tolist() == ["g", "h", "i"]
    quarter = [["c", "f", "i"], ["b", "e", "h"], ["a", "d", "g"]]  # counterclockwise
    assert moved(actions.image("C4"), 1, P3).tolist() == quarter
    assert moved(actions.image("D4"), 1, P3).tolist() == quarter
    assert moved(actions.image("transpose"), 1, P3)[0].tolist() == ["a", "d", "g"]
    assert moved(actions.image("antitranspose"), 1, P3)[0].tolist() == ["i", "f", "c"]


@pytest.mark.parametrize("name", actions.image_names())
@pytest.mark.parametrize("size", [(3, 3), (4, 4), (2, 5), (1, 4)])
def test_permutations_multiply(name: str, size: tuple[int, int]) -> None:
    action = actions.image(name)
    if not action.preserves(*size):
        assert action.swaps_axes()
        return
    images, G = action.permutation(*size), action.group
    assert images.shape == (G.order, size[0] * size[1])
    assert images.dtype == np.int64
    for a in range(G.order):
        assert sorted(images[a]) == list(range(size[0] * size[1]))
        for b in range(G.order):
            assert (images[a][images[b]] == images[G.multiply(a, b)]).all()
            product = np.array(action.matrices[a]) @ np.array(action.matrices[b])
            assert (product == np.array(action.matrices[G.multiply(a, b)])).all()
            assert action.of(a, b) == action.matrices[G.multiply(a, b)]


def test_mulliken_names_on_the_square() -> None:
    """B1 is +1 on the mirrors through the axes, B2 on those through the diagonals."""
    action = actions.image("D4")
    G = action.group
    axis = [action.matrices.index(m) for m in (((1, 0), (0, -1)), ((-1, 0), (0, 1)))]
    diagonal = [action.matrices.index(m) for m in (((0, 1), (1, 0)), ((0, -1), (-1, 0)))]
    quarter = [action.matrices.index(m) for m in (((0, -1), (1, 0)), ((0, 1), (-1, 0)))]
    expected = {"A1": (1, 1, 1), "A2": (-1, -1, 1), "B1": (1, -1, -1), "B2": (-1, 1, -1)}
    for name, values in expected.items():
        for elements, value in zip((axis, diagonal, quarter), values, strict=True):
            assert [G.irrep(name).matrix(a)[0, 0] for a in elements] == [value, value]


def test_the_plane_is_the_irrep_e() -> None:
    action = actions.image("D4")
    E = action.group.irrep("E")
    for a, matrix in enumerate(action.matrices):
        assert np.trace(matrix) == E.matrix(a).trace()


@given(st.integers(1, 9), st.integers(1, 9))
def test_any_size(height: int, width: int) -> None:
    picture = np.arange(height * width).reshape(height, width)
    for name, moves in (("klein_four", MOVES["klein_four"]), ("D4", MOVES["D4"])):
        action = actions.image(name)
        assert action.preserves(height, width) == (name == "klein_four" or height == width)
        if action.preserves(height, width):
            for a, move in enumerate(moves, start=1):
                assert (moved(action, a, picture) == move(picture)).all()


@pytest.mark.parametrize(
    ("large", "small"),
    [("D4", name) for name in MOVES]
    + [("klein_four", n) for n in ("flop", "vflip", "rot180", "trivial", "klein_four")]
    + [("C4", "rot180"), ("flop", "trivial")],
)
def test_restriction(large: str, small: str) -> None:
    action = actions.image(large)
    smaller = action.restrict(small)
    assert smaller == actions.image(small)
    embedding = smaller.embedding(action)
    for h, g in enumerate(embedding):
        assert smaller.matrices[h] == action.matrices[g]
        assert (smaller.permutation(3, 3)[h] == action.permutation(3, 3)[g]).all()
    for a in range(smaller.group.order):
        for b in range(smaller.group.order):
            product = action.group.multiply(embedding[a], embedding[b])
            assert embedding[smaller.group.multiply(a, b)] == product


def test_restriction_to_any_subgroup() -> None:
    action = actions.image("D4")
    for subgroup in action.group.subgroup_classes:
        smaller = action.restrict(subgroup)
        assert smaller.embedding(action) == tuple(subgroup.elements)
        assert smaller.name == f"D4{list(subgroup.elements)}"
    assert action.restrict(action) == action


def test_grids_as_points() -> None:
    action = actions.image("flop")
    points = action.on_grid(2, 3)
    assert points.num_points == 6
    assert points.array[1].tolist() == [2, 1, 0, 5, 4, 3]
    assert points.name == "flop on 2 x 3"


def test_values_are_compared() -> None:
    assert actions.image("D4") == actions.image("D4")
    assert hash(actions.image("D4")) == hash(actions.image("D4"))
    assert actions.image("vflip") != actions.image("rot180")
    assert actions.as_image_action("flop") == actions.image("flop")
    assert actions.as_image_action(actions.image("C4")) == actions.image("C4")


# -- errors -----------------------------------------------------------------------------------

FLOP = ((1, 0), (0, -1))
IDENTITY = ((1, 0), (0, 1))
QUARTER = ((0, -1), (1, 0))


def test_unknown_names() -> None:
    with pytest.raises(
        GroupError, match=r"'mirror' is no image action: expected one of trivial, fl"
    ):
        actions.image("mirror")
    with pytest.raises(GroupError, match=r"'mirror' is no image action"):
        actions.image("D4").restrict("mirror")


def test_a_group_does_not_say_how_it_moves() -> None:
    with pytest.raises(GroupError, match=r"^group=.*does not say how it moves an image: expected "):
        actions.as_image_action(groups.cyclic(2))


def test_number_of_matrices() -> None:
    with pytest.raises(GroupError, match="'x' got 1 matrices: expected one for each of the 2 elem"):
        ImageAction("x", groups.cyclic(2), (IDENTITY,))
    with pytest.raises(GroupError, match="'x' got 0 matrices: expected one for each of the 1 gene"):
        actions.from_generators("x", groups.cyclic(4), [])
    with pytest.raises(GroupError, match="'x' got 2 matrices: expected one for each of the 1 gene"):
        actions.from_generators("x", groups.cyclic(4), [QUARTER, FLOP])


@pytest.mark.parametrize(
    "matrix", [((2, 0), (0, 1)), ((1, 1), (0, 1)), ((1, 1), (0, 0)), ((0, 0), (0, 0))]
)
def test_matrices_that_are_no_signed_permutations(matrix: tuple) -> None:
    with pytest.raises(
        GroupError, match=r"element 1 of the image action 'x' is .*: expected a sign"
    ):
        ImageAction("x", groups.cyclic(2), (IDENTITY, matrix))


@pytest.mark.parametrize(
    ("group", "matrices"),
    [
        (groups.cyclic(2), (IDENTITY, QUARTER)),
        (groups.cyclic(3), (IDENTITY, FLOP, FLOP)),
        (groups.klein_four(), (IDENTITY, FLOP, FLOP, FLOP)),
    ],
)
def test_no_homomorphism(group: Group, matrices: tuple) -> None:
    with pytest.raises(
        GroupError, match=r"'x' is no homomorphism: the matrices of elements \d+ an"
    ):
        ImageAction("x", group, matrices)


def test_generators_that_do_not_extend() -> None:
    with pytest.raises(GroupError, match="'x' is no homomorphism"):
        actions.from_generators("x", groups.cyclic(3), [QUARTER])


def test_the_identity_moves_nothing() -> None:
    with pytest.raises(GroupError, match="under the group's identity: expected "):
        ImageAction("x", groups.trivial(), (FLOP,))


def test_grids_that_are_not_preserved() -> None:
    with pytest.raises(
        GridError, match="does not preserve a 2 x 3 grid: expected a square one, su"
    ):
        actions.image("C4").permutation(2, 3)
    with pytest.raises(GridError, match="does not preserve a 2 x 3 grid"):
        actions.image("D4").on_grid(2, 3)


@pytest.mark.parametrize("size", [(0, 3), (3, 0), (-1, 3)])
def test_empty_grids(size: tuple[int, int]) -> None:
    with pytest.raises(GridError, match=r"got a -?\d x -?\d grid: expected at least one cell"):
        actions.image("flop").permutation(*size)


def test_what_cannot_be_moved() -> None:
    with pytest.raises(GridError, match=r"shape \(3,\): expected rows and columns on the last two"):
        actions.image("flop").move(1, np.ones(3))
    with pytest.raises(GroupError, match=r"2 is not an element of flop: expected 0\.\.1"):
        actions.image("flop").move(2, np.ones((2, 2)))


def test_no_subgroup() -> None:
    with pytest.raises(GroupError, match="'C4' is no subgroup of 'klein_four': it moves images by"):
        actions.image("klein_four").restrict("C4")
    with pytest.raises(
        GroupError, match="the subgroup lies in C4: expected a subgroup of D4, the "
    ):
        actions.image("D4").restrict(groups.cyclic(4).subgroup([2]))


def test_restriction_of_an_action_that_is_not_faithful() -> None:
    C8 = groups.cyclic(8)
    turns = actions.from_generators("turns", C8, [((0, -1), (1, 0))])
    assert not turns.is_faithful
    assert actions.image("D4").is_faithful
    assert turns.embedding(turns) == tuple(range(8))
    assert turns.restrict(C8.subgroup([4])).matrices == (((1, 0), (0, 1)),) * 2
    with pytest.raises(
        GroupError, match=r"'turns' cannot be searched for 'rot180': its elements 0"
    ):
        turns.restrict("rot180")
    with pytest.raises(
        GroupError, match=r"'turns' cannot be found in 'D4'.* Restrict by a subgroup"
    ):
        actions.image("D4").restrict(turns)
