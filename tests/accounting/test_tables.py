"""Tables of costs: four formats, sums by block and kind, MACs, and numbers that do not vanish."""

import csv
import io
import json

import pytest

import irrepnet as ir
from irrepnet import groups, specs
from irrepnet._errors import FlopCountError
from irrepnet.accounting._table import si
from irrepnet.types import FeatureType
from tests.models.narrow import narrow

X = FeatureType.regular(groups.flop(), 512)
MLP = specs.Chain((("fc", specs.Linear(X, 4 * X)), ("act", specs.Activation(4 * X))))


@pytest.fixture(scope="module")
def report() -> ir.accounting.FlopReport:
    return ir.flops(narrow("D4", device="meta"), (3, 16, 16), training=True)


def test_text() -> None:
    lines = ir.flops(ir.compile(MLP), (100, 512)).table().splitlines()
    assert lines[0] == "FLOPs (1 MAC = 2 FLOPs), one sample; 4 bytes a number"
    assert lines[1].split()[:5] == ["layer", "kind", "parameters", "products", "other"]
    assert [line.split()[:6] for line in lines[2:]] == [
        ["fc", "Linear", "525,312", "104.9", "M", "102.4"],
        ["act", "Activation", "0", "0", "1.024", "M"],
        ["total", "525,312", "104.9", "M", "1.126", "M"],
    ]
    assert "99.0%" in lines[2]
    assert "(network)" in ir.flops(ir.compile(specs.Linear(X, X)), (512,)).table()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (1, "1"), (999, "999"), (1000, "1.000 k"), (37_632, "37.63 k"),
        (999_949, "999.9 k"), (999_960, "1.000 M"), (4_957_298_304, "4.957 G"), (2.5e12, "2.500 T"),
        (999.97, "1.000 k"),
    ],
)  # fmt: skip
def test_small_numbers_do_not_vanish(value: float, text: str) -> None:
    assert si(value) == text


def test_every_grouping_has_the_same_total(report: ir.accounting.FlopReport) -> None:
    whole = report.to_dict()["total"]
    for by in ("layer", "part", "block", "kind"):
        found = report.to_dict(by=by)
        assert found["total"] == whole
        for key in ("params", "matmul_flops", "other_flops", "backward_flops", "training_bytes"):
            assert sum(row[key] for row in found["rows"]) == whole[key]
    blocks = [row["block"] for row in report.to_dict(by="block")["rows"]]
    assert blocks == ["embedding", "block 0", "block 1", "head"]
    parts = [row["part"] for row in report.to_dict(by="kind")["rows"]]
    assert parts[:3] == ["patch embedding", "position, class", "norm"]
    assert json.loads(report.table("json", by="kind")) == report.to_dict(by="kind")
    assert whole["backward_matmul_macs"] * 2 == whole["backward_matmul_flops"]


def test_csv_has_whole_numbers(report: ir.accounting.FlopReport) -> None:
    rows = list(csv.DictReader(io.StringIO(report.table("csv", by="part", unit="MACs"))))
    assert (rows[-1]["block"], rows[-1]["part"]) == ("total", "")
    assert int(rows[-1]["matmul_MACs"]) == report.macs == report.matmul_flops // 2
    assert int(rows[-1]["other_FLOPs"]) == report.other_flops
    assert float(rows[0]["FLOPs_per_byte"]) > 0
    assert sum(int(row["backward_matmul_MACs"]) for row in rows[:-1]) * 2 == (
        report.backward_matmul_flops
    )


def test_markdown_says_its_unit(report: ir.accounting.FlopReport) -> None:
    lines = report.table("markdown", by="kind", unit="MACs", itemsize=2).splitlines()
    assert lines[0].startswith("| part | parameters | products (MACs) | other (FLOPs) | share |")
    assert "| backward products (MACs) | backward other (FLOPs) |" in lines[0]
    assert "| most live bytes |" in lines[0]
    assert len({line.count("|") for line in lines[:-2]}) == 1
    assert lines[-1] == (
        "products in MACs (1 MAC = 2 FLOPs), other work in FLOPs, one sample; 2 bytes a number."
    )


def test_training_columns_are_there_where_they_were_measured(
    report: ir.accounting.FlopReport,
) -> None:
    assert "kept bytes" in report.table()
    assert "kept bytes" not in ir.flops(narrow("D4", device="meta"), (3, 16, 16)).table()


def test_unknown_choices(report: ir.accounting.FlopReport) -> None:
    with pytest.raises(FlopCountError, match=r"got format='xml': expected one of 'text', 'markd"):
        report.table("xml")
    with pytest.raises(FlopCountError, match=r"got by='colour': expected one of 'layer', 'part'"):
        report.table(by="colour")
    with pytest.raises(FlopCountError, match=r"got unit='FLOPS': expected one of 'FLOPs', 'MACs'"):
        report.table(unit="FLOPS")
