"""`LayerClock`: how long each layer of a network takes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from statistics import median
from types import TracebackType
from typing import Any

from torch import nn


class LayerClock:
    """A context in which every forward pass of some layers is timed, by hooks.

    A layer's time is its own: what layers inside it take, if they are timed too, is subtracted, so
    that times add up.

    Args:
        network: The network.
        paths: Module paths of the layers to time.

    Examples:
        >>> import torch
        >>> network = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        >>> with LayerClock(network, ["0", "1"]) as clock:
        ...     _ = network(torch.ones(1, 2))
        >>> sorted(clock.medians_ms())
        ['0', '1']
    """

    def __init__(self, network: nn.Module, paths: Iterable[str]) -> None:
        self._layers = {path: network.get_submodule(path) for path in paths}
        self._times: dict[str, list[float]] = {path: [] for path in self._layers}
        self._running: list[list[float]] = []  # start, and what inner layers took
        self._handles: list[Any] = []

    def __enter__(self) -> LayerClock:
        for path, layer in self._layers.items():
            self._handles.append(layer.register_forward_pre_hook(self._start))
            self._handles.append(layer.register_forward_hook(self._stop(path)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _start(self, _layer: nn.Module, _inputs: Any) -> None:
        self._running.append([time.perf_counter(), 0.0])

    def _stop(self, path: str) -> Any:
        def hook(_layer: nn.Module, _inputs: Any, _output: Any) -> None:
            start, inside = self._running.pop()
            total = time.perf_counter() - start
            self._times[path].append(1e3 * (total - inside))
            if self._running:
                self._running[-1][1] += total

        return hook

    def medians_ms(self) -> dict[str, float]:
        """Median time of each layer over the passes, in milliseconds."""
        return {path: median(times) for path, times in self._times.items() if times}
