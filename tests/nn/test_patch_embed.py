import numpy as np
import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import actions, nn, reps, specs, testing
from irrepnet._errors import GridError, IrrepMismatchError, SpecError
from irrepnet.types import FeatureType
from tests.nn.contract import EXACT, LayerContract, move_image, relative, rho
from tests.nn.test_linear import by_schur

#: Action, channels, image, patch, tokens' type.
CASES = {
    "flop odd": ("flop", 3, (6, 9), (2, 3), "3*sym + 2*asym"),
    "flop even": ("flop", 1, (4, 8), (4, 2), "3*sym + 2*asym"),
    "flop one pixel": ("flop", 3, (2, 3), (1, 1), "3*sym + 2*asym"),
    "vflip": ("vflip", 2, (6, 4), (3, 4), "2*chi0 + 2*chi1"),
    "rot180": ("rot180", 1, (3, 6), (3, 2), "2*chi0 + 2*chi1"),
    "transpose": ("transpose", 1, (6, 6), (3, 3), "2*chi0 + 2*chi1"),
    "antitranspose": ("antitranspose", 1, (4, 4), (2, 2), "2*chi0 + 2*chi1"),
    "klein_four": ("klein_four", 2, (9, 10), (3, 5), "chi0 + 2*chi1 + chi2 + 3*chi3"),
    "C4": ("C4", 2, (6, 6), (3, 3), "2*chi0 + chi1 + 3*chi2"),
    "D4 odd": ("D4", 3, (9, 9), (3, 3), "2*A1 + B1 + B2 + 2*E"),
    "D4 even": ("D4", 1, (8, 8), (4, 4), "2*A1 + A2 + B1 + B2 + 2*E"),
    "D4 one token": ("D4", 1, (5, 5), (5, 5), "2*A1 + A2 + 2*E"),
    "D4 unreached": ("D4", 2, (4, 4), (2, 2), "A1 + A2 + B1 + 2*E"),
    "trivial": ("trivial", 3, (4, 6), (2, 3), "5*chi0"),
}


def by_orbits(layer: nn.PatchEmbed) -> Tensor:
    """The convolution kernel: `W (U (x) I_channels)`, `U` taking a patch's pixels to irreps."""
    group, (high, wide) = layer.action.group, layer.patch
    pixels = reps.permutation(group, layer.action.permutation(high, wide)).decompose()
    change = np.kron(pixels.basis.to_dense(), np.eye(layer.channels))
    flat = (by_schur(layer.proj) @ change).reshape(-1, high, wide, layer.channels)
    return torch.tensor(flat.transpose(0, 3, 1, 2))


class TestPatchEmbed(LayerContract):
    CASES = tuple(CASES)
    TRACED = ("flop odd", "D4 odd")

    def make(self, case: str) -> specs.PatchEmbed:
        name, channels, image, patch, text = CASES[case]
        action = actions.image(name)
        return specs.PatchEmbed(action, channels, image, patch, FeatureType(action.group, text))

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        kernel = by_orbits(layer)
        bias = torch.zeros(len(kernel), dtype=torch.float64)
        if layer.proj.bias is not None:
            bias[: len(layer.proj.bias)] = layer.proj.bias.detach()
        out = torch.nn.functional.conv2d(x, kernel, bias, stride=layer.patch)
        return out.flatten(2).transpose(1, 2)

    def in_repr(self, layer: nn.Layer) -> list[str]:
        return [repr(layer.action.name), str(layer.proj.out_type)]


@pytest.fixture(params=list(CASES))
def layer(request: pytest.FixtureRequest) -> nn.PatchEmbed:
    made = TestPatchEmbed().build(request.param)
    assert isinstance(made, nn.PatchEmbed)
    return made


def averaged(kernel: Tensor, layer: nn.PatchEmbed) -> Tensor:
    """The nearest equivariant kernel: the mean over the group of `rho(g) k(g^-1 .)`."""
    action = layer.action
    moved = [
        torch.einsum(
            "oi,ichw->ochw",
            torch.tensor(rho(layer.proj.out_type, a)),
            move_image(action, a, kernel),
        )
        for a in range(action.group.order)
    ]
    return torch.stack(moved).mean(0)


def test_kernels(layer: nn.PatchEmbed) -> None:
    kernel = layer.kernel().detach()
    assert relative(kernel, by_orbits(layer)) < EXACT
    assert relative(averaged(kernel, layer), kernel) < EXACT
    x = torch.randn(2, layer.channels, *layer.image_size, dtype=torch.float64)
    bias = torch.zeros(len(kernel), dtype=torch.float64)
    bias[: len(layer.proj.bias)] = layer.proj.bias.detach()
    conv = torch.nn.functional.conv2d(x, kernel, bias, stride=layer.patch)
    assert relative(layer(x), conv.flatten(2).transpose(1, 2)) < EXACT


def test_loading_a_kernel_projects_it(layer: nn.PatchEmbed) -> None:
    generator = torch.Generator().manual_seed(0)
    kernel = torch.randn(layer.kernel().shape, generator=generator, dtype=torch.float64)
    layer.load_kernel_(kernel)
    nearest = averaged(kernel, layer)
    assert relative(layer.kernel(), nearest) < EXACT
    layer.load_kernel_(nearest)
    assert relative(layer.kernel(), nearest) < EXACT


def test_weights_are_all_equivariant_kernels(layer: nn.PatchEmbed) -> None:
    """As many as the dimension of `Hom_G(R^pixels, V)`, by characters."""
    high, wide = layer.patch
    total = 0.0
    for a, images in enumerate(layer.action.permutation(high, wide)):
        fixed = int((images == np.arange(high * wide)).sum())
        total += layer.channels * fixed * np.trace(rho(layer.proj.out_type, a))
    weights = sum(p.numel() for name, p in layer.proj.named_parameters() if name != "bias")
    assert weights == round(total / layer.action.group.order)


def test_channels_last() -> None:
    layer = TestPatchEmbed().build("D4 odd")
    x = torch.randn(2, 3, 9, 9, dtype=torch.float64)
    assert relative(layer(x.to(memory_format=torch.channels_last)), layer(x)) < EXACT


def test_a_kernel_in_low_precision() -> None:
    layer = testing.randomise_(TestPatchEmbed().build("C4", torch.float32))
    exact = by_orbits(layer.double())
    assert relative(layer.float().kernel().double(), exact) < 1e-6


# -- errors -----------------------------------------------------------------------------------


def embed(name: str, image: tuple[int, int], patch: tuple[int, int], **kwargs) -> specs.PatchEmbed:
    action = actions.image(name)
    return specs.PatchEmbed(action, 1, image, patch, FeatureType.regular(action.group, 8), **kwargs)


def test_images_of_another_size() -> None:
    layer = ir.compile(embed("flop", (4, 6), (2, 2)))
    with pytest.raises(GridError, match=r"takes images of shape \(1, 4, 6\) .* got \(3, 8, 6\)"):
        layer(torch.zeros(1, 3, 8, 6))


@pytest.mark.parametrize(
    ("image", "patch", "sizes"),
    [((5, 4), (2, 2), "4 x 4"), ((4, 4), (0, 2), ""), ((2, 4), (4, 4), "4 x 4")],
)
def test_patches_that_do_not_tile(
    image: tuple[int, int], patch: tuple[int, int], sizes: str
) -> None:
    with pytest.raises(GridError, match=f"do not tile an image of .* size such as {sizes}"):
        ir.compile(embed("flop", image, patch))


def test_patches_that_turns_do_not_preserve() -> None:
    with pytest.raises(GridError, match="does not preserve a patch of 2 x 4: expected a square pa"):
        ir.compile(embed("C4", (8, 8), (2, 4)))
    with pytest.raises(GridError, match="does not preserve a token grid of 2 x 1: expected a squa"):
        ir.compile(embed("D4", (8, 4), (4, 4)))
    action = actions.image("C4")
    with pytest.raises(GridError, match="does not preserve a patch of 2 x 4"):
        nn.PatchEmbed(action, 1, (8, 8), (2, 4), FeatureType.regular(action.group, 8))


def test_tokens_of_another_group() -> None:
    spec = specs.PatchEmbed(
        actions.image("flop"), 1, (4, 4), (2, 2), FeatureType(ir.groups.cyclic(4), "4*chi0")
    )
    with pytest.raises(SpecError, match=r"type 4\*chi0 lies over C4: expected a type over flop, t"):
        ir.compile(spec)


def test_tokens_that_no_pixel_reaches() -> None:
    action = actions.image("flop")
    spec = specs.PatchEmbed(action, 1, (4, 4), (1, 1), FeatureType(action.group, "4*asym"))
    with pytest.raises(IrrepMismatchError, match=r"from 1\*sym to 4\*asym is zero"):
        ir.compile(spec)
