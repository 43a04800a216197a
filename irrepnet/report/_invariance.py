"""How much the logits change when the photo is moved by the group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from irrepnet._errors import CertificateError
from irrepnet.certificate import act
from irrepnet.compiler import Images
from irrepnet.measure import Subject
from irrepnet.report._moves import move_name
from irrepnet.report._photo import Photo
from irrepnet.report._request import Request
from irrepnet.testing import TOLERANCES, randomise_

#: A change of the logits that no rounding explains, in any dtype here.
VISIBLE = 1e-3

_DTYPES = {"float64": torch.float64, "float32": torch.float32}


@dataclass(frozen=True)
class Change:
    """The change of the logits under one element in one dtype, `max |f(g x) - f(x)| / max |f(x)|`.

    Attributes:
        move: What the element does to the photo.
        element: The element, of the request's group.
        dtype: Name of the dtype.
        dense: Change of the ordinary network's logits.
        equivariant: Change of the equivariant network's logits.
        invariant: Whether the equivariant network promises that nothing changes; where symmetry is
            given up on the way, it may not.
        tolerance: What rounding explains in that dtype.
    """

    move: str
    element: int
    dtype: str
    dense: float
    equivariant: float
    invariant: bool
    tolerance: float

    @property
    def kept(self) -> bool:
        """Whether what was promised holds, and the ordinary network visibly does not keep it."""
        return not self.invariant or self.equivariant <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """The change as plain values."""
        return {**asdict(self), "kept": self.kept}


def invariance(
    request: Request, photo: Photo, done: Callable[[int, int], None]
) -> tuple[Change, ...]:
    """Move the photo by each generator and watch the logits of both networks.

    Every parameter is first drawn at order one: zero biases and LayerScale at 1e-6 hide errors.

    Args:
        request: The networks.
        photo: The photo.
        done: Told how far it is.

    Raises:
        CertificateError: If the logits are zero or not finite.
    """
    elements = _elements(request)
    total = 2 * len(_DTYPES) * (1 + len(elements))
    steps = iter(range(1, total + 1))

    def step() -> None:
        done(next(steps), total)

    done(0, total)
    dense = _changes(request.dense, request, photo, elements, step)
    equivariant = _changes(request.equivariant, request, photo, elements, step)
    kept = set(request.last_action.embedding(request.action))
    return tuple(
        Change(
            move_name(request.action, element),
            element,
            dtype,
            dense[dtype, element],
            equivariant[dtype, element],
            element in kept,
            TOLERANCES[_DTYPES[dtype]],
        )
        for dtype in _DTYPES
        for element in elements
    )


def _elements(request: Request) -> tuple[int, ...]:
    """Generators of the group, and of what is left of it at the end."""
    last = request.last_action
    embedding = last.embedding(request.action)
    left = [embedding[g] for g in last.group.generators]
    found = dict.fromkeys([*request.action.group.generators, *left])
    return tuple(e for e in found if e != request.action.group.identity)


def _changes(
    subject: Subject,
    request: Request,
    photo: Photo,
    elements: Sequence[int],
    step: Callable[[], None],
) -> dict[tuple[str, int], float]:
    """Relative change of one network's logits by dtype and element."""
    model = subject.build(dtype=torch.float64)
    randomise_(model, request.seed)
    x = photo.tensor(model.default_cfg)
    edge = Images(request.action, x.shape[1], (x.shape[2], x.shape[3]))
    changes = {}
    for name, dtype in _DTYPES.items():
        model = model.to(dtype)
        logits = _logits(model, [x, *(act(edge, e, x) for e in elements)], dtype, step)
        before = next(logits)
        for element, after in zip(elements, logits, strict=True):
            changes[name, element] = _relative(before, after)
    return changes


def _logits(
    model: torch.nn.Module,
    pictures: Sequence[Tensor],
    dtype: torch.dtype,
    step: Callable[[], None],
) -> Iterator[Tensor]:
    for picture in pictures:
        with torch.inference_mode():
            yield model(picture.to(dtype)).double()
        step()


def _relative(before: Tensor, after: Tensor) -> float:
    size = before.abs().max().item()
    change = (after - before).abs().max().item() / size if size else float("nan")
    if not change < float("inf"):
        raise CertificateError(
            "the logits are zero or not finite, so a change says nothing: expected a network with "
            "weights of order one; try another --seed."
        )
    return change
