"""ConvNeXts: published sizes and costs, any group, breaks, published checkpoints."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

import irrepnet as ir
from irrepnet import models, testing
from irrepnet._errors import CheckpointError, GridError, SpecError
from tests.convnext.published import forward

STAGES = {"widths": (16, 32, 32), "depths": (1, 2, 1), "img_size": 32}
ONE_STAGE = {"width": 32, "depth": 2, "patch": 4, "img_size": 20}
NARROW = {"convnext_tiny": STAGES, "convnext_isotropic_large": ONE_STAGE}


def narrow(name: str, group: str, **options) -> ir.nn.Classifier:
    torch.manual_seed(0)
    options = {**NARROW[name], "num_classes": 5, "dtype": torch.float64, **options}
    model = ir.create_model(name, group, **options)
    return testing.randomise_(model).eval()


@pytest.mark.parametrize("group", ["flop", "rot180", "C4", "D4"])
@pytest.mark.parametrize("name", NARROW)
def test_norms_over_any_group(name: str, group: str) -> None:
    model = narrow(name, group, invariants="norm")
    testing.assert_equivariant(model)
    testing.assert_matches_dense(model)
    size = NARROW[name]["img_size"]
    testing.assert_flops(model, (3, size, size))


@pytest.mark.parametrize("name", NARROW)
def test_breaks(name: str) -> None:
    chain = [("klein_four", 0), ("flop", 1)]
    model = narrow(name, "D4", break_at=chain)
    testing.assert_equivariant(model)
    assert model.plan.target.group.order == 2
    hybrid = narrow(name, "flop", break_at=[("trivial", 1)])
    testing.assert_equivariant(hybrid)
    x = torch.randn(1, 3, NARROW[name]["img_size"], NARROW[name]["img_size"], dtype=torch.float64)
    assert (hybrid(x.flip(3)) - hybrid(x)).abs().max() > 1e-3


@pytest.mark.parametrize("group", ["flop", "D4"])
def test_the_group_moves_nothing(group: str) -> None:
    model = narrow("convnext_tiny", group, invariants="norm")
    x = torch.randn(1, 3, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(model(x.flip(3)), model(x))
    turned = model(x.rot90(1, (2, 3)))
    assert torch.allclose(turned, model(x)) == (group == "D4")


def test_points_may_pair_the_channels_of_any_group() -> None:
    model = narrow("convnext_isotropic_large", "flop", pairing="gset")
    testing.assert_equivariant(model)
    assert isinstance(model.blocks[0].dwconv, ir.nn.GSetDepthwiseConv)


def test_odd_grids_leave_out_a_row_or_column_where_the_group_allows() -> None:
    size = {
        "img_size": (24, 16),
        "widths": (16, 32, 32),
        "depths": (1, 1, 1),
    }  # 6 x 4, 3 x 2, 1 x 1
    model = narrow("convnext_tiny", "flop", **size)
    assert isinstance(model.blocks.downsample2.reduce, ir.nn.Conv)
    assert isinstance(model.blocks.downsample1.reduce, ir.nn.Downsample)
    testing.assert_equivariant(model)
    testing.assert_flops(model, (3, 24, 16))
    with pytest.raises(
        GridError, match=r"downsample2.reduce \(Downsample\): windows of 2 x 2 do no"
    ):
        narrow("convnext_tiny", "vflip", **size)


def test_reset_classifier_and_checkpointing() -> None:
    model = narrow("convnext_tiny", "flop").train()
    x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    expected = model(x)
    model.set_grad_checkpointing()
    torch.testing.assert_close(model(x), expected)
    model(x).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.reset_classifier(3)
    assert model(x).shape == (2, 3)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"img_size": 36}, GridError, r"blocks.downsample1.reduce \(Downsample\): windows of 2"),
        ({"kernel_size": 4}, SpecError, r"got kernel_size=4: expected an odd number"),
        ({"widths": 16}, SpecError, r"ConvNeXtSize: got widths=16: expected whole numbers"),
        ({"widths": (16, 32)}, SpecError, r"got 2 widths and 3 depths: expected as many"),
        ({"widths": (16, 20, 32)}, SpecError, r"stage 1 is 20 / 16 times as wide"),
        ({"break_at": [("flop", 9)]}, SpecError, r"expected increasing block indices between 0"),
        ({"global_pool": "token"}, SpecError, r"'token' without a class token"),
    ],
)
def test_what_is_refused(options: dict, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        narrow("convnext_tiny", "D4", **options)


# -- published checkpoints ------------------------------------------------------------------------

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
NAMES = (
    "convnext",
    "convnext_isotropic",
    "d2_convnext",
    "d2_convnext_symfeats",
    "d2_convnext_isotropic",
)


def golden(name: str) -> tuple[dict[str, Tensor], str, dict, Tensor, Tensor]:
    """State, kind, config, input and output of a stored case."""
    with safe_open(GOLDEN / f"{name}.safetensors", "pt") as file:
        metadata = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    state = {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
    config = json.loads(metadata["config"])
    return state, metadata["kind"], config, tensors["input"], tensors["output"]


def close(got: Tensor, expected: Tensor) -> bool:
    return bool((got - expected).abs().max() <= 1e-12 * expected.abs().max())


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str) -> None:
    state, kind, config, x, expected = golden(name)
    model = ir.interop.load_flopping(state, kind, config)
    assert not model.training
    assert close(model(x), expected)
    with torch.no_grad():
        assert close(model(x), expected)
    assert close(forward(kind, config, state, x), expected)
    testing.assert_equivariant(model)


#: Keys that are no free numbers.
FIXED = "zero_center"


def other_case(kind: str, config: dict) -> dict[str, Tensor]:
    """Random weights under the published names, for a network of other sizes."""
    typed = kind.startswith("flopping.")
    c = {"num_classes": 4, **config}
    widths = c["dims"] if "dims" in c else [c["dim"]]
    depths = c["depths"] if "depths" in c else [c["depth"]]
    state: dict[str, Tensor] = {}

    def put(key: str, *shape: int) -> None:
        value = torch.randn(shape, dtype=torch.float64)
        state[key] = value / value[0].numel() ** 0.5 if len(shape) > 1 else value

    def put_norm(key: str, width: int) -> None:
        if typed:
            for part in ("alpha_sym", "alpha_asym", "beta"):
                put(f"{key}.scaling.{part}", width // 2)
        else:
            put(f"{key}.weight", width)
            put(f"{key}.bias", width)

    def put_linear(key: str, rows: int, columns: int) -> None:
        if typed:
            put(f"{key}.linear_sym.weight", rows // 2, columns // 2, 1, 1)
            put(f"{key}.linear_asym.weight", rows // 2, columns // 2, 1, 1)
            put(f"{key}.linear_sym.bias", rows // 2)
        else:
            put(f"{key}.weight", rows, columns, 1, 1)
            put(f"{key}.bias", rows)

    def put_block(key: str, w: int) -> None:
        if typed:
            for pair, columns in (("sym_to_sym", 4), ("asym_to_asym", 4)):
                put(f"{key}.dwconv.{pair}.weight", w // 4, 1, 7, columns)
            for pair in ("sym_to_asym", "asym_to_sym"):
                put(f"{key}.dwconv.{pair}.weight", w // 4, 1, 7, 3)
                zeros = torch.zeros(w // 4, 1, 7, 1, dtype=torch.float64)
                state[f"{key}.dwconv.{pair}.{FIXED}"] = zeros
            put(f"{key}.dwconv.sym_to_sym.bias", w // 4)
            put(f"{key}.dwconv.asym_to_sym.bias", w // 4)
        else:
            put(f"{key}.dwconv.weight", w, 1, 7, 7)
            put(f"{key}.dwconv.bias", w)
        put_norm(f"{key}.norm", w)
        put_linear(f"{key}.pwconv1", 4 * w, w)
        put_linear(f"{key}.pwconv2", w, 4 * w)
        if c.get("layer_scale_init_value", 1e-6 if "dims" in c else 0) > 0:
            for part in ("alpha_sym", "alpha_asym") if typed else ():
                put(f"{key}.gamma.{part}", w // 2)
            if not typed:
                put(f"{key}.gamma", w)

    def put_window(key: str, rows: int, columns: int, size: int) -> None:
        if not typed:
            put(f"{key}.weight", rows, columns, size, size)
            put(f"{key}.bias", rows)
        elif columns == c["in_chans"]:
            for parity in ("sym", "asym"):
                put(f"{key}.proj_{parity}.weight", rows // 2, columns, size, size // 2)
            put(f"{key}.proj_sym.bias", rows // 2)
        else:
            for pair in ("sym_to_sym", "sym_to_asym", "asym_to_sym", "asym_to_asym"):
                put(f"{key}.{pair}.weight", rows // 2, columns // 2, size, size // 2)
            put(f"{key}.sym_to_sym.bias", rows // 2)

    if "dims" in c:
        for stage, w in enumerate(widths):
            key = f"downsample_layers.{stage}"
            if stage == 0:
                put_window(f"{key}.0", w, c["in_chans"], 4)
                put_norm(f"{key}.1", w)
            else:
                put_norm(f"{key}.0", widths[stage - 1])
                put_window(f"{key}.1", w, widths[stage - 1], 2)
            for index in range(depths[stage]):
                put_block(f"stages.{stage}.{index}", w)
    else:
        put_window("stem", widths[0], c["in_chans"], 16)
        for index in range(depths[0]):
            put_block(f"blocks.{index}", widths[0])
    seen = widths[-1] // (2 if typed and not c.get("use_symmetrized_asym_feats") else 1)
    for key in ("norm.weight", "norm.bias"):
        put(key, seen)
    put("head.weight", c["num_classes"], seen)
    put("head.bias", c["num_classes"])
    return state


STAGED = {"img_size": 32, "in_chans": 1, "depths": [1, 2, 1, 1], "dims": [8, 16, 16, 24]}
ISOTROPIC = {"img_size": 48, "in_chans": 2, "depth": 3, "dim": 12}


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("convnext", STAGED),
        ("convnext", {**STAGED, "layer_scale_init_value": 0}),
        ("convnext", {**STAGED, "img_size": 56}),  # 14, 7, then 3: a row and a column are left out
        ("convnext_isotropic", ISOTROPIC),
        ("convnext_isotropic", {**ISOTROPIC, "layer_scale_init_value": 1e-6}),
        ("flopping.d2_convnext", STAGED),
        ("flopping.d2_convnext", {**STAGED, "use_symmetrized_asym_feats": True}),
        ("flopping.d2_convnext_isotropic", ISOTROPIC),
        (
            "flopping.d2_convnext_isotropic",
            {**ISOTROPIC, "use_symmetrized_asym_feats": True, "layer_scale_init_value": 0.1},
        ),
    ],
)
def test_other_sizes(kind: str, config: dict) -> None:
    torch.manual_seed(0)
    config = {**config, "num_classes": 4}
    state = other_case(kind, config)
    size = config["img_size"]
    x = torch.randn(2, config["in_chans"], size, size, dtype=torch.float64)
    model = ir.interop.load_flopping(state, kind, config)
    assert close(model(x), forward(kind, config, state, x))
    free = sum(v.numel() for key, v in state.items() if FIXED not in key)
    assert sum(p.numel() for p in model.parameters()) == free


def test_other_middles_are_refused() -> None:
    state, kind, config, _, _ = golden("d2_convnext_isotropic")
    key = f"blocks.1.dwconv.sym_to_asym.{FIXED}"
    state[key] = state[key] + 1
    with pytest.raises(CheckpointError, match=rf"{key}: got values other than"):
        ir.interop.load_flopping(state, kind, config)


def test_wrong_keys_shapes_and_configs_are_listed() -> None:
    state, kind, config, _, _ = golden("d2_convnext")
    del state["stages.2.1.dwconv.sym_to_sym.weight"]
    state["extra"] = torch.zeros(1)
    state["downsample_layers.1.1.sym_to_asym.weight"] = torch.zeros(1, 2)
    with pytest.raises(CheckpointError) as caught:
        ir.interop.load_flopping(state, kind, config)
    for part in ("stages.2.1.dwconv.sym_to_sym.weight", "extra", r"got shape (1, 2)"):
        assert part in str(caught.value)
    with pytest.raises(CheckpointError, match=r"unknown config keys depht for convnext"):
        ir.interop.load_flopping({}, "convnext", {"depht": 1})
    with pytest.raises(CheckpointError, match=r"use_invariant_downsampling=True .* not supported"):
        ir.interop.load_flopping({}, "convnext", {"use_invariant_downsampling": True})


def test_registered_names() -> None:
    assert models.list_models("convnext*") == [
        "convnext_base",
        "convnext_isotropic_base",
        "convnext_isotropic_large",
        "convnext_isotropic_small",
        "convnext_large",
        "convnext_small",
        "convnext_tiny",
    ]
