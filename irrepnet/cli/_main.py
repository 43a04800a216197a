"""Choosing a command, running it, and saying what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import reduce
from importlib.metadata import PackageNotFoundError, version
from inspect import getdoc
from operator import or_
from typing import Annotated, Any, Protocol

import tyro

from irrepnet._errors import IrrepnetError
from irrepnet.cli._bench import Bench
from irrepnet.cli._bench_groups import BenchGroups
from irrepnet.cli._certify import Certify
from irrepnet.cli._compare import Compare
from irrepnet.cli._decompose import Decompose
from irrepnet.cli._flops import Flops
from irrepnet.cli._groups import Groups
from irrepnet.cli._models import Models
from irrepnet.cli._output import complain, quiet_pipe
from irrepnet.cli._plan import PlanType


class Command(Protocol):
    """What every command is: parsed options that can run."""

    def run(self) -> int:
        """Do it; returns the exit status."""
        ...


COMMANDS: dict[str, type[Command]] = {
    "compare": Compare,
    "flops": Flops,
    "certify": Certify,
    "groups": Groups,
    "decompose": Decompose,
    "models": Models,
    "plan": PlanType,
    "bench": Bench,
    "bench groups": BenchGroups,
}

_DESCRIPTION = """Equivariant networks that cost less than ordinary ones, for any finite group.

Examples:
  irrepnet models                                     which networks there are
  irrepnet groups D4                                  classes, irreps, subgroups of a group
  irrepnet decompose D4 --grid 14x14                  which irreps an image grid holds
  irrepnet flops vit_base_patch16_224 --group flop    what a network costs, without running it
  irrepnet certify vit_tiny_patch16_224 --group D4    how far a network is from invariant
  irrepnet compare vit_small_patch16_224              both networks on a photo, measured
  irrepnet plan D4 --dim 384 --heads 6                the cheapest type of features
  irrepnet bench vit_small_patch16_224 --group D4     time and memory, block by block
  irrepnet bench --suite speed                        times against goals
  irrepnet bench groups                               how fast group theory is here

irrepnet COMMAND --help says more about each."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        args: Words after `irrepnet`; by default those of this process.

    Returns:
        Exit status: 0, or 1 if a network does not keep its promise, 2 for a mistake of the user,
        130 after an interruption.
    """
    words = list(sys.argv[1:] if args is None else args)
    if words == ["--version"]:
        print(f"irrepnet {_version()}")
        return 0
    name = _name(words)
    if not isinstance(getattr(COMMANDS.get(name), "json", False), bool):
        words = _json_to_stdout(words)
    try:
        command = _parse(name, words)
        with quiet_pipe():
            return command.run()
    except IrrepnetError as problem:
        complain(f"irrepnet {name}: {problem}")
        return 2
    except KeyboardInterrupt:
        complain(f"irrepnet {name}: interrupted.")
        return 130


def _json_to_stdout(words: list[str]) -> list[str]:
    """`--json` without a file means the terminal: `--json -`."""
    full = []
    for word, following in zip(words, [*words[1:], "--"], strict=True):
        full += [word, "-"] if word == "--json" and following.startswith("--") else [word]
    return full


def _name(words: list[str]) -> str:
    """The command: one word or two."""
    two = " ".join(words[:2])
    return two if two in COMMANDS else " ".join(words[:1])


def _parse(name: str, words: list[str]) -> Command:
    """The command with its options; prints help or complains, and exits, where asked to."""
    if name in COMMANDS:
        kind, rest = COMMANDS[name], words[len(name.split()) :]
        return tyro.cli(kind, prog=f"irrepnet {name}", description=getdoc(kind), args=rest)
    # No command: the help of all of them, or what is wrong.
    kinds = [
        Annotated[kind, tyro.conf.subcommand(name, description=_summary(kind))]
        for name, kind in COMMANDS.items()
    ]
    every: Any = reduce(or_, kinds)
    return tyro.cli(every, prog="irrepnet", description=_DESCRIPTION, args=words or ["--help"])


def _summary(kind: type) -> str:
    return (getdoc(kind) or "").split("\n\n")[0]


def _version() -> str:
    try:
        return version("irrepnet")
    except PackageNotFoundError:
        return "(not installed)"
