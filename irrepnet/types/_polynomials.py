"""Generators of the polynomial invariants of a feature type, up to a degree."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np

from irrepnet import reps
from irrepnet._errors import FeatureTypeError
from irrepnet.types._feature_type import FeatureType
from irrepnet.types._scaled import ScaledType

#: Largest number of monomials of one degree that is looked through.
MONOMIAL_LIMIT = 5000

#: A vector whose part outside a span is smaller than this lies in the span; ranks found so are
#: compared with Molien's formula.
INDEPENDENT = 1e-9

Exponents = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PolynomialInvariants:
    """Polynomials that generate all invariants up to a degree.

    Attributes:
        monomials: Variables of each monomial, sorted, with repetition.
        coefficients: float64 of shape `(generators, monomials)`.
        degrees: Degree of each generator.
    """

    monomials: tuple[Exponents, ...]
    coefficients: np.ndarray
    degrees: tuple[int, ...]

    @property
    def max_degree(self) -> int:
        """The largest degree of a generator."""
        return max(self.degrees)


def smallest_part(feature_type: FeatureType) -> tuple[FeatureType, int]:
    """The type that a type is a multiple of, and how many times."""
    if isinstance(feature_type, ScaledType):
        part, times = smallest_part(feature_type.origin)
        return part, times * feature_type.scale  # type: ignore[return-value]
    times = math.gcd(*feature_type.multiplicities) or 1
    return FeatureType(feature_type.group, [m // times for m in feature_type.multiplicities]), times


def molien(feature_type: FeatureType, degree: int) -> tuple[int, ...]:
    """Dimensions of the invariant polynomials of degree `0 .. degree`, exactly.

    Examples:
        >>> from irrepnet import groups
        >>> molien(FeatureType(groups.octic(), "E"), 4)
        (1, 0, 1, 0, 2)
    """
    representation = reps.isotypic(feature_type.group, feature_type.multiplicities)
    return reps.invariant_dimensions(representation, degree)


@lru_cache(maxsize=32)
def polynomial_invariants(feature_type: FeatureType, degree: int) -> PolynomialInvariants:
    """Generators of the invariants up to a degree, none of which is a polynomial in the others.

    Averages of monomials over the group (Reynolds), degree by degree, monomials in order; one is
    taken if products of earlier generators and earlier averages do not span it.

    Args:
        feature_type: The type; its channels are the variables.
        degree: Largest degree.

    Raises:
        FeatureTypeError: If the degree is not positive, or there are too many monomials.

    Cost:
        As `reps.polynomial_invariants`, which is exact, in floats: seconds for 8 variables and
        degree 5. Ranks are compared with Molien's formula.

    References:
        Noether's bound: invariants of degree at most `|G|` generate all of them.

    Examples:
        >>> from irrepnet import groups
        >>> polynomial_invariants(FeatureType(groups.octic(), "A2 + E"), 4).degrees
        (2, 2, 4)
    """
    check_polynomials(feature_type, degree)
    matrices = np.stack([feature_type.matrix(a) for a in range(feature_type.group.order)])
    expected = molien(feature_type, degree)
    found: list[tuple[int, dict[Exponents, float]]] = []
    for k in range(1, degree + 1):
        monomials = list(combinations_with_replacement(range(feature_type.dim), k))
        where = {m: i for i, m in enumerate(monomials)}
        span = _Span(len(monomials))
        for product in _products(found, k):
            span.add(_vector(product, where))
        for monomial in monomials if span.rank < expected[k] else ():
            average = _average(monomial, matrices, where)
            if span.add(average):
                scaled = average / np.abs(average).max()
                terms = np.flatnonzero(np.abs(scaled) > INDEPENDENT)
                found.append((k, {monomials[t]: float(scaled[t]) for t in terms}))
                if span.rank == expected[k]:
                    break
        assert span.rank == expected[k], "averages and Molien's formula disagree"
    return _table(found)


def check_polynomials(feature_type: FeatureType, degree: int) -> None:
    """Raise unless the invariants up to a degree exist and can be searched."""
    count = math.comb(feature_type.dim + degree - 1, degree) if degree > 0 else 0
    if degree < 1 or count > MONOMIAL_LIMIT:
        raise FeatureTypeError(
            f"{feature_type} has {count} monomials of degree {degree}: expected between 1 and "
            f"{MONOMIAL_LIMIT}; take another degree, or multiplicities with a larger common divisor"
            f" (each part is treated alike)."
        )
    if not any(molien(feature_type, degree)[1:]):
        raise FeatureTypeError(
            f"{feature_type} has no invariant polynomial of degree 1 to {degree}: expected a "
            f"larger degree."
        )


def _table(found: list[tuple[int, dict[Exponents, float]]]) -> PolynomialInvariants:
    monomials = tuple(dict.fromkeys(m for _, terms in found for m in terms))
    coefficients = np.zeros((len(found), len(monomials)))
    where = {m: i for i, m in enumerate(monomials)}
    for row, (_, terms) in zip(coefficients, found, strict=True):
        for monomial, value in terms.items():
            row[where[monomial]] = value
    return PolynomialInvariants(monomials, coefficients, tuple(k for k, _ in found))


def _average(monomial: Exponents, matrices: np.ndarray, where: dict[Exponents, int]) -> np.ndarray:
    """The mean over the group of a monomial, as coefficients."""
    tensor = matrices[:, :, monomial[0]]
    for variable in monomial[1:]:
        tensor = tensor[..., None] * matrices[:, :, variable].reshape(
            len(matrices), *[1] * (tensor.ndim - 1), -1
        )
    mean = tensor.mean(0)
    out = np.zeros(len(where))
    for index in zip(*np.nonzero(mean), strict=True):
        out[where[tuple(sorted(int(i) for i in index))]] += mean[index]
    return out


def _products(
    found: list[tuple[int, dict[Exponents, float]]], degree: int, first: int = 0
) -> Iterator[dict[Exponents, float]]:
    """All products of generators of total degree `degree`, at least one factor."""
    for position in range(first, len(found)):
        k, terms = found[position]
        if k == degree:
            yield terms
        elif k < degree:
            for rest in _products(found, degree - k, position):
                yield _times(terms, rest)


def _times(a: dict[Exponents, float], b: dict[Exponents, float]) -> dict[Exponents, float]:
    out: dict[Exponents, float] = {}
    for m, x in a.items():
        for n, y in b.items():
            key = tuple(sorted(m + n))
            out[key] = out.get(key, 0.0) + x * y
    return out


def _vector(terms: dict[Exponents, float], where: dict[Exponents, int]) -> np.ndarray:
    out = np.zeros(len(where))
    for monomial, value in terms.items():
        out[where[monomial]] = value
    return out


class _Span:
    """A span that vectors are added to, by Gram-Schmidt."""

    def __init__(self, dim: int) -> None:
        self.basis = np.zeros((0, dim))

    @property
    def rank(self) -> int:
        return len(self.basis)

    def add(self, vector: np.ndarray) -> bool:
        """Whether the vector enlarged the span."""
        size = np.linalg.norm(vector)
        rest = vector
        for _ in range(2):
            rest = rest - self.basis.T @ (self.basis @ rest)
        left = np.linalg.norm(rest)
        if size <= INDEPENDENT or left <= INDEPENDENT * size:
            return False
        self.basis = np.concatenate([self.basis, rest[None] / left])
        return True
