"""Exact arrays over cyclotomic fields: integers over one denominator, on numpy, overflow-safe."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sympy

from irrepnet.reps._cyclotomic_fields import embedding, galois_matrix, reduction
from irrepnet.reps._modular import root_powers
from irrepnet.reps._numbers import number

#: Products and sums whose proven bound exceeds this are made with Python integers.
INT64_LIMIT = 1 << 62

#: Products of integers with more multiplications than this are made by BLAS where it is exact.
LARGE_PRODUCT = 1 << 20


class Cyclotomic:
    """An array of numbers in `Q(zeta_n)`, exactly.

    Args:
        order: `n`; `zeta_n = exp(2 pi i / n)`.
        numerators: Integer coefficients of `1, zeta, ..., zeta^(phi(n)-1)` on the last axis, int64
            or Python integers.
        denominator: Common denominator, positive.

    Cost:
        A product costs phi(n)^2 integer products per entry. Each operation first bounds its result
        and moves to Python integers where int64 could overflow.

    References:
        Cohen, *A Course in Computational Algebraic Number Theory*, sec. 4.2.2.

    Examples:
        >>> i = Cyclotomic(4, np.array([0, 1]))
        >>> (i * i).to_sympy(), i.inverse().to_sympy()
        (-1, -I)
    """

    def __init__(self, order: int, numerators: np.ndarray, denominator: int = 1) -> None:
        self.order, self.denominator = order, denominator
        self.numerators = _shrink(np.asarray(numerators))

    @staticmethod
    def from_exponents(order: int, counts: np.ndarray, denominator: int = 1) -> Cyclotomic:
        """`sum_j counts[..., j] zeta^j / denominator`, with `order` counts on the last axis."""
        return Cyclotomic(order, _dot(np.asarray(counts), reduction(order)), denominator)

    @staticmethod
    def integers(order: int, values: np.ndarray) -> Cyclotomic:
        """Integers, as numbers of `Q(zeta_order)`."""
        numerators = np.zeros((*np.shape(values), reduction(order).shape[1]), dtype=np.int64)
        numerators[..., 0] = values
        return Cyclotomic(order, numerators)

    @staticmethod
    def ones(order: int, shape: tuple[int, ...] = ()) -> Cyclotomic:
        """An array of ones."""
        return Cyclotomic.integers(order, np.ones(shape, dtype=np.int64))

    @staticmethod
    def stack(parts: Sequence[Cyclotomic]) -> Cyclotomic:
        """One array from arrays of one field and shape, over a common denominator."""
        denominator = math.lcm(*(p.denominator for p in parts))
        numerators = [p.numerators.astype(object) * (denominator // p.denominator) for p in parts]
        return Cyclotomic(parts[0].order, np.stack(numerators), denominator)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.numerators.shape[:-1]

    def __getitem__(self, key: Any) -> Cyclotomic:
        index = key if isinstance(key, tuple) else (key,)
        numerators = self.numerators[(*index, slice(None))]
        return Cyclotomic(self.order, numerators, self.denominator)

    def __iter__(self) -> Iterator[Cyclotomic]:
        return (self[i] for i in range(self.shape[0]))

    def __neg__(self) -> Cyclotomic:
        return Cyclotomic(self.order, -self.numerators, self.denominator)

    def __add__(self, other: Cyclotomic) -> Cyclotomic:
        a, b, denominator = _common(self, other)
        return Cyclotomic(self.order, a + b, denominator).reduced()

    def __sub__(self, other: Cyclotomic) -> Cyclotomic:
        return self + (-other)

    def __mul__(self, other: Cyclotomic) -> Cyclotomic:
        phi, n = self.numerators.shape[-1], self.order
        fold = reduction(n)[np.arange(2 * phi - 1) % n]
        a, b = _widen(phi * int(np.abs(fold).sum(axis=0).max()), self.numerators, other.numerators)
        shape = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
        product = np.zeros((*shape, 2 * phi - 1), dtype=a.dtype)
        for s in range(phi):
            product[..., s : s + phi] += a[..., s : s + 1] * b
        return Cyclotomic(n, product @ fold, self.denominator * other.denominator).reduced()

    def __matmul__(self, other: Cyclotomic) -> Cyclotomic:
        phi, n = self.numerators.shape[-1], self.order
        fold = reduction(n)[np.arange(2 * phi - 1) % n]
        terms = phi * max(1, self.shape[-1]) * int(np.abs(fold).sum(axis=0).max())
        a, b = _widen(terms, self.numerators, other.numerators)
        rows, inner, columns = *self.shape, other.shape[-1]
        product = np.zeros((rows, columns, 2 * phi - 1), dtype=a.dtype)
        flat = b.reshape(inner, -1)
        for s in range(phi):
            product[..., s : s + phi] += (a[..., s] @ flat).reshape(rows, columns, phi)
        return Cyclotomic(n, product @ fold, self.denominator * other.denominator).reduced()

    def transpose(self) -> Cyclotomic:
        """Transpose of a matrix."""
        return Cyclotomic(self.order, self.numerators.swapaxes(0, 1), self.denominator)

    def galois(self, a: int) -> Cyclotomic:
        """The image under `zeta -> zeta^a`, `a` prime to the order."""
        moved = _dot(self.numerators, galois_matrix(self.order, a % self.order))
        return Cyclotomic(self.order, moved, self.denominator)

    def conjugate(self) -> Cyclotomic:
        """Complex conjugates."""
        return self.galois(-1)

    def inverse(self) -> Cyclotomic:
        """Inverse of every entry: the product of the other Galois conjugates, over the norm."""
        others = Cyclotomic.ones(self.order)
        for a in range(2, self.order):
            if math.gcd(a, self.order) == 1:
                others = others * self.galois(a)
        norm = (self * others).reduced()
        assert not norm.numerators[..., 1:].any(), "a norm is rational"
        shape = self.shape
        top, bottom = others.numerators.astype(object), norm.numerators[..., 0].astype(object)
        scale = math.lcm(*(int(abs(x)) for x in np.ravel(bottom)), 1)
        factors = np.array([scale // int(x) for x in np.ravel(bottom)], dtype=object)
        top = top * factors.reshape(shape)[..., None] * norm.denominator
        return Cyclotomic(self.order, top, others.denominator * scale).reduced()

    def reduced(self) -> Cyclotomic:
        """The same numbers in lowest terms."""
        if self.denominator == 1:
            return self
        gcd = math.gcd(self.denominator, *(int(x) for x in np.unique(np.abs(self.numerators))))
        if gcd == 1:
            return self
        return Cyclotomic(self.order, self.numerators // gcd, self.denominator // gcd)

    def embed(self, order: int) -> Cyclotomic:
        """The same numbers in the larger field `Q(zeta_order)`."""
        if order == self.order:
            return self
        lifted = _dot(self.numerators, embedding(self.order, order))
        return Cyclotomic(order, lifted, self.denominator)

    def is_zero(self) -> np.ndarray:
        """Which entries are 0, bool."""
        return (self.numerators == 0).all(axis=-1)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cyclotomic) or self.order != other.order:
            return NotImplemented
        a, b, _ = _common(self, other)
        return a.shape == b.shape and bool((a == b).all())

    __hash__ = None  # type: ignore[assignment]

    def to_complex(self) -> np.ndarray:
        """The numbers in complex128."""
        roots = np.exp(2j * np.pi * np.arange(self.numerators.shape[-1]) / self.order)
        return self.numerators.astype(np.float64) @ roots / float(self.denominator)

    def residues(self, p: int, root: int) -> np.ndarray:
        """The numbers modulo a prime `p = 1 (mod order)` that does not divide the denominator."""
        powers = root_powers(p, root, self.order)[: self.numerators.shape[-1]]
        values = (self.numerators % p).astype(np.int64) * powers % p
        return values.sum(axis=-1) * pow(self.denominator, -1, p) % p

    def to_sympy(self) -> Any:
        """The numbers in sympy: an expression, or a matrix of expressions."""
        if not self.shape:
            counts = np.zeros(self.order, dtype=object)
            counts[: self.numerators.shape[-1]] = self.numerators
            return number(counts) / self.denominator
        if len(self.shape) == 1:
            return sympy.Matrix([entry.to_sympy() for entry in self])
        rows, columns = self.shape
        return sympy.Matrix(rows, columns, lambda i, j: self[int(i), int(j)].to_sympy())

    def __repr__(self) -> str:
        return f"<Cyclotomic array of order {self.order} and shape {self.shape}>"


def _shrink(numerators: np.ndarray) -> np.ndarray:
    """Python integers back to int64 where they fit."""
    if numerators.dtype == object and numerators.size:
        if max(abs(int(x)) for x in numerators.ravel()) < INT64_LIMIT:
            return numerators.astype(np.int64)
    return numerators


def _bound(numerators: np.ndarray) -> int:
    return int(np.abs(numerators).max(initial=0)) if numerators.size else 0


def _widen(terms: int, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Arrays in which `terms` products of entries can be added without overflow."""
    if terms * _bound(a) * _bound(b) < INT64_LIMIT and a.dtype == b.dtype == np.int64:
        return a, b
    return a.astype(object), b.astype(object)


def _dot(a: np.ndarray, table: np.ndarray) -> np.ndarray:
    terms = max(1, a.shape[-1])
    large = a.size * table.shape[-1] > LARGE_PRODUCT
    if large and terms * _bound(a) * _bound(table) < 1 << 53:  # exact in float64, with BLAS
        return (a.astype(np.float64) @ table.astype(np.float64)).astype(np.int64)
    a, table = _widen(terms, a, table)
    return a @ table


def _common(x: Cyclotomic, y: Cyclotomic) -> tuple[np.ndarray, np.ndarray, int]:
    """Numerators over a common denominator."""
    assert x.order == y.order, "embed both in one field first"
    denominator = math.lcm(x.denominator, y.denominator)
    a, b = x.numerators, y.numerators
    for_x, for_y = denominator // x.denominator, denominator // y.denominator
    if _bound(a) * for_x + _bound(b) * for_y >= INT64_LIMIT:
        a, b = a.astype(object), b.astype(object)
    return a * for_x, b * for_y, denominator
