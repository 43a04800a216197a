"""What the README and the documents promise: commands, examples and output, and the tables."""

import io
import os
import re
import runpy
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import irrepnet as ir
from irrepnet import compiler, models
from irrepnet.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ROW = re.compile(
    r"^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$",
    re.MULTILINE,
)
ROWS = {name: written for name, *written in ROW.findall(README)}

#: Set to write what examples print into the pages, instead of comparing.
UPDATE = bool(os.environ.get("UPDATE_DOCUMENTS"))

_FENCE = re.compile(r"^(```+|:::+)(.*)$")


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Fenced blocks that contain no others, as pairs of language and text."""
    open_fences: list[tuple[str, str, list[str]]] = []
    for line in text.splitlines(keepends=True):
        fence = _FENCE.match(line.rstrip())
        if not fence:
            if open_fences:
                open_fences[-1][2].append(line)
        elif fence[2]:
            open_fences.append((fence[1], fence[2].strip(), []))
        elif open_fences and open_fences[-1][0] == fence[1]:
            _, language, lines = open_fences.pop()
            yield language, "".join(lines)
        else:  # a block without a language
            open_fences.append((fence[1], "", []))
    assert not open_fences, open_fences


def runs(language: str, text: str) -> bool:
    """Whether a reader may run a block as it stands: Python, or our own command."""
    return language == "python" or (language == "bash" and text.startswith("irrepnet "))


PAGES = [
    path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if not {"_build", "tutorials"} & set(path.relative_to(ROOT).parts)
    and any(runs(*block) for block in blocks(path.read_text()))
]


def test_the_first_two_blocks_install_and_show_then_install_and_test() -> None:
    shells = [text for kind, text in blocks(README) if kind in {"bash", "sh", "console", "shell"}]
    assert [kind for kind, _ in blocks(README)][:2] == ["bash", "bash"]
    assert shells[0].startswith("pip install -c constraints.txt -e '.[demo]' && irrepnet compare ")
    assert shells[1].strip() == "pip install -c constraints.txt -e '.[dev]' && pytest"


def printed_by(language: str, text: str, names: dict[str, object], page: str) -> str:
    """What an example prints."""
    stdout = io.StringIO()
    with redirect_stdout(stdout):
        if language == "python":
            exec(compile(text, page, "exec"), names)
        else:
            for command in text.replace("\\\n", " ").splitlines():
                assert main(shlex.split(command, comments=True)[1:]) == 0, command
    return "".join(f"{line.rstrip()}\n" for line in stdout.getvalue().splitlines())


@pytest.mark.compile  # readers run no shape checks
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_run_and_print_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    text, at, printed = page.read_text(), 0, None
    for language, content in blocks(text):  # one after another, as a reader would
        if language == "output":
            assert printed is not None, f"no example before the output:\n{content}"
            if UPDATE:
                at = text.index(f"```output\n{content}```", at) + len("```output\n")
                text = text[:at] + printed + text[at + len(content) :]
            else:
                assert content == printed
        printed = (
            printed_by(language, content, names, page.name) if runs(language, content) else None
        )
    if UPDATE:
        page.write_text(text)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "tutorials/README.md"])
def test_links_lead_somewhere(name: str) -> None:  # those of docs/ are checked when it is built
    page = ROOT / name
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ROWS)
def test_the_table_is_true(name: str) -> None:
    params, gigaflops = [], []
    for group in ("trivial", "flop", "D4"):  # by the plan; tests/models compares it with torch's
        rows = compiler.cost(compiler.plan_network(models.model_spec(name, group)))
        params.append(f"{sum(row.params for row in rows):,}")
        gigaflops.append(f"{sum(row.matmul_flops for row in rows) / 1e9:.2f}")
    assert params + gigaflops == ROWS[name]


def test_the_table_has_every_vision_transformer_and_every_family() -> None:
    assert set(ir.list_models("vit_*")) < set(ROWS)
    assert {name.split("_")[0] for name in ir.list_models()} == {n.split("_")[0] for n in ROWS}


def test_the_figure_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs/figures")
    drawn = io.BytesIO()
    figure = runpy.run_path(str(ROOT / "docs/figures/costs.py"))["draw"]()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    target = ROOT / "docs/costs.svg"
    if UPDATE:
        target.write_bytes(drawn.getvalue())
    assert _numbers(drawn.getvalue().decode()) == _numbers(target.read_text())


def _numbers(svg: str) -> list[str]:
    """What a drawing says: its texts, whatever the fonts and the version of the program."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_the_tests_that_hold_the_conventions_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/conventions.md").read_text())
    assert len(named) > 20
    for path, test in named:
        assert f"def {test}(" in (ROOT / path).read_text(), f"{path} has no {test}"


def test_every_paper_that_the_code_names_is_in_the_bibliography() -> None:
    known = set(re.findall(r"arXiv:(\d{4}\.\d{5})", (ROOT / "docs/bibliography.md").read_text()))
    for path in (ROOT / "irrepnet").rglob("*.py"):
        found = set(re.findall(r"arXiv[: ]\s*(\d{4}\.\d{5})", path.read_text()))
        assert found <= known, f"{path} names {found - known}: add it to docs/bibliography.md"


def test_the_documents_are_built_as_contributing_says() -> None:
    shells = [
        text for kind, text in blocks((ROOT / "CONTRIBUTING.md").read_text()) if kind == "bash"
    ]
    assert shells[1].startswith("pip install -c constraints.txt -e '.[docs]' && sphinx-build -W ")


def test_every_public_package_has_an_api_page() -> None:
    found = {path.parent.name for path in (ROOT / "irrepnet").glob("*/__init__.py")}
    found |= {path.stem for path in (ROOT / "irrepnet").glob("[a-z]*.py")}
    pages = {path.stem for path in (ROOT / "docs/api").glob("*.md")}
    assert pages - {"index"} == found - {"cli"}
