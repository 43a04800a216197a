"""`irrepnet bench MODEL`: blocks beside what the cost model expects, widths, calibration."""

import json
from pathlib import Path

import pytest
import torch

import irrepnet as ir
from irrepnet import report
from irrepnet._errors import OptionError
from irrepnet.cli import main
from irrepnet.compiler import NOMINAL, Machine, Rates
from irrepnet.measure import Settings, Subject, Timing, peak_allocated, unit_paths, units
from irrepnet.report import Case, SpeedRow

TINY = "--depth 1 --width 16 --heads 2 --patch 8 --img-size 16 --num-classes 3".split()
WORDS = ["bench", "vit_tiny_patch16_224", *TINY, "--rounds", "2", "--batch", "2"]
ONE = ["--modes", "eager", "--dtypes", "float32", "--steps", "inference"]
BLOCKS = ["patch_embed", "pos_embed", "cls_token", "blocks.0", "norm", "head"]


@pytest.fixture(autouse=True)
def no_calibration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IRREPNET_CALIBRATION", str(tmp_path / "calibration.json"))


def test_a_model_whole_and_block_by_block(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"
    assert main([*WORDS, *ONE[:4], "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    words = " ".join(printed.split())
    assert "nominal, this machine was never measured" in words
    for step in ("forward pass", "forward and backward pass"):
        assert f"products and other work of the {step} for the batch (1 MAC = 2 FLOPs)" in words
    data = json.loads(file.read_text())
    inference, training = data["rows"]
    model = ir.create_model(
        "vit_tiny_patch16_224",
        "flop",
        depth=1,
        width=16,
        heads=2,
        patch=8,
        img_size=16,
        num_classes=3,
        device="meta",
    )
    images, total = 2, ir.flops(model, (3, 16, 16)).to_dict()["total"]
    for row in (inference, training):
        assert [block["path"] for block in row["blocks"]] == BLOCKS
        assert all(block["dense"]["measured_ms"] > 0 for block in row["blocks"])
        assert all(block["equivariant"]["predicted_ms"] > 0 for block in row["blocks"])
    # Frozen networks do less beside their products; training steps are of the network as it is.
    counted = [sum(b["equivariant"]["flops"] for b in r["blocks"]) for r in (inference, training)]
    assert 0 < counted[0] <= images * total["flops"]
    assert counted[1] == images * (total["flops"] + total["backward_flops"])
    one = training["timings"]["unfrozen dense"]
    assert one["images_per_s"] == pytest.approx(2e3 / one["median_ms"])
    grown = training["grown_bytes"]["dense"]
    assert grown > inference["grown_bytes"]["dense"] > 0
    again = [SpeedRow.from_dict(row).to_dict() for row in data["rows"]]
    assert json.loads(json.dumps(again)) == data["rows"]


def test_widths_are_measured_and_drawn(tmp_path: Path) -> None:
    plot, file = tmp_path / "widths.svg", tmp_path / "widths.json"
    options = ["--widths", "16,32", "--plot", str(plot), "--variants", "frozen", "--json"]
    assert main([*WORDS, *ONE, *options, str(file)]) == 0
    assert "time, dense over equivariant" in plot.read_text() or plot.read_text().startswith(
        "<?xml"
    )
    rows = json.loads(file.read_text())["rows"]
    assert [dict(row["case"]["sizes"])["heads"] for row in rows] == [2, 4]
    assert rows[0]["flop_ratio"] < rows[1]["flop_ratio"] < 2


def test_later_stages_keep_their_ratio() -> None:
    case = Case("ConvNeXt", "convnext_tiny", "flop")
    assert dict(report.widened(case, 32).sizes) == {"widths": (32, 64, 128, 256)}
    with pytest.raises(OptionError, match="got width 100, which does not hold whole heads of 64"):
        report.widened(Case("ViT", "vit_base_patch16_224", "flop"), 100)


def test_the_picture_has_a_point_for_each_row(tmp_path: Path) -> None:
    timings = {"frozen dense": Timing((3.0,)), "frozen equivariant": Timing((2.0,))}
    rows = [
        SpeedRow(Case(f"ViT, width {w}", "vit_tiny_patch16_224", "flop"), 1, 8, r, timings)
        for w, r in ((64, 1.5), (128, 1.9))
    ]
    for name in ("a.png", "a.svg"):
        report.plot_speedups(rows, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(OptionError, match=r"ends in \.svg, \.png or \.pdf"):
        report.check_plot(tmp_path / "a.txt")


def test_calibration_is_kept_and_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = Rates(2e11, 3e10, 4e-6, 0.1, 0.5)
    monkeypatch.setattr(
        "irrepnet.measure.calibrate", lambda progress: Machine(rates, rates, "test")
    )
    assert Machine.load() is NOMINAL
    assert main(["bench", "--calibrate"]) == 0
    assert "float32" in capsys.readouterr().out
    assert Machine.load().float32 == rates


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("vit_tiny_patch16_224 --suite slow", "got --suite slow: expected speed"),
        ("vit_tiny_patch16_224 --widths wide", "got --widths wide: expected numbers"),
        ("vit_tiny_patch16_224 --group C5", "no image action"),
        ("vit_tiny_patch16_224 --plot picture.txt", "ends in .svg, .png or .pdf"),
        ("", "got no model: expected a name"),
    ],
)
def test_mistakes_are_explained(
    options: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *options.split()]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_blocks_of_every_family_run_alone() -> None:
    for name, sizes in (
        ("resmlp_12_224", (("depth", 1), ("width", 8), ("img_size", 32))),
        ("convnext_tiny", (("depths", (1, 1)), ("widths", (8, 16)), ("img_size", 32))),
    ):
        subject = Subject(name, "flop", sizes=sizes)
        (found,) = units([subject], Settings(batch=1, runs=1, training=True))
        assert list(found.timings) == unit_paths(subject.build("meta").plan.root)
        assert all(size > 0 for size in found.peak_bytes.values())
        assert found.whole_peak_bytes > 0


def test_memory_that_was_freed_before_does_not_hide_growth() -> None:
    held = [torch.ones(1000)]

    def run() -> None:
        held.clear()
        held.append(torch.ones(300))

    assert peak_allocated(run) == 1200
