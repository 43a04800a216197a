"""Make notebooks from their sources and run them: `python tutorials/_execute.py [SOURCE.py ...]`.

Without arguments, all of them. What a notebook holds depends on its source and the library only: no
times of execution, no random cell names, no version of Python.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import jupytext
from nbclient import NotebookClient

HERE = Path(__file__).parent


def execute(source: Path) -> Path:
    """Run one source; the notebook lies beside it."""
    notebook = jupytext.read(source)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02}"
    NotebookClient(
        notebook,
        resources={"metadata": {"path": HERE}},
        record_timing=False,
        coalesce_streams=True,
        timeout=120,
    ).execute()
    notebook.metadata.pop("language_info", None)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            # Jupyter takes a picture's description from the output, the documents from the cell.
            if alt := output.get("metadata", {}).get("image/png", {}).get("alt"):
                cell.metadata["mystnb"] = {"image": {"alt": alt}}
    target = source.with_suffix(".ipynb")
    jupytext.write(notebook, target)
    return target


if __name__ == "__main__":
    chosen = [Path(name).resolve() for name in sys.argv[1:]]
    for path in chosen or sorted(HERE.glob("[0-9]*.py")):
        start = time.perf_counter()
        written = execute(path)
        seconds, kilobytes = time.perf_counter() - start, written.stat().st_size / 1024
        print(f"{written.name}: {seconds:.1f} s, {kilobytes:.0f} KB")
