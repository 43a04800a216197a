"""What the regular type saves, from the cost of a linear map and nothing else."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, Rational, Symbol

from irrepnet import groups
from irrepnet.accounting._symbols import symbol
from irrepnet.compiler import layer_cost
from irrepnet.groups import Group
from irrepnet.specs import Linear
from irrepnet.types import FeatureType, ScaledType


def regular_linear(group: Group) -> Expr:
    """FLOPs of products of a map between regular types, in `N`, `D` and the group's order.

    The rule of `specs.Linear` is evaluated at `c = D / |G|` copies of the regular representation;
    there is no other formula.

    Examples:
        >>> regular_linear(groups.octic())
        24*D**2*N/|D4|**2
    """
    copies = symbol("c")
    order = Symbol(f"|{group.name}|", positive=True)
    products = _products(ScaledType(FeatureType.regular(group, group.order), copies))
    return products.subs(copies, symbol("D") / order)


def regular_saving(group: Group) -> Rational:
    """How many times fewer FLOPs a wide map between regular types has than the dense map.

    Examples:
        >>> [regular_saving(groups.parse(name)) for name in ("flop", "D4", "C4", "Q8")]
        [2, 16/3, 8/3, 16/5]
    """
    dense = _products(ScaledType(FeatureType.trivial(groups.trivial(), 1), symbol("D")))
    order = Symbol(f"|{group.name}|", positive=True)
    saving = sympy.limit(dense / regular_linear(group), symbol("D"), sympy.oo)
    return saving.subs(order, group.order)


def _products(x: FeatureType) -> Any:
    return sympy.expand(layer_cost(Linear(x, x, bias=False), symbol("N")).matmul)
