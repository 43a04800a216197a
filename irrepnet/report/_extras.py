"""Packages that only some reports need."""

from __future__ import annotations

import importlib
from types import ModuleType

from irrepnet._errors import MissingExtraError


def require(module: str, package: str, purpose: str) -> ModuleType:
    """Import a module of the extra `demo`.

    Args:
        module: Its import name.
        package: Its name where it is installed from.
        purpose: What it is needed for.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(
            f"{package} is not installed: {purpose} needs it. "
            f"Install it with: pip install 'irrepnet[demo]'"
        ) from None
