"""A layer of a user's own: a spec, a rule, a module; it may stand anywhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import groups, specs
from irrepnet._errors import FlopCountError, IrrepMismatchError, SpecError
from irrepnet.accounting import state_operation
from irrepnet.accounting._audit import STATED
from irrepnet.compiler import Cost, Edge, Factory, Features, register
from irrepnet.compiler._rule import RULES
from irrepnet.types import FeatureType

X = FeatureType(groups.flop(), "4*sym + 4*asym")


@dataclass(frozen=True)
class Gate(specs.Spec):
    """Scales all channels by a learned function of the invariant ones."""

    feature_type: FeatureType
    sharpness: float = 1.0


class GateLayer(ir.nn.Layer):
    def __init__(self, spec: Gate, device=None, dtype=None) -> None:
        super().__init__()
        self.spec = spec
        size = spec.feature_type.num_invariants
        self.weight = torch.nn.Parameter(torch.ones(1, size, device=device, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.nn.functional.linear(x[..., : self.weight.shape[1]], self.weight)
        return x * torch.erf(gate * self.spec.sharpness)

    def _dense(self) -> torch.nn.Module:
        twin = GateLayer(self.spec, dtype=self.weight.dtype)
        twin.load_state_dict(self.state_dict())
        return twin


class GateRule:
    multiply = 2

    def source(self, spec: Gate) -> Edge:
        return Features(spec.feature_type)

    def check(self, spec: Gate, edge: Edge) -> tuple[Gate, Edge]:
        if spec.sharpness <= 0:
            raise SpecError(f"got sharpness {spec.sharpness}: expected a positive number.")
        if not isinstance(edge, Features) or edge.type != spec.feature_type:
            raise IrrepMismatchError(f"got {edge}: expected {spec.feature_type}.")
        return spec, edge

    def decide(self, spec: Gate, edge: Edge) -> str:
        return f"one gate from {spec.feature_type.num_invariants} invariants"

    def cost(self, spec: Gate, edge: Edge, positions: int) -> Cost:
        size = spec.feature_type.num_invariants
        return Cost(
            params=size,
            matmul=self.multiply * positions * size,
            other=(("gate", positions * (2 + spec.feature_type.dim)),),
        )

    def emit(self, spec: Gate, edge: Edge, factory: Factory) -> ir.nn.Layer:
        return GateLayer(spec, **factory.kwargs)


@pytest.fixture(autouse=True)
def _known() -> Iterator[None]:
    """The user's module has been imported, and is forgotten after the test."""
    register(Gate, GateRule())
    state_operation(torch.ops.aten.erf)
    yield
    RULES.pop(Gate)
    STATED.discard(torch.ops.aten.erf)


def net(sharpness: float = 2.0) -> ir.nn.Layer:
    inside = specs.Residual((("gate", Gate(X, sharpness)), ("mix", specs.Linear(X, X))))
    spec = specs.Chain((("first", specs.Linear(X, X)), ("gated", inside)))
    model = ir.compile(spec, dtype=torch.float64)
    ir.testing.randomise_(model)
    return model.eval()


def test_it_stands_in_a_chain() -> None:
    model = net()
    assert isinstance(model.gated.gate, GateLayer)
    assert "gated.gate.weight" in model.state_dict()
    assert "gated.gate Gate: " in model.plan.explain()
    assert "one gate from 4 invariants" in model.plan.explain()


def test_its_cost_is_counted() -> None:
    report = ir.testing.assert_flops(net(), (3, 8))
    (row,) = (row for row in report.rows if row.path == "gated.gate")
    assert (row.kind, row.params, row.matmul_flops, row.other_flops) == ("Gate", 4, 24, 30)
    assert report.to_dict()["rows"][1]["other"] == {"gate": 30}


def test_an_operation_that_nobody_stated_is_an_error() -> None:
    model = net()
    STATED.discard(torch.ops.aten.erf)
    with pytest.raises(
        FlopCountError,
        match=r"runs operations whose cost is unknown: aten\.erf\. Expected those of irrepnet's "
        r"layers; give your own layer a cost \(LayerRule\.cost\) and make its operations known "
        r"with irrepnet\.accounting\.state_operation, or, if they are "
        r"products, with irrepnet\.accounting\.count_operation\.",
    ):
        ir.flops(model, (3, 8))


def test_a_wrong_cost_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GateRule, "multiply", 1)
    with pytest.raises(
        FlopCountError,
        match=r"gated\.gate \(Gate\): the plan counts 12 FLOPs of matrix products, the model has "
        r"24: the model does not do what its plan says\..* Then mend its rule's cost\.",
    ):
        ir.flops(net(), (3, 8))


def test_it_is_certified() -> None:
    model = net()
    ir.testing.assert_equivariant(model)
    ir.testing.assert_matches_dense(model)
    assert set(ir.certify(model).paths) == {"first", "gated", ""}


def test_a_gate_that_breaks_the_symmetry_is_seen() -> None:
    class Wrong(GateLayer):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.nn.functional.linear(x[..., 4:], self.weight)

    model = net()
    model.gated.gate = Wrong(Gate(X), dtype=torch.float64)
    assert ir.certify(model).worst > 1e-3


def test_it_travels(tmp_path: Path) -> None:
    model = net()
    assert specs.from_json(model.plan.spec.to_json()) == model.plan.spec
    ir.save(model, tmp_path / "net.safetensors")
    loaded = ir.load(tmp_path / "net.safetensors")
    x = torch.randn(2, 3, 8, dtype=torch.float64)
    assert torch.equal(loaded(x), model(x))
    assert loaded.plan == model.plan


def test_its_errors_carry_the_path() -> None:
    with pytest.raises(SpecError, match=r"^gated\.gate \(Gate\): got sharpness -1\.0: expected a"):
        net(-1.0)
    wrong = specs.Chain((("scale", specs.LayerScale(2 * X)), ("gate", Gate(X))))
    with pytest.raises(IrrepMismatchError, match=r"^gate \(Gate\): got \(8\*sym \+ 8\*asym\)"):
        ir.compile(wrong)


@pytest.mark.compile
def test_it_is_exported() -> None:
    model = net()
    x = torch.randn(2, 3, 8, dtype=torch.float64)
    exported = torch.export.export(model, (x,))
    torch.testing.assert_close(exported.module()(x), model(x), rtol=1e-12, atol=1e-12)


def test_a_product_cannot_be_stated() -> None:
    for product in (torch.ops.aten.mm, torch.ops.aten.convolution):
        with pytest.raises(FlopCountError, match=r"torch counts aten\.\w+ itself: expected an op"):
            state_operation(product)
    assert torch.ops.aten.mm not in STATED
