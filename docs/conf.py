"""How the documents are built: `sphinx-build -W --keep-going docs docs/_build/html`."""

import runpy
import shutil
import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE / "figures"), str(HERE.parent)]

project = "irrepnet"
author = copyright = "The irrepnet authors"
html_title = "irrepnet"
html_theme = "furo"
html_theme_options = {"navigation_with_keys": True}

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "docstrings",
    "sphinx.ext.viewcode",
    "mathml",
]
exclude_patterns = ["_build", "examples"]
html_math_renderer = "mathml"

# Notebooks are shown with the output they were committed with; CI runs them elsewhere.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "attrs_block", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Docstrings put code between single backticks.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
html_show_sourcelink = False


def _draw_figures(_: Sphinx) -> None:
    """Draw every picture afresh, so that none shows an older library."""
    pictures = HERE / "_generated"
    pictures.mkdir(exist_ok=True)
    for script in sorted((HERE / "figures").glob("[a-z]*.py")):
        runpy.run_path(str(script))["draw"]().savefig(pictures / f"{script.stem}.svg")


def _take_tutorials(_: Sphinx) -> None:
    """Copy the notebooks beside the pages; a link into `docs/` is one level nearer from here."""
    taken, given = HERE / "tutorials", HERE.parent / "tutorials"
    shutil.rmtree(taken, ignore_errors=True)
    taken.mkdir()
    for source in [given / "README.md", *sorted(given.glob("[0-9]*.ipynb"))]:
        text = source.read_text().replace("](../docs/", "](../")
        (taken / source.name).write_text(text)


def _link_tutorials(_: Sphinx, page: str, source: list[str]) -> None:
    """Pages link to the tutorials where they lie in the repository; here they lie nearer."""
    if not page.startswith("tutorials/"):
        source[0] = source[0].replace("../tutorials/", "tutorials/")


def setup(app: Sphinx) -> None:
    """Make what the pages include before Sphinx looks for pages."""
    app.connect("builder-inited", _draw_figures)
    app.connect("builder-inited", _take_tutorials)
    app.connect("source-read", _link_tutorials)
