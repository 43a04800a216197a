"""The family at full size on the meta device, and narrow in every promise."""

import pytest
import torch

import irrepnet as ir
from irrepnet import specs, testing
from irrepnet._errors import ActivationError, GridError, GroupError, IrrepnetError, SpecError

EXACT = testing.TOLERANCES[torch.float64]


def test_sizes() -> None:
    assert ir.list_models("resmlp*") == [
        "resmlp_12_224",
        "resmlp_24_224",
        "resmlp_b24_224",
        "resmlp_l24_224",
    ]
    for name, width, depth in (("resmlp_12_224", 384, 12), ("resmlp_l24_224", 1280, 24)):
        model = ir.create_model(name, device="meta")
        assert model.num_features == width
        assert len(model.blocks) == depth


def narrow(group: str, **options: object) -> ir.nn.Classifier:
    sizes = {"img_size": 32, "patch": 8, "width": 16, "depth": 2, "num_classes": 5}
    model = ir.create_model(
        "resmlp_12_224", group=group, dtype=torch.float64, **{**sizes, **options}
    )
    testing.randomise_(model)
    return model.eval()


CASES = {
    "flop odd grid": ("flop", {"img_size": 24}),
    "flop not square": ("flop", {"img_size": (24, 32)}),
    "flop norms": ("flop", {"invariants": "norm", "activation": "quick_gelu"}),
    "C4": ("C4", {"invariants": "norm"}),
    "D4": ("D4", {"img_size": 40}),
    "more symmetric channels": ("flop", {"feature_type": "10*sym + 6*asym"}),
    "D4 to flop": ("D4", {"break_at": [("flop", 1)]}),
    "hybrid": ("flop", {"break_at": [("trivial", 1)]}),
    "chain": ("D4", {"depth": 3, "break_at": [("klein_four", 1), ("flop", 2)]}),
}


@pytest.mark.parametrize("case", CASES)
def test_promises(case: str, tmp_path) -> None:
    group, options = CASES[case]
    model = narrow(group, **options)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        testing.assert_equivariant(model)
        testing.assert_matches_dense(model)
    finally:
        torch.set_default_dtype(before)
    source = model.plan.source
    report = testing.assert_flops(model, (3, *source.size))
    assert report.params == sum(p.numel() for p in model.parameters())
    ir.save(model, tmp_path / "model.safetensors")
    x = torch.randn(2, 3, *source.size, dtype=torch.float64)
    loaded = ir.load(tmp_path / "model.safetensors")
    assert loaded.plan == model.plan
    assert torch.equal(loaded(x), model(x))


def test_an_image_and_its_mirror_have_the_same_logits() -> None:
    x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    model, without = narrow("flop"), narrow("trivial")
    assert (model(x) - model(x.flip(-1))).abs().max() < 1e-12
    assert (without(x) - without(x.flip(-1))).abs().max() > 1e-3


def test_tokens_are_sorted_once_for_each_group() -> None:
    assert _orders(narrow("flop")) == 1
    assert _orders(narrow("D4", break_at=[("flop", 1)])) == 2


def _orders(model: ir.nn.Classifier) -> int:
    return sum(isinstance(node.spec, specs.OrbitOrder) for node in model.plan.leaves())


def test_a_new_head() -> None:
    model = narrow("flop")
    model.reset_classifier(3)
    assert model(torch.randn(1, 3, 32, 32, dtype=torch.float64)).shape == (1, 3)
    with pytest.raises(SpecError, match=r"got global_pool='token' .*: expected 'avg'"):
        model.reset_classifier(3, "token")


@pytest.mark.parametrize(
    ("error", "message", "group", "options"),
    [
        (SpecError, "got global_pool='token' for resmlp_12_224: expected 'avg'", "flop",
         {"global_pool": "token"}),
        (GridError, r"patch_embed .PatchEmbed.: patchs? ?.* do not tile an image", "flop",
         {"img_size": 30}),
        (GridError, "patch_embed .PatchEmbed.: 'D4' exchanges rows and columns", "D4",
         {"img_size": (24, 32)}),
        (ActivationError, r"head.pool .OrbitPool.: 4\*sym \+ 12\*asym .* no permutation", "flop",
         {"feature_type": "4*sym + 12*asym"}),
        (SpecError, "unknown option heads for resmlp_12_224: expected some of activation", "flop",
         {"heads": 3}),
        (SpecError, "unknown invariant 'power'", "flop", {"invariants": "power"}),
        (ActivationError, "unknown pointwise function 'swish'", "flop", {"activation": "swish"}),
        (SpecError, "expected increasing block indices between 0 and 1", "flop",
         {"break_at": [("trivial", 2)]}),
        (SpecError, "gives up nothing", "flop", {"break_at": [("flop", 1)]}),
        (GroupError, "is no subgroup", "flop", {"break_at": [("vflip", 1)]}),
    ],
)  # fmt: skip
def test_what_is_refused(
    error: type[IrrepnetError], message: str, group: str, options: dict
) -> None:
    with pytest.raises(error, match=message):
        narrow(group, **options)
