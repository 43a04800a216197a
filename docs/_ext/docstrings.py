"""Google docstrings, with the house's sections, on everything that can have one."""

from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, GoogleDocstring

_CONFIG = Config(
    napoleon_custom_sections=["Cost"], napoleon_use_ivar=True, napoleon_use_rtype=False
)


def _read(app: Sphinx, what: Any, name: str, obj: object, options: Any, lines: list[str]) -> None:
    # napoleon takes what stands before a colon in an attribute's docstring for a type. Types stand
    # in signatures here, so an attribute's docstring is read like a method's.
    what = "method" if what in {"attribute", "data", "property"} else what
    lines[:] = GoogleDocstring(lines, _CONFIG, app, what, name, obj, options).lines()


def setup(app: Sphinx) -> dict[str, bool]:
    """Read docstrings as they are collected."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
