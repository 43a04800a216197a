"""What every layer promises, as tests to inherit: fill in `make` and `dense`."""

import copy
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

import irrepnet as ir
from irrepnet import groups, nn, specs, testing
from irrepnet.actions import ImageAction
from irrepnet.certificate import act, random_input
from irrepnet.compiler import Edge, Features, Images
from irrepnet.groups import Group
from irrepnet.types import FeatureType

EXACT = testing.TOLERANCES[torch.float64]

#: The groups of the layer tests: types R, C and H, and several components for one direction of the
#: commutant (C3 x D3: dimension 4 over C; Q8 x D3: dimension 8 over H).
GROUPS: dict[str, Callable[[], Group]] = {
    "trivial": groups.trivial,
    "flop": groups.flop,
    "C4": lambda: groups.cyclic(4),
    "D3": lambda: groups.dihedral(3),
    "D4": lambda: groups.dihedral(4),
    "Q8": groups.quaternion,
    "A4": lambda: groups.alternating(4),
    "C3xD3": lambda: groups.direct_product(groups.cyclic(3), groups.dihedral(3)),
    "Q8xD3": lambda: groups.direct_product(groups.quaternion(), groups.dihedral(3)),
}

#: For each group a type with unequal multiplicities and a hole wherever there is room for one.
UNEVEN = {
    "trivial": "5*chi0",
    "flop": "3*sym + 2*asym",
    "C4": "3*chi0 + 2*chi2",
    "D3": "2*A1 + 3*E",
    "D4": "3*A1 + 2*B1 + 4*B2 + 3*E",
    "Q8": "2*chi0 + 3*chi2 + 2*chi4",
    "A4": "2*chi0 + 3*chi1 + 2*chi2",
    "C3xD3": "2*chi0 + 2*chi2 + 3*chi3 + 2*chi5",
    "Q8xD3": "2*chi0 + 2*chi9 + 2*chi14",
}


@cache
def group(name: str) -> Group:
    return GROUPS[name]()


def typed(name: str, text: str | None = None) -> FeatureType:
    return FeatureType(group(name), UNEVEN[name] if text is None else text)


# -- the group's actions, written out ------------------------------------------------------------


@cache
def rho(feature_type: FeatureType, a: int) -> np.ndarray:
    """`(+)_i rho_i(a) (x) I_m` from its definition."""
    matrix = np.zeros((feature_type.dim, feature_type.dim))
    start = 0
    pairs = zip(feature_type.group.irreps, feature_type.multiplicities, strict=True)
    for irrep, copies in pairs:
        part = np.kron(irrep.matrices[a], np.eye(copies))
        matrix[start : start + len(part), start : start + len(part)] = part
        start += len(part)
    assert start == feature_type.dim
    return matrix


#: How a signed permutation matrix of (row, column) moves the last two axes.
MOVES: dict[tuple, Callable[[Tensor], Tensor]] = {
    ((1, 0), (0, 1)): lambda x: x,
    ((1, 0), (0, -1)): lambda x: x.flip(-1),
    ((-1, 0), (0, 1)): lambda x: x.flip(-2),
    ((-1, 0), (0, -1)): lambda x: x.flip(-1, -2),
    ((0, -1), (1, 0)): lambda x: x.rot90(1, (-2, -1)),
    ((0, 1), (-1, 0)): lambda x: x.rot90(-1, (-2, -1)),
    ((0, 1), (1, 0)): lambda x: x.transpose(-1, -2),
    ((0, -1), (-1, 0)): lambda x: x.transpose(-1, -2).flip(-1, -2),
}


def move_image(action: ImageAction, a: int, x: Tensor) -> Tensor:
    return MOVES[action.matrices[a]](x)


def move(edge: Edge, a: int, x: Tensor) -> Tensor:
    """How element `a` moves what flows along an edge, without the library's own `act`."""
    if isinstance(edge, Images):
        return move_image(edge.action, a, x)
    if edge.maps:
        assert edge.action is not None
        matrix = torch.tensor(rho(edge.type, a), dtype=x.dtype)
        return move_image(edge.action, a, torch.einsum("ij,bjhw->bihw", matrix, x))
    x = x @ torch.tensor(rho(edge.type, a), dtype=x.dtype).t()
    if edge.points is not None:
        moved = torch.empty_like(x)
        moved[:, list(edge.points.images[a])] = x
        return moved
    if edge.grid is None or edge.action is None:
        return x
    tokens = x[:, edge.prefix :].transpose(1, 2).unflatten(-1, edge.grid)
    moved = move_image(edge.action, a, tokens).flatten(-2).transpose(1, 2)
    return torch.cat([x[:, : edge.prefix], moved], dim=1)


def relative(got: Tensor, expected: Tensor) -> float:
    assert got.shape == expected.shape
    if expected.numel() == 0:
        return 0.0
    assert torch.isfinite(got).all()
    return ((got - expected).abs().max() / expected.abs().max()).item()


def worst_error(layer: nn.Layer, x: Tensor) -> float:
    """The equivariance error over all elements that the layer respects, actions by hand."""
    source, target = layer.plan.source, layer.plan.target
    embedding = target.embedding or range(target.group.order)
    before = layer(x)
    after = layer(torch.cat([move(source, a, x) for a in embedding]))
    expected = torch.cat([move(target, a, before) for a in range(len(embedding))])
    return relative(after, expected)


def strided(x: Tensor) -> list[Tensor]:
    """The same numbers with other strides."""
    return [
        torch.stack([x, x + 1], dim=-1)[..., 0],
        x.transpose(-1, -2).contiguous().transpose(-1, -2),
        torch.cat([x + 1, x])[len(x) :],
    ]


class LayerContract:
    """Inherit, give the cases their names, and say what to build and what it should compute.

    Attributes:
        CASES: Names of what `make` builds.
        TRACED: Those that go through `torch.compile` and `torch.export`; by default the first.
        ANY_AXES: Whether the layer takes any leading axes.
    """

    CASES: ClassVar[tuple[str, ...]] = ()
    TRACED: ClassVar[tuple[str, ...]] = ()
    ANY_AXES: ClassVar[bool] = False

    def make(self, case: str) -> specs.Spec:
        raise NotImplementedError

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        """What the layer should compute, slowly and obviously, in float64."""
        raise NotImplementedError

    def in_repr(self, layer: nn.Layer) -> list[str]:
        """Texts that the layer's `repr` shows: by default its types."""
        edges = (layer.plan.source, layer.plan.target)
        return [str(e.type) for e in edges if isinstance(e, Features)]

    def build(self, case: str, dtype: torch.dtype = torch.float64) -> nn.Layer:
        layer = ir.compile(self.make(case), dtype=dtype).eval()
        testing.randomise_(layer)
        return layer

    def input(
        self, layer: nn.Layer, batch: int = 3, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        return random_input(layer.plan.source, batch, torch.Generator().manual_seed(seed), dtype)

    # -- mathematics ----------------------------------------------------------------------------

    def test_commutes_with_every_element(self, case: str) -> None:
        layer = self.build(case)
        with torch.no_grad():
            assert worst_error(layer, self.input(layer)) < EXACT
        assert worst_error(layer, self.input(layer, batch=1, seed=1)) < EXACT

    def test_commutes_according_to_the_certificate(self, case: str) -> None:
        layer = self.build(case)
        testing.assert_equivariant(layer)
        x, plan = self.input(layer), layer.plan
        embedding = plan.target.embedding or range(plan.target.group.order)
        for a, in_source in enumerate(embedding):  # the certificate's action is the one by hand
            y = layer(x).detach()
            assert relative(act(plan.source, in_source, x), move(plan.source, in_source, x)) < EXACT
            assert relative(act(plan.target, a, y), move(plan.target, a, y)) < EXACT

    @pytest.mark.parametrize("grad", [False, True])
    def test_equals_the_oracle(self, case: str, grad: bool) -> None:
        layer = self.build(case)
        x = self.input(layer)
        with torch.set_grad_enabled(grad):
            got = layer(x)
        assert got.dtype == torch.float64
        assert relative(got, self.dense(layer, x)) < EXACT

    def test_with_and_without_grad_are_equal(self, case: str) -> None:
        layer = self.build(case)
        x = self.input(layer, batch=4)
        kept = x.clone()
        expected = layer(x.clone().requires_grad_()).detach()
        with torch.no_grad():
            assert relative(layer(x), expected) < 1e-14
            assert relative(layer(x.clone().requires_grad_()), expected) < 1e-14
        with torch.inference_mode():
            assert relative(layer(x), expected) < 1e-14
        assert torch.equal(x, kept), "the input was written to"

    def test_equals_its_dense_twin(
        self, case: str, monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype = torch.float64
    ) -> None:
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype)  # the dtype of a twin without parameters
        try:
            testing.assert_matches_dense(self.build(case, dtype))
        finally:
            torch.set_default_dtype(before)

    def test_float32_equals_its_dense_twin(self, case: str) -> None:
        testing.assert_matches_dense(self.build(case, torch.float32))

    def test_gradients(self, case: str) -> None:
        layer = self.build(case)
        named = {k: p for k, p in layer.named_parameters() if p.numel()}

        def run(x: Tensor, *values: Tensor) -> Tensor:
            changed = dict(zip(named, values, strict=True))
            return torch.func.functional_call(layer, changed, (x,))

        x = self.input(layer, batch=2).requires_grad_()
        values = [p.detach().clone().requires_grad_() for p in named.values()]
        assert torch.autograd.gradcheck(run, (x, *values), fast_mode=True)

    def test_every_parameter_matters(self, case: str) -> None:
        layer = self.build(case)
        named = {name: p for name, p in layer.named_parameters() if p.numel()}
        if not named:
            return
        out = layer(self.input(layer))
        weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)).to(out)
        (out * weights).sum().backward()
        for name, p in named.items():
            assert p.grad is not None, name
            assert (p.grad != 0).all(), name

    # -- cost -----------------------------------------------------------------------------------

    def test_flops_are_what_torch_measures(self, case: str) -> None:
        layer = self.build(case)
        report = testing.assert_flops(layer, tuple(self.input(layer).shape[1:]))
        assert sum(row.params for row in report.rows) == sum(p.numel() for p in layer.parameters())

    # -- torch ----------------------------------------------------------------------------------

    @pytest.mark.compile
    @pytest.mark.parametrize("grad", [False, True])
    def test_compiles_whole(self, traced_case: str, grad: bool) -> None:
        layer = self.build(traced_case)
        x = self.input(layer)
        torch._dynamo.reset()
        with torch.set_grad_enabled(grad):
            got = torch.compile(layer, fullgraph=True, backend="aot_eager")(x)
        assert relative(got, layer(x)) < EXACT

    @pytest.mark.compile
    def test_exports_with_any_batch(self, traced_case: str) -> None:
        layer = self.build(traced_case)
        dynamic = ({0: torch.export.Dim.DYNAMIC},)
        program = torch.export.export(layer, (self.input(layer),), dynamic_shapes=dynamic)
        x = self.input(layer, batch=7, seed=1)
        assert relative(program.module()(x), layer(x)) < EXACT

    @pytest.mark.parametrize("grad", [False, True])
    def test_autocast(self, case: str, grad: bool) -> None:
        layer = self.build(case, torch.float32)
        x = self.input(layer, dtype=torch.float32)
        with torch.set_grad_enabled(grad):
            expected = layer(x)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                got, low = layer(x), layer(x.bfloat16())
        assert relative(got.float(), expected) < testing.TOLERANCES[torch.bfloat16]
        assert relative(low.float(), expected) < testing.TOLERANCES[torch.bfloat16]

    @pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")  # attention
    def test_vmap(self, case: str) -> None:
        layer = self.build(case)
        xs = [self.input(layer, seed=s) for s in range(2)]
        with torch.no_grad():
            got = torch.func.vmap(layer)(torch.stack(xs))
            assert relative(got, torch.stack([layer(x) for x in xs])) < EXACT

    @pytest.mark.parametrize("grad", [False, True])
    def test_strides_do_not_matter(self, case: str, grad: bool) -> None:
        layer = self.build(case)
        x = self.input(layer)
        with torch.set_grad_enabled(grad):
            expected = layer(x)
            for other in strided(x):
                assert torch.equal(other, x)
                assert relative(layer(other), expected) < EXACT

    @pytest.mark.parametrize("grad", [False, True])
    def test_empty_batch(self, case: str, grad: bool) -> None:
        layer = self.build(case)
        x = self.input(layer)
        with torch.set_grad_enabled(grad):
            assert layer(x[:0]).shape == (0, *layer(x).shape[1:])

    @pytest.mark.parametrize("grad", [False, True])
    def test_leading_axes(self, case: str, grad: bool) -> None:
        if not self.ANY_AXES:
            return
        layer = self.build(case)
        x = self.input(layer, batch=6)
        with torch.set_grad_enabled(grad):
            expected = layer(x)
            assert relative(layer(x[0, 0]), expected[0, 0]) < EXACT
            assert relative(layer(x[0]), expected[0]) < EXACT
            got = layer(x.unflatten(0, (2, 3)))
            assert relative(got, expected.unflatten(0, (2, 3))) < EXACT

    # -- state ----------------------------------------------------------------------------------

    def test_state_dict_is_the_same_in_train_and_eval(self, case: str) -> None:
        layer = self.build(case)
        keys = [list(layer.train(mode).state_dict()) for mode in (True, False)]
        layer(self.input(layer))
        assert keys[0] == keys[1] == list(layer.state_dict())
        assert set(keys[0]) == {name for name, _ in layer.named_parameters()}

    def test_save_and_load(self, case: str, tmp_path: Path) -> None:
        layer = self.build(case, torch.float32)
        ir.save(layer, tmp_path / "layer.safetensors")
        loaded = ir.load(tmp_path / "layer.safetensors")
        assert loaded.plan == layer.plan
        assert not loaded.training
        x = self.input(layer, dtype=torch.float32)
        assert torch.equal(loaded(x), layer(x))

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
    def test_copies(self, case: str, copied: Callable[[nn.Layer], nn.Layer]) -> None:
        layer = self.build(case)
        twin = copied(layer)
        x = self.input(layer)
        assert torch.equal(twin(x), layer(x))
        assert twin.plan == layer.plan
        assert repr(twin) == repr(layer)

    def test_repr_shows_types(self, case: str) -> None:
        layer = self.build(case)
        for text in self.in_repr(layer):
            assert text in repr(layer)

    def test_meta_device(self, case: str) -> None:
        real = self.build(case)
        with torch.device("meta"):
            layer = ir.compile(self.make(case), dtype=torch.float64).eval()
            x = torch.empty(self.input(real).shape, dtype=torch.float64)
        assert all(t.is_meta for t in (*layer.parameters(), *layer.buffers()))
        out = layer(x)
        assert out.is_meta
        x = self.input(real)
        assert out.shape == real(x).shape
        layer.to_empty(device="cpu")
        layer.load_state_dict(real.state_dict())
        assert torch.equal(layer(x), real(x))

    @pytest.mark.parametrize("low", [torch.float32, torch.bfloat16])
    def test_tables_survive_casts(self, case: str, low: torch.dtype) -> None:
        layer = ir.compile(self.make(case)).eval().to(low).double()
        testing.randomise_(layer)
        x = self.input(layer)
        assert worst_error(layer, x) < EXACT
        assert torch.equal(layer(x), self.build(case)(x))
