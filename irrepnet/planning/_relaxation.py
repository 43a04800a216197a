"""The planner's problem in real numbers: where the exact search starts, and what bounds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

#: What a multiplicity costs; convex.
Cost = Callable[[float], float]

_STEPS = 400
_GOLDEN = 0.6180339887498949


def real_optimum(costs: Sequence[Cost], vertices: np.ndarray) -> np.ndarray:
    """The cheapest mixture of points, in real numbers.

    Pairwise Frank-Wolfe: weight moves from the worst point in use to the best one. The result need
    not be exact; what is made of it bounds the cost from below whatever it is.

    Args:
        costs: What each coordinate costs.
        vertices: The points, one a row.

    References:
        Lacoste-Julien, Jaggi, *On the global linear convergence of Frank-Wolfe optimization
        variants* (arXiv 1511.05932).

    Examples:
        >>> squares = [lambda x: x * x, lambda x: x * x]
        >>> real_optimum(squares, np.array([[4.0, 0.0], [0.0, 4.0]])).round(3).tolist()
        [2.0, 2.0]
    """
    weights = np.full(len(vertices), 1 / len(vertices))
    for _ in range(_STEPS):
        point = weights @ vertices
        slopes = vertices @ gradient(costs, point)
        best = int(slopes.argmin())
        used = np.flatnonzero(weights > 0)
        worst = int(used[slopes[used].argmax()])
        if slopes[worst] - slopes[best] <= 1e-9 * abs(slopes[best]):
            break
        step = _line_search(costs, point, vertices[best] - vertices[worst], float(weights[worst]))
        weights[best] += step
        weights[worst] -= step
    return weights @ vertices


def gradient(costs: Sequence[Cost], point: np.ndarray) -> np.ndarray:
    """Slopes of the costs at a point, by differences."""
    found = []
    for cost, x in zip(costs, point.tolist(), strict=True):
        step = 1e-4 * max(1.0, x)
        low = max(0.0, x - step)
        found.append((cost(x + step) - cost(low)) / (x + step - low))
    return np.array(found)


def _line_search(
    costs: Sequence[Cost], point: np.ndarray, direction: np.ndarray, longest: float
) -> float:
    """The best step along a direction, by golden sections."""

    def value(step: float) -> float:
        return sum(c(x) for c, x in zip(costs, (point + step * direction).tolist(), strict=True))

    low, high = 0.0, longest
    for _ in range(50):
        a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, b) if value(a) <= value(b) else (a, high)
    inner = (low + high) / 2  # the end itself takes a point out of use
    return longest if value(longest) <= value(inner) else inner
