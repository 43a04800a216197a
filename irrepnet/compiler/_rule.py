"""`LayerRule`: what the compiler must know of a layer kind; implement it to add your own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch

from irrepnet._errors import SpecError
from irrepnet.compiler._edge import Edge
from irrepnet.nn import Layer
from irrepnet.specs import Spec

S = TypeVar("S", bound=Spec, contravariant=True)


@dataclass(frozen=True)
class Cost:
    """What one layer costs for one sample.

    A rule computes with sizes that may also be sympy expressions (`irrepnet.accounting.symbolic`);
    the annotations name the usual case.

    Attributes:
        params: Trainable parameters.
        matmul: FLOPs of matrix products, convolutions and attention, whatever their purpose
            (1 MAC = 2 FLOPs): what `torch.utils.flop_counter` counts.
        other: Pairs of a kind ("norm", "softmax", "activation", "basis change", "bias",
            "elementwise") and its FLOPs; see `irrepnet.accounting` for the conventions.
        on_features: The part of `matmul` that multiplies features by a constant matrix, such as a
            change of basis: its backward pass has one product instead of two.
        on_products: The part of `on_features` that comes after the layer's parameters: its backward
            pass has that product even where nobody needs the gradient of the input.
        on_weights: The part of `matmul` that multiplies parameters by a constant matrix, such as a
            table of positions or the expansion of a kernel.
        recomputed: FLOPs of products that the backward pass makes again instead of keeping.
        weights: Numbers read besides the features; `None` for the parameters.
        reads: Numbers of the input that are read; `None` for all.
        writes: Numbers written; `None` for the whole output.
    """

    params: int = 0
    matmul: int = 0
    other: tuple[tuple[str, int], ...] = ()
    on_features: int = 0
    on_products: int = 0
    on_weights: int = 0
    recomputed: int = 0
    weights: int | None = None
    reads: int | None = None
    writes: int | None = None


#: What a layer costs that does nothing at inference, or only says how to see its input.
NOTHING = Cost(reads=0, writes=0)


@dataclass(frozen=True)
class Factory:
    """Where parameters are made.

    Attributes:
        device: Device of parameters and tables; `None` for torch's default.
        dtype: Their dtype; `None` for torch's default.
    """

    device: torch.device | str | None = None
    dtype: torch.dtype | None = None

    @property
    def kwargs(self) -> dict[str, Any]:
        """As keyword arguments of a module."""
        return {"device": self.device, "dtype": self.dtype}


class LayerRule(Protocol[S]):
    """The compiler's knowledge of one layer kind: type rule, cost, emission.

    Register an instance with `register(MySpec, MyRule())`; from then on `MySpec` may stand
    anywhere in a network.
    """

    def source(self, spec: S) -> Edge:
        """What the layer takes when it stands alone."""
        ...

    def check(self, spec: S, edge: Edge) -> tuple[Any, Edge]:
        """The spec with every choice filled in, and what goes out for what comes in.

        Raises:
            IrrepnetError: If the layer does not fit; the compiler adds the layer's path.
        """
        ...

    def decide(self, spec: S, edge: Edge) -> str:
        """In words, how the layer is computed."""
        ...

    def cost(self, spec: S, edge: Edge, positions: int) -> Cost:
        """What the layer costs for one sample with so many positions on its input."""
        ...

    def emit(self, spec: S, edge: Edge, factory: Factory) -> Layer:
        """The module."""
        ...


RULES: dict[type[Spec], LayerRule[Any]] = {}


def register(kind: type[Spec], rule: LayerRule[Any]) -> None:
    """Teach the compiler a layer kind."""
    RULES[kind] = rule


def rule_of(spec: Spec) -> LayerRule[Any]:
    """The rule of a spec's kind.

    Raises:
        SpecError: If no rule is registered.
    """
    if type(spec) not in RULES:
        known = ", ".join(sorted(kind.__name__ for kind in RULES))
        raise SpecError(
            f"{spec!r} is no layer that the compiler knows: expected one of {known}, or your own "
            f"spec with a rule given to irrepnet.compiler.register."
        )
    return RULES[type(spec)]
