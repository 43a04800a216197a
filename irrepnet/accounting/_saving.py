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
from irrepnet.types import FeatureType


def regular_linear(group: Group) -> Expr:
    """FLOPs of products of a map between regular types, in `N`, `D` and the group's order.

    The rule of `specs.Linear` is evaluated at `c` copies of the regular representation, which has
    each real irrep `d / e` times, `e` being the dimension of its endomorphisms; `c = D / |G|`.

    Examples:
        >>> regular_linear(groups.octic())
        24*D**2*N/|D4|**2
    """
    copies = symbol("c")
    order = Symbol(f"|{group.name}|", positive=True)
    found = _products(group, [copies * Rational(i.dim, i.end_dim) for i in group.irreps])
    return found.subs(copies, symbol("D") / order)


def regular_saving(group: Group) -> Rational:
    """How many times fewer FLOPs a wide map between regular types has than the dense map.

    Examples:
        >>> [regular_saving(groups.parse(name)) for name in ("flop", "D4", "C4", "Q8")]
        [2, 16/3, 8/3, 16/5]
    """
    dense = _products(groups.trivial(), [symbol("D")])
    order = Symbol(f"|{group.name}|", positive=True)
    saving = sympy.limit(dense / regular_linear(group), symbol("D"), sympy.oo)
    return saving.subs(order, group.order)


def _products(group: Group, multiplicities: list[Any]) -> Any:
    x = FeatureType(group, multiplicities)
    return sympy.expand(layer_cost(Linear(x, x, bias=False), symbol("N")).matmul)
