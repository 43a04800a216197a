"""Groups from Cayley tables, checked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from irrepnet._errors import GroupError
from irrepnet.groups._group import CAYLEY_LIMIT, Group
from irrepnet.groups._recipes import constructor


@constructor
def from_cayley_table(table: Sequence[Sequence[int]] | np.ndarray) -> Group:
    """The group with a given multiplication table, acting on itself from the left.

    Associativity is checked by Light's test: the elements `g` with `(a g) b = a (g b)` for all `a`
    and `b` are closed under products, so it suffices to test generators.

    Args:
        table: `table[a][b]` is the product `a b`; element 0 is the identity.

    Raises:
        GroupError: If the table is not square, has other entries than its elements, element 0 is
            not the identity, or an inverse or associativity is missing; the message shows where.

    Cost:
        O(order^2 * generators), and a group has at most log2(order) of the generators chosen here.

    References:
        Clifford and Preston, *The Algebraic Theory of Semigroups* I, sec. 1.2 (Light's test).

    Examples:
        >>> from irrepnet import groups
        >>> groups.from_cayley_table([[0, 1, 2], [1, 2, 0], [2, 0, 1]]).element_orders.tolist()
        [1, 3, 3]
    """
    rows = _entries(table)
    _check_identity(rows)
    _check_cancellation(rows)
    generators = _generators(rows)
    for g in generators:
        left, right = rows[rows[:, g]], rows[:, rows[g]]
        if (left != right).any():
            a, b = (int(i) for i in np.argwhere(left != right)[0])
            raise GroupError(
                f"the table is not associative: ({a} * {g}) * {b} = {left[a, b]}, but "
                f"{a} * ({g} * {b}) = {right[a, b]}."
            )
    recipe = ("from_cayley_table", tuple(map(tuple, rows.tolist())))
    return Group(rows, generators, recipe, f"<table of order {len(rows)}>")


def _entries(table: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    try:
        rows = np.array(table)
    except ValueError:
        raise GroupError(
            "the rows of the Cayley table differ in length: expected a square table."
        ) from None
    if rows.ndim != 2 or rows.shape[0] != rows.shape[1] or not rows.size:
        raise GroupError(
            f"a Cayley table of shape {rows.shape}: expected a square one, with table[a][b] = a b."
        )
    if rows.dtype.kind not in "iu":
        raise GroupError(
            f"a Cayley table with entries of type {rows.dtype}: expected integers, the elements "
            f"0..{len(rows) - 1}."
        )
    if len(rows) > CAYLEY_LIMIT:
        raise GroupError(
            f"a Cayley table of order {len(rows)}: expected at most {CAYLEY_LIMIT}.\n"
            "  Give permutations or matrices of generators instead."
        )
    outside = (rows < 0) | (rows >= len(rows))
    if outside.any():
        a, b = np.argwhere(outside)[0]
        raise GroupError(
            f"the product {a} * {b} = {rows[a, b]} in the Cayley table is no element: expected "
            f"0..{len(rows) - 1}."
        )
    return rows.astype(np.int32)


def _check_identity(rows: np.ndarray) -> None:
    elements = np.arange(len(rows))
    if (rows[0] == elements).all() and (rows[:, 0] == elements).all():
        return
    a = int((rows[0] != elements).argmax() or (rows[:, 0] != elements).argmax())
    wrong = f"0 * {a} = {rows[0, a]} and {a} * 0 = {rows[a, 0]}"
    two_sided = (rows == elements).all(axis=1) & (rows.T == elements).all(axis=1)
    advice = (
        f"The identity is element {two_sided.argmax()}: exchange it with element 0."
        if two_sided.any()
        else "No element of the table is an identity."
    )
    raise GroupError(f"element 0 is not the identity: {wrong}, expected {a}.\n  {advice}")


def _check_cancellation(rows: np.ndarray) -> None:
    elements = np.arange(len(rows))
    lacking = ~(rows == 0).any(axis=1)
    if lacking.any():
        a = int(lacking.argmax())
        raise GroupError(f"element {a} has no inverse: its row of the table does not contain 0.")
    repeats = (np.sort(rows, axis=1) != elements).any(axis=1)
    if repeats.any():
        a = int(repeats.argmax())
        value = int((np.bincount(rows[a], minlength=len(rows)) > 1).argmax())
        b, c = np.flatnonzero(rows[a] == value)[:2]
        raise GroupError(
            f"element {a} cannot be cancelled: {a} * {b} = {a} * {c} = {value}, so the table is "
            "not that of a group."
        )


def _generators(rows: np.ndarray) -> list[int]:
    """Generators: each is the least element that right multiplication does not yet reach."""
    reached = np.zeros(len(rows), dtype=bool)
    reached[0] = True
    found: list[int] = []
    while not reached.all():
        found.append(int((~reached).argmax()))
        frontier = np.flatnonzero(reached)
        while len(frontier):
            products = np.unique(rows[frontier][:, found])
            frontier = products[~reached[products]]
            reached[frontier] = True
    return found
