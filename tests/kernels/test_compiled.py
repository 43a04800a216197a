"""Triton's compiler needs no GPU: kernels become machine code for one, and fit its registers."""

import importlib.util
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from irrepnet import groups, nn
from irrepnet.nn.kernels import FusedMLPIn, ResidualNorm
from irrepnet.nn.kernels._available import interpreted
from irrepnet.nn.kernels._mlp_plan import MLPPlan
from irrepnet.nn.kernels._norm_plan import NormPlan
from irrepnet.types import FeatureType, gset_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="no triton"),
    pytest.mark.skipif(interpreted(), reason="the interpreter compiles nothing"),
]

Compile = Callable[[Any, dict[str, object], int], Any]


@pytest.fixture
def machine_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Compile:
    """Compile for compute capability 9.0, all arguments as a launch in bfloat16 would give them."""
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))

    def compile(kernel: Any, constants: dict[str, object], num_warps: int) -> Any:
        import triton
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource

        names = [name for name in kernel.arg_names if name not in constants]
        kinds = {"num_rows": "i32", "num_programs": "i32", "x_stride": "i32", "sums": "*fp32"}
        signature = {name: kinds.get(name, "*bf16") for name in names}
        source = ASTSource(
            kernel,
            signature=signature | dict.fromkeys(constants, "constexpr"),
            constexprs=constants,
            attrs={(i,): [["tt.divisibility", 16]] for i in range(len(names))},
        )
        options = {"num_warps": num_warps}
        return triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)

    return compile


def assert_fits(code: Any, folder: Path) -> None:
    """Nothing is spilled from registers to memory."""
    import triton

    binary = folder / "kernel.cubin"
    binary.write_bytes(code.asm["cubin"])
    report = subprocess.run(
        [triton.knobs.nvidia.cuobjdump.path, "-res-usage", binary], capture_output=True, text=True
    )
    (stack,) = re.findall(r"STACK:(\d+)", report.stdout)
    assert int(stack) == 0, report.stdout


@pytest.mark.parametrize(("name", "backward"), [("flop", False), ("D4", True)])
def test_mlp_in(name: str, backward: bool, machine_code: Compile, tmp_path: Path) -> None:
    from irrepnet.nn.kernels import _triton_mlp_in as kernel

    X = FeatureType.regular(groups.parse(name), 768)
    linear = nn.IsotypicLinear(X, 4 * X, device="meta")
    layer = FusedMLPIn(linear, nn.GSetActivation(gset_for(4 * X), device="meta"))
    plan = MLPPlan.from_key(layer._plan)
    (orbits,) = plan.orbits
    tile = kernel.tile_for(orbits, itemsize=2)
    constants = kernel.constants(plan, orbits, tile, backward)
    code = machine_code(kernel._mlp_in, constants, tile.num_warps)
    assert "wgmma.mma_async" in code.asm["ptx"]  # the tensor cores' products
    assert_fits(code, tmp_path)


@pytest.mark.parametrize("backward", [False, True])
def test_residual_norm(backward: bool, machine_code: Compile, tmp_path: Path) -> None:
    from irrepnet.nn.kernels import _triton_norm as kernel

    X = FeatureType.regular(groups.octic(), 1024)
    layer = ResidualNorm(nn.IsotypicLayerNorm(X), nn.LayerScale(X))
    plan = NormPlan.from_key(layer._plan)
    rows = kernel.rows_of(plan, kernel.HELD_BACKWARD if backward else kernel.HELD)
    constants = kernel.constants(plan, rows, True, True, True)
    launched = kernel._residual_norm_backward if backward else kernel._residual_norm
    assert_fits(machine_code(launched, constants, 4), tmp_path)
