"""Layers with one mistake each: the certificate and the actions by hand must both see it."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import actions, nn, specs, testing
from irrepnet.types import FeatureType, gset_for
from tests.nn.contract import EXACT, typed, worst_error
from tests.nn.test_restrict import spec_of

D4 = typed("D4", "2*A1 + 2*B1 + 2*B2 + 2*E")
REGULAR = FeatureType.regular(typed("D4").group, 16)
FLOP = actions.image("flop")
PATCHES = FeatureType(FLOP.group, "2*sym + 2*asym")

Mistake = Callable[[nn.Layer, Tensor], Tensor]


class Broken(nn.Layer):
    """A layer under the plan of a right one."""

    def __init__(self, right: nn.Layer, mistake: Mistake) -> None:
        super().__init__()
        self.right, self.mistake, self.plan = right, mistake, right.plan

    def forward(self, x: Tensor) -> Tensor:
        return self.mistake(self.right, x)

    def get_submodule(self, target: str) -> torch.nn.Module:
        return self.right.get_submodule(target) if target else self


def bias_on_a_sign(layer: nn.Layer, x: Tensor) -> Tensor:
    shift = torch.zeros(layer.out_dim, dtype=x.dtype)
    shift[-1] = 1e-6
    return layer(x) + shift


def wrong_sign_in_a_block(layer: nn.Layer, x: Tensor) -> Tensor:
    """`[[a, b], [b, a]]` where `[[a, -b], [b, a]]` commutes."""
    matrix, block = layer.weight_matrix(), layer.out_type.blocks[-1]
    source = layer.in_type.blocks[-1]
    matrix[block.component(0), source.component(1)] *= -1
    return x @ matrix.t()


def unequal_components(layer: nn.Layer, x: Tensor) -> Tensor:
    """The two components of E through two weights."""
    matrix, block = layer.weight_matrix(), layer.out_type.blocks[-1]
    matrix[block.component(1)] = matrix[block.component(1)].flip(0)
    return x @ matrix.t()


def swapped_irreps(layer: nn.Layer, x: Tensor) -> Tensor:
    out = layer(x)
    _, b1, b2, e = out.split([2, 2, 2, 4], dim=-1)
    return torch.cat([out[..., :2], b2, b1, e], dim=-1)


def copies_outermost(layer: nn.Layer, x: Tensor) -> Tensor:
    """Components and copies of E the wrong way round."""
    out = layer(x)
    turned = out[..., 6:].unflatten(-1, (2, 2)).transpose(-1, -2).flatten(-2)
    return torch.cat([out[..., :6], turned], dim=-1)


def relu_on_irreps(layer: nn.Layer, x: Tensor) -> Tensor:
    return torch.relu(x)


def rounded_tables(layer: nn.Layer, x: Tensor) -> Tensor:
    basis = torch.tensor(layer.basis.gset.basis()).float().double()
    return torch.nn.functional.gelu(x @ basis) @ basis.t()


def other_points(layer: nn.Layer, x: Tensor) -> Tensor:
    """Two copies of B2 exchanged on the way back: orthogonal, but no longer the same points."""
    basis = torch.tensor(layer.basis.gset.basis())
    points = torch.nn.functional.gelu(x @ basis)
    return points.roll(1, dims=-1) @ basis.t()


def permuted_head(layer: nn.Layer, x: Tensor) -> Tensor:
    """The query's second component of E belongs to the other head."""
    block = layer.in_type.blocks[-1]
    x = x.clone()
    query = slice(block.component(1).start, block.component(1).start + block.multiplicity // 3)
    x[..., query] = x[..., query].roll(1, dims=-1)
    return layer(x)


def one_mean_for_all(layer: nn.Layer, x: Tensor) -> Tensor:
    return torch.nn.functional.layer_norm(x, (x.shape[-1],))


def one_deviation_for_each_channel(layer: nn.Layer, x: Tensor) -> Tensor:
    return layer(x) * (1 + 1e-6 * x)


def scale_for_each_component(layer: nn.Layer, x: Tensor) -> Tensor:
    return layer(x) * torch.linspace(1, 2, x.shape[-1], dtype=x.dtype)


def free_positions(layer: nn.Layer, x: Tensor) -> Tensor:
    return layer(x) + 1e-6 * torch.arange(x.shape[1], dtype=x.dtype)[:, None]


def token_with_signs(layer: nn.Layer, x: Tensor) -> Tensor:
    out = layer(x)
    return torch.cat([out[:, :1] + 1e-6, out[:, 1:]], dim=1)


def free_kernel(layer: nn.Layer, x: Tensor) -> Tensor:
    kernel = layer.kernel()
    kernel = kernel + 1e-6 * torch.arange(kernel.numel(), dtype=x.dtype).view_as(kernel)
    return torch.nn.functional.conv2d(x, kernel, stride=layer.patch).flatten(2).transpose(1, 2)


def columns_of_tokens(layer: nn.Layer, x: Tensor) -> Tensor:
    """Tokens column by column; the plan says row by row."""
    return layer(x).unflatten(1, (2, 3)).transpose(1, 2).flatten(1, 2)


def odd_invariant(layer: nn.Layer, x: Tensor) -> Tensor:
    return x[..., : layer.out_dim]


def exchanged_rows(layer: nn.Layer, x: Tensor) -> Tensor:
    return layer(x).flip(-1)


def first_token(layer: nn.Layer, x: Tensor) -> Tensor:
    """Pools a token that the group moves."""
    return layer(x) + 1e-6 * x[:, 0]


POSITIONS = specs.PositionalEmbedding(PATCHES, FLOP, (2, 3))
CONTROLS: dict[Mistake, specs.Spec] = {
    bias_on_a_sign: specs.Linear(PATCHES, PATCHES),
    wrong_sign_in_a_block: specs.Linear(typed("C4"), typed("C4"), bias=False),
    unequal_components: specs.Linear(D4, D4, bias=False),
    swapped_irreps: specs.Linear(D4, D4),
    copies_outermost: specs.Linear(D4, D4),
    relu_on_irreps: specs.Activation(REGULAR, "relu"),
    rounded_tables: specs.Activation(FeatureType.regular(typed("A4").group, 24)),
    other_points: specs.Activation(REGULAR),
    permuted_head: specs.Attention(D4, 2),
    one_mean_for_all: specs.LayerNorm(D4),
    one_deviation_for_each_channel: specs.LayerNorm(D4, "none"),
    scale_for_each_component: specs.LayerScale(D4),
    free_positions: POSITIONS,
    token_with_signs: specs.ClassToken(D4),
    free_kernel: specs.PatchEmbed(FLOP, 1, (4, 6), (2, 2), PATCHES),
    columns_of_tokens: specs.PatchEmbed(FLOP, 1, (4, 6), (2, 2), PATCHES),
    odd_invariant: specs.InvariantMap(D4, "norm"),
    exchanged_rows: spec_of("D4 klein_four"),
    first_token: specs.Chain((("position", POSITIONS), ("pool", specs.TokenPool(PATCHES, "avg")))),
}


@pytest.mark.parametrize("mistake", list(CONTROLS), ids=lambda m: m.__name__)
def test_a_mistake_is_seen(mistake: Mistake) -> None:
    right = ir.compile(CONTROLS[mistake], dtype=torch.float64).eval()
    testing.randomise_(right)
    testing.assert_equivariant(right)
    with pytest.raises(AssertionError, match="the network is not equivariant: relative error"):
        testing.assert_equivariant(Broken(right, mistake))
    source = right.plan.source
    shape = (
        (2, source.channels, *source.size)
        if hasattr(source, "size")
        else (2, source.positions or 5, source.type.dim)
    )
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    with torch.no_grad():
        assert worst_error(right, x) < EXACT
        assert worst_error(Broken(right, mistake), x) > 100 * EXACT


def test_the_controls_cover_the_gset_of_the_regular_type() -> None:
    assert len(gset_for(REGULAR).counts) == 1  # one kind, so that rolling points mixes cosets


def test_zero_weights_hide_a_mistake() -> None:
    """Why `randomise_` comes first: a LayerScale of 1e-6 hides an error of 1e-7."""
    layer = ir.compile(specs.LayerScale(D4, init=1e-13), dtype=torch.float64)
    residual = Broken(layer, lambda right, x: x + right(x.abs()))
    testing.assert_equivariant(residual)
    testing.randomise_(residual)
    with pytest.raises(AssertionError, match="not equivariant"):
        testing.assert_equivariant(residual)
