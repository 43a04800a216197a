"""Initial weights: repeatable, and of the dense network's scale at every depth."""

import pytest
import torch

import irrepnet as ir
from tests.models.narrow import narrow

SIZES = {"width": 192, "heads": 3, "depth": 6, "patch": 8, "img_size": 32, "num_classes": 10}


def scales(group: str, **options: object) -> dict[str, float]:
    """Root mean square of every branch before its LayerScale, of tokens and of the logits."""
    found: dict[str, list[float]] = {}
    for seed in range(2):
        model = narrow(group, dtype=torch.float32, seed=seed, **SIZES, **options).eval()
        paths = ["patch_embed", "pos_embed", "norm", "head"]
        for block in range(SIZES["depth"]):
            paths += [f"blocks.{block}.attention.proj", f"blocks.{block}.attention.attend"]
            paths += [f"blocks.{block}.mlp.{name}" for name in ("norm", "fc1", "act", "fc2")]
        for path in paths:
            model.get_submodule(path).register_forward_hook(
                lambda _m, _x, y, path=path: found.setdefault(path, []).append(
                    y.square().mean().item()
                )
            )
        x = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            model(x)
    return {path: (sum(v) / len(v)) ** 0.5 for path, v in found.items()}


@pytest.fixture(scope="module")
def dense() -> dict[str, float]:
    return scales("trivial")


@pytest.mark.parametrize("group", ["flop", "klein_four", "C4", "D4"])
def test_activations_have_the_dense_scale_at_every_depth(group: str, dense: dict) -> None:
    ratios = {path: value / dense[path] for path, value in scales(group).items()}
    assert set(ratios) == set(dense)
    head = ratios.pop("head")  # the mean of few numbers
    assert 0.6 < head < 1.6
    assert {path: r for path, r in ratios.items() if not 0.85 < r < 1.15} == {}


def test_a_scale_that_is_off_would_be_seen(dense: dict) -> None:
    """Weights of the dense standard deviation, not scaled by the fan-in, are too small."""
    model = narrow("D4", dtype=torch.float32, **SIZES)
    layer = model.blocks[0].mlp.fc1
    assert layer.weight("A1").std().item() == pytest.approx(0.02 * 8**0.5, rel=0.1)
    assert layer.weight("E").std().item() == pytest.approx(0.02 * 4**0.5, rel=0.1)


def test_dense_weights_are_those_of_the_published_network() -> None:
    model = narrow("trivial", dtype=torch.float32, **SIZES)
    assert model.blocks[0].attention.qkv.weight_chi0.std().item() == pytest.approx(0.02, rel=0.05)
    bound = (3 * 64) ** -0.5
    patch = model.patch_embed.proj.weight_chi0.abs().max().item()
    assert 0.95 * bound < patch <= bound
    assert model.pos_embed.weight_chi0.std().item() == pytest.approx(0.02, rel=0.1)
    assert model.blocks[0].mlp.scale.weight_chi0.unique().tolist() == [pytest.approx(1e-6)]
    assert not model.head.fc.bias.any()


@pytest.mark.parametrize("group", ["trivial", "flop", "D4"])
def test_same_seed_same_weights(group: str) -> None:
    first = narrow(group, seed=5).state_dict()
    again = narrow(group, seed=5).state_dict()
    other = narrow(group, seed=6).state_dict()
    with torch.device("cpu"):
        inside = narrow(group, seed=5).state_dict()
    given = narrow(group, seed=5, device="cpu").state_dict()
    assert first.keys() == again.keys() == other.keys() == inside.keys() == given.keys()
    for key, value in first.items():
        assert torch.equal(value, again[key])
        assert torch.equal(value, inside[key])
        assert torch.equal(value, given[key])
    assert any(not torch.equal(value, other[key]) for key, value in first.items())


def test_building_draws_nothing_else() -> None:
    """Two networks in a row differ, and what is drawn between them does not shift the second."""
    torch.manual_seed(0)
    ir.create_model("vit_tiny_patch16_224", "flop", depth=1, device="meta")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        expected = torch.rand(3)
    torch.manual_seed(0)
    ir.groups.dihedral(4)
    ir.FeatureType.regular(ir.groups.dihedral(4), 64)
    assert torch.equal(torch.rand(3), expected)


def test_default_dtype_is_torchs() -> None:
    assert next(narrow("flop", dtype=None).parameters()).dtype == torch.float32
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        model = narrow("flop", dtype=None)
    finally:
        torch.set_default_dtype(before)
    assert {p.dtype for p in model.parameters()} == {torch.float64}
    assert model.blocks[0].mlp.act.basis.dim == 256
    ir.testing.assert_equivariant(ir.testing.randomise_(model))
