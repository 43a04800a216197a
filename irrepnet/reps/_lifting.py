"""From residues of characters to multiplicities of eigenvalues: the exact values."""

from __future__ import annotations

import math

import numpy as np

from irrepnet.reps._modular import multiply, root_powers

#: Up to this length a Fourier transform modulo a prime is a product with a matrix.
DIRECT = 256


def lift(values: np.ndarray, p: int, root: int) -> np.ndarray:
    """Multiplicities of the eigenvalues of one element `z` of order `o` in characters.

    The values of a character on the powers of `z` are a Fourier transform of these counts, so no
    class needs the group's exponent, only its own order.

    Args:
        values: Residues of `chi(z^l)`, `l = 0 .. o-1`, int64 of shape `(characters, o)`.
        p: A prime above every degree that splits the group.
        root: The primitive root behind the residues.

    Returns:
        int64 `(characters, o)`: `[chi, j]` counts `exp(2 pi i j / o)`.

    Cost:
        O(characters * o log o), up to a constant; a matrix product for small orders.

    References:
        Dixon, "High speed computation of group characters", Numer. Math. 10 (1967);
        Isaacs, *Character Theory of Finite Groups*, Lemma 2.15.

    Examples:
        >>> lift(np.array([[2, 12, 12]]), 13, 2).tolist()  # 2, -1, -1: both cubic roots of unity
        [[0, 1, 1]]
    """
    order = values.shape[1]
    inverse = pow(order, -1, p)
    if order <= DIRECT:
        exponents = np.outer(np.arange(order), np.arange(order)) * (order - 1) % order
        return multiply(values, root_powers(p, root, order)[exponents], p) * inverse % p
    return _chirp(values, p, root_powers(p, root, order)) * inverse % p


def _chirp(values: np.ndarray, p: int, roots: np.ndarray) -> np.ndarray:
    """`[i, j]`: `sum_l values[i, l] roots[-j l]` modulo `p`, as a convolution.

    With binomials, `j l = C(j + l, 2) - C(j, 2) - C(l, 2)`. The convolution is made by fast
    transforms of floats, on halves of the residues: its sums stay below 2^44 for any order and
    prime that occur, where their rounding errors are far below 1/2.

    References:
        Bluestein, "A linear filtering approach to the computation of the discrete Fourier
        transform", IEEE Trans. Audio Electroacoust. 18 (1970).
    """
    order = values.shape[1]
    k = np.arange(2 * order)
    triangle = k * (k - 1) // 2 % order
    turned = values * roots[triangle[:order]] % p
    size = 1 << (3 * order).bit_length()
    half = 1 << (p.bit_length() + 1) // 2
    kernel = roots[-triangle % order]
    spectra = [np.fft.rfft(part, size) for part in np.divmod(kernel, half)]
    total = np.zeros_like(values)
    for scale, part in zip((half, 1), np.divmod(turned[:, ::-1], half), strict=True):
        spectrum = np.fft.rfft(part, size)
        for other, kernel_part in zip((half, 1), spectra, strict=True):
            sums = np.fft.irfft(spectrum * kernel_part, size)[:, order - 1 : 2 * order - 1]
            total += np.rint(sums).astype(np.int64) % p * (scale * other % p) % p
    return total % p * roots[triangle[:order]] % p


def eigenvalue_multiplicities(
    residues: np.ndarray, powers: np.ndarray, orders: np.ndarray, p: int, root: int
) -> list[np.ndarray]:
    """Lift characters class by class: `[t][chi, j]` counts the eigenvalue `zeta_o^j` of `z_t`.

    Args:
        residues: Characters modulo `p`, shape `(characters, classes)`.
        powers: `[t, l]`: class of the `l`-th power of class `t`.
        orders: Element order of each class.
        p: A prime above every degree that splits the group.
        root: The primitive root behind the residues.

    Cost:
        One `lift` per class of cyclic subgroups.

    References:
        Dixon (1967); Isaacs, *Character Theory of Finite Groups*, Lemma 2.15.
    """
    lifted: list[np.ndarray] = [np.empty(0)] * len(orders)
    for t, order in enumerate(map(int, orders)):
        if lifted[t].size:
            continue
        counts = lift(residues[:, powers[t, :order]], p, root)
        for a in range(1, order + 1):
            image = powers[t, a % order]
            if math.gcd(a, order) == 1 and not lifted[image].size:
                # The powers z^a, a prime to o, permute the counts of z.
                moved = np.empty_like(counts)
                moved[:, a * np.arange(order) % order] = counts
                lifted[image] = moved
    return lifted
