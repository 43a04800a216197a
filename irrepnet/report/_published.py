"""Our counts beside the published ones, for every model that a paper gives numbers of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from irrepnet.compiler import Row, cost, plan_network
from irrepnet.models import model_spec
from irrepnet.report._published_numbers import FIGURE, NUMBERS, README

#: What their network computes, or their count takes in, that ours does not.
REASONS = {
    "patch": "full patch convolution",
    "downsampling": "full 2 x 2 windows",
    "bases": "additions for changes of basis",
    "tables": "additions for tables",
    "elementwise": "norms and elementwise work",
}


@dataclass(frozen=True)
class Published:
    """One published number.

    Attributes:
        name: What the paper calls the network.
        model: Our name.
        group: Its symmetry.
        options: Further options, as pairs.
        value: The number as it is printed.
        unit: "GMACs" or "GFLOPs" (2 for each MAC).
        source: Where it is from.
    """

    name: str
    model: str
    group: str
    options: tuple[tuple[str, Any], ...]
    value: str
    unit: str
    source: str

    @property
    def digit(self) -> float:
        """One unit of the last printed digit."""
        return 10.0 ** -len(self.value.partition(".")[2])


@dataclass(frozen=True)
class Reconciled:
    """A published number, our count, and the terms between them, in the published unit.

    Attributes:
        published: The published number.
        ours: FLOPs of our products.
        terms: What to add to ours for theirs, by `REASONS`.
    """

    published: Published
    ours: float
    terms: dict[str, float] = field(default_factory=dict)

    @property
    def theirs(self) -> float:
        """Their network by their convention, from our formulas."""
        return self.ours + sum(self.terms.values())

    @property
    def left(self) -> float:
        """What no term explains, as a share of the published number."""
        return float(self.published.value) / self.theirs - 1

    @property
    def reason(self) -> str:
        """The terms that show in the printed digits; none where ours is the printed number.

        Where they show together only, those that are not small beside the largest.
        """
        terms = {k: v for k, v in self.terms.items() if self._shows(v)}
        if not terms and self._shows(self.ours - float(self.published.value)):
            largest = max(map(abs, self.terms.values()))
            terms = {k: v for k, v in self.terms.items() if 10 * abs(v) >= largest}
        return "; ".join(f"{REASONS[k]} ({v:+.2g})" for k, v in terms.items())

    def _shows(self, value: float) -> bool:
        return abs(value) >= self.published.digit / 2


def published() -> tuple[Published, ...]:
    """All published numbers, in the order of the table."""
    return tuple(Published(*entry) for entry in NUMBERS)


def reconciled() -> tuple[Reconciled, ...]:
    """Our counts beside all of them."""
    return tuple(_reconciled(entry) for entry in published())


@cache
def _rows(model: str, group: str, options: tuple[tuple[str, Any], ...]) -> tuple[Row, ...]:
    spec = model_spec(model, group, **{k: _plain(v) for k, v in options})
    return cost(plan_network(spec))


def _plain(value: Any) -> Any:
    """A list where an option takes one."""
    is_list = isinstance(value, tuple) and value and isinstance(value[0], tuple)
    return list(value) if is_list else value


def _reconciled(entry: Published) -> Reconciled:
    rows = _rows(entry.model, entry.group, entry.options)
    dense = _rows(entry.model, "trivial", ())
    elementwise = sum(row.other_flops for row in rows)
    unit = {"GMACs": 2e9, "GFLOPs": 1e9}[entry.unit]
    terms = {
        "patch": _products(dense, "PatchEmbed") - _products(rows, "PatchEmbed"),
        "downsampling": _products(dense, "Downsample") - _products(rows, "Downsample"),
        "bases": -sum(row.cost.on_features for row in rows if row.kind != "PatchEmbed"),
        "tables": -sum(row.cost.on_weights for row in rows),
        # fvcore adds such work to the multiply-accumulates as it is
        "elementwise": 2 * elementwise * (entry.source in (FIGURE, README)),
    }
    found = {name: value / unit for name, value in terms.items() if value}
    return Reconciled(entry, sum(row.matmul_flops for row in rows) / unit, found)


def _products(rows: Sequence[Row], kind: str) -> int:
    return sum(row.matmul_flops for row in rows if row.kind == kind)


PAGE = """# Published numbers

Written by `irrepnet flops --published`; a test compares this page with what that command prints.

*Ours* are the products (matrix products, convolutions, attention) of the network that
`irrepnet.create_model` builds, for one image, in the unit of the published number (1 MAC = 2
FLOPs). *Theirs, by our formulas* adds what the published code computes differently, or counts
besides:

- *full patch convolution*: they embed patches with one dense kernel that is symmetric; we decompose
  the patch first, which halves it like any other map. *Full 2 x 2 windows* between the stages of a
  ConvNeXt are the same.
- *additions for changes of basis*, *for tables*: where ours are small matrix products, which a
  counter of products sees, they add.
- *norms and elementwise work*: fvcore adds them to the multiply-accumulates.

No difference is named where ours, rounded, is the published number. *Unexplained* is the published
number over theirs by our formulas.

Sources:

- *code*: products of the published code, counted with torch's counter, attention included. Theirs
  by our formulas equals it to within one unit of the last printed digit.
- *figure*: read off the figures of *Flopping for FLOPs* (arXiv 2502.05169), to about 1 %. They were
  made with fvcore, which has conventions of its own for elementwise work: theirs by our formulas is
  within 2.5 % and a rounding.
- *README*: rounded numbers of the README of the octic ViTs (arXiv 2505.15441), by fvcore. Its two
  *octic invariant* networks lie 3 % and 2 % above what these terms give; at S and B, where the code
  itself was counted, the same terms meet it.
"""


def _percent(share: float) -> str:
    return f"{share:+.1%}" if abs(share) >= 0.0005 else "0"


def published_table() -> str:
    """The page of published numbers, in Markdown."""
    titles = (
        "network | published | unit | source | ours | theirs, by our formulas | the difference | "
        "unexplained"
    )
    lines = [
        f"| {c.published.name} | {c.published.value} | {c.published.unit} | {c.published.source} | "
        f"{c.ours:.4g} | {c.theirs:.4g} | {c.reason} | {_percent(c.left)} |"
        for c in reconciled()
    ]
    rule = "| --- | ---: | --- | --- | ---: | ---: | --- | ---: |"
    return "\n".join([PAGE, f"| {titles} |", rule, *lines])
