"""Matrices over cyclotomic fields with square roots kept aside: blocks, products, conversion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from irrepnet.reps._cyclotomic import Cyclotomic
from irrepnet.reps._modular import lcm


def without_scales(matrix: Cyclotomic, scales: Cyclotomic) -> sympy.Matrix:
    """`D^(-1/2) R D^(1/2)` in sympy.

    Examples:
        >>> matrix = Cyclotomic(1, np.array([[[1], [2]], [[3], [4]]]))
        >>> without_scales(matrix, Cyclotomic(1, np.array([[1], [2]]))).tolist()
        [[1, 2*sqrt(2)], [3*sqrt(2)/2, 4]]
    """
    entries = matrix.to_sympy()
    values = [scale.to_sympy() for scale in scales]

    def entry(i: int, j: int) -> Any:
        if entries[i, j] == 0 or values[i] == values[j]:
            return entries[i, j]
        return entries[i, j] * sympy.sqrt(values[j] / values[i])

    size = range(len(values))
    return sympy.Matrix([[entry(i, j) for j in size] for i in size])


def kronecker(first: Cyclotomic, second: Cyclotomic) -> Cyclotomic:
    """Kronecker products of stacks of matrices, shapes `(n, a, b)` and `(n or 1, c, d)`.

    Examples:
        >>> two = Cyclotomic(1, np.array([[[[2]]]]))
        >>> kronecker(two, two)[0].to_sympy()
        Matrix([[4]])
    """
    first, second = one_field(first, second)
    product = first[:, :, None, :, None] * second[:, None, :, None, :]
    n, a, c, b, d = product.shape
    numerators = product.numerators.reshape(n, a * c, b * d, -1)
    return Cyclotomic(product.order, numerators, product.denominator)


def block_diagonal(
    parts: Sequence[tuple[Cyclotomic, Cyclotomic]], count: int
) -> tuple[Cyclotomic, Cyclotomic]:
    """Stacks of matrices and their scales, put on the diagonal."""
    order = lcm(1, *(form.order for form, _ in parts))
    dim = sum(form.shape[-1] for form, _ in parts)
    total = Cyclotomic.integers(order, np.zeros((count, dim, dim), dtype=np.int64))
    diagonal = Cyclotomic.integers(order, np.zeros(dim, dtype=np.int64))
    start = 0
    for form, scales in parts:
        size = form.shape[-1]
        put = Cyclotomic.integers(order, np.eye(dim, dtype=np.int64)[start : start + size])
        form, scales = form.embed(order), scales.embed(order)
        matrices = [put.transpose() @ matrix @ put for matrix in form]
        total = total + Cyclotomic.stack(matrices)
        diagonal = diagonal + (scales[None] @ put)[0]
        start += size
    return total, diagonal


def one_field(*arrays: Cyclotomic) -> tuple[Cyclotomic, ...]:
    """The same numbers in the smallest cyclotomic field that holds all the given ones."""
    order = lcm(1, *(array.order for array in arrays))
    return tuple(array.embed(order) for array in arrays)
