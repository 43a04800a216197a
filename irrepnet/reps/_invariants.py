"""Molien series and polynomial invariants."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import sympy
from sympy.ntheory.modular import crt
from sympy.polys.matrices import DomainMatrix

from irrepnet._errors import NotExactError
from irrepnet.reps._cyclotomic_fields import cyclotomic_polynomial
from irrepnet.reps._lifting import eigenvalue_multiplicities
from irrepnet.reps._modular import splitting_prime
from irrepnet.reps._representation import Representation

#: Primes for series coefficients: products of two residues fit in int64.
PRIME_FROM = 1 << 29


def _residues(representation: Representation, p: int, root: int) -> np.ndarray:
    residues = representation.character_modulo(p, root)
    if residues is None:
        raise NotExactError(
            f"got {representation!r}, whose character is known in floats only: expected a "
            "representation by permutations, irreps, or sums, products and squares of these."
        )
    return residues


def invariant_dimensions(representation: Representation, degree: int) -> tuple[int, ...]:
    """Dimensions of the homogeneous invariant polynomials of degree `0 .. degree`.

    The power sums of the eigenvalues are values of the character, so Newton's identities give the
    characters of all symmetric powers; modulo as many primes as the numbers need.

    Raises:
        NotExactError: If the character is known in floats only.

    Cost:
        O(classes * degree^2) per prime.

    References:
        Stanley, "Invariants of finite groups and their applications to combinatorics", Bull. Amer.
        Math. Soc. 1 (1979), sec. 1.

    Examples:
        >>> from irrepnet import groups, reps
        >>> V = reps.of_irrep(groups.dihedral(4).irrep("E"))
        >>> invariant_dimensions(V, 8)
        (1, 0, 1, 0, 2, 0, 2, 0, 3)
    """
    group = representation.group
    table = group.character_table
    orders = [c.element_order for c in group.conjugacy_classes]
    exponents = np.arange(degree + 1)
    by_order = exponents % np.array(orders)[:, None]
    powers = table.powers[np.arange(len(orders))[:, None], by_order]
    largest = math.comb(representation.dim + degree, degree)
    primes: list[int] = []
    found: list[np.ndarray] = []
    while math.prod(primes) <= largest:
        p, root = splitting_prime(math.lcm(4, *orders), primes[-1] if primes else PRIME_FROM)
        sums = _residues(representation, p, root)[powers]  # [class, k]: sum of k-th powers
        complete = np.zeros((degree + 1, len(orders)), dtype=np.int64)
        complete[0] = 1
        for n in range(1, degree + 1):
            total = (sums[:, 1 : n + 1].T * complete[n - 1 :: -1][:n] % p).sum(axis=0)
            complete[n] = total % p * pow(n, -1, p) % p
        average = (complete * table.class_sizes % p).sum(axis=1) % p
        found.append(average * pow(group.order, -1, p) % p)
        primes.append(p)
    return tuple(_combine(primes, [int(f[n]) for f in found]) for n in range(degree + 1))


def _combine(primes: list[int], residues: list[int]) -> int:
    """The natural number below the product of the primes with the given residues."""
    result = crt(primes, residues)
    assert result is not None, "distinct primes are coprime"
    return int(result[0])


def molien_series(representation: Representation) -> sympy.Expr:
    """The Molien series as a rational function of `t`: its coefficients count invariants.

    `1/|G| sum_g 1 / det(1 - t g)`. The denominator is a product of cyclotomic polynomials read off
    the eigenvalues; the numerator follows from as many coefficients as its degree.

    Raises:
        NotExactError: If the character is known in floats only.

    Cost:
        That of `invariant_dimensions` to the degree of the denominator.

    References:
        Molien (1897); Stanley (1979), Thm. 2.1.

    Examples:
        >>> from irrepnet import groups, reps
        >>> molien_series(reps.of_irrep(groups.dihedral(4).irrep("E")))
        1/((1 - t**2)*(1 - t**4))
    """
    group, t = representation.group, sympy.Symbol("t")
    table = group.character_table
    orders = np.array([c.element_order for c in group.conjugacy_classes])
    p, root = splitting_prime(math.lcm(4, *orders.tolist()), 2 * representation.dim + 2)
    residues = _residues(representation, p, root)
    counts = eigenvalue_multiplicities(residues[None], table.powers, orders, p, root)
    exponents: dict[int, int] = {}
    for count in counts:
        order = count.shape[1]
        for j in range(order):
            n = order // math.gcd(j, order)
            exponents[n] = max(exponents.get(n, 0), int(count[0, j]))
    poles = sympy.Poly(1, t)
    for n, power in exponents.items():
        factor = sympy.Poly(cyclotomic_polynomial(n)[::-1], t) * (-1 if n == 1 else 1)
        poles *= factor**power
    degree = int(poles.degree())
    series = sympy.Poly(invariant_dimensions(representation, degree)[::-1], t)
    numerator = sympy.Poly((series * poles).all_coeffs()[::-1][: degree + 1][::-1], t)
    top, bottom = sympy.cancel(numerator.as_expr() / poles.as_expr()).as_numer_denom()
    return _tidy(sympy.Poly(top, t), sympy.Poly(bottom, t))


def _tidy(top: sympy.Poly, bottom: sympy.Poly) -> sympy.Expr:
    """The fraction over a product of `1 - t^n`, as it is usually printed."""
    t = top.gen
    factors: dict[int, int] = {}
    for n in range(int(bottom.degree()), 0, -1):
        cyclic = sympy.Poly(cyclotomic_polynomial(n)[::-1], t)
        while bottom.rem(cyclic).is_zero:
            factors[n] = factors.get(n, 0) + 1
            top *= sympy.exquo(sympy.Poly(t**n - 1, t), cyclic)
            for d in sympy.divisors(n):
                other = sympy.Poly(cyclotomic_polynomial(int(d))[::-1], t)
                if bottom.rem(other).is_zero:
                    bottom = bottom.exquo(other)
                    if d != n:
                        top = top.exquo(other)
    count = sum(factors.values())
    unit = bottom.as_expr()  # what is left of the denominator: 1 or -1
    numerator = sympy.factor((top * (-1) ** count).as_expr() / unit)
    return numerator / sympy.Mul(*((1 - t**n) ** k for n, k in sorted(factors.items())))


def polynomial_invariants(representation: Representation, degree: int) -> tuple[sympy.Expr, ...]:
    """Generators of the ring of invariant polynomials, up to a degree, in `x0, x1, ...`.

    Degree by degree, monomials are averaged over the group (Reynolds operator) until, with the
    products of earlier generators, they span the space whose dimension Molien's series gives. With
    `degree >= order` they generate the whole ring.

    Args:
        representation: A small representation with exact matrices.
        degree: Largest degree of a generator.

    Returns:
        Homogeneous generators by degree, content removed.

    Raises:
        NotExactError: If the matrices are known in floats only.

    Cost:
        O(order) expansions of monomials in `dim` variables; meant for small representations.

    References:
        Sturmfels, *Algorithms in Invariant Theory*, sec. 2.1; Noether (1916) for the degree bound.

    Examples:
        >>> from irrepnet import groups, reps
        >>> polynomial_invariants(reps.of_irrep(groups.dihedral(4).irrep("E")), 4)
        (x0**2 + x1**2, x0**4 + x1**4)
    """
    variables = sympy.symbols(f"x0:{representation.dim}")
    dimensions = invariant_dimensions(representation, degree)
    images = [
        list(representation.exact_matrix(a) * sympy.Matrix(variables))
        for a in range(representation.group.order)
    ]
    generators: list[tuple[int, sympy.Poly]] = []
    for n in range(1, degree + 1):
        found = [p.as_expr() for p in _products(generators, n)]
        rank = _rank(found, variables)
        for monomial in _monomials(variables, n):
            if rank == dimensions[n]:
                break
            average = _reynolds(monomial, variables, images)
            if average.is_zero:
                continue
            bigger = _rank([*found, average.as_expr()], variables)
            if bigger > rank:
                rank = bigger
                found.append(average.as_expr())
                generators.append((n, _primitive(average)))
    return tuple(p.as_expr() for _, p in generators)


def _monomials(variables: tuple[sympy.Symbol, ...], degree: int) -> list[sympy.Expr]:
    terms = sympy.polys.monomials.itermonomials(variables, degree, degree)
    return sorted(terms, key=lambda m: sympy.Poly(m, *variables).monoms(), reverse=True)


def _reynolds(
    monomial: sympy.Expr, variables: tuple[sympy.Symbol, ...], images: list[list[sympy.Expr]]
) -> sympy.Poly:
    powers = sympy.Poly(monomial, *variables).monoms()[0]
    total = sympy.Add(
        *(sympy.Mul(*(x**k for x, k in zip(row, powers, strict=True))) for row in images)
    )
    return sympy.Poly(sympy.expand(total), *variables, extension=True)


def _primitive(poly: sympy.Poly) -> sympy.Poly:
    """Scaled to coprime integers where rational, else to leading coefficient 1."""
    if poly.get_domain().is_QQ or poly.get_domain().is_ZZ:
        positive = poly.primitive()[1] if poly.get_domain().is_ZZ else poly.clear_denoms()[1]
        positive = positive.primitive()[1]
        return positive if positive.LC() > 0 else -positive
    return poly.monic()


def _products(generators: list[tuple[int, sympy.Poly]], degree: int) -> list[sympy.Poly]:
    """All products of generators of the given total degree."""
    if degree == 0:
        return [sympy.Poly(1, *generators[0][1].gens)] if generators else []
    found = []
    for i, (n, poly) in enumerate(generators):
        if n == degree:
            found.append(poly)
        elif n < degree:
            found += [poly * rest for rest in _products(generators[i:], degree - n)]
    return found


def _rank(polynomials: list[sympy.Expr], variables: tuple[sympy.Symbol, ...]) -> int:
    """Dimension of the span, exactly."""
    if not polynomials:
        return 0
    terms: list[dict[Any, Any]] = [sympy.Poly(p, *variables).as_dict() for p in polynomials]
    monomials = sorted(set().union(*terms))
    rows = [[row.get(m, 0) for m in monomials] for row in terms]
    return DomainMatrix.from_Matrix(sympy.Matrix(rows), extension=True).to_field().rank()
