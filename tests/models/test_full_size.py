"""Registered models at full size on the meta device: published numbers, no memory."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
import torch

import irrepnet as ir
from irrepnet import actions
from tests.models.narrow import GROUPS

NAMES = ir.list_models("vit*")
SIZES = {  # patch, width, depth
    "vit_tiny_patch16_224": (16, 192, 12),
    "vit_small_patch16_224": (16, 384, 12),
    "vit_base_patch16_224": (16, 768, 12),
    "vit_large_patch16_224": (16, 1024, 24),
    "vit_huge_patch14_224": (14, 1280, 32),
}


def tensors(model: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor that a model holds, wherever it keeps it."""
    yield from model.state_dict(keep_vars=True).items()
    for path, module in model.named_modules():
        yield from _inside(vars(module), path)


def _inside(value: Any, path: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(item, torch.nn.Module):
                yield from _inside(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _inside(item, path)


@lru_cache
def counted(name: str, group: str) -> ir.accounting.FlopReport:
    """Costs; raises unless they equal what torch counts."""
    model = ir.create_model(name, group, device="meta")
    return ir.testing.assert_flops(model, (3, 224, 224))


def expected_params(name: str, group: str, classes: int = 1000) -> int:
    """By Frobenius reciprocity: maps into `c` regular representations cost `1 / |G|`."""
    patch, width, depth = SIZES[name]
    irreps = actions.image(group).group.irreps
    order = sum(i.dim**2 // i.end_dim for i in irreps)
    copies = width // order
    scales = copies * sum(i.dim // i.end_dim for i in irreps)
    tokens = (224 // patch) ** 2
    stem = copies * (3 * patch**2 + 1 + tokens + 1)
    products = 12 * width**2 // order + 9 * copies
    norm = scales + copies
    return stem + depth * (products + 2 * norm + 2 * scales) + norm + (copies + 1) * classes


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", NAMES)
def test_counts_equal_the_meta_device(name: str, group: str) -> None:
    with torch.device("meta"):
        model = ir.create_model(name, group)
    assert [key for key, value in tensors(model) if not value.is_meta] == []
    params = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert params == expected_params(name, group)
    if "tiny" in name or group in ("trivial", "flop"):  # the others differ in depth and width only
        assert counted(name, group).params == params
    keys = list(model.state_dict())
    assert keys == [name for name, _ in model.named_parameters()]
    assert list(model.eval().state_dict()) == keys


def test_every_registered_vit_is_here() -> None:
    assert set(SIZES) == set(NAMES)


@pytest.mark.parametrize(
    ("name", "dense", "flop"),
    [
        ("vit_small_patch16_224", 22_059_496, 11_039_656),
        ("vit_base_patch16_224", 86_585_320, 43_311_976),
        ("vit_large_patch16_224", 304_374_760, 152_237_544),
        ("vit_huge_patch14_224", 632_126_440, 316_146_280),
    ],
)
def test_published_parameters(name: str, dense: int, flop: int) -> None:
    assert counted(name, "trivial").params == dense
    assert counted(name, "flop").params == flop


@pytest.mark.parametrize(
    ("name", "params"),
    [("vit_small_patch16_224", 16_552_936), ("vit_base_patch16_224", 64_955_368)],
)
def test_published_hybrids(name: str, params: int) -> None:
    model = ir.create_model(name, "flop", break_at=[("trivial", 6)], device="meta")
    report = ir.testing.assert_flops(model, (3, 224, 224))
    assert report.params == params
    assert [key for key, value in tensors(model) if not value.is_meta] == []


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("vit_small_patch16_224", 5.02e9),
        ("vit_base_patch16_224", 18.40e9),
        ("vit_large_patch16_224", 63.62e9),
        ("vit_huge_patch14_224", 172.90e9),
    ],
)
def test_published_flops(name: str, bound: float) -> None:
    flop = counted(name, "flop").matmul_flops
    assert flop <= bound
    assert counted(name, "trivial").matmul_flops > 1.8 * flop


def test_flops_of_dense_vit_small_by_hand() -> None:
    tokens, width = 197, 384
    products = 12 * 2 * tokens * 12 * width**2
    attention = 12 * 2 * 2 * tokens**2 * width
    patches = 2 * 196 * 768 * width
    # Every kind of positional table is moved by products; for one element these are copies.
    positions = 2 * 196 * width
    head = 2 * width * 1000
    report = counted("vit_small_patch16_224", "trivial")
    assert report.matmul_flops == products + attention + patches + positions + head


def test_break_chain_at_full_size() -> None:
    chain = [("klein_four", 3), ("flop", 6), ("trivial", 9)]
    model = ir.create_model("vit_tiny_patch16_224", "D4", break_at=chain, device="meta")
    total = ir.testing.assert_flops(model, (3, 224, 224)).total
    assert counted("vit_tiny_patch16_224", "D4").total < total
    assert total < counted("vit_tiny_patch16_224", "trivial").total
