"""Timing and memory: statistics, interleaving, clocks, and the processes that measure."""

import sys
import time

import numpy as np
import pytest
import torch

from irrepnet._errors import MeasurementError, OptionError
from irrepnet.measure import (
    LayerClock,
    Memory,
    Settings,
    Subject,
    Timing,
    interleaved,
    latency,
    machine,
    memory,
    peak_bytes,
)
from irrepnet.measure import _memory as memory_module
from irrepnet.measure._latency import run_of

SIZES = (("depth", 1), ("width", 16), ("heads", 2), ("patch", 8), ("img_size", 32))
TINY = Subject("vit_tiny_patch16_224", "flop", sizes=SIZES)


# -- statistics ------------------------------------------------------------------------------------


def test_timing_sums_up_its_samples() -> None:
    timing = Timing((4.0, 1.0, 2.0, 3.0, 10.0))
    assert (timing.median_ms, timing.min_ms, timing.quartiles_ms) == (3.0, 1.0, (2.0, 4.0))
    assert timing.spread == pytest.approx(2 / 3)
    assert timing.to_dict()["samples_ms"] == [4.0, 1.0, 2.0, 3.0, 10.0]


def test_one_sample_has_no_spread() -> None:
    assert Timing((2.0,)).quartiles_ms == (2.0, 2.0)
    assert Timing((2.0,)).spread == 0


def test_interleaving_reverses_the_order_every_round() -> None:
    calls, steps = [], []
    times = interleaved(
        [lambda: calls.append("a"), lambda: calls.append("b")], 3, lambda: steps.append(1)
    )
    assert "".join(calls) == "aabb" + "ab" + "ba" + "ab"
    assert len(steps) == len(calls)
    assert [len(t) for t in times] == [3, 3]


def test_each_function_keeps_its_own_times() -> None:
    slow, fast = interleaved([lambda: time.sleep(0.02), lambda: None], rounds=2)
    assert min(slow) > 15 > max(fast)


def test_a_layers_time_excludes_what_is_inside_it() -> None:
    class Sleep(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            time.sleep(0.02)
            return x

    network = torch.nn.Sequential(Sleep(), torch.nn.Identity())
    with LayerClock(network, ["", "0", "1"]) as clock:
        network(torch.zeros(1))
    found = clock.medians_ms()
    assert found["0"] > 15
    assert found[""] < 10
    network(torch.zeros(1))  # the clock has stopped
    assert clock.medians_ms() == found


# -- subjects and settings -------------------------------------------------------------------------


def test_a_subject_builds_the_same_weights_and_leaves_the_random_state_alone() -> None:
    before = torch.get_rng_state()
    first, second = TINY.build().state_dict(), TINY.build().state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["batch", "threads", "runs"])
def test_counts_start_at_one(name: str) -> None:
    with pytest.raises(OptionError, match=f"got {name}=0: expected a whole number of at least 1"):
        Settings(**{name: 0}).check()


def test_an_unknown_dtype_is_refused() -> None:
    with pytest.raises(OptionError, match="got dtype='int8': expected one of float32, bfloat16"):
        Settings(dtype="int8").check()


def test_compilation_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    Settings().check()
    with pytest.raises(MeasurementError, match=r"needs a C\+\+ compiler, .* install one, or"):
        Settings(compiled=True).check()


def test_the_machine_is_described() -> None:
    found = machine()
    assert found.num_cpus >= 1
    assert found.torch == torch.__version__
    assert set(found.to_dict()) == {"processor", "num_cpus", "system", "python", "torch"}


# -- processes ------------------------------------------------------------------------------------


def test_memory_is_that_of_a_fresh_process() -> None:
    ballast = np.ones(600 * 2**20, dtype=np.uint8)  # a child inherits its parent's getrusage
    steps: list[tuple[int, int]] = []
    found = memory(TINY, Settings(batch=1), lambda done, total: steps.append((done, total)))
    assert found.baseline_bytes is not None
    assert found.peak_bytes is not None
    assert 0 < found.baseline_bytes < found.peak_bytes < ballast.nbytes
    assert found.above_baseline_bytes == found.peak_bytes - found.baseline_bytes
    assert (steps[0], steps[-1]) == ((0, 0), (2, 2))


def test_memory_may_be_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(memory_module, "_STATUS", tmp_path / "absent")
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_bytes() is None
    assert Memory(None, None).above_baseline_bytes is None


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage")
def test_getrusage_stands_in_for_the_systems_own_record(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    own = peak_bytes()
    monkeypatch.setattr(memory_module, "_STATUS", tmp_path / "absent")
    other = peak_bytes()
    assert own is not None
    assert other is not None
    assert 0.5 < other / own < 2


def test_training_steps_have_times_and_activations() -> None:
    settings = Settings(batch=1, runs=2, dtype="bfloat16", autocast=True, training=True)
    (found,) = latency([TINY], settings)
    assert len(found.timing.samples_ms) == 2
    assert found.layers_ms == {}
    room = memory(TINY, settings)
    assert room.activation_bytes is not None
    assert room.activation_bytes > 0
    assert room.tensor_bytes is not None
    assert room.tensor_bytes > room.activation_bytes
    assert memory(TINY, Settings(batch=1)).activation_bytes is None


def test_a_run_in_training_is_forward_and_backward_into_fresh_gradients() -> None:
    network = torch.nn.Linear(3, 2)
    step = run_of(network, torch.ones(4, 3), training=True)
    step()
    first = network.weight.grad
    step()
    assert first is not None
    assert network.weight.grad is not first
    assert network.weight.grad is not None
    assert torch.equal(network.weight.grad, first)  # fresh, not summed
    assert run_of(network, torch.ones(4, 3), training=False)() is not None


@pytest.mark.slow
@pytest.mark.compile
def test_latency_under_torch_compile() -> None:
    (found,) = latency([TINY], Settings(batch=1, runs=1, compiled=True))
    assert found.compile_s is not None
    assert found.compile_s > 0
    assert len(found.timing.samples_ms) == 1


def test_a_failing_process_is_quoted() -> None:
    message = r"(?s)measures memory failed \(exit status 1\).*negative dimension.*smaller batch"
    with pytest.raises(MeasurementError, match=message):
        memory(TINY, Settings(batch=-2))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_process_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    boot = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr("irrepnet.measure._worker_process._BOOT", boot)
    message = r"measures memory was ended by SIGKILL; often .* out of memory. Try a smaller batch"
    with pytest.raises(MeasurementError, match=message):
        memory(TINY, Settings())


def test_chatter_of_libraries_is_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    boot = "print('hello'); print('[1]'); print('{\"result\": {\"peak_bytes\": 2}}')"
    monkeypatch.setattr("irrepnet.measure._worker_process._BOOT", boot)
    from irrepnet.measure._worker_process import run_worker, silent

    assert run_worker("memory", {}, 1, silent, tune_malloc=False) == {"peak_bytes": 2}
