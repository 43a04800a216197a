"""`certify`: how far a network is from equivariant, measured."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from rich.table import Table
from torch import Tensor

from irrepnet import nn, specs
from irrepnet._errors import CertificateError
from irrepnet._text import plain_text
from irrepnet.certificate._act import act, random_input
from irrepnet.compiler import Node, Plan


@dataclass(frozen=True)
class Error:
    """The error of one layer's output under one element.

    Attributes:
        path: The layer; empty for the network's output.
        group: The group that the layer respects.
        element: The element, as one of the network's input group.
        dtype: Name of the dtype that the network ran in.
        relative: `max |f(g x) - g f(x)| / max |f(x)|`.
    """

    path: str
    group: str
    element: int
    dtype: str
    relative: float


@dataclass(frozen=True)
class Certificate:
    """What `certify` measured.

    Attributes:
        errors: One for each layer on the main path, element and dtype.
        paths: The layers in the order in which they end, the whole network (empty path) last.
    """

    errors: tuple[Error, ...]
    paths: tuple[str, ...]

    @property
    def worst(self) -> float:
        """The largest error in float64, where rounding hides nothing: expected below 1e-12."""
        return self.worst_in("float64")

    def worst_in(self, dtype: str) -> float:
        """The largest error in a dtype.

        Raises:
            CertificateError: If the network did not run in that dtype.
        """
        found = [e.relative for e in self.errors if e.dtype == dtype]
        if not found:
            measured = sorted({e.dtype for e in self.errors})
            raise CertificateError(
                f"nothing was measured in {dtype}: expected one of {', '.join(measured)}."
            )
        return max(found)

    def to_dict(self) -> dict[str, Any]:
        """The certificate as plain values."""
        dtypes = sorted({e.dtype for e in self.errors})
        return {
            "worst": {dtype: self.worst_in(dtype) for dtype in dtypes},
            "errors": [vars(e) for e in self.errors],
        }

    def table(self) -> str:
        """The certificate as text: for each layer the largest error over the elements."""
        dtypes = sorted({e.dtype for e in self.errors}, reverse=True)
        table = Table(title="max |f(g x) - g f(x)| / max |f(x)|", title_justify="left")
        for column in ("layer", "group", "elements"):
            table.add_column(column)
        for dtype in dtypes:
            table.add_column(dtype, justify="right")
        for path in self.paths:
            rows = [e for e in self.errors if e.path == path]
            worst = (max(e.relative for e in rows if e.dtype == d) for d in dtypes)
            table.add_row(
                path or "output",
                rows[0].group,
                ", ".join(dict.fromkeys(str(e.element) for e in rows)),
                *(f"{w:.1e}" for w in worst),
            )
        return plain_text(table)


def certify(
    model: nn.Layer,
    *,
    dtypes: tuple[torch.dtype, ...] = (torch.float64, torch.float32),
    batch: int = 2,
    seed: int = 0,
    every_element: bool = False,
) -> Certificate:
    """Measure how far a network is from equivariant.

    Runs a copy in evaluation mode on random inputs and their images under the group, and compares
    every layer on the main path, and the output, with what equivariance says. After a restriction
    only the subgroup is asked for. The network is taken as it is: weights that are zero or tiny at
    initialisation hide errors, so call `irrepnet.testing.randomise_` first to judge the code.

    Args:
        model: A network made by `irrepnet.compile` or `irrepnet.create_model`.
        dtypes: Dtypes to run it in.
        batch: Number of random inputs.
        seed: Seed of the inputs.
        every_element: Whether to try all elements, not only the generators.

    Returns:
        A certificate: `.worst` is the largest relative error in float64.

    Raises:
        CertificateError: If the model has no plan, lies on the meta device, or gives an output
            that is zero or not finite, which would pass for nothing.

    Cost:
        One forward pass for each element and dtype, and a copy of the weights.

    Examples:
        >>> import irrepnet as ir
        >>> X = ir.FeatureType(ir.groups.flop(), "2*sym + 2*asym")
        >>> ir.certify(ir.compile(ir.specs.Linear(X, X))).worst < 1e-12
        True
    """
    plan = getattr(model, "plan", None)
    if not isinstance(plan, Plan):
        raise CertificateError(
            f"{type(model).__name__} has no plan: expected a network made by irrepnet.compile or "
            f"irrepnet.create_model."
        )
    if any(p.is_meta for p in model.parameters()):
        raise CertificateError(
            "the network lies on the meta device and has no weights: expected one on a real device."
        )
    errors: list[Error] = []
    for dtype in dtypes:
        copied = copy.deepcopy(model).to("cpu", dtype).eval()
        x = random_input(plan.source, batch, torch.Generator().manual_seed(seed), dtype)
        errors += _measure(copied, plan, x, every_element)
    return Certificate(tuple(errors), tuple(n.path for n in _main_path(plan.root)))


def _main_path(node: Node) -> Iterator[Node]:
    """Layers of chains in the order in which they end, the network last; none inside a skip."""
    if isinstance(node.spec, specs.Chain | specs.Classifier):
        for child in node.children:
            yield from _main_path(child)
    yield node


def _measure(model: nn.Layer, plan: Plan, x: Tensor, every_element: bool) -> Iterator[Error]:
    nodes = list(_main_path(plan.root))
    before = _run(model, nodes, x)
    asked = {n.path: _elements(n, every_element) for n in nodes}
    for element in sorted({e for pairs in asked.values() for e in pairs}):
        after = _run(model, nodes, act(plan.source, element, x))
        for node in nodes:
            if element in asked[node.path]:
                expected = act(node.target, asked[node.path][element], before[node.path])
                relative = _relative(node, after[node.path], expected)
                dtype = str(x.dtype).removeprefix("torch.")
                yield Error(node.path, node.target.group.name, element, dtype, relative)


def _elements(node: Node, every_element: bool) -> dict[int, int]:
    """For each element to try, as one of the input's group: the element of the layer's group."""
    group = node.target.group
    chosen = range(group.order) if every_element or not group.generators else group.generators
    embedding = node.target.embedding or tuple(range(group.order))
    return {embedding[g]: g for g in chosen}


def _run(model: nn.Layer, nodes: list[Node], x: Tensor) -> dict[str, Tensor]:
    """Outputs of the layers by path."""
    outputs: dict[str, Tensor] = {}

    def keep(path: str) -> Any:
        def hook(_module: Any, _inputs: Any, output: Tensor) -> None:
            outputs[path] = output

        return hook

    handles = [model.get_submodule(n.path).register_forward_hook(keep(n.path)) for n in nodes]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    return outputs


def _relative(node: Node, got: Tensor, expected: Tensor) -> float:
    size = expected.abs().max().item()
    where = f"layer {node.path}" if node.path else "the network"
    if not (torch.isfinite(got).all() and torch.isfinite(expected).all()):
        raise CertificateError(
            f"the output of {where} is not finite: expected numbers; check the weights."
        )
    if size == 0:
        raise CertificateError(
            f"the output of {where} is zero, which would certify any network: expected weights "
            f"that are not zero; call irrepnet.testing.randomise_(model) first."
        )
    return (got - expected).abs().max().item() / size
