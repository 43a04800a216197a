"""The cases of a `LayerContract`, as in the tests of the other layers."""

from tests.nn.conftest import _one_thread as _one_thread
from tests.nn.conftest import pytest_generate_tests as pytest_generate_tests
