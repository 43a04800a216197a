"""Products by oneDNN: the same numbers, only in plain float32 inference, never stored."""

import copy
import pickle

import pytest
import torch

from irrepnet import groups, nn, testing
from irrepnet.nn._prepacked import multiply_packed
from irrepnet.types import FeatureType

pytestmark = pytest.mark.skipif(not nn.can_prepack(), reason="this torch has no oneDNN")

NAMES = ("trivial", "flop", "C4", "D4", "Q8", "A5", "C3xD3")


def twins(name: str, bias: bool = True) -> tuple[nn.IsotypicLinear, nn.IsotypicLinear]:
    """A layer, and one whose products may be packed."""
    G = groups.parse(name)
    x = FeatureType(G, [1 + i % 3 for i in range(len(G.irreps))])
    plain = testing.randomise_(nn.IsotypicLinear(x, 2 * x, bias))
    packed = nn.IsotypicLinear(x, 2 * x, bias, lowering="prepacked")
    packed.load_state_dict(plain.state_dict())
    return plain, packed


@pytest.fixture
def packs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each product with packed weights."""
    found: list[int] = []

    def counted(*arguments: torch.Tensor) -> torch.Tensor:
        found.append(1)
        return multiply_packed(*arguments)

    monkeypatch.setattr("irrepnet.nn._block_product.multiply_packed", counted)
    return found


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_numbers(name: str, bias: bool, packs: list[int]) -> None:
    plain, packed = twins(name, bias)
    for shape in ((7,), (2, 5), (0,), ()):
        x = torch.randn(*shape, plain.in_dim)
        with torch.no_grad():
            torch.testing.assert_close(packed(x), plain(x), rtol=1e-5, atol=1e-5)
    assert packs


@pytest.mark.filterwarnings("ignore:TF32 acceleration")  # torch's own, from the flag
@pytest.mark.parametrize("name", NAMES)
def test_elsewhere_it_is_the_plain_layer(name: str, packs: list[int]) -> None:
    plain, packed = twins(name)
    x = torch.randn(3, plain.in_dim)
    assert torch.equal(packed(x), plain(x))  # autograd records
    with torch.no_grad(), torch.backends.mkldnn.flags(enabled=False):
        assert torch.equal(packed(x), plain(x))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(packed(x), plain(x))
    with torch.no_grad():
        assert torch.equal(packed.double()(x.double()), plain.double()(x.double()))
    assert not packs


def test_changed_weights_are_seen() -> None:
    _, packed = twins("D4")
    x = torch.randn(3, packed.in_dim)
    with torch.no_grad():
        before = packed(x)
        for value in packed.parameters():
            value.mul_(2)
        torch.testing.assert_close(packed(x), 2 * before)
        packed.load_state_dict({k: v / 2 for k, v in packed.state_dict().items()})
        torch.testing.assert_close(packed(x), before)


def test_nothing_is_stored_with_the_weights() -> None:
    plain, packed = twins("Q8")
    x = torch.randn(3, packed.in_dim)
    with torch.no_grad():
        expected = packed(x)
        assert list(packed.state_dict()) == list(plain.state_dict())
        for again in (copy.deepcopy(packed), pickle.loads(pickle.dumps(packed))):
            torch.testing.assert_close(again(x), expected)
    with torch.inference_mode():
        torch.testing.assert_close(packed(x), expected)
        made_here = nn.IsotypicLinear(packed.in_type, packed.out_type, lowering="prepacked")
        made_here.load_state_dict(packed.state_dict())
        torch.testing.assert_close(made_here(x), expected)
