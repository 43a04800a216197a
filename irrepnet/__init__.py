"""Equivariant networks that cost less than ordinary ones, for any finite group.

Declare a group and feature types; irrepnet computes the irreps, block-diagonalises every linear map
by Schur's lemma, and emits plain PyTorch modules.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from irrepnet import actions as actions
from irrepnet import groups as groups
from irrepnet import reps as reps
from irrepnet import specs as specs
from irrepnet._errors import IrrepnetError as IrrepnetError
from irrepnet.types import FeatureType as FeatureType

if TYPE_CHECKING:
    from irrepnet import compiler as compiler
    from irrepnet import interop as interop
    from irrepnet import models as models
    from irrepnet import nn as nn
    from irrepnet import testing as testing
    from irrepnet.accounting import flops as flops
    from irrepnet.certificate import certify as certify
    from irrepnet.compiler import compile as compile
    from irrepnet.freezing import freeze as freeze
    from irrepnet.models import create_model as create_model
    from irrepnet.models import list_models as list_models
    from irrepnet.planning import plan_type as plan_type
    from irrepnet.serialization import load as load
    from irrepnet.serialization import save as save

__version__ = "0.1.0.dev0"

#: Names that need torch are imported on first use, so that the algebra works without it.
_LAZY = {
    "accounting": None,
    "certificate": None,
    "compiler": None,
    "interop": None,
    "models": None,
    "nn": None,
    "testing": None,
    "certify": "certificate",
    "compile": "compiler",
    "create_model": "models",
    "flops": "accounting",
    "freeze": "freezing",
    "list_models": "models",
    "load": "serialization",
    "plan_type": "planning",
    "save": "serialization",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'irrepnet' has no attribute {name!r}")
    home = _LAZY[name]
    module = importlib.import_module(f"irrepnet.{home or name}")
    value = module if home is None else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
