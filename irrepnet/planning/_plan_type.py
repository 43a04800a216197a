"""`plan_type`: which feature type to build a network of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from irrepnet._errors import FeatureTypeError, OptionError
from irrepnet.compiler import Machine, Rates
from irrepnet.groups import Group
from irrepnet.planning._cost_models import ITEMSIZE
from irrepnet.planning._relaxation import Cost
from irrepnet.planning._search import Demands, cheapest, widest
from irrepnet.reps import Irrep
from irrepnet.types import FeatureType, GSetType, gset_for

#: What a square linear map may be charged for, and in which unit.
OBJECTIVES = {
    "flops": "FLOPs a position (1 MAC = 2 FLOPs)",
    "params": "parameters",
    "time": "seconds",
}


@dataclass(frozen=True)
class TypePlan:
    """A planned feature type and why it is this one.

    Attributes:
        feature_type: The type.
        gset: The points on which activations act.
        objective: One of `OBJECTIVES`.
        cost: What a linear map from the type to itself costs.
        dense_cost: What it costs without symmetry, at as many channels.
        ladder: Demands, each added to those before, and what the cheapest type that meets them
            costs at this width.
        wanted: Channels that were asked for.
        budget: The most that it was allowed to cost, if anything.
        source: Where the machine's rates are from, for times.
    """

    feature_type: FeatureType
    gset: GSetType
    objective: str
    cost: float
    dense_cost: float
    ladder: tuple[tuple[str, float], ...]
    wanted: int
    budget: float | None = None
    source: str = ""

    @property
    def saving(self) -> float:
        """Dense cost over cost."""
        return self.dense_cost / self.cost

    @property
    def gave_up(self) -> tuple[str, ...]:
        """What each demand took, in words."""
        found = []
        lost = self.wanted - self.feature_type.dim
        if lost:
            found.append(f"{lost} of {self.wanted} channels, to stay within the budget")
        for (_, before), (demand, after) in zip(self.ladder, self.ladder[1:], strict=False):
            if after > before:
                found.append(f"{after / before - 1:.2%} of the cost for {demand}")
        return tuple(found)

    def explain(self) -> str:
        """For a person.

        Examples:
            >>> from irrepnet import groups
            >>> print(plan_type(groups.octic(), 384, heads=6).explain())
            66*A1 + 60*A2 + 60*B1 + 66*B2 + 66*E over D4
              384 channels, 5.99 times as cheap as dense
              a linear map: 49,248 FLOPs a position (1 MAC = 2 FLOPs); dense 294,912
              points: 33 x G/H, |G/H| = 8; 27 x G/H, |G/H| = 4; 6 x G/H, |G/H| = 2
              gave up: 0.20% of the cost for whole shares for 6 heads
        """
        t = self.feature_type
        unit = OBJECTIVES[self.objective]
        shown = (f"{value:,.4g}" if self.objective == "time" else f"{value:,.0f}"
                 for value in (self.cost, self.dense_cost))  # fmt: skip
        own, dense = shown
        lines = [
            f"{t} over {t.group.name}",
            f"  {t.dim} channels, {self.saving:.2f} times as cheap as dense",
            f"  a linear map: {own} {unit}; dense {dense}",
            f"  points: {self.gset}",
            f"  gave up: {'; '.join(self.gave_up) or 'nothing'}",
        ]
        if self.objective == "time":
            lines.append(f"  rates: {self.source}")
            if self.saving <= 1:
                lines.append("  a dense product is no slower at this width: lowering='auto'")
        return "\n".join(lines)


def plan_type(
    group: Group,
    dim: int,
    budget: float | None = None,
    objective: str = "flops",
    *,
    heads: int = 1,
    least: int = 2,
    positions: int = 197,
    dtype: str = "float32",
    machine: Machine | None = None,
) -> TypePlan:
    """Choose the multiplicities of a feature type: the cheapest with `dim` channels.

    The cost is that of a linear map from the type to itself, to which the maps of a transformer's
    block are proportional. The type has points on which activations act (it is a sum of coset
    representations), whole shares for every head, and every irrep often enough for norms that
    centre. Under a budget that cannot hold `dim` channels it has as many as fit.

    Regular types cost the fewest parameters; FLOPs are fewest where multiplicities are inverse to
    the dimensions of endomorphisms, which for D4 saves a factor of 6 instead of 16/3.

    Args:
        group: The group.
        dim: Channels.
        budget: The most that the map may cost, in the objective's unit.
        objective: `"flops"` a position, `"params"`, or `"time"`: seconds for `positions` rows, one
            product for each block.
        heads: Attention heads; multiplicities are multiples of it.
        least: The least multiplicity of every irrep; norms that centre need 2, times need 1 (an
            absent irrep saves calls, which makes the cost jump).
        positions: Rows of a batch, for times.
        dtype: Dtype, for times.
        machine: Rates, for times; by default this machine's, see `irrepnet bench --calibrate`.

    Returns:
        The type, its cost, and what each demand took.

    Raises:
        OptionError: If the objective is unknown or a number out of its range.
        FeatureTypeError: If no type meets the demands, naming what would.

    Cost:
        Exact searches, together a second or less for the groups of images.

    References:
        For real types the least FLOPs of `D` channels are `2 D^2 / sum(d / e)` over the irreps, by
        the inequality of Cauchy and Schwarz; whole numbers and points take the rest.

    Examples:
        >>> from irrepnet import groups
        >>> plan = plan_type(groups.flop(), 384)
        >>> str(plan.feature_type), plan.cost, plan.saving, plan.gave_up
        ('192*sym + 192*asym', 147456, 2.0, ())
        >>> plan_type(groups.octic(), 384, budget=40_000).feature_type.dim
        346
    """
    _check(dim, budget, objective, heads, least, positions, dtype)
    machine = machine or Machine.load()
    rates = machine.rates(dtype)
    costs = [irrep_cost(i, objective, rates, positions, ITEMSIZE[dtype]) for i in group.irreps]
    found, wide = _widest(group, costs, Demands(dim, heads, least), budget)
    best = FeatureType(group, found)
    return TypePlan(
        best,
        gset_for(best),
        objective,
        _total(costs, found),
        irrep_cost(group.irreps[0], objective, rates, positions, ITEMSIZE[dtype])(wide.dim),
        tuple(_ladder(group, costs, wide, int(objective == "time"))),
        dim,
        budget,
        machine.source,
    )


def irrep_cost(irrep: Irrep, objective: str, rates: Rates, positions: int, itemsize: int) -> Cost:
    """What the block of one irrep costs in a square map, as a function of the multiplicity.

    With dimension `d` and `e = dim End`: `e m^2` parameters, `2 d e m^2` FLOPs a position, and in
    time what the compiler expects of one product for each component or commutant
    (`irrepnet.compiler.passes._lower.seconds`).
    """
    d, e = irrep.dim, irrep.end_dim
    if objective == "params":
        return lambda m: e * m * m
    if objective == "flops":
        return lambda m: 2 * d * e * m * m

    def seconds(m: float) -> float:
        flops, moved = 2 * positions * d * e * m * m, itemsize * 2 * positions * d * m
        if d == e or e == 1:
            calls = d // e
            return calls * rates.seconds(flops / calls, (moved + itemsize * d * e * m * m) / calls)
        return 2 * rates.seconds(0, moved) + rates.seconds(flops, moved)  # two transposes besides

    return seconds


def _check(
    dim: int,
    budget: float | None,
    objective: str,
    heads: int,
    least: int,
    positions: int,
    dtype: str,
) -> None:
    if objective not in OBJECTIVES:
        raise OptionError(f"got objective {objective!r}: expected one of {', '.join(OBJECTIVES)}.")
    if dtype not in ITEMSIZE:
        raise OptionError(f"got dtype {dtype!r}: expected one of {', '.join(ITEMSIZE)}.")
    for name, value, low in (
        ("dim", dim, 1),
        ("heads", heads, 1),
        ("least", least, int(objective == "time")),
        ("positions", positions, 1),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise OptionError(f"got {name}={value!r}: expected a whole number of at least {low}.")
    if budget is not None and not 0 < budget < math.inf:
        raise OptionError(f"got budget={budget!r}: expected a positive number, or None.")


def _widest(
    group: Group, costs: Sequence[Cost], wanted: Demands, budget: float | None
) -> tuple[tuple[int, ...], Demands]:
    """The cheapest type of the wanted width, or of the next smaller one that fits the budget."""
    if budget is None:
        found = cheapest(group, costs, wanted)
        if found is not None:
            return found, wanted
    else:
        within = widest(group, costs, wanted, budget)
        if within is not None:
            return within[0], replace(wanted, dim=within[1])
    raise FeatureTypeError(_refusal(group, costs, wanted, budget))


def _refusal(group: Group, costs: Sequence[Cost], wanted: Demands, budget: float | None) -> str:
    """Why there is no type, and what would do."""
    share = f"every irrep of {group.name} at least {wanted.least} times"
    asked = f"no type of {wanted.dim} channels has {share} in whole shares for {_heads(wanted)}"
    step = wanted.heads
    regular = step * group.order * max(1, -(-wanted.least // step))
    for width in range(wanted.dim - wanted.dim % step + step, regular + 1, step):
        wider = Demands(width, wanted.heads, wanted.least)
        if cheapest(group, costs, wider) is not None:
            return f"{asked}: expected at least {width} channels, fewer heads, or a smaller least."
    if budget is not None:
        return (
            f"no type of at most {wanted.dim} channels with {share} and {_heads(wanted)} costs "
            f"as little as {budget:g}: expected a larger budget, fewer heads, or a smaller least."
        )
    near = wanted.dim + step - wanted.dim % step
    return f"{asked}: expected a multiple of the heads, such as {near} channels."


def _heads(demands: Demands) -> str:
    return f"{demands.heads} head{'s' * (demands.heads > 1)}"


def _ladder(
    group: Group, costs: Sequence[Cost], demands: Demands, least: int
) -> list[tuple[str, float]]:
    """Costs of the cheapest types under more and more demands, from the least that is possible."""
    d = demands
    steps = [
        ("whole numbers", Demands(d.dim, 1, least, points=False)),
        ("points for activations", Demands(d.dim, 1, least)),
        (f"every irrep at least {d.least} times", Demands(d.dim, 1, d.least)),
        (f"whole shares for {_heads(d)}", d),
    ]
    found = []
    for name, step in steps:
        multiplicities = cheapest(group, costs, step)
        assert multiplicities is not None, "less is demanded than of a type that exists"
        found.append((name, _total(costs, multiplicities)))
    return found


def _total(costs: Sequence[Cost], multiplicities: Sequence[int]) -> float:
    return sum(cost(m) for cost, m in zip(costs, multiplicities, strict=True))
