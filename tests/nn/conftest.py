"""Gives each inherited test of a `LayerContract` the cases of its class."""

from collections.abc import Iterator

import pytest
import torch

pytest.register_assert_rewrite("tests.nn.contract")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    cases = getattr(metafunc.cls, "CASES", ())
    if "case" in metafunc.fixturenames and cases:
        metafunc.parametrize("case", cases)
    if "traced_case" in metafunc.fixturenames and cases:
        metafunc.parametrize("traced_case", metafunc.cls.TRACED or cases[:1])


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Products of these sizes take longer to share among threads than to compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
