import numpy as np
import pytest
import torch
from torch import Tensor

from irrepnet import nn, reps, specs
from irrepnet._errors import ActivationError, IrrepMismatchError
from irrepnet.types import FeatureType, GSetType, canonical_stabiliser, gset_for
from tests.nn.contract import EXACT, GROUPS, LayerContract, group, relative, rho, typed

#: The G-sets of the tests: name, and pairs of a stabiliser and a number of orbits.
GSETS = {
    "two regular flop": ("flop", (((0,), 2),)),
    "fixed points": ("flop", (((0,), 3), ((0, 1), 2))),
    "D4 and D4/<r^2>": ("D4", (((0,), 2), ((0, 2), 2))),
    "five kinds": (
        "D4",
        (((0,), 1), ((0, 4), 2), ((0, 5), 1), ((0, 2, 5, 7), 3), (tuple(range(8)), 2)),
    ),
    "only points": ("D4", ((tuple(range(8)), 3),)),
    "pairs": ("C4", (((0, 2), 3), ((0,), 1))),
    "Q8 halves": ("Q8", (((0,), 1), ((0, 1), 2))),
}


def gset_of(case: str) -> GSetType:
    name, counts = GSETS[case] if case in GSETS else (case, (((0,), 2),))
    chosen = tuple((canonical_stabiliser(group(name), h), n) for h, n in counts)
    return GSetType(group(name), chosen)


def by_fourier(gset: GSetType) -> np.ndarray:
    """The change of basis, row by row: irrep, component, kind of orbit, copy inside it, orbit."""
    G = gset.group
    kinds = [(reps.quotient(G, h), n) for h, n in gset.counts]
    rows, first, columns = [], [], 0
    for representation, n in kinds:
        first.append(columns)
        columns += representation.dim * n
    for irrep in G.irreps:
        for component in range(irrep.dim):
            for (representation, n), start in zip(kinds, first, strict=True):
                found = representation.decompose()
                before = sum(
                    i.dim * m
                    for i, m in zip(G.irreps, found.multiplicities, strict=True)
                    if i.index < irrep.index
                )
                copies = found.multiplicities[irrep.index]
                for copy in range(copies):
                    inner = found.basis.to_dense()[before + component * copies + copy]
                    for orbit in range(n):
                        row = np.zeros(columns)
                        for point, value in enumerate(inner):
                            row[start + point * n + orbit] = value
                        rows.append(row)
    return np.stack(rows)


def permutations(gset: GSetType) -> np.ndarray:
    """How each element permutes the points, one matrix for each."""
    matrices = []
    for a in range(gset.group.order):
        blocks = []
        for h, n in gset.counts:
            images = np.asarray(reps.quotient(gset.group, h).images)[a]
            blocks.append(np.kron(np.eye(len(images))[:, images], np.eye(n)))
        size = sum(len(b) for b in blocks)
        matrix, at = np.zeros((size, size)), 0
        for b in blocks:
            matrix[at : at + len(b), at : at + len(b)] = b
            at += len(b)
        matrices.append(matrix)
    return np.stack(matrices)


class TestGSetActivation(LayerContract):
    CASES = (*GROUPS, *GSETS)
    TRACED = ("fixed points", "five kinds")
    ANY_AXES = True

    def make(self, case: str) -> specs.Activation:
        gset = gset_of(case)
        return specs.Activation(gset.feature_type, "gelu", gset=gset.counts)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        spec = layer.plan.spec
        basis = torch.tensor(by_fourier(GSetType(spec.feature_type.group, spec.gset)))
        return torch.nn.functional.gelu(x @ basis) @ basis.t()

    def in_repr(self, layer: nn.Layer) -> list[str]:
        return [str(layer.basis.gset), layer.plan.spec.function]


@pytest.mark.parametrize("case", [*GROUPS, *GSETS])
def test_the_basis_carries_permutations_to_irreps(case: str) -> None:
    gset = gset_of(case)
    basis = by_fourier(gset)
    dim = gset.feature_type.dim
    assert np.abs(basis @ basis.T - np.eye(dim)).max() < EXACT
    assert np.abs(gset.basis() - basis).max() < EXACT
    for a, permutation in enumerate(permutations(gset)):
        moved = basis @ permutation @ basis.T
        assert np.abs(moved - rho(gset.feature_type, a)).max() < EXACT


@pytest.mark.parametrize("case", ["fixed points", "five kinds", "A4"])
@pytest.mark.parametrize("grad", [False, True])
def test_there_and_back(case: str, grad: bool) -> None:
    basis = nn.GSetBasis(gset_of(case)).double()
    x = torch.randn(2, 3, basis.dim, dtype=torch.float64)
    dense = torch.tensor(by_fourier(basis.gset))
    with torch.set_grad_enabled(grad):
        assert relative(basis.to_points(x), x @ dense) < EXACT
        assert relative(basis.to_irreps(x), x @ dense.t()) < EXACT
        assert relative(basis.to_irreps(basis.to_points(x)), x) < EXACT


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("function", list(nn.FUNCTIONS))
def test_functions(function: str, grad: bool) -> None:
    written_out = {
        "gelu": lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2,
        "quick_gelu": lambda x: x / (1 + torch.exp(-1.702 * x)),
        "relu": lambda x: x.clamp_min(0),
        "silu": lambda x: x / (1 + torch.exp(-x)),
        "tanh": lambda x: 1 - 2 / (1 + torch.exp(2 * x)),
        "sigmoid": lambda x: 1 / (1 + torch.exp(-x)),
        "sin": torch.sin,
        "softshrink": lambda x: x.sign() * (x.abs() - 0.5).clamp_min(0),
        "abs": lambda x: x * x.sign(),
        "square": lambda x: x * x,
    }
    gset = gset_of("five kinds")
    layer = nn.GSetActivation(gset, function).double()
    x = torch.randn(3, layer.basis.dim, dtype=torch.float64)
    basis = torch.tensor(by_fourier(gset))
    with torch.set_grad_enabled(grad):
        assert relative(layer(x), written_out[function](x @ basis) @ basis.t()) < EXACT


def test_many_rows_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache smaller than one row, and one that the rows do not divide."""
    gset = gset_of("five kinds")
    layer = nn.GSetActivation(gset).double()
    x = torch.randn(7, 3, layer.basis.dim, dtype=torch.float64)
    expected = layer(x)
    for size in (1, 8 * 4 * layer.basis.dim):
        monkeypatch.setattr("irrepnet.nn._eager.CACHED_BYTES", size)
        with torch.no_grad():
            assert relative(layer(x), expected) < EXACT


def test_a_gset_of_ones_own() -> None:
    """Two G-sets with one permutation character: the compiler's choice and the user's."""
    x = typed("D4", "3*A1 + A2 + B1 + B2")
    whole = tuple(range(8))
    chosen = gset_for(x)
    assert chosen.counts == (((0, 2), 1), (whole, 2))
    mine = (((0, 1, 2, 3), 1), ((0, 2, 4, 6), 1), ((0, 2, 5, 7), 1))
    given = TestGSetActivation()
    spec = specs.Activation(x, "gelu", gset=mine)
    given.make = lambda case: spec
    given.test_commutes_with_every_element("mine")
    given.test_equals_the_oracle("mine", grad=False)
    left, right = (nn.GSetActivation(GSetType(x.group, c)) for c in (chosen.counts, mine))
    values = torch.arange(6.0)
    assert not torch.allclose(left(values), right(values))


def test_a_conjugate_stabiliser_names_the_same_orbits() -> None:
    x = typed("D4", "A1 + B1 + E")
    built = [
        TestGSetActivation.build(_Given(specs.Activation(x, gset=((h, 1),))), "")
        for h in ((0, 4), (0, 6))
    ]
    assert built[0].plan == built[1].plan


class _Given(TestGSetActivation):
    __test__ = False

    def __init__(self, spec: specs.Activation) -> None:
        self.spec = spec

    def make(self, case: str) -> specs.Activation:
        return self.spec


# -- errors -----------------------------------------------------------------------------------


def test_unknown_function() -> None:
    with pytest.raises(
        ActivationError, match="unknown pointwise function 'mish': expected one of "
    ):
        nn.GSetActivation(gset_of("flop"), "mish")


def test_a_gset_of_another_type() -> None:
    spec = specs.Activation(typed("flop", "2*sym + asym"), gset=(((0,), 2),))
    with pytest.raises(ActivationError, match=r"is 2\*sym \+ 2\*asym: expected 2\*sym \+ 1\*asym"):
        TestGSetActivation.build(_Given(spec), "")


def test_no_gset() -> None:
    spec = specs.Activation(FeatureType(group("flop"), "sym + 2*asym"))
    with pytest.raises(
        ActivationError, match=r"Activation: 1\*sym \+ 2\*asym over flop is no perm"
    ):
        TestGSetActivation.build(_Given(spec), "")


def test_other_width() -> None:
    with pytest.raises(IrrepMismatchError, match="expected 4 channels on the last axis, typed 2"):
        nn.GSetActivation(gset_of("two regular flop"))(torch.zeros(2, 5))
