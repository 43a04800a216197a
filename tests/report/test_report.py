"""Costs side by side, changes of the logits, and what the report says about them."""

import dataclasses
import re
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

import irrepnet as ir
from irrepnet import report
from irrepnet._errors import CertificateError
from irrepnet.accounting import PARTS, FlopReport
from irrepnet.compiler import cost
from irrepnet.measure import Latency, Memory, Settings, Timing, machine
from irrepnet.models._registry import MODELS
from irrepnet.report import _words as words
from irrepnet.report._bar_chart import Cluster, Segment, bar_chart
from irrepnet.report._costs import summarise
from irrepnet.report._invariance import Change, invariance

SIZES = (
    ("depth", 2), ("width", 16), ("heads", 2), ("patch", 8), ("img_size", 32), ("num_classes", 10),
)  # fmt: skip


def request(**changes: Any) -> report.Request:
    return report.Request("vit_tiny_patch16_224", **{"sizes": SIZES, **changes})


def changes_of(asked: report.Request) -> tuple[Change, ...]:
    photo = report.load_photo(None, asked.check()[0].default_cfg)
    return invariance(asked, photo, lambda done, total: None)


def costs_of(asked: report.Request) -> report.Summary:
    counts = [ir.flops(model, (3, 32, 32)) for model in asked.check()]
    return summarise(counts[0], counts[1])


@cache
def measured(asked: report.Request) -> report.Comparison:
    """A comparison whose measurements are made up."""
    photo = report.load_photo(None, asked.check()[0].default_cfg)
    one = Latency(Timing((1.0,)), {}, None)
    memory = Memory(3 * 2**20, 2**20)
    changes = tuple(
        Change("mirrored left to right", 1, dtype, 1e-2, 1e-7 * tolerance, True, tolerance)
        for dtype, tolerance in (("float64", 1e-12), ("float32", 2e-5))
    )
    return report.Comparison(
        asked, photo, costs_of(asked), (one, one), (memory, memory), changes, machine()
    )


def comparison(asked: report.Request, dense_ms: float = 2.0, other_ms: float = 1.0) -> Any:
    """The same with other times."""
    dense, other = (Latency(Timing((t,)), {}, None) for t in (dense_ms, other_ms))
    return dataclasses.replace(measured(asked), latencies=(dense, other))


# -- costs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ir.list_models())
def test_nothing_of_any_model_is_lost(name: str) -> None:
    shallow = ("depths", (1, 1, 1, 1)) if "depths" in MODELS[name].options(name) else ("depth", 1)
    asked = report.Request(name, "flop", sizes=(shallow,))
    models = asked.check()
    counts = [FlopReport(cost(model.plan)) for model in models]
    summary = summarise(counts[0], counts[1])
    for lines in (summary.lines, summary.parts, summary.blocks, (summary.total,)):
        assert sum(line.dense.flops for line in lines) == counts[0].total
        assert sum(line.equivariant.flops for line in lines) == counts[1].total
        assert sum(line.dense.params for line in lines) == counts[0].params
    assert {line.part for line in summary.parts} <= set(PARTS)


def test_lines_stand_in_the_order_of_the_network() -> None:
    summary = costs_of(request(group="D4", break_at=(("flop", 1),)))
    assert [line.block for line in summary.blocks] == ["embedding", "block 0", "block 1", "head"]
    first = [line.part for line in summary.lines if line.block == "block 1"]
    assert first == [
        "smaller group", "norm", "qkv", "attention", "projection", "MLP", "activation",
        "scale, skip",
    ]  # fmt: skip
    smaller = next(line for line in summary.lines if line.part == "smaller group")
    assert smaller.dense == report.Entry()


def test_a_ratio_without_denominator_is_none() -> None:
    line = report.Line("", "", report.Entry(matmul_flops=2), report.Entry())
    assert line.flops_ratio is None
    assert dataclasses.replace(line, equivariant=report.Entry(other_flops=1)).flops_ratio == 2


# -- invariance ------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["flop", "transpose", "D4"])
def test_the_equivariant_network_keeps_its_logits_and_the_dense_one_does_not(group: str) -> None:
    asked = request(group=group)
    changes = changes_of(asked)
    elements = {c.element for c in changes}
    assert elements == set(asked.action.group.generators)
    assert {c.dtype for c in changes} == {"float32", "float64"}
    for change in changes:
        assert change.invariant
        assert change.equivariant <= change.tolerance < 1e-3 < change.dense


def test_a_broken_symmetry_keeps_what_is_left() -> None:
    changes = changes_of(request(group="D4", break_at=(("flop", 1),)))
    kept = {c.move: c.invariant for c in changes}
    assert kept == {
        "turned left by a quarter": False,
        "mirrored upside down": False,
        "mirrored left to right": True,
    }
    for change in changes:
        assert (change.equivariant <= change.tolerance) is change.invariant
        assert change.kept


def test_the_trivial_group_moves_nothing() -> None:
    assert changes_of(request(group="trivial")) == ()


def test_a_network_that_breaks_its_promise_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request()
    dense = asked.dense
    monkeypatch.setattr(report.Request, "equivariant", dense)
    changes = changes_of(asked)
    assert not any(c.kept for c in changes)
    found = SimpleNamespace(changes=changes, request=asked)
    said = " ".join(words.invariance_verdicts(found))  # type: ignore[arg-type]
    assert "flop: NOT invariant when mirrored left to right" in said
    assert "please report it with the output of --json" in said


def test_zero_logits_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def zero(model: torch.nn.Module, seed: int) -> torch.nn.Module:
        for value in model.parameters():
            value.data.zero_()
        return model

    monkeypatch.setattr("irrepnet.report._invariance.randomise_", zero)
    with pytest.raises(CertificateError, match=r"logits are zero or not finite.*another --seed"):
        changes_of(request())


# -- words -----------------------------------------------------------------------------------------


def test_the_trivial_group_has_nothing_to_show() -> None:
    found = dataclasses.replace(comparison(request(group="trivial"), 2.0, 2.0), changes=())
    assert found.matmul_ratio == 1
    assert found.realised is None
    said = "trivial is 1.00 times as fast as dense (1.00 by the shortest runs)."
    assert words.latency_verdict(found) == said
    assert "moves nothing" in words.invariance_verdicts(found)[0]
    assert report.html(found).count("<img") == 1


def test_the_share_of_the_saving() -> None:
    found = comparison(request(), 2.0, 1.0)
    assert found.speedup == 2
    assert found.matmul_ratio is not None
    assert found.realised == pytest.approx((1 - 1 / 2) / (1 - 1 / found.matmul_ratio))
    slower = comparison(request(), 1.0, 2.0)
    assert "none of the saving shows as time" in words.latency_verdict(slower)


def test_a_busy_machine_is_mentioned() -> None:
    found = comparison(request())
    noisy = Latency(Timing((1.0, 2.0, 3.0)), {}, None)
    found = dataclasses.replace(found, latencies=(noisy, noisy))
    assert "The machine was busy" in words.latency_verdict(found)


def test_conditions_and_compilation_are_stated() -> None:
    settings = Settings(batch=1, dtype="bfloat16", threads=2, compiled=True)
    found = comparison(request(settings=settings, break_at=(("trivial", 1),)))
    one = Latency(Timing((1.0,)), {}, 12.3)
    changes = tuple(dataclasses.replace(c, invariant=False) for c in found.changes)
    found = dataclasses.replace(found, latencies=(one, one), changes=changes)
    conditions = "batch of 1 image, bfloat16, 2 threads, torch.compile, no gradients"
    assert words.conditions(found) == conditions
    assert words.compile_times(found) == "Compilation, not counted: dense 12 s, flop 12 s."
    assert "down to trivial from block 1" in words.headline(found)
    assert "flop gives symmetry up on the way" in words.invariance_verdicts(found)[0]


def test_unknown_memory_is_called_unknown() -> None:
    nothing = Memory(None, None)
    found = dataclasses.replace(comparison(request()), memories=(nothing, nothing))
    console = Console(width=80)
    with console.capture() as capture:
        console.print(report.terminal(found))
    assert "unknown" in capture.get()
    assert "memory above the baseline" not in report.html(found)


def test_it_fits_a_terminal_of_80_columns() -> None:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(report.terminal(comparison(request(group="klein_four")), per_block=True))
    rows = capture.get().splitlines()
    assert max(map(len, rows)) <= 80
    assert all("…" not in row for row in rows)


# -- charts ----------------------------------------------------------------------------------------


def test_a_chart_draws_bars_in_proportion() -> None:
    tall, low = (Segment("a", 3.0), Segment("b", 1.0)), (Segment("a", 2.0),)
    drawn = bar_chart(
        [Cluster("<0>", (tall, low))], ("dense", "flop"), "ms", {"a": "#1", "b": "#2"}
    )
    heights = [float(h) for h in re.findall(r'height="([\d.]+)" fill', drawn)]
    assert heights[0] == pytest.approx(3 * heights[1], rel=1e-3)
    assert heights[2] == pytest.approx(2 * heights[1], rel=1e-3)
    assert "&lt;0&gt;, flop: a 2 ms" in drawn


def test_a_chart_of_nothing_is_still_a_chart() -> None:
    assert bar_chart([Cluster("0", ((), ()))], ("dense", "flop"), "ms", {}).startswith("<svg")
