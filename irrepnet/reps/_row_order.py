"""The order of the rows of a character table."""

from __future__ import annotations

import numpy as np
from sympy import primefactors

from irrepnet.reps._eigenvalues import Eigenvalues


def row_order(eigenvalues: Eigenvalues, residues: np.ndarray) -> np.ndarray:
    """Rows by degree, then by multiplicities class by class, largest first.

    Rows have the same multiplicities at a class if and only if they have the same residues at all
    its powers, so only classes that tell tied rows apart are lifted.

    Cost:
        O(irreps) per class, and one lift per class that is needed.
    """
    settled = _Settled(eigenvalues, residues)
    ties = Ties(residues[:, 0])
    for t in range(len(residues)):
        if not len(ties.tied):
            break
        if not settled(t, ties):
            counts = eigenvalues.counts(t, ties.tied)
            _, ranks = np.unique(as_bytes(counts.max() - counts), return_inverse=True)
            ties.split(ranks.ravel())
    return np.argsort(ties.place)


class _Settled:
    """Which classes tell no tied rows apart, by their residues there and at all powers."""

    def __init__(self, eigenvalues: Eigenvalues, residues: np.ndarray) -> None:
        self._residues = residues
        self._firsts = eigenvalues.cyclic_class[0].tolist()
        self._members = {int(m[0]): m for m in eigenvalues.cyclic_members}
        group, orders = eigenvalues.group, eigenvalues.orders
        maps = [(int(q), group.power_map(int(q))) for q in primefactors(group.exponent)]
        self._powers = {
            f: [int(power[f]) for q, power in maps if orders[f] % q == 0] for f in self._members
        }
        self._known: set[int] = set()  # rows that agree stay so when ties are refined

    def __call__(self, t: int, ties: Ties) -> bool:
        f = self._firsts[t]
        if f in self._known:
            return True
        for power in self._powers[f]:
            if not self(power, ties):
                return False
        if any(ties.differ(self._residues[ties.tied, member]) for member in self._members[f]):
            return False
        self._known.add(f)
        return True


def as_bytes(rows: np.ndarray) -> np.ndarray:
    """Rows of natural numbers as strings of bytes that compare like them, shape `(rows,)`."""
    width = next(w for w in (1, 2, 4, 8) if int(rows.max(initial=0)) < 1 << 8 * w - (w == 8))
    big_endian = np.ascontiguousarray(rows, dtype=f">u{width}")
    return big_endian.view(np.dtype((np.void, width * rows.shape[1])))[:, 0]


class Ties:
    """Rows in an order that is refined by one key after another.

    Args:
        keys: The first key of every row.
    """

    def __init__(self, keys: np.ndarray) -> None:
        self.place = np.searchsorted(np.sort(keys), keys)  # how many rows come before
        self._update()

    def _update(self) -> None:
        shared = np.flatnonzero(np.bincount(self.place)[self.place] > 1)
        #: Rows that are not alone in their place, place by place.
        self.tied = shared[np.argsort(self.place[shared], kind="stable")]
        places = self.place[self.tied]
        self._together = places[1:] == places[:-1]

    def differ(self, keys: np.ndarray) -> bool:
        """Whether some rows in one place have different keys, given for each of `tied`."""
        different = keys[1:] != keys[:-1]
        return bool((different.T & self._together).any())

    def split(self, ranks: np.ndarray) -> None:
        """Order the tied rows of each place by a rank for each of `tied`."""
        places = self.place[self.tied]
        keys = places * (int(ranks.max()) + 1) + ranks
        self.place[self.tied] = places + _before(keys) - _before(places)
        self._update()


def _before(keys: np.ndarray) -> np.ndarray:
    """How many keys are smaller."""
    return np.searchsorted(np.sort(keys), keys)
