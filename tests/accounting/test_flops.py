"""`flops`: rows that add up, equal to what torch counts, and errors where they would not be."""

import json
import math
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import irrepnet as ir
from irrepnet import groups, specs
from irrepnet._errors import FlopCountError
from irrepnet.types import FeatureType
from tests.models.narrow import ONE_OF_EACH, images, narrow
from tests.models.test_families import small

X = FeatureType(groups.flop(), "4*sym + 4*asym")
NET = specs.Chain(
    (
        ("norm", specs.LayerNorm(X)),
        (
            "mlp",
            specs.Residual(
                (
                    ("fc1", specs.Linear(X, 2 * X)),
                    ("act", specs.Activation(2 * X)),
                    ("fc2", specs.Linear(2 * X, X, bias=False)),
                )
            ),
        ),
    )
)
MODELS: dict[str, dict[str, Any]] = {
    **{group: {"group": group, "depth": 1} for group in ("trivial", "flop", "C4", "D4")},
    "hybrid": {"group": "flop", "break_at": [("trivial", 1)]},
    "chain": {"group": "D4", "depth": 3, "break_at": [("C4", 1), ("rot180", 2)]},
    "norm": {"group": "D4", "invariants": "norm", "global_pool": "avg"},
    "odd": {"group": "D4", "depth": 1, "img_size": 12},
}
every_model = pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)


def size_of(model: ir.nn.Classifier) -> tuple[int, ...]:
    return (model.plan.source.channels, *model.plan.source.size)


# -- what a report says -----------------------------------------------------------------------


@every_model
def test_rows_add_up(options: dict) -> None:
    model = narrow(**options, device="meta")
    report = ir.flops(model, size_of(model))
    assert report.total == report.matmul_flops + report.other_flops
    assert report.total == sum(row.flops for row in report.rows)
    assert report.params == sum(row.params for row in report.rows)
    assert report.params == sum(p.numel() for p in model.parameters())
    for row in report.rows:
        assert row.flops == row.matmul_flops + row.other_flops
        assert row.other_flops == sum(flops for _, flops in row.cost.other)


@every_model
def test_rows_are_leaves_and_skips(options: dict) -> None:
    model = narrow(**options, device="meta")
    report = ir.flops(model, size_of(model))
    modules = dict(model.named_modules())
    assert len({row.path for row in report.rows}) == len(report.rows)
    for row in report.rows:
        layer = modules[row.path]
        assert (row.path.rpartition(".")[2] == "skip") == (row.kind == "Skip")
        if row.kind == "Skip":  # the addition itself, not what stands around it
            assert (row.params, row.matmul_flops) == (0, 0)
        else:
            assert not isinstance(layer, ir.nn.Chain | ir.nn.Classifier)
            assert row.params == sum(p.numel() for p in layer.parameters())


@every_model
def test_each_row_is_what_its_layer_runs(options: dict) -> None:
    """Products, layer by layer, as torch counts them while the whole network runs."""
    model = narrow(**options, device="meta").eval()
    report = ir.flops(model, size_of(model))
    x = images(narrow(**options), 1).to("meta")
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(x)
    counts = counter.get_flop_counts()
    for row in report.rows:
        if row.kind != "Skip":
            counted = sum(counts.get(f"Classifier.{row.path}", {}).values())
            assert counted == row.matmul_flops, row.path


def test_dict_and_json() -> None:
    report = ir.flops(ir.compile(NET), (3, 8))
    assert report.to_dict()["unit"] == "FLOPs (1 MAC = 2 FLOPs), one sample"
    rows = report.to_dict()["rows"]
    keys = ("path", "kind", "params", "matmul_flops", "other", "backward_matmul_flops")
    assert [tuple(row[key] for key in keys) for row in rows] == [
        ("norm", "LayerNorm", 12, 0, {"norm": 3 * (2 * 8 + 3 * 8 + 8 + 4)}, 0),
        ("mlp.fc1", "Linear", 72, 3 * 128, {"bias": 24}, 2 * 3 * 128),
        ("mlp.act", "Activation", 0, 0, {"basis change": 192, "activation": 48}, 0),
        ("mlp.fc2", "Linear", 64, 3 * 128, {"bias": 0}, 2 * 3 * 128),
        ("mlp.skip", "Skip", 0, 0, {"elementwise": 24}, 0),
    ]
    keys = ("bytes_read", "bytes_written", "inference_bytes", "training_bytes")
    assert [tuple(row[key] for key in keys) for row in rows] == [
        (4 * (24 + 12), 4 * 24, 4 * 48, None),
        (4 * (24 + 72), 4 * 48, 4 * (24 + 48), None),  # its input is what the skip holds
        (4 * 48, 4 * 48, 4 * (48 + 48 + 24), None),
        (4 * (48 + 64), 4 * 24, 4 * (48 + 24 + 24), None),
        (4 * 48, 4 * 24, 4 * (24 + 24 + 24), None),
    ]
    for row in rows:
        assert row["other_flops"] == sum(row["other"].values())
        assert row["flops"] == row["matmul_flops"] + row["other_flops"]
        moved = row["bytes_read"] + row["bytes_written"]
        assert row["intensity"] == pytest.approx(row["flops"] / moved)
    total = report.to_dict()["total"]
    assert (total["params"], total["matmul_flops"], total["other_flops"]) == (148, 768, 444)
    assert total["inference_bytes"] == max(row["inference_bytes"] for row in rows)
    for key in ("flops", "backward_flops", "bytes_read", "bytes_written"):
        assert total[key] == sum(row[key] for row in rows)
    assert json.loads(report.to_json()) == report.to_dict()
    assert report.to_dict(itemsize=2)["total"]["bytes_written"] * 2 == total["bytes_written"]


def test_batches_share_weights() -> None:
    (row,) = ir.flops(ir.compile(specs.Linear(X, 2 * X)), (5, 8)).rows
    assert row.bytes_read(itemsize=2, batch=3) == 2 * (3 * 5 * 8 + row.params)
    assert row.bytes_written(itemsize=2, batch=3) == 2 * 3 * 5 * 16
    assert row.intensity(2, 1000) > row.intensity(2, 1)


def test_the_dense_share_of_attention_by_hand() -> None:
    attend = specs.Attention(X, 2)
    for tokens in (1, 7):
        (row,) = ir.flops(ir.compile(attend), (tokens, 24)).rows
        assert row.matmul_flops == 2 * (2 * tokens**2 * 8)
        assert dict(row.cost.other) == {"softmax": 6 * 2 * tokens**2}


@pytest.mark.parametrize(
    ("group", "saving"),
    [
        (groups.flop(), 2),
        (groups.dihedral(4), 16 / 3),
        (groups.cyclic(4), 8 / 3),
        (groups.quaternion(), 3.2),
    ],
)
def test_savings_of_the_regular_type(group: groups.Group, saving: float) -> None:
    R = FeatureType.regular(group, 16)
    report = ir.testing.assert_flops(ir.compile(specs.Linear(R, R, bias=False)), (16,))
    assert report.matmul_flops * saving == pytest.approx(2 * 16 * 16)
    assert report.params * group.order == 16 * 16


# -- how it is counted ------------------------------------------------------------------------


@every_model
def test_counts_do_not_depend_on_gradients_or_training(options: dict) -> None:
    model = narrow(**options, device="meta", drop_path_rate=0.1, drop_rate=0.1)
    x = images(narrow(**options), 1).to("meta")
    expected = ir.flops(model, size_of(model)).matmul_flops
    for grad in (False, True):
        for train in (False, True):
            counter = FlopCounterMode(display=False)
            with counter, torch.set_grad_enabled(grad):
                model.train(train)(x)
            assert counter.get_total_flops() == expected


class Products(TorchDispatchMode):
    """Notes products in a form that torch's counter does not see."""

    #: Products that count 0, and those whose count covers the batch only in part.
    MISSED = frozenset(
        "addmm_ baddbmm_ addbmm addbmm_ mv addmv addmv_ dot vdot addr addr_ ger outer "
        "chain_matmul linalg_multi_dot einsum inner kron tensordot _weight_norm".split()
    )

    def __init__(self) -> None:
        super().__init__()
        self.missed: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._overloadpacket.__name__
        if name in self.MISSED:
            self.missed.add(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("group", ["flop", "D4"])
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_no_product_is_missed(name: str, group: str) -> None:
    """On the CPU as on meta, at inference (which may write in place) as in training."""
    for device in ("meta", "cpu"):
        model = small(name, group, device=device)
        x = images(small(name, group), 2).to(device)
        with Products() as products:
            with torch.no_grad():
                model.eval()(x)
            model.train()(x).sum().backward()
        assert products.missed == set()


def test_the_watch_for_missed_products_works() -> None:
    a = torch.zeros(2, 2)
    with Products() as products:
        torch.mv(a, a[0])
        a.addmm_(a, a)
        torch.dot(a[0], a[0])
    assert products.missed == {"mv", "addmm_", "dot"}


def test_the_model_is_left_as_it_was() -> None:
    model = narrow("flop", drop_rate=0.5).train()
    model.blocks.eval()
    before = {name: m.training for name, m in model.named_modules()}
    parameters = list(model.parameters())
    ir.flops(model, (3, 16, 16))
    assert {name: m.training for name, m in model.named_modules()} == before
    assert all(a is b for a, b in zip(parameters, model.parameters(), strict=True))
    assert not any(p.is_meta for p in parameters)


def test_device_and_dtype_do_not_matter() -> None:
    expected = ir.flops(narrow("D4"), (3, 16, 16))
    for dtype in (torch.float32, torch.bfloat16):
        assert ir.flops(narrow("D4", dtype=dtype), (3, 16, 16)) == expected
    assert ir.flops(narrow("D4", device="meta"), [3, 16, 16]) == expected


def test_positions_of_features() -> None:
    net = ir.compile(NET)
    one = ir.flops(net, (8,)).total
    for shape in ((5, 8), (2, 3, 8), (1, 4, 1, 2, 8)):
        assert ir.flops(net, shape).total == one * math.prod(shape[:-1])


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(3, 32, 32), (1, 16, 16), (16, 16, 3), (16, 16), ()])
def test_input_size_of_images(size: tuple[int, ...]) -> None:
    with pytest.raises(FlopCountError, match=r"got input_size=\(.*\): the network takes \(3, 16, "):
        ir.flops(narrow("flop", device="meta"), size)


@pytest.mark.parametrize("size", [(), (7,), (8, 3)])
def test_input_size_of_features(size: tuple[int, ...]) -> None:
    with pytest.raises(FlopCountError, match=r": the network takes \(\.\.\., 8\)\."):
        ir.flops(ir.compile(NET), size)


def test_input_size_of_a_grid() -> None:
    action = ir.actions.image("flop")
    net = ir.compile(specs.PositionalEmbedding(FeatureType(action.group, "sym"), action, (2, 3)))
    assert ir.flops(net, (6, 1)).params == 4
    with pytest.raises(FlopCountError, match=r"got input_size=\(5, 1\): the network takes 6 posit"):
        ir.flops(net, (5, 1))


def test_a_module_without_plan() -> None:
    with pytest.raises(FlopCountError, match="Linear has no plan: expected a network made by irr"):
        ir.flops(torch.nn.Linear(2, 2), (2,))
    with pytest.raises(FlopCountError, match="IsotypicLinear has no plan"):
        ir.flops(ir.nn.IsotypicLinear(X, X), (8,))


def test_a_swapped_layer_is_caught() -> None:
    net = ir.compile(NET)
    net.mlp.fc2 = torch.nn.Linear(16, 8, bias=False)
    with pytest.raises(
        FlopCountError,
        match=r"^mlp\.fc2 \(Linear\): the plan counts 128 FLOPs of matrix products, the model has "
        r"256: the model does not do what its plan says\. Was a layer replaced after it was "
        r"compiled\? Compile a changed spec instead\. Is it your own layer\? Then mend its rule",
    ):
        ir.flops(net, (8,))


def test_a_layer_with_other_parameters_is_caught() -> None:
    net = ir.compile(NET)
    net.mlp.fc2.extra = torch.nn.Parameter(torch.zeros(3))
    with pytest.raises(
        FlopCountError,
        match=r"mlp\.fc2 \(Linear\): the plan counts 64 parameters, the model has 67",
    ):
        ir.flops(net, (8,))


def test_a_hidden_product_is_caught() -> None:
    """`mv` counts 0 on every device; a layer that hides its product in it is no free layer."""

    class Hidden(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.mv(x, x[0]).sum() + x

    net = ir.compile(NET)
    net.mlp.act = Hidden()
    with pytest.raises(FlopCountError, match=r"whose cost is unknown: .*aten\.mv\b"):
        ir.flops(net, (8,))


def test_assert_flops_fails() -> None:
    net = ir.compile(NET)
    assert ir.testing.assert_flops(net, (3, 8), 768).total == 1212
    with pytest.raises(AssertionError, match="got 768 FLOPs, expected 767"):
        ir.testing.assert_flops(net, (3, 8), 767)
