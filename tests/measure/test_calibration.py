"""Calibration: what is measured is what the cost model takes."""

import torch

from irrepnet.measure import _calibration as calibration
from irrepnet.measure import calibrate, fit_alpha


def test_the_fit_finds_what_made_the_times() -> None:
    rows = (1, 4, 16, 64, 256)
    times = [3e-6 * r * ((1 + 10**-1.5 * (r - 1)) / r) ** 0.7 for r in rows]
    beta, gamma = fit_alpha(rows, times)
    assert abs(beta - 10**-1.5) < 1e-9
    assert abs(gamma - 0.7) < 1e-9


def test_times_that_grow_with_the_rows_need_no_correction() -> None:
    assert fit_alpha((1, 10, 100), (1.0, 10.0, 100.0))[0] == 1.0


def test_a_calibration_is_a_machine(monkeypatch) -> None:
    monkeypatch.setattr(calibration, "PATIENCE", 0.0)
    monkeypatch.setattr(calibration, "PRODUCTS", ((8, 16, 16),))
    monkeypatch.setattr(calibration, "ROWS", (1, 4, 16))
    monkeypatch.setattr(calibration, "STREAM_BYTES", 2**16)
    steps: list[int] = []
    found = calibration.measure_calibration({}, steps.append)
    assert steps == list(range(11, -1, -1))
    for name in ("float32", "bfloat16"):
        assert set(found[name]) == {"flops", "bandwidth", "call", "beta", "gamma"}
        assert all(value > 0 for value in found[name].values())

    def run(kind, job, threads, progress, tune_malloc):
        assert (kind, threads, tune_malloc) == ("calibration", 1, True)
        return found

    monkeypatch.setattr(calibration, "run_worker", run)
    assert calibrate().rates("float32").flops == found["float32"]["flops"]


def test_the_bandwidth_counts_what_is_read_and_written(monkeypatch) -> None:
    monkeypatch.setattr(calibration, "STREAM_BYTES", 2**10)
    monkeypatch.setattr(calibration, "_fastest", lambda run: run() is None or 0.5)
    assert calibration._bandwidth(torch.float32) == 3 * 2**10 / 0.5
