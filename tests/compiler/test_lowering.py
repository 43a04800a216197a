"""How blocks are multiplied: asked for, by the spec, or predicted from the machine's rates."""

from pathlib import Path

import pytest
import torch

import irrepnet as ir
from irrepnet import nn, specs, testing
from irrepnet.compiler import Machine, Rates, passes
from irrepnet.compiler.passes._lower import seconds
from tests.compiler.same import assert_same

D4 = ir.groups.octic()
#: A machine where calls cost all, and one where they cost nothing.
SLOW_CALLS, FAST_CALLS = Rates(1e15, 1e15, 1e-3), Rates(1e10, 1e10, 1e-12)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Stores a calibration."""
    monkeypatch.setenv("IRREPNET_CALIBRATION", str(tmp_path / "machine.json"))

    def store(float32: Rates, bfloat16: Rates = FAST_CALLS) -> None:
        Machine(float32, bfloat16, "").save()

    return store


def lowering(spec: specs.Linear, **options) -> object:
    return ir.compile(spec, "auto", device="meta", **options).plan.root.spec.lowering


WAYS = {
    "separate": "separate",
    "batched": "batched",
    "dense": "dense",
    "prepacked": "prepacked",
    "parts": None,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["flop", "C4", "D4", "Q8", "A5", "C3xD3", "Q8xD3", "trivial"])
def test_every_lowering_is_the_same_map(name, way):
    G = ir.groups.parse(name)
    X = ir.FeatureType.regular(G, 2 * G.order)
    names = [i.name for i in G.irreps]
    cut = (len(names) + 1) // 2
    parts = (("dense", tuple(names[:cut])), ("batched", tuple(names[cut:])))
    choice = WAYS[way] or parts
    assert_same(specs.Linear(X, 3 * X, lowering=choice), passes.lower)
    # The input lacks the trivial and the last irrep, the output the second: zero blocks and a bias.
    missing = [0, *(2 for _ in names[2:]), 0][: len(names)]
    if any(missing[2:]):
        Y = ir.FeatureType(G, missing)
        Z = ir.FeatureType(G, [2 if i != 1 else 0 for i in range(len(names))])
        kept = [n for n, m in zip(names, Z.multiplicities, strict=True) if m]
        parts = (("dense", tuple(kept[:cut])), ("separate", tuple(kept[cut:])))
        assert_same(specs.Linear(Y, Z, lowering=WAYS[way] or parts), passes.lower)


def test_block_multiplies_each_block_by_itself():
    X = ir.FeatureType.regular(D4, 16)
    spec = specs.chain(a=specs.Linear(X, 2 * X), b=specs.Linear(2 * X, X, bias=False))
    plan = assert_same(spec, passes.run)
    assert {n.spec.lowering for n in plan.leaves()} == {"separate"}
    assert "lowering" not in plan.explain()


@pytest.mark.parametrize("asked", ["block", "auto", "prepacked"])
def test_a_choice_of_the_user_stays(asked):
    X = ir.FeatureType.regular(D4, 16)
    parts = (("batched", ("A1", "A2", "B1", "B2")), ("separate", ("E",)))
    for way in ("dense", parts):
        plan = assert_same(specs.Linear(X, X, lowering=way), passes.run, asked)
        assert plan.root.spec.lowering == way
    assert "lowered batched A1, A2, B1, B2; separate E" in plan.explain()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("x", "unknown lowering 'x': expected one of separate, batched, dense, prepacked"),
        ((("x", ("sym", "asym")),), "unknown lowering 'x'"),
        (
            (("dense", ("asym",)),),
            r"lowerings of the irreps asym: expected one for each irrep of 2\*sym \+ 2\*asym, in",
        ),
    ],
)
def test_a_lowering_that_does_not_fit(given, message):
    X = ir.FeatureType(ir.groups.flop(), "2*sym + 2*asym")
    with pytest.raises(ir.IrrepnetError, match=message):
        ir.compile(specs.Linear(X, X, lowering=given))


def test_group_proposes_and_lower_decides(machine):
    X = ir.FeatureType.regular(D4, 64)
    machine(SLOW_CALLS)
    plan = assert_same(specs.Linear(X, X), passes.group, "auto")
    groups = (("separate", ("A1", "A2", "B1", "B2")), ("separate", ("E",)))
    assert plan.root.spec.lowering == groups
    machine(Rates(1e9, 1e15, 1e-6))  # calls and FLOPs cost alike
    assert lowering(specs.Linear(X, X)) == "batched"


def test_auto_follows_the_machine(machine):
    X = ir.FeatureType.regular(D4, 64)
    machine(SLOW_CALLS)
    assert lowering(specs.Linear(X, X)) == "dense"
    assert lowering(specs.Linear(X, X), dtype=torch.bfloat16) == "separate"
    machine(FAST_CALLS)
    assert lowering(specs.Linear(X, X)) == "separate"
    # Tiny blocks together, a large one by itself.
    Y = ir.FeatureType(D4, "3*A1 + 2*A2 + B1 + 200*E")
    machine(Rates(1e11, 1e11, 1e-6))
    small, (way, large) = lowering(specs.Linear(Y, Y))
    assert small == ("dense", ("A1", "A2", "B1"))
    assert (way, large) in {("separate", ("E",)), ("batched", ("E",))}


def test_auto_says_what_was_predicted(machine, tmp_path):
    X = ir.FeatureType.regular(D4, 64)
    chain = specs.chain(a=specs.Linear(X, X))
    said = ir.compile(chain, "auto").plan.explain()
    nominal = "(nominal, this machine was never measured: run `irrepnet bench --calibrate`)"
    assert f"times predicted for one sample {nominal}" in said
    machine(Rates(flops=1e15, bandwidth=1e15, call=1e-3))
    said = ir.compile(chain, "auto").plan.explain()
    assert f"predicted for one sample (measured, {tmp_path / 'machine.json'})" in said
    assert "predicted for 1 rows: dense 1000.0 us, separate 6000.0 us, batched 2000.0 us" in said


def test_predictions_count_calls_arithmetic_and_traffic():
    X = ir.FeatureType.regular(D4, 64)
    spec, rows = specs.Linear(X, X), 10
    only = {"calls": Rates(1e99, 1e99, 1.0), "flops": Rates(1.0, 1e99, 0.0)}
    ways = {"separate": (6, 2 * 64 * 64 * 3 // 16), "batched": (2, 2 * 64 * 64 * 3 // 16)}
    for way, (calls, flops) in (ways | {"dense": (1, 2 * 64 * 64)}).items():
        assert seconds(spec, rows, way, only["calls"]) == pytest.approx(calls)
        assert seconds(spec, rows, way, only["flops"]) == pytest.approx(rows * flops)
    moved = seconds(spec, rows, "dense", Rates(1e99, 1.0, 0.0), itemsize=2)
    assert moved == pytest.approx(2 * (rows * 128 + 64 * 64))


def test_whole_models_with_every_lowering(machine):
    machine(SLOW_CALLS)
    options = {"depth": 1, "width": 64, "heads": 2, "img_size": 32, "num_classes": 3}
    block = testing.randomise_(ir.create_model("vit_tiny_patch16_224", group="D4", **options))
    x = torch.randn(2, 3, 32, 32)
    for asked in ("auto", "prepacked"):
        model = ir.create_model("vit_tiny_patch16_224", group="D4", lowering=asked, **options)
        model.load_state_dict(block.state_dict())
        for grad in (False, True):
            with torch.set_grad_enabled(grad):
                torch.testing.assert_close(model(x), block(x), rtol=1e-4, atol=1e-5)
        assert model.plan.spec == block.plan.spec
        fc = model.get_submodule("head.fc")
        assert isinstance(fc, nn.IsotypicLinear)
        assert fc.lowering == {"auto": "separate", "prepacked": "prepacked"}[asked]


def test_without_onednn_prepacked_says_so(monkeypatch):
    X = ir.FeatureType.regular(D4, 16)
    monkeypatch.setattr("irrepnet.compiler.passes._lower.can_prepack", lambda: False)
    plan = passes.run(ir.compiler.Plan(ir.compiler.check(specs.Linear(X, X)), "prepacked"))
    assert plan.root.spec.lowering == "separate"
    assert "this torch has no oneDNN, so lowering block instead" in plan.explain()
