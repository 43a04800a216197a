"""How often each root of unity is an eigenvalue: what characters are made of, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import sympy

from irrepnet.reps._circle import circle
from irrepnet.reps._cyclotomic_fields import reduction
from irrepnet.reps._modular import root_powers
from irrepnet.reps._numbers import number

#: Floats of characters are nearer to the truth than this; which are rational is decided exactly.
NEAR = 1e-6


class Eigenvalues(Protocol):
    """The exact content of a character table."""

    @property
    def counts(self) -> Sequence[np.ndarray]:
        """Per class, `[irrep, j]`: how often `exp(2 pi i j / o)` is an eigenvalue, int64."""
        ...

    def values(self) -> np.ndarray:
        """Characters in complex128, shape `(irreps, classes)`; rational values are exact."""
        ...

    def modulo(self, p: int, root: int) -> np.ndarray:
        """Characters modulo a prime, int64 `(irreps, classes)`."""
        ...

    def numbers(self) -> list[list[sympy.Expr]]:
        """Characters in sympy, row by row."""
        ...

    def real_ranks(self, rows: list[int]) -> np.ndarray:
        """Rank of the real part of each row's value among all values of its class, largest first.

        Equal values have equal ranks: they are compared exactly, and as floats for order only.
        """
        ...


@dataclass(frozen=True, eq=False)
class Counted:
    """Eigenvalues with multiplicities.

    Attributes:
        counts: Per class, int64 `(irreps, element order)`.
    """

    counts: tuple[np.ndarray, ...]

    def values(self) -> np.ndarray:
        """Characters in complex128, shape `(irreps, classes)`; rational values are exact."""
        columns = []
        for counts in self.counts:
            cos, sin = circle(counts.shape[1])
            floats = counts.astype(np.float64)
            column = floats @ cos + 1j * (floats @ sin)
            # Rational characters are integers: only values near one need to be decided.
            near = np.flatnonzero(np.abs(column - np.round(column.real)) < NEAR)
            reduced = counts[near] @ reduction(counts.shape[1])
            rational = ~reduced[:, 1:].any(axis=1)
            column[near[rational]] = reduced[rational, 0]
            columns.append(column)
        return np.stack(columns, axis=1)

    def modulo(self, p: int, root: int) -> np.ndarray:
        """Characters modulo a prime, int64 `(irreps, classes)`."""
        columns = [c @ root_powers(p, root, c.shape[1]) % p for c in self.counts]
        return np.stack(columns, axis=1)

    def numbers(self) -> list[list[sympy.Expr]]:
        """Characters in sympy, row by row."""
        columns = [[number(row) for row in counts] for counts in self.counts]
        return [list(row) for row in zip(*columns, strict=True)]

    def real_ranks(self, rows: list[int]) -> np.ndarray:
        """Rank of the real part of each row's value among all values of its class."""
        ranks, values = np.empty((len(rows), len(self.counts)), dtype=np.int64), self.values()
        for column, counts in enumerate(self.counts):
            order = counts.shape[1]
            twice_real = counts[rows] + counts[rows][:, -np.arange(order) % order]
            exact = [row.tobytes() for row in twice_real @ reduction(order)]
            floats = dict(zip(exact, np.real(values[rows, column]), strict=True))
            position = {key: i for i, key in enumerate(sorted(floats, key=lambda k: -floats[k]))}
            ranks[:, column] = [position[key] for key in exact]
        return ranks


@dataclass(frozen=True, eq=False)
class Linear:
    """One eigenvalue each: the characters of an abelian group.

    Attributes:
        exponents: The eigenvalue is `exp(2 pi i exponents[irrep, t] / orders[t])`.
        orders: Element order of each class.
    """

    exponents: np.ndarray
    orders: np.ndarray

    @property
    def counts(self) -> tuple[np.ndarray, ...]:
        """Per class, one 1 in each row."""
        columns = zip(self.exponents.T, self.orders, strict=True)
        return tuple((column[:, None] == np.arange(o)).astype(np.int64) for column, o in columns)

    def values(self) -> np.ndarray:
        """Characters in complex128, shape `(irreps, classes)`."""
        columns = []
        for column, order in zip(self.exponents.T, self.orders, strict=True):
            cos, sin = circle(int(order))
            columns.append(cos[column] + 1j * sin[column])
        return np.stack(columns, axis=1)

    def modulo(self, p: int, root: int) -> np.ndarray:
        """Characters modulo a prime, int64 `(irreps, classes)`."""
        order = int(np.lcm.reduce(self.orders))
        return root_powers(p, root, order)[self.exponents * (order // self.orders)]

    def numbers(self) -> list[list[sympy.Expr]]:
        """Characters in sympy, row by row."""
        order = int(np.lcm.reduce(self.orders))
        common = self.exponents * (order // self.orders)
        used = {}
        for k in np.unique(common).tolist():
            counts = np.zeros(order // np.gcd(k, order), dtype=np.int64)
            counts[k // np.gcd(k, order) % len(counts)] = 1
            used[k] = number(counts)
        return [[used[k] for k in row] for row in common.tolist()]

    def real_ranks(self, rows: list[int]) -> np.ndarray:
        """Rank of the real part: cosines fall from 0 to half a turn."""
        exponents = self.exponents[rows]
        return np.minimum(exponents, self.orders - exponents)
