"""Costs in symbols: the rules' own formulas, exact at this network's sizes and at others."""

import json
from dataclasses import replace
from typing import Any

import pytest
import sympy
from sympy import Rational, limit, oo, symbols

import irrepnet as ir
from irrepnet import accounting, compiler, groups, specs
from irrepnet._errors import FlopCountError
from irrepnet.accounting._symbols import symbol
from irrepnet.types import FeatureType
from tests.models.narrow import ONE_OF_EACH
from tests.models.test_families import sizes

NUMBERS = ("params", "matmul_flops", "other_flops", "backward_matmul_flops")
#: The same network at other sizes: (small, large), with equal parity of the grid's sides.
SIZES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vit": ({"img_size": 20}, {"img_size": 28, "width": 64, "heads": 4}),
    "resmlp": ({"img_size": 20}, {"img_size": 28, "width": 48}),
    "convnext": ({}, {"img_size": 32, "widths": (48, 96)}),
    "isotropic": ({}, {"img_size": 20, "width": 48}),
}
#: Further networks: one of each thing that a family can do.
MORE: list[tuple[str, str, dict[str, Any]]] = [
    ("vit_tiny_patch16_224", "D4", {"break_at": [("flop", 1)]}),
    ("vit_tiny_patch16_224", "D4", {"break_at": [("trivial", 1)], "invariants": "norm"}),
    ("vit_tiny_patch16_224", "D4", {"invariant_at": ("norm", 1), "global_pool": "avg"}),
    ("vit_tiny_patch16_224", "flop", {"register_tokens": 2}),
    ("vit_tiny_patch16_224", "C4", {"invariants": ("polynomial", 2)}),
    ("vit_tiny_patch16_224", "flop", {"feature_type": "20*sym + 12*asym"}),
    ("resmlp_12_224", "D4", {"break_at": [("flop", 1)]}),
    ("convnext_tiny", "D4", {"break_at": [("flop", 1)]}),
]


def sizes_of(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    kind = "isotropic" if "isotropic" in name else name.split("_")[0]
    return SIZES[kind]


def report(name: str, group: str, options: dict[str, Any]) -> accounting.FlopReport:
    spec = ir.models.model_spec(name, group, **{**sizes(name), "num_classes": 3, **options})
    plan = compiler.plan_network(spec)
    return accounting.FlopReport(compiler.cost(plan), plan)


@pytest.mark.parametrize(
    ("name", "group", "options"),
    [
        *((n, g, {}) for n in ONE_OF_EACH[:4] for g in ("trivial", "flop", "C4", "D4")),
        *MORE,
    ],
)
def test_the_formulas_of_one_network_count_another(
    name: str, group: str, options: dict[str, Any]
) -> None:
    """Symbols stand for what they say: put in other sizes, and the larger network's numbers come
    out, layer by layer."""
    first, second = sizes_of(name)
    here = report(name, group, {**options, **first})
    wider = {k: v for k, v in second.items() if k != "feature_type"}
    if "feature_type" in options:
        wider["feature_type"] = "40*sym + 24*asym"
    there = report(name, group, {**options, **wider, "num_classes": 7, "in_chans": 2})
    found = here.symbolic
    assert [row.path for row in found.rows if not row.is_symbolic] == []
    large = {str(s): value for s, value in there.symbolic.values.items()}
    for what in NUMBERS:
        assert found.evaluate(getattr(found, what)) == getattr(here, what)
        assert found.evaluate(getattr(found, what), **large) == getattr(there, what)
    for row, expected in zip(found.rows, there.rows, strict=True):
        for what in ("params", "matmul_flops", "other_flops"):
            got = found.evaluate(getattr(row, what), **large)
            assert got == getattr(expected, what), (row.path, what)
        read = found.evaluate(row.bytes_read, **{**large, "s": 2, "B": 3})
        assert read == expected.bytes_read(itemsize=2, batch=3)
        assert found.evaluate(row.bytes_written, **large) == expected.bytes_written()


def test_vit_by_hand() -> None:
    B, C, D, H, K, N, W, h = map(symbol, "BCDHKNWh")
    flop = report("vit_tiny_patch16_224", "flop", {}).symbolic
    by_path = {row.path: row for row in flop.rows}
    assert by_path["patch_embed"].matmul_flops == B * C * D * H * W
    assert by_path["blocks.1.attention.qkv"].matmul_flops == 3 * B * D**2 * N
    assert by_path["blocks.1.attention.attend"].matmul_flops == 4 * B * D * N**2
    assert by_path["blocks.1.attention.attend"].other_flops == 6 * B * N**2 * h
    assert by_path["blocks.1.mlp.fc1"].params == 2 * D**2 + 2 * D
    assert by_path["head.fc"].matmul_flops == B * D * K
    assert flop.definitions == {N: H * W / 16 + 1}
    assert sympy.sympify(flop) == flop.total
    assert flop.meanings()["D"] == "channels of a token (embedding dimension)"


@pytest.mark.parametrize(
    ("group", "saving"), [("flop", 2), ("D4", Rational(16, 3)), ("C4", Rational(8, 3))]
)
def test_savings_are_limits(group: str, saving: Rational) -> None:
    """Whole networks: attention and the head are linear in the width, all else is quadratic."""
    D = symbol("D")
    for name in ONE_OF_EACH[:4]:
        options = {"img_size": 16}
        dense, equivariant = (report(name, g, options).symbolic for g in ("trivial", group))
        at = {s: v for s, v in dense.values.items() if s != D}
        total = dense.total.subs(at) / equivariant.total.subs(at)
        assert limit(total, D, oo) == saving


@pytest.mark.parametrize(
    "name", ["flop", "C3", "C4", "C8", "D4", "D6", "Q8", "Dic3", "S4", "A5", "C2xC2", "C3xC3"]
)
def test_the_saving_of_the_regular_type_is_a_theorem(name: str) -> None:
    group = groups.parse(name)
    cubes = sum(Rational(i.dim**3, i.end_dim) for i in group.irreps)
    assert accounting.regular_saving(group) == Rational(group.order**2) / cubes
    order = symbols(f"|{group.name}|", positive=True)
    N, D = symbol("N"), symbol("D")
    assert accounting.regular_linear(group) == 2 * N * D**2 * cubes / order**2


def test_multiplicities_are_symbols_where_the_type_says_so() -> None:
    m, n, N = symbols("m n N")
    C4 = groups.cyclic(4)
    X, Y = FeatureType(C4, [m, 0, n]), FeatureType(C4, [1, n, m])
    cost = compiler.layer_cost(specs.Linear(X, Y), N)
    assert sympy.expand(cost.matmul) == 2 * N * m + 8 * N * m * n  # d e = 4 for the complex type
    assert sympy.expand(cost.params) == m + 2 * m * n + 1
    assert (2 * X).dim == 2 * m + 4 * n


def test_types_that_are_no_multiples_have_symbols_of_their_own() -> None:
    G = groups.flop()
    X, Y = FeatureType(G, "4*sym + 4*asym"), FeatureType(G, "5*sym + asym")
    net = ir.compile(specs.Linear(X, Y, bias=False))
    found = ir.flops(net, (3, 8)).symbolic
    B, D, E, N = symbol("B"), symbol("D"), symbol("D_2"), symbol("N")
    assert found.matmul_flops == B * D * E * N
    assert found.values[E] == 6


def test_tables_put_equal_blocks_together() -> None:
    found = report("vit_tiny_patch16_224", "flop", {"depth": 12}).symbolic
    groups_ = {path: count for count, path, _ in found.groups()}
    assert groups_["blocks.0-11.mlp.fc1"] == 12
    assert len(groups_) < 25
    table, latex = found.table(), found.latex()
    assert "12 x" in table
    assert "2 D^2 + 2 D" in table
    assert r"\text{blocks.0-11.mlp.fc1} & 2 D^{2} + 2 D & 4 B D^{2} N" in latex
    assert r"\text{pos\_embed}" in latex
    assert latex.count(r"\begin{array}") == latex.count(r"\end{array}") == 1


def test_units_and_the_backward_pass_have_columns() -> None:
    found = report("vit_tiny_patch16_224", "flop", {}).symbolic
    table, latex = found.table("MACs", training=True), found.latex("MACs", training=True)
    assert table.startswith("products in MACs (1 MAC = 2 FLOPs), other work in FLOPs\n")
    assert latex.startswith("% products in MACs (1 MAC = 2 FLOPs), other work in FLOPs\n")
    (qkv,) = (line for line in table.splitlines() if "attention.qkv" in line)
    cells = [cell.strip() for cell in qkv.split("│")]
    assert cells[5:-1] == ["3 B D^2 N/2", "3 B D N/2", "3 B D^2 N", "3 B D N/2"]
    assert r"& \frac{3 B D^{2} N}{2} & \frac{3 B D N}{2} & 3 B D^{2} N" in latex
    for text in (table, latex):
        assert "backward products (MACs)" in text
        assert "N = H W/16 + 1 = 10: tokens, class token included" in text
    assert "products (FLOPs)" in found.table()
    assert "backward" not in found.table()
    with pytest.raises(FlopCountError, match="got unit='GFLOPs': expected one of 'FLOPs', 'MACs'"):
        found.table("GFLOPs")


def test_values_that_sympy_reads() -> None:
    numbers = report("vit_tiny_patch16_224", "C4", {})
    values = json.loads(json.dumps(numbers.symbolic.to_dict()))
    assert values["unit"] == "FLOPs (1 MAC = 2 FLOPs), B samples"
    assert values["definitions"] == {"N": "H*W/16 + 1"}
    assert values["symbols"]["h"] == "attention heads"
    sizes = {sympy.Symbol(name): value for name, value in values["values"].items()}

    def read(formula: str) -> Any:
        return sympy.sympify(formula, {str(s): s for s in sizes}).subs(sizes)

    for row, expected in zip(values["rows"], numbers.rows, strict=True):
        assert (row["path"], row["is_symbolic"]) == (expected.path, True)
        assert read(row["backward_other_flops"]) == expected.backward_other_flops
    for name in ("params", "matmul_flops", "other_flops", "backward_matmul_flops"):
        assert read(values["total"][name]) == getattr(numbers, name)


def test_a_rule_that_needs_numbers_gives_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = compiler._rule.RULES
    rule = rules[specs.LayerScale]

    class NeedsNumbers(type(rule)):
        def cost(self, spec: Any, edge: Any, positions: Any) -> compiler.Cost:
            kept = min(7, spec.feature_type.dim)
            return replace(super().cost(spec, edge, positions), reads=kept)

    X = FeatureType(groups.flop(), "4*sym + 4*asym")
    net = ir.compile(specs.Chain((("scale", specs.LayerScale(X)), ("fc", specs.Linear(X, X)))))
    monkeypatch.setitem(rules, specs.LayerScale, NeedsNumbers())
    numbers = ir.flops(net, (3, 8))
    found = numbers.symbolic
    assert [row.is_symbolic for row in found.rows] == [False, True]
    assert found.evaluate(found.total) == numbers.total
    said = "numbers instead of formulas, which their rules do not give: scale"
    assert found.table().endswith(said)
    assert f"% {said}\n" in found.latex()


def test_rows_alone_have_no_symbols() -> None:
    rows = report("vit_tiny_patch16_224", "flop", {}).rows
    with pytest.raises(
        FlopCountError, match=r"made of rows alone: expected one that irrepnet.flops"
    ):
        _ = accounting.FlopReport(rows).symbolic
