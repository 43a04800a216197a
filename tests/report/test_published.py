"""Published numbers, reconciled term by term; and bars of each block."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

import irrepnet as ir
from irrepnet._errors import MissingExtraError, OptionError, OutputError
from irrepnet.cli import main
from irrepnet.report import check_picture, draw_flops, published_table, reconciled
from tests.models.narrow import narrow

PAGE = Path(__file__).parents[2] / "docs" / "published.md"
#: How far figures and rounded numbers may be from what our formulas give for them.
WITHIN = {"code": 0.0, "figure": 0.025, "README": 0.035}


def test_every_published_number_is_explained() -> None:
    found = reconciled()
    assert len(found) > 50
    for one in found:
        printed = float(one.published.value)
        allowed = one.published.digit + WITHIN[one.published.source] * printed
        assert abs(one.theirs - printed) <= allowed, one.published.name
        assert one.left == pytest.approx(printed / one.theirs - 1)
        # A difference that can be seen has a reason.
        assert one.reason or abs(one.ours - printed) < one.published.digit / 2
        if one.published.group == "flop":  # what is decomposed costs less than what is not
            assert one.ours < one.theirs
            assert one.terms["patch"] > 0
    families = {one.published.name.split("-")[0] for one in found}
    assert families == {"ViT", "ResMLP", "ConvNeXt"}


def test_the_page_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flops", "--published"]) == 0
    assert capsys.readouterr().out == PAGE.read_text(encoding="utf-8")
    assert published_table() in PAGE.read_text(encoding="utf-8")


@pytest.fixture
def reports() -> list[ir.accounting.FlopReport]:
    return [ir.flops(narrow(group, device="meta"), (3, 16, 16)) for group in ("trivial", "flop")]


def test_bars(reports: list[ir.accounting.FlopReport], tmp_path: Path) -> None:
    file = tmp_path / "bars.svg"
    draw_flops(*reports, file, "a ViT", "flop")
    root = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    texts = {
        line.strip() for line in file.read_text(encoding="utf-8").splitlines() if "<!--" in line
    }
    dense, flop = (f"{report.total / 1e9:.2f}" for report in reports)
    assert f"<!-- a ViT: dense (left, pale) {dense}, flop (right) {flop} GFLOPs -->" in texts
    for said in (
        "embedding",
        "head",
        "MLP",
        "attention",
        "million FLOPs (1 MAC = 2 FLOPs), one image",
    ):
        assert f"<!-- {said} -->" in texts
    assert root.tag.endswith("svg")
    png = tmp_path / "bars.png"
    draw_flops(*reports, png, "a ViT", "flop")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_pictures_that_cannot_be_drawn(
    reports: list[ir.accounting.FlopReport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionError, match=r"got --picture .*bars.txt: expected a name that ends"):
        check_picture(tmp_path / "bars.txt")
    with pytest.raises(OutputError, match=r"cannot write .*No such file or directory"):
        draw_flops(*reports, tmp_path / "nowhere" / "bars.png", "a ViT", "flop")
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"matplotlib is not installed: --picture needs it"):
        check_picture(tmp_path / "bars.png")
