"""Files of spec and weights: what is in them, and every way in which one may be wrong."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import irrepnet as ir
from irrepnet import actions, groups, specs
from irrepnet._errors import CheckpointError, SpecError
from irrepnet.types import FeatureType
from tests.models.narrow import images, narrow, random_narrow

X = FeatureType(groups.cyclic(4), "4*chi0 + 2*chi1 + 3*chi2")
FLOP = actions.image("flop")
F = FeatureType(FLOP.group, "4*sym + 4*asym")
SPECS = {
    "Linear": specs.Linear(X, X),
    "LayerNorm": specs.LayerNorm(X, weighting="irrep", eps=1e-3),
    "Activation": specs.Activation(FeatureType.regular(groups.dihedral(4), 16), "relu"),
    "Attention": specs.Attention(F, 2),
    "LayerScale": specs.LayerScale(X),
    "PatchEmbed": specs.PatchEmbed(FLOP, 1, (8, 8), (4, 4), F),
    "PositionalEmbedding": specs.PositionalEmbedding(F, FLOP, (3, 3)),
    "ClassToken": specs.ClassToken(F),
    "Chain": specs.Chain((("a", specs.Linear(X, X)), ("b", specs.LayerNorm(X)))),
    "InvariantMap": specs.InvariantMap(F, "norm"),
}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def metadata_of(file: Path) -> dict[str, str]:
    with safe_open(file, "pt") as opened:
        return opened.metadata()


# -- round trips ------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_plain_layers(spec: specs.Spec, file: Path) -> None:
    net = ir.testing.randomise_(ir.compile(spec, dtype=torch.float64)).eval()
    ir.save(net, file)
    loaded = ir.load(file)
    assert type(loaded) is type(net)
    assert loaded.plan == net.plan
    assert not loaded.training
    if any(True for _ in net.parameters()):
        x = ir.certificate.random_input(net.plan.source, 2, torch.Generator(), torch.float64)
        assert torch.equal(loaded(x), net(x))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_dtypes(dtype: torch.dtype, file: Path) -> None:
    model = narrow("D4", dtype=dtype)
    ir.save(model, file)
    loaded = ir.load(file)
    assert {p.dtype for p in loaded.parameters()} == {dtype}
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)
    if dtype == torch.float32:  # tables are of the wider dtype after the cast
        ir.testing.assert_equivariant(ir.testing.randomise_(loaded.double()))


def test_the_default_dtype_does_not_matter(file: Path) -> None:
    ir.save(narrow("flop", dtype=torch.float32), file)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        loaded = ir.load(file)
    finally:
        torch.set_default_dtype(before)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    assert {b.dtype for b in loaded.buffers() if b.is_floating_point()} <= {torch.float32}


def test_what_a_file_holds(file: Path) -> None:
    model = random_narrow("flop", break_at=[("trivial", 1)])
    ir.save(model, file)
    metadata = metadata_of(file)
    assert set(metadata) == {"irrepnet_format", "spec", "lowering", "dtype"}
    assert metadata["irrepnet_format"] == "1"
    assert metadata["lowering"] == "block"
    assert specs.from_json(json.loads(metadata["spec"])) == model.plan.spec
    with safe_open(file, "pt") as opened:
        assert set(opened.keys()) == set(model.state_dict())
        for key, value in model.state_dict().items():
            assert torch.equal(opened.get_tensor(key), value)


def test_saving_draws_and_changes_nothing(file: Path) -> None:
    model = random_narrow("flop").train()
    state = torch.random.get_rng_state()
    ir.save(model, file)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert model.training
    assert all(p.requires_grad for p in model.parameters())


def test_a_reset_classifier_is_stored(file: Path) -> None:
    model = random_narrow("flop")
    model.reset_classifier(2)
    ir.save(model.eval(), file)
    loaded = ir.load(file)
    assert isinstance(loaded, ir.nn.Classifier)
    assert loaded.num_classes == 2
    assert torch.equal(loaded(images(model)), model(images(model)))


def test_the_dtype_of_a_network_without_weights(file: Path) -> None:
    X = ir.FeatureType(ir.groups.flop(), "2*sym + 2*asym")
    for spec in (ir.specs.Activation(X), ir.specs.DropPath(X, 0.5), ir.specs.PolynomialMap(X)):
        for dtype in (torch.float64, torch.float32):
            net = ir.compile(spec, dtype=dtype).eval()
            ir.save(net, file)
            loaded = ir.load(file)
            assert {b.dtype for b in loaded.buffers() if b.is_floating_point()} <= {dtype}
            x = torch.randn(3, 4, dtype=dtype)
            assert torch.equal(loaded(x), net(x))


def test_a_dtype_changed_after_building(file: Path) -> None:
    model = random_narrow("flop").float()
    ir.save(model, file)
    assert torch.equal(ir.load(file)(images(model)), model(images(model)))


@pytest.mark.parametrize("kind", [str, Path, os.fspath])
def test_paths(kind: type, tmp_path: Path) -> None:
    net = ir.compile(specs.Linear(X, X))
    path = kind(tmp_path / "a file")
    ir.save(net, path)
    assert torch.equal(ir.load(path).weight_chi0, net.weight_chi0)


def test_several_models_in_one_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        ir.save(ir.compile(specs.Linear(X, X)), tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


# -- one file replaces another whole or not at all --------------------------------------------


def test_overwriting(file: Path) -> None:
    ir.save(narrow("flop"), file)
    model = random_narrow("C4")
    ir.save(model, file)
    assert ir.load(file).plan == model.plan
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_a_failure_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_narrow("flop")
    ir.save(model, file)
    before = file.read_bytes()

    def full(state: dict, path: Path, metadata: dict) -> None:
        Path(path).write_bytes(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr("irrepnet.serialization.save_file", full)
    with pytest.raises(CheckpointError, match=r"cannot write .*: no space left on device"):
        ir.save(narrow("C4"), file)
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == [file.name]


# -- errors -----------------------------------------------------------------------------------


def test_saving_a_module_without_plan(file: Path) -> None:
    with pytest.raises(
        CheckpointError,
        match=r"Linear has no plan: expected a network made by irrepnet\.compile or "
        r"irrepnet\.create_model; other modules save their state_dict with safetensors",
    ):
        ir.save(torch.nn.Linear(2, 2), file)
    with pytest.raises(CheckpointError, match="IsotypicLinear has no plan"):
        ir.save(ir.nn.IsotypicLinear(X, X), file)
    assert not file.exists()


def test_saving_without_weights(file: Path) -> None:
    with pytest.raises(CheckpointError, match="lies on the meta device and has no weights"):
        ir.save(narrow("flop", device="meta"), file)
    assert not list(file.parent.iterdir())


def test_saving_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"cannot write .*: .*Expected a file in a folder tha"
    ):
        ir.save(narrow("flop"), tmp_path / "none" / "model.safetensors")


def test_loading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"cannot read .*none: .*Expected a file written by irrepnet\.save\."
    ):
        ir.load(tmp_path / "none")
    with pytest.raises(CheckpointError, match="cannot read"):
        ir.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no safetensors", b"\x00" * 64, b"PK\x03\x04" * 9])
def test_loading_another_kind_of_file(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot read"):
        ir.load(file)


def test_loading_a_pickle_runs_nothing(file: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), file)
    with pytest.raises(CheckpointError, match="cannot read"):
        ir.load(file)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_loading_a_truncated_file(share: float, file: Path) -> None:
    ir.save(random_narrow("flop"), file)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match="cannot read"):
        ir.load(file)


@pytest.mark.parametrize(
    ("metadata", "shown"),
    [(None, "None"), ({"format": "pt"}, "None"), ({"irrepnet_format": "2"}, "'2'")],
)
def test_loading_other_safetensors(metadata: dict | None, shown: str, file: Path) -> None:
    save_file({"weight": torch.zeros(2)}, file, metadata)
    with pytest.raises(
        CheckpointError, match=rf"is of format {shown}: expected '1', as irrepnet\.save writes it"
    ):
        ir.load(file)


@pytest.mark.parametrize("spec", [None, "{", "no json"])
def test_loading_without_a_spec(spec: str | None, file: Path) -> None:
    metadata = {"irrepnet_format": "1", "lowering": "block"}
    save_file({}, file, metadata if spec is None else {**metadata, "spec": spec})
    with pytest.raises(CheckpointError, match="holds no readable spec"):
        ir.load(file)


def test_loading_a_layer_that_is_not_known_here(file: Path) -> None:
    ir.save(ir.compile(specs.Linear(X, X)), file)
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
        state = {key: opened.get_tensor(key) for key in opened.keys()}
    metadata["spec"] = metadata["spec"].replace('"Linear"', '"Convolution"')
    save_file(state, file, metadata)
    with pytest.raises(SpecError, match="unknown spec 'Convolution': expected one of"):
        ir.load(file)


def test_loading_weights_of_another_network(file: Path) -> None:
    ir.save(narrow("flop"), file)
    metadata = metadata_of(file)
    save_file(narrow("C4").state_dict(), file, metadata)
    with pytest.raises(CheckpointError, match="the state dict does not fit this network") as caught:
        ir.load(file)
    text = str(caught.value)
    assert "layer patch_embed.proj, irrep sym: missing" in text
    assert text.count("\n") <= 23
    assert "more" in text


# -- state dicts ------------------------------------------------------------------------------


def test_mismatches_name_layer_and_irrep() -> None:
    model = narrow("D4")
    state = dict(model.state_dict())
    del state["blocks.0.mlp.fc1.weight_E"]
    state["blocks.1.attention.qkv.weight_B2"] = torch.zeros(3, 2)
    state["blocks.1.attention.proj.bias"] = torch.zeros(3)
    state["norm.weight_A9"] = torch.zeros(3)
    state["weight_E"] = torch.zeros(1)
    with pytest.raises(CheckpointError) as caught:
        model.load_state_dict(state)
    assert str(caught.value) == (
        "the state dict does not fit this network:\n"
        "  layer blocks.0.mlp.fc1, irrep E: missing\n"
        "  layer blocks.1.attention.qkv, irrep B2: got shape (3, 2), expected (24, 8)\n"
        "  layer blocks.1.attention.proj, bias: got shape (3,), expected (8,)\n"
        "  layer norm, irrep A9: unknown\n"
        "  the layer, irrep E: unknown\n"
        "  Expected the state dict of a network with the same spec (irrepnet.save keeps both "
        "together)."
    )
    assert isinstance(caught.value, RuntimeError)


def test_a_refused_state_changes_nothing() -> None:
    model = narrow("flop")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = dict(random_narrow("flop").state_dict())
    del state["head.fc.bias"]
    with pytest.raises(CheckpointError):
        model.load_state_dict(state)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_not_strict() -> None:
    model, other = narrow("flop"), random_narrow("flop")
    state = {k: v for k, v in other.state_dict().items() if not k.startswith("head")}
    result = model.load_state_dict({**state, "more": torch.zeros(1)}, strict=False)
    assert result.unexpected_keys == ["more"]
    assert set(result.missing_keys) == {"head.fc.weight_sym", "head.fc.bias"}
    assert torch.equal(model.norm.bias, other.norm.bias)
    state["norm.bias"] = torch.zeros(1)
    with pytest.raises(CheckpointError, match=r"layer norm, bias: got shape \(1,\), expected"):
        model.load_state_dict(state, strict=False)


def test_assign() -> None:
    model = narrow("flop", device="meta")
    other = random_narrow("flop")
    model.load_state_dict(other.state_dict(), assign=True)
    assert not any(p.is_meta for p in model.parameters())
    assert torch.equal(model.norm.bias, other.norm.bias)
