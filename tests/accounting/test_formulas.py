"""Every kind of layer has a cost formula in its own sizes, which counts the layer at others too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sympy import Rational, symbols

from irrepnet import accounting, compiler, groups, specs
from irrepnet.actions import ImageAction, PointAction, image
from irrepnet.types import FeatureType, ScaledType
from tests.accounting.test_training import wrong

FLOP, C4, D4 = image("flop"), image("C4"), image("D4")
NUMBERS = (
    "params",
    "matmul_flops",
    "other_flops",
    "backward_matmul_flops",
    "backward_other_flops",
)


@dataclass(frozen=True)
class At:
    """An action, and sizes: copies of the regular type, a grid's side, vectors of one sample."""

    action: ImageAction
    copies: int
    side: int
    positions: int = 5

    @property
    def x(self) -> FeatureType:
        group = self.action.group
        return FeatureType.regular(group, self.copies * group.order)

    def type(self, *multiplicities: int) -> FeatureType:
        return self.copies * FeatureType(self.action.group, list(multiplicities))

    @property
    def grid(self) -> tuple[int, int]:
        return self.side, self.side

    @property
    def points(self) -> PointAction:
        return self.action.on_grid(*self.grid)

    def restrict(self, basis: str) -> specs.Restrict:
        smaller = image("rot180")
        return specs.Restrict(self.x, smaller.group, smaller.embedding(self.action), basis)

    def conv(self, kernel: int, stride: int, padding: int) -> specs.Spec:
        sizes = ((kernel,) * 2, (stride,) * 2, (padding,) * 2)
        return specs.Conv(self.x, self.action, self.grid, 2 * self.x, *sizes)

    def depthwise(self, pairing: str, leave: str = "irreps") -> specs.Spec:
        at = (self.x, self.action, self.grid, (3, 3))
        return specs.DepthwiseConv(*at, padding=(0, 0), pairing=pairing, leave=leave)

    def set(self, orbits: int) -> PointAction:
        """Tokens that are no grid: orbits of corners, and points that nothing moves."""
        orbit = self.action.on_grid(2, 2).array
        images = [
            [*(4 * k + int(i) for k in range(orbits) for i in row), *range(4 * orbits, 5 * orbits)]
            for row in orbit
        ]
        return PointAction("corners", self.action.group, tuple(map(tuple, images)))


Case = Callable[[At], specs.Spec]

#: One layer of each kind, and of each way in which a kind is computed.
CASES: tuple[tuple[Case, tuple[ImageAction, ...]], ...] = (
    (lambda s: specs.Linear(s.x, 2 * s.x), (FLOP, C4, D4)),
    (lambda s: specs.Linear(s.x, s.x, lowering="dense"), (C4, D4)),
    (
        lambda s: specs.Linear(
            s.x, s.x, lowering=(("dense", ("A1", "A2", "B1")), ("batched", ("B2", "E")))
        ),
        (D4,),
    ),
    (lambda s: specs.LayerNorm(s.x), (FLOP, C4, D4)),
    (lambda s: specs.LayerNorm(s.x, "invariant"), (D4,)),
    (lambda s: specs.RMSNorm(s.x, "none"), (D4,)),
    (lambda s: specs.Activation(s.x), (FLOP, C4, D4)),
    (lambda s: specs.Activation(s.x, leave="points"), (C4,)),
    (lambda s: specs.ToIrreps(s.x, (((0,), s.copies),)), (FLOP, D4)),
    (lambda s: specs.DirectActivation(s.x, "tanh"), (FLOP,)),
    (lambda s: specs.DirectActivation(s.type(1, 2, 1, 0, 3), "abs"), (D4,)),
    (lambda s: specs.Gated(s.type(1, 2, 3)), (C4,)),
    (lambda s: specs.NormActivation(s.type(1, 2, 3)), (C4,)),
    (lambda s: specs.MaxFilter(s.x, 3), (C4,)),
    (lambda s: specs.PolynomialMap(s.type(1, 1, 1), 3), (C4,)),
    (lambda s: specs.PolynomialMap(s.type(2, 0, 0, 0, 1), 2), (D4,)),
    (lambda s: specs.LayerScale(s.x), (C4,)),
    (lambda s: specs.DropPath(s.x, 0.1), (C4,)),
    (lambda s: specs.Dropout(s.x, 0.1), (C4,)),
    (lambda s: specs.InvariantDropout(s.type(1, 0, 0), 0.1), (C4,)),
    (lambda s: specs.InvariantMap(s.x, "norm"), (C4,)),
    (lambda s: specs.InvariantMap(s.x, "rms"), (D4,)),
    (lambda s: specs.Attention(s.x, s.copies), (C4, D4)),
    (lambda s: specs.PermutedAttention(s.x, 4 * s.copies), (C4,)),
    (lambda s: s.restrict("irrep"), (C4, D4)),
    (lambda s: s.restrict("gset"), (C4, D4)),
    (lambda s: specs.PatchEmbed(s.action, 3, (4 * s.side,) * 2, (4, 4), s.x), (FLOP, C4, D4)),
    (lambda s: specs.Downsample(s.x, s.action, (2 * s.side,) * 2, (2, 2), 2 * s.x), (C4, D4)),
    (lambda s: specs.Upsample(s.x, s.action, s.grid, (2, 2), s.x), (C4, D4)),
    (lambda s: specs.Unpatchify(s.action, s.x, s.grid, (2, 2), 3), (D4,)),
    (lambda s: s.conv(3, 1, 1), (C4, D4)),
    (lambda s: s.conv(1, 2, 0) if s.side % 2 else s.conv(2, 2, 0), (C4,)),
    (lambda s: s.depthwise("pairs"), (FLOP,)),
    (lambda s: s.depthwise("gset"), (FLOP, C4)),
    (lambda s: s.depthwise("gset", leave="points"), (D4,)),
    (lambda s: specs.PositionalEmbedding(s.x, s.action, s.grid), (FLOP, C4, D4)),
    (lambda s: specs.ClassToken(s.x), (C4,)),
    (lambda s: specs.RegisterTokens(s.x, 3), (C4,)),
    (lambda s: specs.TokenPool(s.x, "avg"), (C4,)),
    (lambda s: specs.Tokens(s.x, s.set(s.side)), (C4,)),
    (lambda s: specs.Affine(s.x, s.set(s.side)), (C4, D4)),
    (lambda s: specs.TokenLinear(s.x, s.set(s.side)), (C4, D4)),
    (lambda s: specs.OrbitPool(s.x, s.set(s.side), "norm"), (C4,)),
    (lambda s: specs.TokenLinear(s.x, s.points), (FLOP, C4, D4)),
    (lambda s: specs.TokenBias(s.x, s.points), (C4, D4)),
    (lambda s: specs.Affine(s.x, s.points), (C4, D4)),
    (lambda s: specs.Affine(s.x), (C4,)),
    (lambda s: specs.OrbitOrder(s.x, s.points), (D4,)),
    (lambda s: specs.OrbitPool(s.x, s.points, "norm"), (C4, D4)),
    (lambda s: specs.ToMaps(s.x, s.action, s.grid), (C4,)),
    (lambda s: specs.FromMaps(s.x, s.action, s.grid), (C4,)),
)


def report(at: At, case: Case) -> accounting.FlopReport:
    """The layer alone, or as the second on a grid where it permutes tokens of one."""
    spec = case(at)
    if getattr(spec, "points", None) == at.points:
        before = specs.PositionalEmbedding(at.x, at.action, at.grid)
        spec = specs.Chain((("before", before), ("layer", spec)))
    plan = compiler.Plan(compiler.check(spec))
    source = plan.source
    open_ = isinstance(source, compiler.Features) and source.positions is None
    positions = at.positions if open_ else None
    return accounting.FlopReport(compiler.cost(plan, positions), plan, positions)


def cases() -> Iterator[object]:
    for case, actions in CASES:
        for action in actions:
            kind = type(case(At(action, 4, 4))).__name__
            yield pytest.param(case, action, id=f"{kind}-{action.name}")


@pytest.mark.parametrize(("case", "action"), list(cases()))
def test_a_formula_counts_the_layer_at_other_sizes(case: Case, action: ImageAction) -> None:
    for side in (4, 5):  # which orbits a grid has depends on its parity
        here = report(At(action, 4, side), case).symbolic
        row = here.rows[-1]
        assert row.is_symbolic
        for larger in (At(action, 8, side + 2, 7), At(action, 20, side + 6, 50)):
            there = report(larger, case)
            counted = there.rows[-1]
            sizes = {str(s): value for s, value in there.symbolic.values.items()}
            for name in NUMBERS:
                assert here.evaluate(getattr(row, name), **sizes) == getattr(counted, name), name
            read = here.evaluate(row.bytes_read, **{**sizes, "s": 2, "B": 3})
            assert read == counted.bytes_read(itemsize=2, batch=3)
            assert here.evaluate(row.bytes_written, **sizes) == counted.bytes_written()
            assert here.evaluate(row.live_bytes, **sizes) == 4 * counted.live


def test_every_kind_of_layer_is_here() -> None:
    kinds = {type(case(At(actions[0], 4, 4))) for case, actions in CASES}
    ours = {kind for kind in compiler._rule.RULES if kind.__module__.startswith("irrepnet.")}
    assert kinds == ours


def test_a_polynomial_map_by_hand() -> None:
    """Invariants of `k` copies of D4's `E` up to degree 4, each copy alone.

    They are generated by `x^2 + y^2` and by `x^2 y^2`, up to a choice: Molien's series is
    `1 / ((1 - t^2) (1 - t^4))`.
    """
    k, N = symbols("k N")
    E = FeatureType(groups.octic(), "E")
    cost = compiler.layer_cost(specs.PolynomialMap(ScaledType(E, k), 4), N)
    found = compiler.layer_cost(specs.PolynomialMap(E, 4), 1)
    assert found.matmul % 4 == 0  # 2 FLOPs for each of 2 generators and each monomial
    assert cost.matmul == found.matmul * k * N
    assert cost.other == (("elementwise", 3 * (found.matmul // 4) * k * N),)


def test_the_saving_follows_the_layers_own_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing about `|G|^2 / sum(d^3 / e)` is typed in: another cost, another saving."""
    assert accounting.regular_saving(groups.cyclic(4)) == Rational(8, 3)
    rules = compiler._rule.RULES
    D, N = symbols("D N", positive=True)
    monkeypatch.setitem(rules, specs.Linear, wrong(rules[specs.Linear], matmul=2 * D**2 * N))
    dense, own = 4, 2 + Rational(2 * 3, 8)  # 2 D^2 N more on both sides
    assert accounting.regular_saving(groups.cyclic(4)) == dense / own
