"""Each committed notebook is its source, run: nobody edits one and forgets the other."""

import re
from pathlib import Path

import jupytext
import nbformat
import pytest

TUTORIALS = Path(__file__).parents[2] / "tutorials"
SOURCES = sorted(TUTORIALS.glob("[0-9]*.py"))

#: What GitHub and the documents show without a pause.
MOST_BYTES = 600 * 1024

FORGOTTEN = "is not its source, run: expected `python tutorials/_execute.py`"


def notebook_of(source: Path) -> nbformat.NotebookNode:
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def contents(notebook: nbformat.NotebookNode) -> list[tuple]:
    """What an author writes of each cell."""
    return [
        (c.cell_type, c.source, c.metadata.get("tags", []), c.metadata.get("jupyter", {}))
        for c in notebook.cells
    ]


def problems(source: Path, notebook: nbformat.NotebookNode) -> list[str]:
    """What shows that a notebook is not its source, run from top to bottom."""
    found = []
    if contents(jupytext.read(source)) != contents(notebook):
        found.append("the cells differ")
    code = [c for c in notebook.cells if c.cell_type == "code"]
    if [c.execution_count for c in code] != list(range(1, len(code) + 1)):
        found.append("cells were not run in order")
    outputs = [output for c in code for output in c.outputs]
    if not any("image/png" in output.get("data", {}) for output in outputs):
        found.append("there is no picture")
    if any(o.output_type == "error" or o.get("name") == "stderr" for o in outputs):
        found.append("a cell failed or warned")
    return found


def test_sources_and_notebooks_are_paired() -> None:
    assert [s.stem for s in SOURCES] == [n.stem for n in sorted(TUTORIALS.glob("*.ipynb"))]
    assert len(SOURCES) >= 5


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem[:2])
def test_notebook(source: Path) -> None:
    assert not problems(source, notebook_of(source)), f"{source.stem} {FORGOTTEN}"
    assert source.with_suffix(".ipynb").stat().st_size < MOST_BYTES


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem[:2])
def test_notebooks_depend_on_their_source_only(source: Path) -> None:
    notebook = notebook_of(source)
    assert all(re.fullmatch(r"cell-\d\d", cell.id) for cell in notebook.cells), FORGOTTEN
    assert str(TUTORIALS.parent) not in source.with_suffix(".ipynb").read_text()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem[:2])
def test_links_lead_somewhere(source: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", source.read_text())
    assert all((TUTORIALS / link).exists() for link in links), links


def test_differences_are_found() -> None:
    source = SOURCES[0]
    edited, not_run, failed, bare = (notebook_of(source) for _ in range(4))
    edited.cells[0].source += "!"
    code = next(c for c in not_run.cells if c.cell_type == "code")
    code.execution_count = None
    code = next(c for c in failed.cells if c.cell_type == "code")
    code.outputs = [nbformat.v4.new_output("stream", name="stderr", text="warning")]
    for cell in bare.cells:
        cell["outputs"] = []
    found = [problems(source, notebook) for notebook in (edited, not_run, failed, bare)]
    assert found == [
        ["the cells differ"],
        ["cells were not run in order"],
        ["a cell failed or warned"],
        ["there is no picture"],
    ]
