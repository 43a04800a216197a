import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irrepnet import groups
from irrepnet._errors import FeatureTypeError, GroupError, IrrepMismatchError
from irrepnet.types import FeatureType
from tests.types.groups import NAMES, group

EXACT = 1e-12


@st.composite
def types(draw: st.DrawFn, name: str | None = None) -> FeatureType:
    G = group(draw(st.sampled_from(list(NAMES))) if name is None else name)
    size = len(G.irreps)
    return FeatureType(G, draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)))


@st.composite
def two_types(draw: st.DrawFn) -> tuple[FeatureType, FeatureType]:
    name = draw(st.sampled_from(list(NAMES)))
    return draw(types(name)), draw(types(name))


@given(types())
def test_text_is_read_back(x: FeatureType) -> None:
    assert FeatureType(x.group, str(x)) == x
    assert eval(repr(x), {"groups": groups, "FeatureType": FeatureType}) == x
    by_name = {i.name: m for i, m in zip(x.group.irreps, x.multiplicities, strict=True)}
    assert FeatureType(x.group, by_name) == x
    assert len({x, FeatureType(x.group, str(x)), FeatureType(x.group, x.multiplicities)}) == 1


@given(types(), st.randoms(use_true_random=False))
def test_spaces_and_order_do_not_matter(x: FeatureType, random) -> None:
    terms = [
        f"{' ' * random.randrange(3)}{m}{' ' * random.randrange(2)}*{i.name}"
        for i, m in zip(x.group.irreps, x.multiplicities, strict=True)
    ]
    random.shuffle(terms)
    assert FeatureType(x.group, " + ".join(terms)) == x


def test_terms_may_repeat_and_leave_out_one() -> None:
    G = group("D4")
    assert FeatureType(G, "A1 + E + 2*E") == FeatureType(G, {"A1": 1, "E": 3})
    assert FeatureType(G, " 0 ").multiplicities == (0, 0, 0, 0, 0)
    assert str(FeatureType(G, "0*E")) == "0"


@given(two_types(), st.integers(0, 5))
def test_algebra(pair: tuple[FeatureType, FeatureType], n: int) -> None:
    x, y = pair
    assert x + y == y + x
    assert (x + y).dim == x.dim + y.dim
    assert (x + y) + x == x + (y + x)
    assert n * x == x * n
    assert (n * x).dim == n * x.dim
    assert n * (x + y) == n * x + n * y
    assert x + FeatureType(x.group, "0") == x
    total = FeatureType(x.group, "0")
    for _ in range(n):
        total = total + x
    assert total == n * x
    assert np.int64(n) * x == n * x


@given(types())
def test_blocks_tile_the_channels(x: FeatureType) -> None:
    channels, indices = [], []
    for block in x.blocks:
        assert (block.width, block.stop) == (
            block.irrep.dim * block.multiplicity,
            block.start + block.width,
        )
        assert block.multiplicity > 0
        indices.append(block.irrep.index)
        for component in range(block.irrep.dim):
            channels += range(x.dim)[block.component(component)]
    assert channels == list(range(x.dim))
    assert indices == sorted(set(indices))
    assert x.num_invariants == x.multiplicities[0]


@pytest.mark.parametrize("name", list(NAMES))
def test_the_matrices_are_an_orthogonal_representation(name: str) -> None:
    G = group(name)
    x = FeatureType(G, [k % 3 for k in range(1, len(G.irreps) + 1)])
    matrices = np.stack([x.matrix(a) for a in range(G.order)])
    assert np.abs(matrices @ matrices.transpose(0, 2, 1) - np.eye(x.dim)).max() < EXACT
    for a in range(G.order):
        products = matrices[[G.multiply(a, b) for b in range(G.order)]]
        assert np.abs(matrices[a] @ matrices - products).max() < EXACT
    for block in x.blocks:  # component outermost, copy innermost
        for a in range(G.order):
            for i in range(block.irrep.dim):
                for j in range(block.irrep.dim):
                    part = matrices[a][block.component(i), block.component(j)]
                    expected = block.irrep.matrix(a)[i, j] * np.eye(block.multiplicity)
                    assert np.abs(part - expected).max() < EXACT


@pytest.mark.parametrize("name", list(NAMES))
def test_the_regular_type_is_the_regular_representation(name: str) -> None:
    G = group(name)
    x = FeatureType.regular(G, 3 * G.order)
    assert x.dim == 3 * G.order
    for a in range(G.order):  # its character: 3 |G| at the identity, 0 elsewhere
        expected = 3 * G.order if a == G.identity else 0
        assert np.trace(x.matrix(a)) == pytest.approx(expected, abs=1e-12)


def test_known_regular_types() -> None:
    regular = {name: str(FeatureType.regular(group(name), group(name).order)) for name in NAMES}
    assert regular["flop"] == "1*sym + 1*asym"
    assert regular["C4"] == "1*chi0 + 1*chi1 + 1*chi2"
    assert regular["D4"] == "1*A1 + 1*A2 + 1*B1 + 1*B2 + 2*E"
    assert regular["Q8"] == "1*chi0 + 1*chi1 + 1*chi2 + 1*chi3 + 1*chi4"
    assert regular["A4"] == "1*chi0 + 1*chi1 + 3*chi2"


def test_trivial_type() -> None:
    x = FeatureType.trivial(group("D4"), 10)
    assert (str(x), x.dim, x.num_invariants) == ("10*A1", 10, 10)


def test_other_operands() -> None:
    x = FeatureType(group("flop"), "sym")
    for wrong in (lambda: x + 1, lambda: x * 1.5, lambda: 1.5 * x, lambda: x * x):
        with pytest.raises(TypeError, match="unsupported operand"):
            wrong()


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [0, -8, 4, 12])
def test_channels_that_hold_no_whole_copies(dim: int) -> None:
    near = {12: "8 or 16"}.get(dim, "8")
    with pytest.raises(FeatureTypeError, match=rf"^{dim} channels .* order 8, such as {near}\.$"):
        FeatureType.regular(group("D4"), dim)


@pytest.mark.parametrize("text", ["", "2sym", "-2*sym", "1.5*sym", "sym +", "sym, asym", "2*"])
def test_text_that_cannot_be_read(text: str) -> None:
    with pytest.raises(
        FeatureTypeError, match=r"cannot read .* joined by '\+', for example '4\*sym \+ 4\*asym'"
    ):
        FeatureType(group("flop"), text)


@pytest.mark.parametrize("unknown", ["2*sym + B1", {"B1": 2}])
def test_unknown_irreps(unknown: str | dict) -> None:
    with pytest.raises(
        FeatureTypeError, match="flop has no irrep named 'B1': expected names among sym, asym"
    ):
        FeatureType(group("flop"), unknown)


def test_number_of_multiplicities() -> None:
    with pytest.raises(FeatureTypeError, match="got 3 multiplicities for flop: expected 2, one fo"):
        FeatureType(group("flop"), [1, 2, 3])


@pytest.mark.parametrize("value", [-1, 1.0, True, "2", None])
def test_multiplicities_are_whole_numbers(value: object) -> None:
    with pytest.raises(FeatureTypeError, match=r"the multiplicity of asym is .*: expected a whole"):
        FeatureType(group("flop"), [1, value])
    with pytest.raises(FeatureTypeError, match=r"the multiplicity of asym is .*: expected a whole"):
        FeatureType(group("flop"), {"asym": value})


def test_negative_multiples() -> None:
    with pytest.raises(FeatureTypeError, match="the multiplicity of sym is -1: expected a whole"):
        -1 * FeatureType(group("flop"), "sym")


def test_sums_over_two_groups() -> None:
    with pytest.raises(IrrepMismatchError, match=r"cannot add 1\*sym over flop to 1\*A1 over D4"):
        FeatureType(group("flop"), "sym") + FeatureType(group("D4"), "A1")


def test_matrix_of_no_element() -> None:
    with pytest.raises(GroupError, match=r"2 is not an element of flop: expected 0\.\.1"):
        FeatureType(group("flop"), "sym").matrix(2)
