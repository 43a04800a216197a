"""The few facts about integers that groups need."""

from __future__ import annotations


def prime_divisors(n: int) -> list[int]:
    """The primes that divide `n`, sorted.

    Cost:
        O(sqrt(n)): trial division.

    Examples:
        >>> prime_divisors(7920)
        [2, 3, 5, 11]
    """
    found, p = [], 2
    while p * p <= n:
        if n % p == 0:
            found.append(p)
            while n % p == 0:
                n //= p
        p += 1
    return [*found, n] if n > 1 else found


def minkowski_bound(dim: int) -> int:
    """A bound on the order of finite groups of rational matrices; the best of its kind.

    It is the product over primes `p <= dim + 1` of `p` to the sum of `floor(dim / ((p-1) p^k))`.

    References:
        Serre, "Bounds for the orders of the finite subgroups of G(k)", sec. 1 (Minkowski 1887).

    Examples:
        >>> [minkowski_bound(dim) for dim in range(1, 5)]
        [2, 24, 48, 5760]
    """
    bound = 1
    for p in (p for p in range(2, dim + 2) if prime_divisors(p) == [p]):
        scale = p - 1
        while scale <= dim:
            bound *= p ** (dim // scale)
            scale *= p
    return bound


def largest_finite_order(dim: int) -> int:
    """The largest finite order of an invertible rational matrix.

    An order `m` needs dimension `phi(q)` for every prime power `q` of `m`, except that a factor 2
    is free beside others (the crystallographic restriction); so this is a knapsack.

    Cost:
        O(dim^2): one pass for every prime up to `dim + 1`.

    References:
        Kuzmanovich and Pavlichenkov, "Finite groups of matrices whose entries are integers", Amer.
        Math. Monthly 109 (2002).

    Examples:
        >>> [largest_finite_order(dim) for dim in (1, 2, 3, 4, 6, 8)]
        [2, 6, 6, 12, 30, 60]
    """
    best = [1] * (dim + 1)  # the largest order made of the primes so far, by dimension
    for p in (p for p in range(2, dim + 2) if prime_divisors(p) == [p]):
        choices = [(0, 2 if p == 2 else 1)]
        while (cost := (p - 1) * p ** (len(choices) - 1)) <= dim:
            choices.append((cost, p ** len(choices)))
        best = [max(best[d - c] * q for c, q in choices if c <= d) for d in range(dim + 1)]
    return best[dim]
