"""Tokens as maps and back: the start and the end of networks with channels on axis 1."""

import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import actions, nn, specs
from irrepnet._errors import GridError, SpecError
from irrepnet.compiler import Features
from irrepnet.types import FeatureType
from tests.nn.contract import EXACT, LayerContract, move, relative

#: Image action, type and grid, odd and not square ones included.
CASES = {
    "trivial": ("trivial", "3*chi0", (2, 3)),
    "flop": ("flop", "3*sym + 2*asym", (2, 3)),
    "D4": ("D4", "A1 + B2 + 2*E", (3, 3)),
}


def built(case: str) -> tuple[FeatureType, actions.ImageAction, tuple[int, int]]:
    name, text, grid = CASES[case]
    action = actions.image(name)
    return FeatureType(action.group, text), action, grid


class TestToMaps(LayerContract):
    CASES = ("trivial", "flop", "D4")
    TRACED = ("D4",)

    def make(self, case: str) -> specs.Spec:
        return specs.ToMaps(*built(case))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.ToMaps)
        height, width = layer.grid
        rows = [torch.stack([x[:, r * width + c] for c in range(width)], -1) for r in range(height)]
        return torch.stack(rows, -2)


class TestFromMaps(LayerContract):
    CASES = ("flop", "D4")
    TRACED = ("D4",)

    def make(self, case: str) -> specs.Spec:
        return specs.FromMaps(*built(case))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        return torch.stack([x[:, :, r, c] for r in range(x.shape[2]) for c in range(x.shape[3])], 1)


def test_one_undoes_the_other() -> None:
    x, action, grid = built("D4")
    there = ir.compile(specs.FromMaps(x, action, grid) >> specs.ToMaps(x, action, grid))
    maps = torch.randn(2, x.dim, *grid)
    assert torch.equal(there(maps), maps)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "convnext_tiny"])
def test_the_features_of_a_model_as_maps_go_on_to_stock_modules(name: str) -> None:
    """Prefix tokens are left out; the group acts on maps as the plan says."""
    sizes = {"img_size": 32, "patch": 4}
    sizes |= {"width": 32, "heads": 2, "depth": 1, "register_tokens": 2} if "vit" in name else {}
    sizes |= {"widths": (16, 32), "depths": (1, 1)} if "convnext" in name else {}
    spec = ir.models.model_spec(name, "D4", **sizes)
    grid = (8, 8) if "vit" in name else (4, 4)
    maps = specs.ToMaps(spec.feature_type, actions.image("D4"), grid)
    net = ir.testing.randomise_(ir.compile(spec.features >> maps, dtype=torch.float64)).eval()
    ir.testing.assert_equivariant(net)
    ir.testing.assert_matches_dense(net)
    ir.testing.assert_flops(net, (3, 32, 32))
    edge = net.plan.target
    assert isinstance(edge, Features)
    assert str(edge).endswith(" over D4 as maps")
    x = torch.randn(1, 3, 32, 32, dtype=torch.float64)
    head = torch.nn.Sequential(net, torch.nn.Conv2d(32, 5, 1).double())
    assert head(x).shape == (1, 5, *grid)
    turned = next(a for a, m in enumerate(actions.image("D4").matrices) if m == ((0, -1), (1, 0)))
    assert relative(net(x.rot90(1, (2, 3))), move(edge, turned, net(x))) < EXACT


def test_a_network_may_start_from_maps() -> None:
    x, action, grid = built("flop")
    spec = specs.FromMaps(x, action, grid) >> specs.Conv(x, action, grid, 2 * x)
    net = ir.testing.randomise_(ir.compile(spec >> specs.TokenPool(2 * x, "avg")).double())
    ir.testing.assert_equivariant(net)
    ir.testing.assert_matches_dense(net)
    ir.testing.assert_flops(net, (5, 2, 3))
    with pytest.raises(ir.IrrepnetError, match=r"got input_size=\(6, 5\): the network takes \(5, "):
        ir.flops(net, (6, 5))


def test_what_is_refused() -> None:
    x, action, grid = built("flop")
    to, back = specs.ToMaps(x, action, grid), specs.FromMaps(x, action, grid)
    norm = specs.LayerNorm(x)
    for spec, message in (
        (to >> norm, r"1 \(LayerNorm\): got maps, .* as maps: put a FromMaps between them"),
        (back >> back, r"1 \(FromMaps\): got tokens, .*: put a ToMaps between them"),
        (norm >> to, r"1 \(ToMaps\): got features on a None grid under None: expected \(2, 3\)"),
        (specs.ToMaps(x, actions.image("vflip"), grid), "lies over flop: expected a type over"),
    ):
        with pytest.raises(SpecError, match=message):
            ir.compile(spec)
    square, action, _ = built("D4")
    with pytest.raises(GridError, match="does not preserve a grid of 2 x 3: expected a square"):
        ir.compile(specs.ToMaps(square, action, (2, 3)))
    net = ir.compile(back)
    with pytest.raises(GridError, match=r"got maps of shape \(1, 5, 3, 2\): expected \(batch, 5, "):
        net(torch.zeros(1, 5, 3, 2))
    with pytest.raises(GridError, match=r"got a tensor of shape \(1, 7, 5\): expected \(batch, 6"):
        ir.compile(to)(torch.zeros(1, 7, 5))
