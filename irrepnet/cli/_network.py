"""Options that name a network; several commands share them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from irrepnet._errors import OptionError

if TYPE_CHECKING:
    from irrepnet.measure import Subject

#: Options that change a size of the named model, for quick looks at small networks.
SIZES = ("heads", "patch", "img_size", "num_classes")

#: The same, one number for all, or one for each stage of a network that has stages.
STAGED = ("depth", "width")


def _option(metavar: str, text: str, **more: Any) -> Any:
    """An option whose default needs no mention."""
    return arg(metavar=metavar, help=text, help_behavior_hint="", **more)


def _size(text: str) -> Any:
    return _option("INT", f"{text}; the model's own unless given.")


@dataclass(frozen=True)
class Network:
    """Which network."""

    model_name: Annotated[
        str, Positional, _option("MODEL", "A name that `irrepnet models` lists.")
    ] = ""
    model: Annotated[str, _option("MODEL", "The same as an option.")] = ""
    group: Annotated[
        str,
        arg(
            metavar="GROUP",
            help="How images may move: flop (left-right mirror), vflip, rot180, transpose, "
            "antitranspose, klein_four, C4, D4; trivial is the ordinary network.",
        ),
    ] = "flop"
    break_at: Annotated[
        str,
        _option(
            "GROUP:BLOCK,..",
            "Give symmetry up on the way: trivial:6 from block 6 on; flop:4,trivial:8 in steps.",
        ),
    ] = ""
    seed: Annotated[int, arg(metavar="INT", help="Seed of the weights.")] = 0
    depth: Annotated[
        str, _option("INT[,INT..]", "Number of blocks; 2,2,6,2 for a network of four stages.")
    ] = ""
    width: Annotated[
        str, _option("INT[,INT..]", "Channels; 32,64,128,256 for a network of four stages.")
    ] = ""
    heads: Annotated[int, _size("Attention heads")] = 0
    patch: Annotated[int, _size("Patch height and width in pixels")] = 0
    img_size: Annotated[int, _size("Image height and width in pixels")] = 0
    num_classes: Annotated[int, _size("Number of logits")] = 0

    @property
    def named(self) -> str:
        """The model's name.

        Raises:
            OptionError: If there is none, or two different ones.
        """
        if self.model_name and self.model and self.model_name != self.model:
            raise OptionError(
                f"got two models, {self.model_name} and --model {self.model}: give one of them."
            )
        if not (self.model_name or self.model):
            raise OptionError(
                "got no model: expected a name, such as vit_small_patch16_224; `irrepnet models` "
                "lists them all."
            )
        return self.model_name or self.model

    def sizes(self) -> tuple[tuple[str, Any], ...]:
        """The sizes that were given, as options of `create_model`.

        Raises:
            OptionError: If one is no positive number.
        """
        found: list[tuple[str, Any]] = []
        for name in STAGED:
            numbers = _numbers(name, getattr(self, name))
            if len(numbers) == 1:
                found.append((name, numbers[0]))
            elif numbers:
                found.append((f"{name}s", numbers))
        for name in SIZES:
            if getattr(self, name):
                found += [(name, n) for n in _numbers(name, str(getattr(self, name)))]
        return tuple(found)

    def subject(self) -> Subject:
        """The network as a value.

        Raises:
            OptionError: If an option cannot be read.
        """
        from irrepnet.measure import Subject

        return Subject(self.named, self.group, breaks(self.break_at), self.sizes(), self.seed)


def _numbers(name: str, text: str) -> tuple[int, ...]:
    """Positive numbers, separated by commas."""
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    if any(not piece.isdigit() or int(piece) < 1 for piece in pieces):
        raise OptionError(
            f"got --{name.replace('_', '-')} {text}: expected a whole number of at least 1."
        )
    return tuple(map(int, pieces))


def breaks(text: str) -> tuple[tuple[str, int], ...]:
    """Pairs of subgroup and block from `--break-at`.

    Raises:
        OptionError: If the text is no list of such pairs.

    Examples:
        >>> breaks("flop:4,trivial:8")
        (('flop', 4), ('trivial', 8))
    """
    pairs = [piece.strip().partition(":") for piece in text.split(",") if piece.strip()]
    for name, _, block in pairs:
        if not (name and block.isdigit()):
            raise OptionError(
                f"got --break-at {text}: expected pairs of a group and a block, such as trivial:6 "
                f"or flop:4,trivial:8."
            )
    return tuple((name, int(block)) for name, _, block in pairs)
