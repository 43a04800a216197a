"""The plan: pure data, readable, with every choice in it."""

import pickle
import subprocess
import sys

import pytest
import torch

import irrepnet as ir
from irrepnet import actions, groups, specs
from irrepnet._errors import SpecError
from irrepnet.compiler import Features, Images, check, cost
from irrepnet.types import FeatureType

G = groups.flop()
X = FeatureType(G, "2*sym + 2*asym")
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
                    ("scale", specs.LayerScale(X)),
                    ("drop", specs.DropPath(X, 0.25)),
                )
            ),
        ),
        ("invariants", specs.InvariantMap(X, "norm")),
    )
)
EXPLAINED = """\
Chain: (2*sym + 2*asym) over flop -> (4*sym) over flop
    norm LayerNorm: (2*sym + 2*asym) over flop -> (2*sym + 2*asym) over flop
        centring every_irrep, variance weighted by share
    mlp Residual: (2*sym + 2*asym) over flop -> (2*sym + 2*asym) over flop
        mlp.fc1 Linear: (2*sym + 2*asym) over flop -> (4*sym + 4*asym) over flop
            sym: 4 x 2 real; asym: 4 x 2 real
            16 of 32 weights of the dense map, 32 of 64 FLOPs a position; bias on 4 of 8 channels
        mlp.act Activation: (4*sym + 4*asym) over flop -> (4*sym + 4*asym) over flop
            gelu on 4 x G/H, |G/H| = 2
        mlp.fc2 Linear: (4*sym + 4*asym) over flop -> (2*sym + 2*asym) over flop
            sym: 2 x 4 real; asym: 2 x 4 real
            16 of 32 weights of the dense map, 32 of 64 FLOPs a position; bias on 0 of 4 channels
        mlp.scale LayerScale: (2*sym + 2*asym) over flop -> (2*sym + 2*asym) over flop
            one factor for each copy
        mlp.drop DropPath: (2*sym + 2*asym) over flop -> (2*sym + 2*asym) over flop
            one draw a sample, rate 0.25
    invariants InvariantMap: (2*sym + 2*asym) over flop -> (4*sym) over flop
        trivial copies and norms"""


def test_explain() -> None:
    assert ir.compile(NET).plan.explain() == EXPLAINED


@pytest.mark.parametrize(
    ("group", "text", "expected"),
    [
        (
            groups.cyclic(4),
            "2*chi0 + 3*chi2",
            "chi0: 2 x 2 real; chi2: 3 x 3 complex, 2 components",
        ),
        (groups.quaternion(), "2*chi4", "chi4: 2 x 2 quaternionic, 4 components"),
        (groups.dihedral(4), "2*B1 + 3*E", "B1: 2 x 2 real; E: 3 x 3 real, 2 components"),
    ],
)
def test_explain_says_the_field(group: groups.Group, text: str, expected: str) -> None:
    V = FeatureType(group, text)
    explained = ir.compile(specs.Linear(V, V)).plan.explain().splitlines()
    assert explained[1].strip() == expected
    weights = sum(i.end_dim * m * m for i, m in zip(group.irreps, V.multiplicities, strict=True))
    assert explained[2].strip().startswith(f"{weights} of {V.dim**2} weights of the dense map")


def test_explain_of_images() -> None:
    embed = specs.PatchEmbed(actions.image("flop"), 3, (8, 8), (4, 4), X)
    token = specs.ClassToken(X)
    plan = ir.compile(specs.Chain((("embed", embed), ("token", token)))).plan
    lines = plan.explain().splitlines()
    assert lines[0] == "Chain: images 3 x 8 x 8 under 'flop' -> 5 x (2*sym + 2*asym) over flop"
    assert lines[1].startswith("    embed PatchEmbed: images 3 x 8 x 8 under 'flop' -> 4 x ")
    assert "learned on the 2 trivial copies" in lines[-1]


def test_names_are_module_paths() -> None:
    net = ir.compile(NET)
    modules = dict(net.named_modules())
    for node in net.plan.root.walk():
        assert node.path in modules
    assert [node.path for node in net.plan.leaves()] == [
        "norm",
        *(f"mlp.{name}" for name in ("fc1", "act", "fc2", "scale", "drop")),
        "invariants",
    ]
    assert net.names == ("norm", "mlp", "invariants")
    assert len(net) == 3
    assert net[1] is net.mlp
    assert net.mlp.names == ("fc1", "act", "fc2", "scale", "drop")
    assert isinstance(net.mlp, ir.nn.Residual)
    assert {name.split(".")[0] for name, _ in net.named_parameters()} == {"norm", "mlp"}


def test_residual_adds_its_input() -> None:
    net = ir.testing.randomise_(ir.compile(NET, dtype=torch.float64)).eval()
    x = torch.randn(3, 4, dtype=torch.float64)
    inside = net.mlp.scale(net.mlp.fc2(net.mlp.act(net.mlp.fc1(x))))
    assert torch.equal(net.mlp(x), x + inside)


def test_edges() -> None:
    plan = ir.compile(NET).plan
    assert plan.source == Features(X)
    assert plan.target == Features(FeatureType(G, "4*sym"))
    model = ir.create_model("vit_tiny_patch16_224", "D4", width=64, heads=2, depth=1)
    assert model.plan.source == Images(actions.image("D4"), 3, (224, 224))
    assert model.plan.target.type == FeatureType.trivial(model.plan.source.group, 1000)
    assert model.plan.target.positions == 1


def test_choices_are_filled_in() -> None:
    assert NET.steps[1][1].steps[1][1].gset is None
    plan = ir.compile(NET).plan
    (activation,) = (n.spec for n in plan.leaves() if n.kind == "Activation")
    assert activation.gset == (((0,), 4),)
    assert ir.compile(plan.spec).plan == plan  # compiling the filled-in spec changes nothing


def test_given_gset_may_name_any_conjugate() -> None:
    D4 = groups.dihedral(4)
    for mirror in (4, 6):
        H = D4.subgroup([mirror]).elements
        V = ir.reps.quotient(D4, D4.subgroup([mirror])).decompose()
        X = FeatureType(D4, [2 * m for m in V.multiplicities])
        net = ir.compile(specs.Activation(X, "relu", ((H, 2),)), dtype=torch.float64)
        ir.testing.assert_equivariant(net)
        assert net.plan.spec.gset[0][1] == 2


def test_plan_is_plain_data() -> None:
    plan = ir.compile(NET).plan
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan
    assert hash(again) == hash(plan)
    assert len({plan, again, ir.compile(NET).plan}) == 1
    other = specs.Chain(NET.steps[:1])
    assert ir.compile(other).plan != plan
    assert b"torch" not in pickle.dumps(plan)


def test_everything_before_emission_runs_without_torch() -> None:
    code = (
        "import sys\n"
        "import irrepnet as ir\n"
        "from irrepnet import specs, actions, types\n"
        "X = ir.FeatureType.regular(ir.groups.dihedral(4), 16)\n"
        "spec = specs.Chain((('a', specs.Linear(X, X)), ('b', specs.Activation(X))))\n"
        "assert specs.from_json(spec.to_json()) == spec\n"
        "types.gset_for(X)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_check_alone_builds_nothing() -> None:
    node = check(NET)
    assert node.target == Features(FeatureType(G, "4*sym"))
    assert node.kind == "Chain"


def test_cost_needs_positions() -> None:
    plan = ir.compile(NET).plan
    with pytest.raises(
        SpecError, match=r"takes \(2\*sym \+ 2\*asym\) over flop at any number of positions: expec"
    ):
        cost(plan)
    rows = cost(plan, 3)
    assert sum(row.flops for row in rows) * 2 == sum(row.flops for row in cost(plan, 6))
    assert [row.kind for row in rows] == [
        "LayerNorm",
        "Linear",
        "Activation",
        "Linear",
        "LayerScale",
        "DropPath",
        "Skip",
        "InvariantMap",
    ]


def test_dtype_and_device_reach_every_layer() -> None:
    net = ir.compile(NET, device="meta", dtype=torch.bfloat16)
    assert {(p.device.type, p.dtype) for p in net.parameters()} == {("meta", torch.bfloat16)}
    net = ir.compile(specs.Activation(FeatureType.regular(groups.cyclic(4), 8)), device="meta")
    assert [b.device.type for b in net.buffers()] == ["meta"]


def test_repr() -> None:
    net = ir.compile(NET)
    assert "(fc1): IsotypicLinear(2*sym + 2*asym -> 4*sym + 4*asym, bias=True)" in repr(net)
    assert "(scale): LayerScale(2*sym + 2*asym)" in repr(net)
    assert "(drop): DropPath(rate=0.25)" in repr(net)
