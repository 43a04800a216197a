"""`irrepnet groups`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from rich.table import Table
from rich.text import Text
from tyro.conf import Positional, arg

from irrepnet._errors import GroupError
from irrepnet.cli._output import show, show_text, table

if TYPE_CHECKING:
    from irrepnet.groups import Group, Subgroup

#: Subgroups of larger groups are listed only when asked for: there may be very many.
SUBGROUPS_UP_TO = 200

#: Classes and irreps that are listed.
ROWS_UP_TO = 128

#: Up to this order it is found out how an irrep's matrices can be made.
_MATRICES_UP_TO = 1000

#: Generators and classes are written as cycles up to this many points.
_CYCLES_UP_TO = 24

_FORMS = """Groups by name:
  trivial, flop, klein_four (V4), octic, quaternion (Q8), tetrahedral, octahedral, icosahedral
  C4 cyclic          D4 dihedral of order 8     Dic3 dicyclic of order 12    Q16 quaternion
  S5 symmetric       A5 alternating             B3 hyperoctahedral           M11
  GL(2,3), SL(2,5), PSL(2,7) matrices over a prime field
  C2xC4, C2^3 direct products                   C2wrS4 wreath product, (C2xC2)wrC3"""


@dataclass(frozen=True)
class Groups:
    """Show a finite group: classes, character table, real irreps, subgroups up to conjugacy.

    The irreps are the types of features: a feature type says how often each occurs. Their kind is
    R, C or H, the real, complex or quaternionic numbers that commute with them.

    Examples:
      irrepnet groups                 (which names there are)
      irrepnet groups D4
      irrepnet groups S5 --subgroups no
      irrepnet groups C2xS4
    """

    name: Annotated[
        str,
        Positional,
        arg(metavar="NAME", help="A group; all forms of names if left out.", help_behavior_hint=""),
    ] = ""
    subgroups: Annotated[
        Literal["auto", "yes", "no"],
        arg(help=f"List the subgroups; auto does so up to order {SUBGROUPS_UP_TO}."),
    ] = "auto"

    def run(self) -> int:
        """Look the group up and print it."""
        from irrepnet.actions import image_names

        if not self.name:
            show_text(f"{_FORMS}\nGroups that move images (--group): {', '.join(image_names())}")
            return 0
        group = group_of(self.name)
        more = len(group.conjugacy_classes) - ROWS_UP_TO
        show(Text(_title(group), style="bold"))
        show(*_section("Conjugacy classes", _classes(group), more))
        show(Text("\nCharacter table", style="bold cyan"))
        show_text(_characters(group))
        show(*_section("Real irreps", _irreps(group), len(group.irreps) - ROWS_UP_TO))
        if self.subgroups != "no":
            show(*self._subgroups(group))
        return 0

    def _subgroups(self, group: Group) -> tuple[Text | Table, ...]:
        """The subgroups, or why they are left out."""
        if self.subgroups == "yes":
            return _section("Subgroups up to conjugacy", _subgroups(group))
        if group.order > SUBGROUPS_UP_TO:
            return (Text("\nSubgroups: ask for them with --subgroups yes", style="dim"),)
        try:
            return _section("Subgroups up to conjugacy", _subgroups(group))
        except GroupError as problem:  # too many: an error only where they were asked for
            return (Text(f"\nSubgroups are left out: {problem}", style="dim"),)


def group_of(name: str) -> Group:
    """The group of that name, or the group of the image action of that name."""
    from irrepnet import actions, groups

    if name in actions.image_names():
        return actions.image(name).group
    return groups.parse(name)


def _characters(group: Group) -> str:
    """The character table, large ones in part."""
    rows = str(group.character_table).partition("\n")[2]  # the first line says what the title does
    return f"{rows}\n+ real, o complex, - quaternionic (Frobenius and Schur)"


def _section(title: str, rows: Table, more: int = 0) -> tuple[Text | Table, ...]:
    """A table under its title, and how many of its rows were left out."""
    left_out = (Text(f"... and {more} more", style="dim"),) if more > 0 else ()
    return Text(f"\n{title}", style="bold cyan"), rows, *left_out


def _title(group: Group) -> str:
    kind = "abelian" if group.is_abelian else "not abelian"
    generators = ", ".join(_element(group, g) for g in group.generators) or "none"
    elements = f"{group.order} element{'s' if group.order > 1 else ''}"
    return f"{group.name}: {elements}, {kind}, exponent {group.exponent}, generators {generators}"


def _element(group: Group, a: int) -> str:
    """An element as cycles of points; its number where there are many points."""
    if group.degree > _CYCLES_UP_TO:
        return f"element {a}"
    images, seen, cycles = group.permutation(a), set[int](), []
    for start in range(group.degree):
        cycle, point = [], start
        while point not in seen:
            seen.add(point)
            cycle.append(str(point))
            point = images[point]
        if len(cycle) > 1:
            cycles.append(f"({' '.join(cycle)})")
    return "".join(cycles) or "()"


def _classes(group: Group) -> Table:
    rows = table("#class", "#size", "#element order", "representative")
    for number, found in enumerate(group.conjugacy_classes[:ROWS_UP_TO]):
        shown = _element(group, found.representative)
        rows.add_row(str(number), str(found.size), str(found.element_order), shown)
    return rows


def _irreps(group: Group) -> Table:
    """The irreps; how their matrices can be made, where that is quickly known."""
    last = ["matrices"] * (group.order <= _MATRICES_UP_TO)
    rows = table("irrep", "#dim", "kind", "#dim End", "#in regular", "faithful", *last)
    for irrep in group.irreps[:ROWS_UP_TO]:
        faithful = int((irrep.characters == irrep.dim).sum()) == 1
        rows.add_row(
            irrep.name,
            str(irrep.dim),
            irrep.kind,
            str(irrep.end_dim),
            str(irrep.dim // irrep.end_dim),
            "yes" if faithful else "no",
            *("exact" if irrep.is_exact else "numeric" for _ in last),
        )
    return rows


def _subgroups(group: Group) -> Table:
    rows = table("#order", "#index", "#conjugates", "normal", "abelian", "generators")
    for found in group.subgroup_classes:
        rows.add_row(*_subgroup(found))
    return rows


def _subgroup(found: Subgroup) -> tuple[str, ...]:
    conjugates = found.parent.order // found.normaliser.order
    return (
        str(found.order),
        str(found.index),
        str(conjugates),
        "yes" if conjugates == 1 else "no",
        "yes" if found.as_group().is_abelian else "no",
        ", ".join(_element(found.parent, g) for g in found.generators) or "()",
    )
