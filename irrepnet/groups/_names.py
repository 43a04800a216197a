"""Groups by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce

from irrepnet._errors import GroupError
from irrepnet.groups import _families as families
from irrepnet.groups import _linear_groups as linear
from irrepnet.groups import _polyhedral as polyhedral
from irrepnet.groups._group import Group
from irrepnet.groups._products import direct_product, wreath_product

_WORDS: dict[str, Callable[[], Group]] = {
    "trivial": families.trivial,
    "flop": families.flop,
    "klein_four": families.klein_four,
    "V4": families.klein_four,
    "octic": families.octic,
    "quaternion": families.quaternion,
    "Q8": families.quaternion,
    "T": polyhedral.tetrahedral,
    "tetrahedral": polyhedral.tetrahedral,
    "O": polyhedral.octahedral,
    "octahedral": polyhedral.octahedral,
    "I": polyhedral.icosahedral,
    "icosahedral": polyhedral.icosahedral,
    "M11": linear.mathieu_11,
}

_FAMILIES: dict[str, Callable[[int], Group]] = {
    "C": families.cyclic,
    "D": families.dihedral,
    "Dic": families.dicyclic,
    "S": families.symmetric,
    "A": families.alternating,
    "B": polyhedral.hyperoctahedral,
}

_LINEAR: dict[str, Callable[[int, int], Group]] = {
    "GL": linear.general_linear,
    "SL": linear.special_linear,
    "PSL": linear.projective_special_linear,
}

_PRODUCTS: dict[str, Callable[[Group, Group], Group]] = {"x": direct_product, "wr": wreath_product}

_TOKEN = re.compile(
    r"\s*(klein_four|[PGS]+L\(\d+,\d+\)|[A-Z][a-z]*_?\d+|[TOI](?![a-z])|wr|x|\^\d+|[()]|[a-z]+)"
)

_FORMS = (
    "\n  Expected a word: trivial, flop, klein_four (V4), octic, quaternion (Q8), tetrahedral (T), "
    "octahedral (O), icosahedral (I);"
    "\n  or a family and its number: C4 cyclic, D4 dihedral of order 8, Dic3 dicyclic of order 12, "
    "Q16 quaternion of order 16, S5 symmetric, A5 alternating, B3 hyperoctahedral, M11;"
    "\n  or matrices over a prime field: GL(2,3), SL(2,5), PSL(2,7);"
    "\n  or products: C2xC4, C2^3, C2wrS4 (wreath), with brackets (C2xC2)wrC3."
)


def parse(name: str) -> Group:
    """The group that a name denotes.

    Args:
        name: A word (`trivial`, `flop`, `klein_four` or `V4`, `octic`, `quaternion` or `Q8`,
            `tetrahedral` or `T`, `octahedral` or `O`, `icosahedral` or `I`), a family and its
            number (`C4` cyclic, `D4` dihedral of order 8, `Dic3` dicyclic of order 12, `Q16`
            generalised quaternion, `S5` symmetric, `A5` alternating, `B3` hyperoctahedral), `M11`,
            a group of matrices over a prime field (`GL(2,3)`, `SL(2,5)`, `PSL(2,7)`), or products
            `x`, wreath products `wr` and powers `^` of these, from left to right, with brackets.

    Raises:
        GroupError: If the name has none of these forms, or the group is too large.

    Cost:
        That of building the group.

    References:
        Names follow Coxeter and Moser, *Generators and Relations for Discrete Groups*, table 1.

    Examples:
        >>> from irrepnet import groups
        >>> groups.parse("D4")
        groups.dihedral(4)
        >>> groups.parse("C2xS3").order, groups.parse("(C2xC2)wrC3").order
        (12, 192)
        >>> groups.parse("M11").order, groups.parse("SL(2,3)xC2").order
        (7920, 48)
    """
    if not isinstance(name, str):
        raise GroupError(f"{name!r} is not the name of a group.{_FORMS}")
    tokens, at = [], 0
    text = name.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise GroupError(f"{name!r} is not the name of a group.{_FORMS}")
        tokens.append(match[1])
        at = match.end()
    tokens.reverse()
    try:
        group = _product(tokens)
        if tokens:
            raise _SyntaxError
    except _SyntaxError:
        raise GroupError(f"{name!r} is not the name of a group.{_FORMS}") from None
    return group


class _SyntaxError(Exception):
    """Raised inside the parser only."""


def _product(tokens: list[str]) -> Group:
    """Parse factors and products of them; `tokens` is a stack, first token last."""
    group = _factor(tokens)
    while tokens and tokens[-1] in _PRODUCTS:
        group = _PRODUCTS[tokens.pop()](group, _factor(tokens))
    return group


def _factor(tokens: list[str]) -> Group:
    group = _atom(tokens)
    while tokens and tokens[-1].startswith("^"):
        exponent = int(tokens.pop()[1:])
        if not 1 <= exponent <= 64:
            raise _SyntaxError
        group = reduce(direct_product, [group] * exponent)
    return group


def _atom(tokens: list[str]) -> Group:
    token = tokens.pop() if tokens else ""
    if token == "(":
        group = _product(tokens)
        if not tokens or tokens.pop() != ")":
            raise _SyntaxError
        return group
    if token in _WORDS:
        return _WORDS[token]()
    match = re.fullmatch(r"([PGS]+L)\((\d+),(\d+)\)", token)
    if match and match[1] in _LINEAR:
        return _LINEAR[match[1]](int(match[2]), int(match[3]))
    match = re.fullmatch(r"([A-Z][a-z]*)_?(\d+)", token)
    if match and match[1] in _FAMILIES:
        return _FAMILIES[match[1]](int(match[2]))
    if match and match[1] == "Q" and int(match[2]) >= 8 and int(match[2]).bit_count() == 1:
        return families.dicyclic(int(match[2]) // 4)
    raise _SyntaxError
