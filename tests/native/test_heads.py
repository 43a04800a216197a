import pytest
import torch
from torch import Tensor

from irrepnet import groups, nn
from irrepnet.nn.native import Heads
from irrepnet.types import FeatureType

CASES = {
    "trivial": ("trivial", "15*chi0", 3),
    "flop": ("flop", "6*sym + 9*asym", 3),
    "C4": ("C4", "5*chi0 + 10*chi2", 5),
    "D4": ("D4", "3*A1 + 6*B2 + 9*E", 3),
    "Q8": ("Q8", "7*chi0 + 14*chi3 + 7*chi4", 7),
    "A5": ("A5", "2*chi0 + 4*chi1 + 2*chi4", 2),
    "one head": ("D4", "3*A1 + 2*B1 + 5*E", 1),
}
DTYPES = {2: torch.bfloat16, 4: torch.float32, 8: torch.float64}


def heads(case: str) -> tuple[FeatureType, Heads]:
    """Where every component of every irrep lies, counted one by one."""
    name, text, count = CASES[case]
    feature_type = FeatureType(groups.parse(name), text)
    components, start, first = [], 0, 0
    for block in feature_type.blocks:
        for _ in range(block.irrep.dim):
            components.append((start, first, block.multiplicity))
            start += block.multiplicity
            first += block.multiplicity // count
    assert start == feature_type.dim
    return feature_type, Heads(tuple(components), count)


def moved(of: Heads, x: Tensor, parts: int) -> Tensor:
    """Channel by channel: parts, then heads, then copies make up each component."""
    batch, tokens, channels = x.shape
    out = x.new_full((parts, batch, of.heads, tokens, channels // parts // of.heads), torch.nan)
    for start, first, width in of.components:
        share = width // of.heads
        for part in range(parts):
            for head in range(of.heads):
                for copy in range(share):
                    channel = parts * start + part * width + head * share + copy
                    out[part, :, head, :, first + copy] = x[:, :, channel]
    return out


@pytest.mark.parametrize(("case", "size"), [*((case, 4) for case in CASES), ("D4", 2), ("D4", 8)])
def test_there_and_back(case: str, size: int) -> None:
    feature_type, of = heads(case)
    for parts in (1, 2, 3):
        x = torch.randn(2, 5, parts * feature_type.dim).to(DTYPES[size])
        expected = moved(of, x, parts)
        packed, again = torch.full_like(expected, torch.nan), torch.full_like(x, torch.nan)
        assert of.serves(x)
        of.pack(x, packed)
        assert torch.equal(packed, expected)
        of.unpack(again, packed)
        assert torch.equal(again, x)


@pytest.mark.parametrize(("case", "size"), [("D4", 2), ("D4", 4), ("D4", 8), ("Q8", 4)])
def test_the_layer_moves_as_by_views(case: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (feature_type, of), dtype = heads(case), DTYPES[size]
    layer = nn.IsotypicAttention(feature_type, of.heads).layout
    assert Heads(layer.components, layer.heads) == of
    x = torch.randn(2, 5, 6 * feature_type.dim).to(dtype)[..., ::2]  # channels apart
    single = torch.randn(5, 2, feature_type.dim).to(dtype).transpose(0, 1)
    packed, by_heads = layer.pack(x), layer.by_heads(single)
    turned = by_heads.transpose(1, 2).contiguous().transpose(1, 2)  # as fused attention gives it
    unpacked = layer.unpack(packed)
    merged = layer.merge(turned, torch.empty_like(single, memory_format=torch.contiguous_format))
    assert torch.equal(unpacked, x)
    assert torch.equal(merged, single)
    monkeypatch.setattr(Heads, "serves", lambda *_: False)
    assert torch.equal(layer.pack(x), packed)
    assert torch.equal(layer.by_heads(single), by_heads)
    assert torch.equal(layer.unpack(packed), unpacked)
    assert torch.equal(layer.merge(turned, torch.empty_like(merged)), merged)


@pytest.mark.parametrize(("batch", "tokens"), [(0, 5), (2, 0), (0, 0), (1, 1)])
def test_few_tokens(batch: int, tokens: int) -> None:
    feature_type, of = heads("D4")
    x = torch.randn(batch, tokens, 3 * feature_type.dim)
    packed = torch.empty_like(moved(of, x, 3))
    of.pack(x, packed)
    assert torch.equal(packed, moved(of, x, 3))
    again = torch.full_like(x, torch.nan)
    of.unpack(again, packed)
    assert torch.equal(again, x)


def test_threads_and_what_lies_around() -> None:
    """Tokens of one sample fall to different threads; nothing else is written."""
    feature_type, of = heads("D4")
    x = torch.randn(3, 701, 3 * feature_type.dim)
    expected = moved(of, x, 3)
    around = torch.full((expected.numel() + 64,), torch.nan)
    packed = around[32:-32].view(expected.shape)
    try:
        torch.set_num_threads(3)
        of.pack(x, packed)
        again = torch.empty_like(x)
        of.unpack(again, packed)
    finally:
        torch.set_num_threads(1)
    assert torch.equal(packed, expected)
    assert torch.equal(again, x)
    assert around.isnan().sum() == 64


def test_what_is_not_served() -> None:
    _, of = heads("D4")
    x = torch.randn(1, 2, 81)
    assert of.serves(x)
    assert not of.serves(x.to("meta"))
    assert not of.serves(torch._neg_view(x))
