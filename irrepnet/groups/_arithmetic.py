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
