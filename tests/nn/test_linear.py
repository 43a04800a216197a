import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from irrepnet import nn, specs, testing
from irrepnet._errors import CheckpointError, FeatureTypeError, IrrepMismatchError, SpecError
from irrepnet.types import FeatureType
from tests.nn.contract import EXACT, GROUPS, LayerContract, group, relative, rho, typed

#: Output types: other multiplicities, a block that no input reaches, a missing block.
OUT = {
    "trivial": "4*chi0",
    "flop": "5*sym + 4*asym",
    "C4": "chi0 + 2*chi1 + 3*chi2",
    "D3": "A1 + 2*A2 + 2*E",
    "D4": "2*A1 + A2 + 3*B2 + 5*E",
    "Q8": "chi0 + chi1 + 3*chi4",
    "A4": "3*chi0 + 2*chi1 + 4*chi2",
    "C3xD3": "chi0 + 2*chi1 + 2*chi3 + 3*chi5",
    "Q8xD3": "chi0 + chi8 + 3*chi14",
}


#: Equal multiplicities, which a batched product takes at once; and what else is lowered.
EQUAL = "2*A1 + 2*A2 + 2*B1 + 2*B2 + 2*E"
LOWERED = ("equal", "trivial", "flop", "C4", "D4", "Q8", "Q8xD3", "unreached", "without_bias")


def averaged(matrix: np.ndarray, in_type: FeatureType, out_type: FeatureType) -> np.ndarray:
    """The orthogonal projection on the intertwiners: the mean of `rho(g) M rho(g)^T`."""
    order = in_type.group.order
    return sum(rho(out_type, a) @ matrix @ rho(in_type, a).T for a in range(order)) / order


def by_schur(layer: nn.IsotypicLinear) -> np.ndarray:
    """`sum_j J_j (x) W_j` for each irrep, entry by entry."""
    matrix = np.zeros((layer.out_type.dim, layer.in_type.dim))
    sources = {b.irrep.name: b for b in layer.in_type.blocks}
    for target in layer.out_type.blocks:
        source = sources.get(target.irrep.name)
        if source is None:
            continue
        weight = layer.weight(target.irrep.name).detach().numpy()
        weight = weight.reshape(target.irrep.end_dim, *weight.shape[-2:])
        for j, direction in enumerate(target.irrep.commutant):
            for row, column in np.argwhere(direction):
                for o in range(target.multiplicity):
                    for i in range(source.multiplicity):
                        matrix[
                            target.start + row * target.multiplicity + o,
                            source.start + column * source.multiplicity + i,
                        ] += direction[row, column] * weight[j, o, i]
    return matrix


class TestIsotypicLinear(LayerContract):
    CASES = (
        *GROUPS,
        *("unreached", "without_bias", "only_trivial", "no_invariants"),
        *(f"{case} {how}" for how in ("batched", "dense") for case in LOWERED),
    )
    TRACED = ("D4", "Q8xD3", "equal batched", "C4 dense")
    ANY_AXES = True

    def make(self, case: str) -> specs.Linear:
        case, _, lowering = case.partition(" ")
        return replace(self.made(case), lowering=lowering or "separate")

    def made(self, case: str) -> specs.Linear:
        if case == "equal":  # five products of one size, side by side
            return specs.Linear(typed("D4", EQUAL), typed("D4", EQUAL.replace("2*", "3*")))
        if case == "unreached":  # the trivial block too, which has a bias and nothing else
            return specs.Linear(typed("D4", "2*A2 + E"), typed("D4", "3*A1 + B1 + 2*E"))
        if case == "without_bias":
            return specs.Linear(typed("D4", "2*A2 + E"), typed("D4", "3*A1 + 2*E"), bias=False)
        if case == "only_trivial":
            return specs.Linear(typed("D4", "3*A1"), typed("D4", "2*A1"))
        if case == "no_invariants":
            return specs.Linear(typed("C4", "2*chi2"), typed("C4", "3*chi1 + chi2"))
        return specs.Linear(typed(case), typed(case, OUT[case]), init="uniform")

    def dense(self, layer: nn.Layer, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.IsotypicLinear)
        out = x @ torch.tensor(by_schur(layer)).t()
        if layer.bias is not None:
            for k, value in enumerate(layer.bias.detach()):
                out[..., k] += value
        return out


@pytest.fixture(params=[*GROUPS, "unreached"])
def layer(request: pytest.FixtureRequest) -> nn.IsotypicLinear:
    made = TestIsotypicLinear().build(request.param)
    assert isinstance(made, nn.IsotypicLinear)
    return made


def test_load_matrix_projects_orthogonally(layer: nn.IsotypicLinear) -> None:
    shape = (layer.out_type.dim, layer.in_type.dim)
    matrix = np.random.default_rng(0).standard_normal(shape)
    layer.load_matrix_(torch.tensor(matrix))
    expected = averaged(matrix, layer.in_type, layer.out_type)
    assert relative(layer.weight_matrix(), torch.tensor(expected)) < EXACT
    assert relative(torch.tensor(by_schur(layer)), torch.tensor(expected)) < EXACT
    again = layer.weight_matrix().detach().clone()
    layer.load_matrix_(again)
    assert relative(layer.weight_matrix(), again) < EXACT


def test_weights_are_all_intertwiners(layer: nn.IsotypicLinear) -> None:
    """As many weights as the averaging projector has rank, by its trace; and no two alike."""
    weights = [p for name, p in layer.named_parameters() if name != "bias"]
    trace = np.mean(
        [
            np.trace(rho(layer.out_type, a)) * np.trace(rho(layer.in_type, a))
            for a in range(layer.in_type.group.order)
        ]
    )
    assert sum(p.numel() for p in weights) == round(trace)
    columns = []
    with torch.no_grad():
        for p in weights:
            p.zero_()
        for p in weights:
            for k in range(p.numel()):
                p.view(-1)[k] = 1
                columns.append(layer.weight_matrix().flatten().clone())
                p.view(-1)[k] = 0
    gram = torch.stack(columns) @ torch.stack(columns).t()
    assert torch.equal(gram, torch.diag(gram.diagonal()))  # orthogonal to each other
    assert (gram.diagonal() > 0).all()


def test_bias_is_free_on_invariants_only(layer: nn.IsotypicLinear) -> None:
    invariants = layer.out_type.multiplicities[0]
    assert layer.bias is not None
    assert layer.bias.shape == (invariants,)
    at_zero = layer(torch.zeros(1, layer.in_type.dim, dtype=torch.float64))[0]
    assert torch.equal(at_zero[:invariants], layer.bias)
    assert (at_zero[invariants:] == 0).all()


@pytest.mark.parametrize("name", ["C4", "Q8", "A4", "C3xD3", "Q8xD3"])
def test_commutants_commute(name: str) -> None:
    """What the oracle builds on: `J_j rho(g) = rho(g) J_j`, orthonormal up to the dimension."""
    for irrep in group(name).irreps:
        directions = irrep.commutant
        for a in range(group(name).order):
            m = irrep.matrix(a)
            assert np.abs(directions @ m - m @ directions).max() < EXACT
        flat = directions.reshape(irrep.end_dim, -1)
        assert (flat @ flat.T == irrep.dim * np.eye(irrep.end_dim)).all()


@pytest.mark.parametrize("how", ["separate", "batched", "dense"])
def test_changed_weights_are_seen(how: str) -> None:
    """Inference may keep expanded weights, never past a change of the weights."""
    layer = TestIsotypicLinear().build(f"equal {how}")
    x = torch.randn(4, layer.in_type.dim, dtype=torch.float64)

    def check(layer: nn.IsotypicLinear, x: Tensor = x) -> None:
        with torch.no_grad():
            got = [layer(x), layer(x)]
        expected = TestIsotypicLinear().dense(layer.double(), x.double())
        for y in got:
            assert relative(y.double(), expected) < testing.TOLERANCES[y.dtype]

    check(layer)
    for seed in (1, 2):
        testing.randomise_(layer, seed)
        check(layer)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=0.1)
    for _ in range(2):
        layer(x).square().sum().backward()
        optimiser.step()
        check(layer)
    layer.load_state_dict({k: v.flip(0) for k, v in layer.state_dict().items()})
    check(layer)
    layer.load_matrix_(torch.randn(layer.out_type.dim, layer.in_type.dim, dtype=torch.float64))
    check(layer)
    layer.weight_A1 = torch.nn.Parameter(torch.randn(3, 2, dtype=torch.float64))
    check(layer)
    layer.weight_B1.data = torch.randn(3, 2, dtype=torch.float64)
    check(layer)
    twin = copy.deepcopy(layer)
    testing.randomise_(twin, 3)
    check(twin)
    check(layer)
    check(layer.float(), x.float())
    with torch.no_grad():
        swapped = {k: torch.randn_like(v) for k, v in layer.named_parameters()}
        other = torch.func.functional_call(layer, swapped, (x,))
        layer.load_state_dict(swapped)
        assert relative(layer(x), other) < EXACT


@pytest.mark.parametrize("case", LOWERED)
def test_lowerings_share_one_state(case: str) -> None:
    layers = [
        TestIsotypicLinear().build(f"{case} {how}") for how in ("separate", "batched", "dense")
    ]
    x = torch.randn(3, layers[0].in_type.dim, dtype=torch.float64)
    for other in layers[1:]:
        other.load_state_dict(layers[0].state_dict())
        assert relative(other(x), layers[0](x)) < EXACT


@pytest.mark.parametrize("grad", [False, True])
def test_dtypes(grad: bool) -> None:
    x = torch.randn(4, 17, generator=torch.Generator().manual_seed(0))
    spec = TestIsotypicLinear().make("C3xD3")
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        low = testing.randomise_(
            nn.IsotypicLinear(spec.in_type, spec.out_type, dtype=dtype)
        ).requires_grad_(False)
        x = torch.randn(4, spec.in_type.dim, generator=torch.Generator().manual_seed(0)).to(dtype)
        with torch.set_grad_enabled(grad):
            got = low(x)
        assert got.dtype == dtype
        exact = x.double() @ torch.tensor(by_schur(low.double())).t()
        exact[:, : len(low.bias)] += low.bias
        assert relative(got.double(), exact) < testing.TOLERANCES[dtype]


def test_initial_scale() -> None:
    torch.manual_seed(0)
    x = typed("Q8", "60*chi0 + 60*chi1 + 60*chi2 + 60*chi3 + 60*chi4")
    normal = nn.IsotypicLinear(x, x)
    out = normal(torch.randn(400, x.dim)).double()
    for block in x.blocks:  # each output varies as under a dense map of the same width
        std = out[:, block.start : block.stop].std().item()
        assert std == pytest.approx(0.02 * x.dim**0.5, rel=0.1)
    uniform = nn.IsotypicLinear(x, x, init="uniform")
    assert uniform.weight("chi4").abs().max().item() == pytest.approx((4 * 60) ** -0.5, rel=1e-2)
    assert (normal.bias == 0).all()


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_forward_derivatives() -> None:
    layer = TestIsotypicLinear().build("C4")
    x = torch.randn(3, layer.in_type.dim, dtype=torch.float64)
    v = torch.randn_like(x)
    with torch.no_grad():
        _, derivative = torch.func.jvp(layer, (x,), (v,))
    assert relative(derivative, v @ torch.tensor(by_schur(layer)).t()) < EXACT


# -- errors -----------------------------------------------------------------------------------


def test_other_groups() -> None:
    with pytest.raises(IrrepMismatchError, match=r"over flop to .* over C4 has no common group"):
        nn.IsotypicLinear(typed("flop"), typed("C4"))


@pytest.mark.parametrize(("side", "x", "y"), [("input", "0", "2*A1"), ("output", "A1", "0")])
def test_empty_types(side: str, x: str, y: str) -> None:
    with pytest.raises(FeatureTypeError, match=f"the {side} type of a linear map is empty"):
        nn.IsotypicLinear(typed("D4", x), typed("D4", y))


def test_zero_by_schur() -> None:
    with pytest.raises(IrrepMismatchError, match=r"from 2\*A1 to 3\*E is zero \(Schur's lemma\)"):
        nn.IsotypicLinear(typed("D4", "2*A1"), typed("D4", "3*E"))


def test_unknown_initialisation() -> None:
    with pytest.raises(SpecError, match="unknown initialisation 'zeros': expected 'normal' or"):
        nn.IsotypicLinear(typed("flop"), typed("flop"), init="zeros")


def test_unknown_lowering() -> None:
    with pytest.raises(
        SpecError, match="unknown lowering 'fast': expected one of separate, batched"
    ):
        nn.IsotypicLinear(typed("flop"), typed("flop"), lowering="fast")


def test_other_width() -> None:
    layer = nn.IsotypicLinear(typed("flop"), typed("flop"))
    with pytest.raises(
        IrrepMismatchError, match=r"got a tensor of shape \(2, 4\): expected 5 chann"
    ):
        layer(torch.zeros(2, 4))


def test_layers_without_a_dense_twin() -> None:
    class Mine(nn.Layer):
        pass

    with pytest.raises(
        SpecError, match="Mine has no dense twin: expected a method _dense that ret"
    ):
        Mine().to_dense()


def test_state_dict_that_does_not_fit() -> None:
    layer = nn.IsotypicLinear(typed("flop"), typed("flop"))
    state = layer.state_dict()
    state["weight_sym"] = torch.zeros(1, 2)
    state["extra"] = torch.zeros(1)
    del state["weight_asym"]
    with pytest.raises(CheckpointError) as caught:
        layer.load_state_dict(state)
    text = str(caught.value)
    assert "the layer, irrep sym: got shape (1, 2), expected (3, 3)" in text
    assert "the layer, irrep asym: missing" in text
    assert "the layer, extra: unknown" in text
    assert "Expected the state dict of a network with the same spec" in text
    del state["weight_sym"]
    layer.load_state_dict(state, strict=False)
    chain = nn.Chain([("fc", layer)])
    with pytest.raises(CheckpointError, match="layer fc, irrep sym: missing"):
        chain.load_state_dict({})


def test_long_list_of_misfits_is_cut() -> None:
    layer = nn.IsotypicLinear(typed("flop"), typed("flop"))
    unknown = {f"key{i}": torch.zeros(1) for i in range(30)}
    with pytest.raises(CheckpointError, match="and 13 more"):
        layer.load_state_dict(unknown)
