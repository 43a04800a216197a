"""What every test gets: repeatable examples, and a type checker that stands aside for compilers."""

import os
from collections.abc import Iterator

import jaxtyping
import pytest
import torch
from hypothesis import settings

# A busy machine must not fail a property; CI draws the same examples each time.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


# Small products gain nothing from a second thread, and lose much on a busy machine.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _no_shape_checks_while_compiling(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests marked `compile` run without shape checks, which break the graph (jaxtyping#196)."""
    if request.node.get_closest_marker("compile") is None:
        yield
        return
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
