"""The layers: pyproject.toml states them, these tests hold them and show that they can break."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
EXACT = next(c for c in CONFIG["contracts"] if c["id"] == "exact")["source_modules"]
LINT = (
    "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package with its rules, to lint and to spoil."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "irrepnet", tmp_path / "irrepnet", ignore=ignore)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", LINT], cwd=folder, capture_output=True, text=True)


def spoil(folder: Path, module: str, line: str) -> None:
    path = folder.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    path.write_text(f"{path.read_text()}\n\n{line}\n")


def test_every_layer_imports_only_layers_below_it(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout
    assert "Contracts: 2 kept, 0 broken." in result.stdout


@pytest.mark.parametrize(
    ("module", "line", "imported"),
    [
        ("irrepnet.groups", "import irrepnet.reps", "irrepnet.reps"),
        ("irrepnet.nn", "def f():\n    import irrepnet.compiler", "irrepnet.compiler"),
        ("irrepnet.reps", "from irrepnet import specs", "irrepnet.specs"),
        ("irrepnet.types", "import torch", "torch"),
        ("irrepnet.compiler._plan", "import torch.nn", "torch"),
    ],
)
def test_an_import_against_the_layers_is_found(
    copy: Path, module: str, line: str, imported: str
) -> None:
    spoil(copy, module, line)
    result = lint(copy)
    assert result.returncode == 1
    assert f"{module} is not allowed to import {imported}" in " ".join(result.stdout.split())


def test_a_module_without_a_layer_is_found(copy: Path) -> None:
    (copy / "irrepnet" / "utils.py").touch()
    result = lint(copy)
    assert result.returncode == 1
    assert "irrepnet.utils" in result.stdout


def test_an_import_for_a_type_checker_only_is_free(copy: Path) -> None:
    spoil(copy, "irrepnet.groups", "import typing")
    spoil(copy, "irrepnet.groups", "if typing.TYPE_CHECKING:\n    import torch")
    assert lint(copy).returncode == 0


@pytest.mark.parametrize("module", [m for m in EXACT if not m.startswith("irrepnet.compiler.")])
def test_importing_an_exact_layer_does_not_load_torch(module: str) -> None:
    # `_plan` is left out here: its package, the compiler, loads torch to emit.
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_no_module_imports_the_package_that_gathers_them() -> None:
    graph = grimp.build_graph("irrepnet", cache_dir=None, exclude_type_checking_imports=True)
    importers = graph.find_modules_that_directly_import("irrepnet") - {"irrepnet"}
    assert importers <= {"irrepnet.cli", "irrepnet.report"}, "import the module that defines it"
