"""Polynomial invariants in floats against the exact ones of the representation layer."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
import sympy

from irrepnet import groups, reps
from irrepnet.types import FeatureType, molien, polynomial_invariants

#: Real, complex and quaternionic type, copies of an irrep, and entries with a square root of 5.
CASES = [
    ("C3", "chi0 + chi1", 3),
    ("C4", "2*chi2", 3),
    ("D4", "A2 + E", 4),
    ("D4", "B1 + 2*E", 3),
    ("D5", "A2 + E1", 4),
    ("Q8", "chi4", 4),
    ("A5", "chi1", 4),
]


def spanned(rows: dict[int, list[dict]], dim: int, degree: int) -> np.ndarray:
    """All products of the given polynomials of a degree, as rows over the monomials."""
    found: list[list[dict]] = [[{(): 1.0}]] + [[] for _ in range(degree)]
    for k, polynomials in sorted(rows.items()):
        for p in polynomials:
            for total in range(k, degree + 1):  # as often as it fits: `found` grows on the way
                found[total] += [times(p, q) for q in found[total - k]]
    monomials = list(combinations_with_replacement(range(dim), degree))
    return np.array([[p.get(m, 0.0) for m in monomials] for p in found[degree]])


def times(p: dict, q: dict) -> dict:
    out: dict[tuple[int, ...], float] = {}
    for m, a in p.items():
        for n, b in q.items():
            key = tuple(sorted(m + n))
            out[key] = out.get(key, 0.0) + a * b
    return out


def exact(x: FeatureType, degree: int) -> dict[int, list[dict]]:
    """The generators of the representation layer by degree, coefficients by monomial."""
    found: dict[int, list[dict]] = {}
    variables = sympy.symbols(f"x0:{x.dim}")
    for expression in reps.polynomial_invariants(reps.isotypic(x.group, x.multiplicities), degree):
        polynomial = sympy.Poly(expression, *variables)
        terms = {
            tuple(i for i, power in enumerate(powers) for _ in range(power)): float(value)
            for powers, value in polynomial.terms()
        }
        found.setdefault(int(polynomial.total_degree()), []).append(terms)
    return found


def ours(x: FeatureType, degree: int) -> dict[int, list[dict]]:
    invariants = polynomial_invariants(x, degree)
    found: dict[int, list[dict]] = {}
    for k, row in zip(invariants.degrees, invariants.coefficients, strict=True):
        terms = {m: c for m, c in zip(invariants.monomials, row, strict=True) if c}
        found.setdefault(k, []).append(terms)
    return found


@pytest.mark.parametrize(("name", "text", "degree"), CASES)
def test_the_generators_span_what_the_exact_ones_do(name: str, text: str, degree: int) -> None:
    x = FeatureType(groups.parse(name), text)
    a, b = ours(x, degree), exact(x, degree)
    assert {k: len(v) for k, v in a.items()} == {k: len(v) for k, v in b.items()}
    for k in range(1, degree + 1):
        rows, others = spanned(a, x.dim, k), spanned(b, x.dim, k)
        dimension = molien(x, k)[k]
        if dimension == 0:
            assert len(rows) == len(others) == 0
            continue
        for part in (rows, others, np.concatenate([rows, others])):
            assert np.linalg.matrix_rank(part, tol=1e-8) == dimension
