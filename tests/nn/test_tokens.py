import numpy as np
import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import actions, nn, reps, specs, testing
from irrepnet._errors import FeatureTypeError, GridError, SpecError
from irrepnet.types import FeatureType
from tests.nn.contract import EXACT, LayerContract, move, relative, rho, typed

#: Action, grid, type.
CASES = {
    "flop odd": ("flop", (3, 5), "3*sym + 2*asym"),
    "flop even": ("flop", (2, 4), "3*sym + 2*asym"),
    "flop nothing is fixed": ("flop", (3, 1), "2*asym"),
    "flop column": ("flop", (3, 1), "2*sym + 2*asym"),
    "vflip": ("vflip", (3, 2), "chi0 + 2*chi1"),
    "rot180": ("rot180", (3, 3), "2*chi0 + 2*chi1"),
    "transpose": ("transpose", (3, 3), "2*chi0 + 2*chi1"),
    "antitranspose": ("antitranspose", (4, 4), "2*chi0 + 2*chi1"),
    "klein_four": ("klein_four", (3, 5), "chi0 + 2*chi1 + chi2 + 3*chi3"),
    "klein_four even": ("klein_four", (2, 3), "chi0 + 2*chi1 + chi2 + 3*chi3"),
    "C4 odd": ("C4", (3, 3), "2*chi0 + chi1 + 3*chi2"),
    "C4 even": ("C4", (4, 4), "2*chi0 + 3*chi2"),
    "D4 odd": ("D4", (5, 5), "2*A1 + A2 + B1 + 3*B2 + 2*E"),
    "D4 even": ("D4", (4, 4), "2*A1 + A2 + B1 + 3*B2 + 2*E"),
    "D4 one token": ("D4", (1, 1), "2*A1 + B1 + 2*E"),
    "trivial": ("trivial", (2, 3), "4*chi0"),
}


def fixed_points(action: actions.ImageAction, grid: tuple[int, int], a: int) -> int:
    cells = torch.arange(grid[0] * grid[1]).view(grid)
    moved = {  # by the picture that an element makes of numbered cells
        (1, 0, 0, 1): lambda x: x,
        (1, 0, 0, -1): lambda x: x.fliplr(),
        (-1, 0, 0, 1): lambda x: x.flipud(),
        (-1, 0, 0, -1): lambda x: x.rot90(2),
        (0, -1, 1, 0): lambda x: x.rot90(1),
        (0, 1, -1, 0): lambda x: x.rot90(3),
        (0, 1, 1, 0): lambda x: x.t(),
        (0, -1, -1, 0): lambda x: x.rot90(2).t(),
    }[tuple(v for row in action.matrices[a] for v in row)](cells)
    return int((moved == cells).sum())


class TestPositionalEmbedding(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("flop odd", "D4 odd")

    def make(self, case: str) -> specs.PositionalEmbedding:
        name, grid, text = CASES[case]
        action = actions.image(name)
        return specs.PositionalEmbedding(FeatureType(action.group, text), action, grid)

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        """`rho(t_p) F w` on token `p` of each orbit, `F` the vectors that its stabiliser fixes."""
        spec = layer.plan.spec
        images = spec.action.permutation(*spec.grid)
        added = np.zeros((x.shape[1], x.shape[2]))
        for block in spec.feature_type.blocks:
            weight = layer.state_dict()[f"weight_{block.irrep.name}"].numpy()
            used = 0
            for kind in reps.permutation(spec.action.group, images).decompose().orbit_types:
                fixed = reps.fixed_basis(block.irrep, kind.stabiliser)
                for points in kind.points:
                    free = weight[used : used + fixed.shape[1]]
                    used += len(free)
                    for point, element in zip(points, kind.transversal, strict=True):
                        vectors = block.irrep.matrix(element) @ fixed @ free
                        added[point, block.start : block.stop] = vectors.ravel()
            assert used == len(weight)
        return x + torch.tensor(added)

    def in_repr(self, layer: nn.Layer) -> list[str]:
        spec = layer.plan.spec
        return [str(spec.feature_type), repr(spec.action.name), f"{spec.grid[0]} x {spec.grid[1]}"]


@pytest.mark.parametrize("case", list(CASES))
def test_the_embedding_is_any_invariant_vector(case: str) -> None:
    layer = TestPositionalEmbedding().build(case)
    spec = layer.plan.spec
    G, x_type = spec.action.group, spec.feature_type
    vector = layer.embedding().detach()[None]
    for a in range(G.order):
        error = (move(layer.plan.target, a, vector) - vector).abs().max()
        assert error < EXACT
    # As many parameters as the invariant subspace has dimensions, by characters ...
    total = sum(
        fixed_points(spec.action, spec.grid, a) * np.trace(rho(x_type, a)) for a in range(G.order)
    )
    params = [p for p in layer.parameters() if p.numel()]
    assert sum(p.numel() for p in params) == round(total / G.order)
    # ... and an orthogonal frame of it, so that no parameter is redundant.
    columns = []
    with torch.no_grad():
        for p in params:
            p.zero_()
        for p in params:
            for k in range(p.numel()):
                p.view(-1)[k] = 1
                columns.append(layer.embedding().flatten().clone())
                p.view(-1)[k] = 0
    if columns:
        frame = torch.stack(columns)
        gram = frame @ frame.t()
        assert (gram - torch.diag(gram.diagonal())).abs().max() < EXACT
        assert gram.diagonal().min() > 0.5


def test_initial_scale() -> None:
    torch.manual_seed(0)
    action = actions.image("D4")
    layer = nn.PositionalEmbedding(FeatureType.regular(action.group, 64), action, (14, 14))
    assert layer.embedding().std().item() == pytest.approx(0.02, rel=0.1)


class TestClassToken(LayerContract):
    CASES = ("flop", "C4", "D4", "Q8", "trivial")
    TRACED = ("D4",)

    def make(self, case: str) -> specs.ClassToken:
        return specs.ClassToken(typed(case))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        token = torch.zeros(len(x), 1, x.shape[-1], dtype=x.dtype)
        invariants = layer.plan.spec.feature_type.multiplicities[0]
        token[..., :invariants] = layer.state_dict()["weight"]
        return torch.cat([token, x], dim=1)


def test_position_then_class_token() -> None:
    action = actions.image("klein_four")
    x = FeatureType(action.group, "2*chi0 + chi1 + chi3")
    net = ir.compile(
        specs.Chain(
            (
                ("position", specs.PositionalEmbedding(x, action, (3, 2))),
                ("cls", specs.ClassToken(x)),
                ("second", specs.ClassToken(x)),
                ("pool", specs.TokenPool(x, "avg")),
            )
        ),
        dtype=torch.float64,
    )
    testing.assert_equivariant(testing.randomise_(net))
    tokens = torch.randn(2, 6, 4, dtype=torch.float64)
    expected = (tokens + net.position.embedding()).mean(1)
    assert relative(net(tokens), expected) < EXACT


# -- errors -----------------------------------------------------------------------------------


def test_grids_that_turns_do_not_preserve() -> None:
    action = actions.image("C4")
    x = FeatureType.regular(action.group, 4)
    with pytest.raises(GridError, match="does not preserve a token grid of 2 x 3: expected a squa"):
        ir.compile(specs.PositionalEmbedding(x, action, (2, 3)))
    with pytest.raises(GridError, match="does not preserve a 2 x 3 grid: expected a square one, s"):
        nn.PositionalEmbedding(x, action, (2, 3))


@pytest.mark.parametrize("grid", [(2, 2), (2, 3)])
def test_channels_of_another_group(grid: tuple[int, int]) -> None:
    """C4 and klein_four have the same elements 0..3; on a 2 x 2 grid every shape would fit."""
    x = typed("C4", "2*chi0 + 2*chi2")
    with pytest.raises(SpecError, match=r"permuted by klein_four \(.*\), and the channels 2\*chi0"):
        ir.compile(specs.PositionalEmbedding(x, actions.image("klein_four"), grid))


def test_class_token_without_invariants() -> None:
    with pytest.raises(FeatureTypeError, match="an invariant class token is zero: expected a type"):
        ir.compile(specs.ClassToken(typed("D4", "3*E")))


def test_positions_after_a_class_token() -> None:
    action = actions.image("flop")
    x = FeatureType(action.group, "2*sym")
    steps = (
        ("patch", specs.PatchEmbed(action, 1, (4, 4), (2, 2), x)),
        ("cls", specs.ClassToken(x)),
        ("position", specs.PositionalEmbedding(x, action, (2, 2))),
    )
    with pytest.raises(SpecError, match=r"1 prefix tokens: .*put it right after PatchEmbed"):
        ir.compile(specs.Chain(steps))


def test_positions_without_a_grid() -> None:
    action = actions.image("flop")
    x = FeatureType(action.group, "2*sym")
    steps = (
        ("scale", specs.LayerScale(x)),
        ("position", specs.PositionalEmbedding(x, action, (2, 2))),
    )
    with pytest.raises(SpecError, match=r"position \(PositionalEmbedding\): .* without a grid"):
        ir.compile(specs.Chain(steps))
