"""Layers for the kernels' tests, and what their plans mean, written out in torch."""

import copy
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from irrepnet import groups, nn, testing
from irrepnet.groups import Group
from irrepnet.nn._straight_line import StraightLine
from irrepnet.nn.kernels import FusedMLPIn, ResidualNorm
from irrepnet.nn.kernels._available import interpreted
from irrepnet.nn.kernels._mlp_plan import MLPPlan, Slot
from irrepnet.types import FeatureType, GSetType, canonical_stabiliser

#: Where kernels run, once they can.
DEVICE = "cpu" if interpreted() or not torch.cuda.is_available() else "cuda"


@cache
def group(name: str) -> Group:
    if name == "C3xD3":
        return groups.direct_product(groups.cyclic(3), groups.dihedral(3))
    return groups.parse(name)


def involution(G: Group) -> tuple[int, ...]:
    return (0, next(a for a in range(1, G.order) if G.multiply(a, a) == 0))


#: Group, type of the input, and how many orbits of which kind: by stabiliser.
MLPS = {
    "trivial": ("trivial", "5*chi0", (((0,), 7),)),
    "flop": ("flop", "3*sym + 2*asym", (((0,), 5),)),
    "an irrep without input": ("flop", "4*sym", (((0,), 3), ((0, 1), 2))),
    "C4": ("C4", "3*chi0 + 2*chi2", (((0,), 3), ((0, 2), 2))),
    "D4": ("D4", "3*A1 + 2*B1 + 4*B2 + 3*E", (((0,), 3), (tuple(range(8)), 2))),
    "Q8": ("Q8", "2*chi0 + 3*chi2 + 2*chi4", (((0,), 3),)),
    # Four real dimensions over the complex numbers: components that share a commutant direction.
    "C3xD3": ("C3xD3", "2*chi0 + 2*chi2 + 3*chi3 + 2*chi5", ((None, 3),)),
    # Wider than one tile in every direction.
    "wide": ("flop", "70*sym + 50*asym", (((0,), 130),)),
}

#: Group, type and the norm's options.
NORMS = {
    "trivial": ("trivial", "37*chi0", {}),
    "flop": ("flop", "3*sym + 2*asym", {}),
    "C4": ("C4", "3*chi0 + 2*chi2", {"bias": False}),
    "D4": ("D4", "3*A1 + 2*B1 + 4*B2 + 3*E", {}),
    "octic paper": ("D4", "2*A1 + 5*B1 + 3*E", {"weighting": "irrep", "centring": "invariant"}),
    "known centred": ("D4", "3*A1 + 2*B1 + 4*B2 + 3*E", {"centred_input": True}),
    "Q8": ("Q8", "2*chi0 + 3*chi2 + 2*chi4", {"affine": False}),
    "A5": ("A5", "3*chi0 + 2*chi1 + 2*chi4", {"centring": "none"}),
}


def mlp(
    case: str, function: str = "gelu", normalised: bool = True, bias: bool = True
) -> FusedMLPIn:
    name, text, counts = MLPS[case]
    G = group(name)
    chosen = tuple((canonical_stabiliser(G, h or involution(G)), n) for h, n in counts)
    gset = GSetType(G, chosen)
    linear = nn.IsotypicLinear(FeatureType(G, text), gset.feature_type, bias=bias)
    layer = FusedMLPIn(linear, nn.GSetActivation(gset, function, normalised=normalised))
    testing.randomise_(layer)
    return layer


def norm(case: str, scaled: bool = True) -> ResidualNorm:
    name, text, options = NORMS[case]
    X = FeatureType(group(name), text)
    # An eps that the variance does not hide.
    layer = nn.IsotypicLayerNorm(X, eps=0.3, **options)
    made = ResidualNorm(layer, nn.LayerScale(X) if scaled else None)
    testing.randomise_(made)
    return made


def outputs_and_gradients(
    call: torch.nn.Module, inputs: Sequence[Tensor], twin: bool = False
) -> list[Tensor]:
    """What a layer gives, and what goes back to inputs and parameters; the twin in float64."""
    if twin:
        call, inputs = copy.deepcopy(call).double(), [x.double() for x in inputs]
    inputs = [x.detach().requires_grad_() for x in inputs]
    found = (call.twin if twin else call)(*inputs)
    found = list(found) if isinstance(found, tuple) else [found]
    backs = []
    for seed, out in enumerate(found):
        drawn = torch.randn(out.shape, generator=torch.Generator().manual_seed(seed))
        # A few bits, which every dtype holds: the twin gets the same.
        backs.append((drawn * 16).round().div(16).to(out))
    return [*found, *torch.autograd.grad(found, [*inputs, *call.parameters()], backs)]


def assert_equals_twin(call: torch.nn.Module, *inputs: Tensor) -> None:
    dtype = inputs[0].dtype
    got = outputs_and_gradients(call, inputs)
    expected = outputs_and_gradients(call, inputs, twin=True)
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert a.shape == b.shape
        assert a.dtype == dtype
        assert torch.isfinite(a).all()
        error = (a.double() - b).norm() / b.norm().clamp_min(1e-30)
        assert error < testing.TOLERANCES[dtype], f"{error:.1e}"


# -- what a plan means ---------------------------------------------------------------------------


def straight(line: StraightLine, values: Sequence[Tensor]) -> list[Tensor]:
    registers = list(values)
    for i, j, factor in line.steps:
        registers.append(registers[i] + factor * registers[j])
    return [registers[i] * factor for i, factor in line.outputs]


def slot_output(x: Tensor, weight: Tensor, bias: Tensor | None, slot: Slot, count: int) -> Tensor:
    columns = []
    for n in range(count):
        total = x.new_zeros(len(x))
        for k in range(slot.depth):
            channel = slot.source + k // slot.chunk * slot.stride + k % slot.chunk
            total = total + x[:, channel] * weight[slot.weight + n * slot.depth + k]
        if slot.bias >= 0:
            assert bias is not None
            total = total + bias[slot.bias + n]
        columns.append(total)
    return torch.stack(columns, dim=1)


#: What comes back to a point, by what comes back to the function there, and the point.
DERIVATIVES = {"gelu": torch.ops.aten.gelu_backward, "silu": torch.ops.aten.silu_backward}


def written_out(
    x: Tensor, weight: Tensor, bias: Tensor | None, gradient: Tensor | None, plan: MLPPlan
) -> Tensor:
    """What the kernel's `launch` gives, one number after the other."""
    out = x.new_full((len(x), plan.out_dim), float("nan"))
    function = nn.FUNCTIONS[plan.function]
    for orbits in plan.orbits:
        n = orbits.count
        slots = [slot_output(x, weight, bias, slot, n) for slot in orbits.slots]
        points = straight(orbits.to_points, slots)
        if gradient is None:
            points = [function(p) for p in points]
        else:
            back = [gradient[:, slot.target : slot.target + n] for slot in orbits.slots]
            derivative = DERIVATIVES[plan.function]
            backs = straight(orbits.to_points, back)
            points = [derivative(b, p) for b, p in zip(backs, points, strict=True)]
        for slot, channels in zip(orbits.slots, straight(orbits.to_irreps, points), strict=True):
            out[:, slot.target : slot.target + n] = channels
    return out
