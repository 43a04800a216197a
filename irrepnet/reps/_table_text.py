"""A character table for people: text for terminals, LaTeX for notebooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sympy

if TYPE_CHECKING:
    from irrepnet.reps._character_table import CharacterTable

#: Values longer than this are written as letters, explained below the table.
WIDEST_VALUE = 7

#: Rows and columns that are printed unless more are asked for.
LIMIT = 40


def row_names(table: CharacterTable) -> list[str]:
    """Names of the rows: that of the real irrep, with a star for the second of a conjugate pair.

    Examples:
        >>> from irrepnet import groups
        >>> row_names(groups.cyclic(3).character_table)
        ['chi0', 'chi1', 'chi1*']
    """
    names = [""] * len(table.degrees)
    for irrep in table.group.irreps:
        for row, star in zip(irrep.rows, ("", "*"), strict=False):
            names[row] = irrep.name + star
    return names


def text(table: CharacterTable, limit: int | None = LIMIT) -> str:
    """The table in columns: class sizes and element orders on top, indicators on the left.

    Args:
        table: The table.
        limit: Rows and columns that are shown; of larger tables the first and the last ones. None
            for all.

    Cost:
        One sympy expression per value shown.
    """
    classes, count = table.group.conjugacy_classes, len(table.degrees)
    shown, letters = _shown(count, limit), dict[sympy.Expr, str]()

    def show(value: sympy.Expr) -> str:
        plain = str(value).replace("sqrt", "√").replace("*", "")
        return plain if len(plain) <= WIDEST_VALUE else _letter(letters, value)

    rows = [["size", "", *(str(classes[t].size) for t in shown)]]
    rows.append(["order", "", *(str(classes[t].element_order) for t in shown)])
    signs = {1: "+", 0: "o", -1: "-"}
    names = row_names(table)
    for i in shown:
        indicator = signs[table.frobenius_schur[i]]
        rows.append([names[i], indicator, *(show(table.value(i, t)) for t in shown)])
    first = len(shown) if len(shown) == count else (len(shown) + 1) // 2
    if first < len(shown):
        rows = [[*row[: first + 2], "...", *row[first + 2 :]] for row in rows]
        rows.insert(first + 2, ["..."] * len(rows[0]))
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [f"{table.group.name}: {table.group.order} elements, {count} classes"]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    lines += [f"{letter} = {value}" for value, letter in letters.items()]
    if first < len(shown):
        lines.append(
            f"{count - len(shown)} of {count} rows and columns are left out: "
            "character_table.to_text(limit=None) writes all, .value(i, t) gives one."
        )
    return "\n".join(lines)


def _shown(count: int, limit: int | None) -> list[int]:
    """The first and the last of so many places."""
    if limit is None or count <= limit:
        return list(range(count))
    return [*range((limit + 1) // 2), *range(count - limit // 2, count)]


def _letter(letters: dict[sympy.Expr, str], value: sympy.Expr) -> str:
    """A letter for a value; `-A` and `A*` for the negative and the conjugate of an earlier one."""
    conjugate = sympy.conjugate(value)
    variants: list[tuple[sympy.Expr, str]] = [(value, "{}"), (conjugate, "{}*")]
    variants += [(sympy.expand(-value), "-{}"), (sympy.expand(-conjugate), "-{}*")]
    for other, form in variants:
        if other in letters:
            return form.format(letters[other])
    count = len(letters)
    letters[value] = chr(ord("A") + count) if count < 26 else f"A{count}"
    return letters[value]


def latex(table: CharacterTable) -> str:
    """The table as a LaTeX array."""
    classes = table.group.conjugacy_classes
    lines = [
        r"\begin{array}{l|" + "r" * len(classes) + "}",
        _latex_row(r"\text{size}", classes, lambda c: str(c.size)),
        _latex_row(r"\text{order}", classes, lambda c: str(c.element_order)) + r" \hline",
    ]
    for i, name in enumerate(row_names(table)):
        star = r"^{*}" if name.endswith("*") else ""
        title = r"\mathrm{" + name.rstrip("*") + "}" + star
        lines.append(_latex_row(title, table.exact.row(i), sympy.latex))
    return "\n".join([*lines, r"\end{array}"])


def _latex_row(title: str, cells: object, show: Callable[..., str]) -> str:
    return " & ".join([title, *(show(c) for c in cells)]) + r" \\"  # type: ignore[attr-defined]
