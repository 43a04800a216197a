"""Networks written by hand: the same functions as the dense twins, so a fair baseline."""

import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet._errors import OptionError
from irrepnet.measure import Subject, saved_bytes
from irrepnet.measure._reference import reference
from irrepnet.testing import randomise_

SIZES = [
    ("vit_tiny_patch16_224", {"depth": 2, "width": 24}),
    ("resmlp_12_224", {"depth": 2, "width": 24}),
    ("convnext_tiny", {"depths": (1, 2), "widths": (8, 16)}),
    ("convnext_isotropic_small", {"depth": 1, "width": 16}),
    ("convnext_isotropic_large", {"depth": 1, "width": 16}),  # with LayerScale
]


def as_kernel(weight: Tensor, kernel: Tensor) -> Tensor:
    """Patch weights, columns pixel by pixel, as a strided convolution's; others as they are."""
    if kernel.ndim == 4 and kernel.shape[1] > 1:
        out, channels, size, _ = kernel.shape
        return weight.reshape(out, size, size, channels).permute(0, 3, 1, 2)
    return weight.reshape(kernel.shape)


@pytest.mark.parametrize(("name", "sizes"), SIZES)
def test_with_the_dense_twins_weights_it_computes_the_same(name: str, sizes: dict) -> None:
    twin = ir.create_model(name, img_size=32, num_classes=5, dtype=torch.float64, **sizes).eval()
    randomise_(twin)
    hand = reference(name, img_size=32, num_classes=5, **sizes).double().eval()
    pairs = list(zip(twin.parameters(), hand.parameters(), strict=True))
    with torch.no_grad():
        for given, taken in pairs:
            taken.copy_(as_kernel(given, taken))
        x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
        torch.testing.assert_close(hand(x), twin(x), rtol=1e-10, atol=1e-10)


def test_a_size_of_another_family_is_refused() -> None:
    with pytest.raises(OptionError, match="got heads for the hand-written resmlp_12_224: expected"):
        reference("resmlp_12_224", heads=2)


def test_makers_of_a_subject() -> None:
    sizes = (("depth", 1), ("img_size", 32), ("width", 192))
    hand = Subject("vit_tiny_patch16_224", sizes=sizes, maker="reference")
    assert type(hand.build("meta")).__module__ == "irrepnet.measure._reference"
    assert hand.input_size == (3, 32, 32)
    frozen = Subject("vit_tiny_patch16_224", "flop", sizes=sizes, frozen=True).build("meta")
    assert not any(p.requires_grad for p in frozen.parameters())
    assert hand.exists
    assert not Subject("convnext_isotropic_small", maker="timm").exists


def test_what_autograd_keeps() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.GELU(), torch.nn.Linear(8, 2))
    x = torch.ones(3, 4)
    # Inputs of the two products and of the GELU, in float32; weights do not count.
    assert saved_bytes(network, lambda: network(x).sum().backward()) == 4 * 3 * (4 + 8 + 8)
    assert saved_bytes(network, lambda: network[0](x).square()) == 4 * 3 * (4 + 8)
