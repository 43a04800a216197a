"""What a comparison says, in sentences that the terminal and the HTML page share."""

from __future__ import annotations

from irrepnet.measure import Latency
from irrepnet.report._comparison import Comparison
from irrepnet.report._invariance import VISIBLE, Change

#: Quartiles further apart than this share of the median mean that the machine was busy.
BUSY = 0.2


def headline(comparison: Comparison) -> str:
    """The networks, in one line."""
    request = comparison.request
    order = request.action.group.order
    elements = f"{order} element{'s' if order > 1 else ''}"
    broken = "".join(f", down to {name} from block {at}" for name, at in request.break_at)
    return f"{request.model}: dense against {request.group} (group of {elements}{broken})"


def conditions(comparison: Comparison) -> str:
    """Under which conditions latency was measured."""
    mode = "torch.compile" if comparison.request.settings.compiled else "eager"
    return f"{load(comparison)}, {mode}, no gradients"


def load(comparison: Comparison) -> str:
    """What a forward pass is, in latency, memory and the times of parts."""
    settings = comparison.request.settings
    threads = f"{settings.threads} thread{'s' if settings.threads > 1 else ''}"
    images = f"batch of {settings.batch} image{'s' if settings.batch > 1 else ''}"
    return f"{images}, {settings.dtype}, {threads}"


def place(comparison: Comparison) -> str:
    """The machine, in one line."""
    m = comparison.machine
    return f"{m.processor} ({m.num_cpus} CPUs), {m.system}, torch {m.torch}, Python {m.python}"


def latency_method(comparison: Comparison) -> str:
    """How latency was measured."""
    return (
        f"Medians of {comparison.request.settings.runs} runs of each network, interleaved in one "
        f"fresh process, order reversed every round; glibc's malloc told to keep memory "
        f"(MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_, MALLOC_TOP_PAD_)."
    )


def latency_verdict(comparison: Comparison) -> str:
    """What the times mean."""
    group, speedup = comparison.request.group, comparison.speedup
    shortest = f"{comparison.speedup_of_minima:.2f} by the shortest runs"
    said = f"{group} is {speedup:.2f} times as fast as dense ({shortest})"
    if comparison.realised is not None:
        shows = f"{comparison.realised:.0%}" if comparison.realised > 0 else "none"
        said += (
            f", with {comparison.matmul_ratio:.2f} times fewer FLOPs in matrix products: "
            f"{shows} of the saving shows as time"
        )
    if any(latency.timing.spread > BUSY for latency in comparison.latencies):
        said += ". The machine was busy (see the quartiles): close other programs and repeat"
    return said + "."


def compile_times(comparison: Comparison) -> str:
    """What compilation took, if there was one."""
    names = ("dense", comparison.request.group)

    def one(name: str, latency: Latency) -> str:
        return f"{name} {latency.compile_s:.0f} s"

    pairs = [
        one(n, latency)
        for n, latency in zip(names, comparison.latencies, strict=True)
        if latency.compile_s is not None
    ]
    return f"Compilation, not counted: {', '.join(pairs)}." if pairs else ""


def memory_method(comparison: Comparison) -> str:
    """How memory was measured."""
    return (
        f"Each network in a fresh process of its own, {load(comparison)}, eager, with the system's "
        f"allocator as it is; the baseline is the same process with torch and irrepnet imported, "
        f"before the network."
    )


def cost_unit() -> str:
    """What the numbers of the cost table count."""
    return (
        "Per image, 1 MAC = 2 FLOPs; norms, softmax, activations, biases and basis changes are "
        "counted. The last norm belongs to the head."
    )


def time_method(comparison: Comparison) -> str:
    """How the times of parts were measured."""
    return (
        f"Medians of passes of their own with a clock around each layer, not part of the latency: "
        f"{load(comparison)}, eager, no gradients."
    )


def invariance_method() -> str:
    """What the changes of the logits are."""
    return (
        "max |f(g x) - f(x)| / max |f(x)| on the photo, every parameter drawn at order one (fresh "
        "networks would hide errors behind zero biases and a LayerScale of 1e-6)."
    )


def invariance_verdicts(comparison: Comparison) -> tuple[str, ...]:
    """What the changes mean, one sentence a network."""
    changes, group = comparison.changes, comparison.request.group
    if not changes:
        return ("The trivial group moves nothing, so there is nothing to compare.",)
    kept = [c for c in changes if c.invariant]
    sentences = [_equivariant_verdict(group, kept)] if kept else []
    given_up = [c for c in changes if not c.invariant]
    if given_up:
        sentences.append(
            f"{group} gives symmetry up on the way, so its logits may change when the photo is "
            f"{_moves(given_up)}: by up to {max(c.equivariant for c in given_up):.1e}."
        )
    least = min(c.dense for c in changes)
    sees = "visibly not invariant" if least > VISIBLE else "hardly changed here, by chance"
    sentences.append(f"dense: {sees}, its logits change by at least {least:.1e} ({least:.1%}).")
    return tuple(sentences)


def _equivariant_verdict(group: str, kept: list[Change]) -> str:
    bounds = {c.dtype: c.tolerance for c in kept}
    worst = {d: max(c.equivariant for c in kept if c.dtype == d) for d in bounds}
    numbers = ", ".join(f"{worst[d]:.1e} in {d}" for d in bounds)
    allowed = ", ".join(f"{bound:.0e} in {d}" for d, bound in bounds.items())
    if all(c.kept for c in kept):
        return (
            f"{group}: invariant up to rounding when {_moves(kept)}, {numbers} (rounding explains "
            f"{allowed})."
        )
    return (
        f"{group}: NOT invariant when {_moves(kept)}, {numbers}, where rounding explains "
        f"{allowed}. This is an error in irrepnet or in this installation: please report it "
        f"with the output of --json."
    )


def _moves(changes: list[Change]) -> str:
    return " or ".join(dict.fromkeys(c.move for c in changes))
