"""Registered models at full size on the meta device: published numbers, no memory."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
import torch

import irrepnet as ir
from irrepnet import actions
from irrepnet.compiler import cost
from tests.models.narrow import FIVE_GROUPS, ONE_OF_EACH

VITS = {  # patch, width, depth
    "vit_tiny_patch16_224": (16, 192, 12),
    "vit_small_patch16_224": (16, 384, 12),
    "vit_base_patch16_224": (16, 768, 12),
    "vit_large_patch16_224": (16, 1024, 24),
    "vit_huge_patch14_224": (14, 1280, 32),
}
#: Parameters, and multiply-accumulates of products that may not be exceeded.
PUBLISHED = {
    ("vit_small_patch16_224", "trivial"): (22_059_496, None),
    ("vit_base_patch16_224", "trivial"): (86_585_320, None),
    ("vit_large_patch16_224", "trivial"): (304_374_760, None),
    ("vit_huge_patch14_224", "trivial"): (632_126_440, None),
    ("vit_small_patch16_224", "flop"): (11_039_656, 2.51e9),
    ("vit_base_patch16_224", "flop"): (43_311_976, 9.20e9),
    ("vit_large_patch16_224", "flop"): (152_237_544, 31.81e9),
    ("vit_huge_patch14_224", "flop"): (316_146_280, 86.45e9),
    ("convnext_isotropic_small", "trivial"): (22_308_712, None),
    ("convnext_isotropic_base", "trivial"): (87_083_752, None),
    ("convnext_isotropic_small", "flop"): (11_158_312, 2.205e9),
    ("convnext_isotropic_base", "flop"): (43_549_288, 8.572e9),
    ("convnext_tiny", "trivial"): (28_589_128, None),
    ("convnext_base", "trivial"): (88_591_464, None),
    ("convnext_tiny", "flop"): (14_302_072, 2.374e9),
    ("convnext_base", "flop"): (44_314_792, 7.955e9),
    ("resmlp_24_224", "trivial"): (30_020_680, None),
    ("resmlp_b24_224", "trivial"): (115_736_776, None),
    ("resmlp_24_224", "flop"): (15_063_880, 3.010e9),
    ("resmlp_b24_224", "flop"): (57_972_616, 11.568e9),
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


def expected_params(name: str, group: str, classes: int = 1000) -> int:
    """By Frobenius reciprocity: maps into `c` regular representations cost `1 / |G|`."""
    patch, width, depth = VITS[name]
    irreps = actions.image(group).group.irreps
    order = sum(i.dim**2 // i.end_dim for i in irreps)
    copies = width // order
    scales = copies * sum(i.dim // i.end_dim for i in irreps)
    tokens = (224 // patch) ** 2
    stem = copies * (3 * patch**2 + 1 + tokens + 1)
    products = 12 * width**2 // order + 9 * copies
    norm = scales + copies
    return stem + depth * (products + 2 * norm + 2 * scales) + norm + (copies + 1) * classes


@lru_cache
def dense_params(name: str) -> int:
    """Parameters of the ordinary network, as the plan says."""
    return sum(row.params for row in cost(ir.create_model(name, device="meta").plan))


@pytest.mark.parametrize("group", FIVE_GROUPS)
@pytest.mark.parametrize("name", ir.list_models())
def test_every_model_over_every_group(name: str, group: str) -> None:
    with torch.device("meta"):
        model = ir.create_model(name, group)
    assert [key for key, value in tensors(model) if not value.is_meta] == []
    rows = cost(model.plan)
    params = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert params == sum(row.params for row in rows) <= dense_params(name)
    assert name not in VITS or params == expected_params(name, group)
    found, macs = PUBLISHED.get((name, group), (params, None))
    assert params == found
    flops = sum(row.matmul_flops for row in rows)
    assert macs is None or flops <= 2 * macs
    # The others of a family differ in depth and width: the plan's count is the same formula.
    if name in ONE_OF_EACH:
        ir.testing.assert_flops(model, (3, 224, 224), flops, training=False)
    keys = list(model.state_dict())
    assert keys == [name for name, _ in model.named_parameters()]
    assert keys == list(model.eval().state_dict()) == list(model.train().state_dict())


def test_every_registered_vit_and_published_model_is_here() -> None:
    assert set(VITS) == set(ir.list_models("vit*"))
    assert {name for name, _ in PUBLISHED} <= set(ir.list_models())


@pytest.mark.parametrize(
    ("name", "params"),
    [("vit_small_patch16_224", 16_552_936), ("vit_base_patch16_224", 64_955_368)],
)
def test_published_hybrids(name: str, params: int) -> None:
    model = ir.create_model(name, "flop", break_at=[("trivial", 6)], device="meta")
    assert sum(row.params for row in cost(model.plan)) == params
    assert [key for key, value in tensors(model) if not value.is_meta] == []


def test_flops_by_hand_and_in_the_order_of_the_groups() -> None:
    """The dense ViT-Ti by hand; then a chain of subgroups between it and the octic network."""
    tokens, width = 197, 192
    products = 12 * 2 * tokens * 12 * width**2
    attention = 12 * 2 * 2 * tokens**2 * width
    patches = 2 * 196 * 768 * width
    # Every kind of positional table is moved by products; for one element these are copies.
    positions = 2 * 196 * width
    head = 2 * width * 1000
    chain = [("klein_four", 3), ("flop", 6), ("trivial", 9)]

    def counted(group: str, **options: Any) -> int:
        model = ir.create_model("vit_tiny_patch16_224", group, device="meta", **options)
        return ir.flops(model, (3, 224, 224)).matmul_flops

    dense = counted("trivial")
    assert dense == products + attention + patches + positions + head
    assert counted("D4") < counted("D4", break_at=chain) < dense
