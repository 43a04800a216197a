"""`irrepnet decompose`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from rich.table import Table
from rich.text import Text
from tyro.conf import FlagCreatePairsOff, Positional, arg

from irrepnet._errors import OptionError
from irrepnet.cli._output import STDOUT, is_file, show, table, write_report

if TYPE_CHECKING:
    from irrepnet.reps import PermutationRepresentation

#: The longest side of a grid: a grid of n cells takes 8 * order * n bytes.
_LONGEST_SIDE = 1024


@dataclass(frozen=True)
class Decompose:
    """Decompose what a group acts on into real irreps: multiplicities, dimensions, dim End.

    Say on what the group acts: an image grid, itself, or the points that it permutes. By Schur's
    lemma a linear map that commutes with the group has one small matrix per irrep, so the number of
    its parameters is dim End, not the square of the dimension.

    Examples:
      irrepnet decompose D4 --grid 14x14        (the group moves the cells of an image)
      irrepnet decompose flop --grid 7x9        (any size that the group preserves)
      irrepnet decompose Q8 --regular           (the group moves itself, from the left)
      irrepnet decompose S5 --points            (the group moves the points 0, 1, 2, 3, 4)
      irrepnet decompose C4 --grid 56 --json - | jq .dim_end
    """

    name: Annotated[
        str,
        Positional,
        arg(
            metavar="NAME",
            help="With --grid one of flop, vflip, rot180, transpose, antitranspose, klein_four, "
            "C4, D4, trivial; otherwise any group that `irrepnet groups` knows.",
        ),
    ]
    grid: Annotated[
        str,
        arg(
            metavar="HxW",
            help="Act on the cells of this image grid; 14 means 14x14.",
            help_behavior_hint="",
        ),
    ] = ""
    regular: Annotated[
        bool, FlagCreatePairsOff, arg(help="Act on the group itself.", help_behavior_hint="")
    ] = False
    points: Annotated[
        bool,
        FlagCreatePairsOff,
        arg(help="Act on the points that the group permutes.", help_behavior_hint=""),
    ] = False
    json: Annotated[
        str,
        arg(
            metavar="FILE",
            help="Write the numbers as JSON; - prints them instead of the tables.",
            help_behavior_hint="",
        ),
    ] = ""

    def run(self) -> int:
        """Decompose and print."""
        if is_file(self.json):
            from irrepnet.report import check_writable

            check_writable(self.json)
        where, representation = self._representation()
        numbers = _numbers(where, representation)
        if self.json != STDOUT:
            _show(numbers)
        if self.json:
            write_report(self.json, json.dumps(numbers, indent=2))
        return 0

    def _representation(self) -> tuple[str, PermutationRepresentation]:
        from irrepnet import reps
        from irrepnet.actions import image
        from irrepnet.cli._groups import group_of

        if (self.grid != "") + self.regular + self.points != 1:
            got = [f"--grid {self.grid}"] * bool(self.grid)
            got += ["--regular"] * self.regular + ["--points"] * self.points
            raise OptionError(
                f"got {' and '.join(got) or 'nothing'} for {self.name} to act on: expected one of "
                "--grid HxW (image cells), --regular (the group itself) or --points (the points "
                "that it permutes)."
            )
        if self.grid:
            height, width = _sizes(self.grid)
            action = image(self.name)
            images = action.permutation(height, width)
            return f"a {height} x {width} grid", reps.permutation(action.group, images)
        group = group_of(self.name)
        if self.regular:
            return "itself", reps.regular(group)
        return f"{group.degree} points", reps.permutation(group, group.elements)


def _sizes(grid: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?:[x×](\d+))?", grid.strip().lower())
    if match:
        height, width = int(match[1]), int(match[2] or match[1])
        if 1 <= min(height, width) and max(height, width) <= _LONGEST_SIDE:
            return height, width
    raise OptionError(
        f"got --grid {grid}: expected height x width, such as 14x14 or 14, from 1 to "
        f"{_LONGEST_SIDE} each."
    )


def _numbers(where: str, representation: PermutationRepresentation) -> dict[str, Any]:
    """All that is printed, as plain values."""
    group, decomposition = representation.group, representation.decompose()
    found = list(zip(group.irreps, decomposition.multiplicities, strict=True))
    rows = [
        {
            "irrep": irrep.name,
            "kind": irrep.kind,
            "dim": irrep.dim,
            "multiplicity": copies,
            "block": irrep.dim * copies,
            "dim_end": irrep.end_dim * copies**2,
        }
        for irrep, copies in found
    ]
    orbits = [
        {"points": kind.index, "stabiliser_order": len(kind.stabiliser), "orbits": kind.num_orbits}
        for kind in decomposition.orbit_types
    ]
    return {
        "group": group.name,
        "order": group.order,
        "acts_on": where,
        "dim": representation.dim,
        "dim_end": sum(row["dim_end"] for row in rows),
        "irreps": rows,
        "orbits": orbits,
        "basis_flops": decomposition.basis.flops,
    }


def _show(numbers: dict[str, Any]) -> None:
    dim, dim_end = numbers["dim"], numbers["dim_end"]
    show(
        Text(f"{numbers['group']} on {numbers['acts_on']}: {dim:,} dimensions", style="bold"),
        Text("\nReal irreps", style="bold cyan"),
        _irreps(numbers),
        Text(
            f"\ndim End_G = {dim_end:,}: parameters of a linear map that commutes with the group, "
            f"{dim**2 / dim_end:.2f}x fewer than the {dim**2:,} of any linear map"
        ),
        Text("\nOrbits", style="bold cyan"),
        _orbits(numbers),
        Text(
            f"\nChange of basis, once for one vector: {numbers['basis_flops']:,} FLOPs "
            f"(1 MAC = 2 FLOPs); a dense matrix takes {2 * dim**2:,}"
        ),
    )


def _irreps(numbers: dict[str, Any]) -> Table:
    rows = table("irrep", "kind", "#dim", "#multiplicity", "#block", "#dim End")
    for row in numbers["irreps"]:
        sizes = (f"{row[key]:,}" for key in ("dim", "multiplicity", "block", "dim_end"))
        rows.add_row(row["irrep"], row["kind"], *sizes)
    rows.add_row("total", "", "", "", f"{numbers['dim']:,}", f"{numbers['dim_end']:,}")
    return rows


def _orbits(numbers: dict[str, Any]) -> Table:
    rows = table("#points", "#stabiliser", "#orbits")
    for row in numbers["orbits"]:
        rows.add_row(*(f"{value:,}" for value in row.values()))
    return rows
