"""Generated networks: any group, any types, any layers; equivariant, counted, equal to dense."""

from functools import cache

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import irrepnet as ir
from irrepnet import specs, testing
from irrepnet.types import GSetType, gset_for, transitive_types

NAMES = [
    "trivial",
    "flop",
    "C3",
    "C4",
    "C2xC2",
    "S3",
    "D4",
    "Q8",
    "A4",
    "C3xS3",
    "Dic3",
    "D6",
    "Q8xC3",
]
FEW = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@cache
def group(name: str) -> ir.groups.Group:
    return ir.groups.parse(name)


def typed(draw, G, least=0, most=3):
    """A type of nonzero dimension, multiplicities free, zero allowed."""
    multiplicities = [draw(st.integers(least, most)) for _ in G.irreps]
    X = ir.FeatureType(G, multiplicities)
    assume(0 < X.dim <= 60)
    return X


@st.composite
def linear(draw):
    G = group(draw(st.sampled_from(NAMES)))
    X, Y = typed(draw, G), typed(draw, G)
    assume(any(a and b for a, b in zip(X.multiplicities, Y.multiplicities, strict=True)))
    lowering = draw(st.sampled_from([None, "separate", "batched", "dense"]))
    return specs.Linear(X, Y, bias=draw(st.booleans()), lowering=lowering)


@st.composite
def norm(draw):
    G = group(draw(st.sampled_from(NAMES)))
    centring = draw(st.sampled_from(["every_irrep", "invariant", "none"]))
    X = typed(draw, G)
    if centring == "every_irrep":
        X = 2 * X
    # One channel that is centred, or a pair, normalises to a sign: nothing left to compare.
    assume(X.dim > 4)
    weighting = draw(st.sampled_from(["share", "irrep"]))
    return specs.LayerNorm(X, centring, weighting, eps=1e-3, affine=draw(st.booleans()))


@st.composite
def activation(draw):
    G = group(draw(st.sampled_from(NAMES)))
    counts = {h: draw(st.integers(0, 2)) for h, _ in transitive_types(G)[:4]}
    chosen = tuple((h, n) for h, n in counts.items() if n)
    assume(chosen)
    X = GSetType(G, chosen).feature_type
    assume(X.dim <= 60)
    gset = draw(st.sampled_from([None, chosen]))
    return specs.Activation(X, draw(st.sampled_from(["gelu", "silu", "tanh"])), gset=gset)


@st.composite
def attention(draw):
    G = group(draw(st.sampled_from(NAMES)))
    heads = draw(st.integers(1, 3))
    X = heads * typed(draw, G, most=2)
    return specs.Chain((("qkv", specs.Linear(X, 3 * X)), ("attend", specs.Attention(X, heads))))


@st.composite
def invariants(draw):
    G = group(draw(st.sampled_from(NAMES)))
    X = typed(draw, G)
    return specs.InvariantMap(X, "norm")


@st.composite
def block(draw):
    """A residual MLP on a legal hidden type, then invariants."""
    G = group(draw(st.sampled_from(NAMES)))
    X = 2 * typed(draw, G, least=1, most=1)
    hidden = ir.FeatureType.regular(G, 2 * G.order)
    mlp = specs.Residual(
        (
            ("norm", specs.LayerNorm(X, eps=1e-3)),
            ("fc1", specs.Linear(X, hidden)),
            ("act", specs.Activation(hidden)),
            ("fc2", specs.Linear(hidden, X)),
            ("scale", specs.LayerScale(X)),
        )
    )
    return specs.Chain((("mlp", mlp), ("invariants", specs.InvariantMap(X, "norm"))))


def check(spec):
    net = testing.randomise_(ir.compile(spec, dtype=torch.float64))
    x = ir.certificate.random_input(
        net.plan.source, 2, torch.Generator().manual_seed(0), torch.float64
    )
    testing.assert_equivariant(net, tolerance=1e-11)
    testing.assert_matches_dense(net, x, tolerance=1e-11)
    testing.assert_flops(net, tuple(x.shape[1:]))
    assert specs.from_json(spec.to_json()) == spec


@FEW
@given(st.one_of(linear(), norm(), activation(), attention(), invariants(), block()))
def test_any_layer_over_any_group(spec):
    check(spec)


@FEW
@given(st.data())
def test_a_network_that_is_not_legal_raises_our_error_and_no_other(data):
    """Types, counts and names at random: either it compiles and holds, or it is refused."""
    names = st.sampled_from(["trivial", "flop", "C4", "D4", "Q8"])
    G, H = group(data.draw(names)), group(data.draw(names))

    def any_type(K):
        return ir.FeatureType(K, [data.draw(st.integers(0, 3)) for _ in K.irreps])

    X, Y = any_type(G), any_type(data.draw(st.sampled_from([G, G, H])))
    number = data.draw(st.integers(-2, 4))
    candidates = [
        specs.Linear(X, Y),
        specs.LayerNorm(X, data.draw(st.sampled_from(["every_irrep", "none", "all"]))),
        specs.Activation(X, data.draw(st.sampled_from(["gelu", "relu7"]))),
        specs.Attention(X, number),
        specs.DropPath(X, number / 2),
        specs.InvariantDropout(X, 0.5),
        specs.InvariantMap(X, data.draw(st.sampled_from(["trivial", "norm", "mean"]))),
        specs.ClassToken(X),
        specs.TokenPool(X, "token"),
        specs.Restrict(X, group("trivial"), (0,), data.draw(st.sampled_from(["irrep", "gset"]))),
        specs.Restrict(X, H, tuple(range(H.order)), "irrep"),
        specs.Residual((("a", specs.Linear(X, Y)),)),
        specs.Chain((("a", specs.Linear(X, Y)), ("b", specs.LayerScale(X)))),
    ]
    spec = data.draw(st.sampled_from(candidates))
    try:
        net = ir.compile(spec, dtype=torch.float64)
    except ir.IrrepnetError:
        return
    testing.randomise_(net)
    x = ir.certificate.random_input(
        net.plan.source, 2, torch.Generator().manual_seed(0), torch.float64
    )
    testing.assert_flops(net, tuple(x.shape[1:]))


@FEW
@given(st.sampled_from(NAMES), st.data())
def test_the_solver_finds_a_gset_for_every_permutation_type(name, data):
    G = group(name)
    counts = [(h, data.draw(st.integers(0, 3))) for h, _ in transitive_types(G)]
    chosen = tuple((h, n) for h, n in counts if n)
    assume(chosen)
    X = GSetType(G, chosen).feature_type
    found = gset_for(X)
    assert found.feature_type == X
    regular = dict(found.counts).get((0,), 0)
    assert regular >= dict(chosen).get((0,), 0)  # most regular orbits first


@pytest.mark.parametrize("name", NAMES)
def test_the_saving_of_the_regular_type(name):
    """MACs shrink by `|G|^2 / sum d^3 / e` and weights by `|G|`, exactly."""
    G = group(name)
    X = ir.FeatureType.regular(G, 4 * G.order)
    report = ir.flops(ir.compile(specs.Linear(X, X, bias=False), device="meta"), (1, X.dim))
    assert report.params * G.order == X.dim**2
    cubes = sum(i.dim**3 // i.end_dim for i in G.irreps)
    assert report.matmul_flops * G.order**2 == 2 * X.dim**2 * cubes
