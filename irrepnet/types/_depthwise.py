"""Depthwise kernels: which channel sees which, and which pixels of a kernel are tied."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from irrepnet import reps
from irrepnet._errors import FeatureTypeError
from irrepnet.actions import ImageAction
from irrepnet.types._feature_type import FeatureType
from irrepnet.types._fixed_dims import grid_orbits
from irrepnet.types._gset_type import GSetType
from irrepnet.types._scaled import ScaledType

PAIRINGS = ("pairs", "gset")


@dataclass(frozen=True, eq=False)
class Ties:
    """Kernels whose pixels are tied: pixel `p` is `signs[p]` times number `index[p]`.

    Attributes:
        name: Name of the irrep that the kernels transform by.
        size: Number of free numbers of one kernel.
        index: int64 of shape `(pixels,)`.
        signs: 1, -1, or 0 where the kernel must vanish; float64 of shape `(pixels,)`.
    """

    name: str
    size: int
    index: np.ndarray
    signs: np.ndarray


@dataclass(frozen=True, eq=False)
class PairedKernels:
    """Kernels of a depthwise convolution in irreps, each channel paired with one channel.

    A kernel from irrep `chi` to `psi` must satisfy `k(g p) = psi(g) chi(g) k(p)`.

    Attributes:
        ties: One entry for each product of two irreps that occurs.
        rows: For each of them the output channels whose kernels it ties, in order.
        inputs: Input channel of each output channel.
    """

    ties: tuple[Ties, ...]
    rows: tuple[tuple[int, ...], ...]
    inputs: tuple[int, ...]


def default_pairing(feature_type: FeatureType) -> str:
    """`"pairs"` where it exists: it costs nothing but the convolution; else `"gset"`."""
    return "gset" if _not_a_sign(feature_type) else "pairs"


def _not_a_sign(feature_type: FeatureType) -> list[str]:
    """The group's irreps that are not real of dimension one."""
    return [i.name for i in feature_type.group.irreps if i.dim > 1]


@lru_cache(maxsize=256)
def paired_kernels(
    feature_type: FeatureType, action: ImageAction, kernel: tuple[int, int]
) -> PairedKernels:
    """Pair the channels of a type evenly.

    With `n` irreps an output irrep takes `1/n` of its channels from each irrep, the rest from
    itself; input channels are handed out in order of the outputs. Two irreps of equal multiplicity
    give the published quarters.

    Raises:
        FeatureTypeError: If an irrep of the group has more than one dimension.

    References:
        Flopping for FLOPs (arXiv 2502.05169), the depthwise convolution of its ConvNeXt.
    """
    larger = _not_a_sign(feature_type)
    if larger:
        raise FeatureTypeError(
            f"pairing='pairs' takes channels that the group only negates, but "
            f"{', '.join(larger)} of {feature_type.group.name} has several components, which no "
            f"kernel of single channels can mix: expected pairing='gset'."
        )
    ties = {i.index: _ties(i, action, kernel) for i in feature_type.group.irreps}
    blocks = feature_type.blocks
    product = [[_product(a.irrep, b.irrep) for b in blocks] for a in blocks]
    counts = _counts(feature_type, product, ties)
    rows: dict[int, list[int]] = {}
    inputs: list[int] = []
    used = [b.start for b in blocks]
    for i in range(len(blocks)):
        for j in range(len(blocks)):
            n = int(counts[i, j])
            if n:
                rows.setdefault(product[i][j], []).extend(range(len(inputs), len(inputs) + n))
                inputs += range(used[j], used[j] + n)
                used[j] += n
    kinds = sorted(rows)
    return PairedKernels(
        tuple(ties[q] for q in kinds), tuple(tuple(rows[q]) for q in kinds), tuple(inputs)
    )


def paired_counts(
    feature_type: FeatureType, action: ImageAction, kernel: tuple[int, int]
) -> list[tuple[Ties, int]]:
    """How many output channels have kernels of each kind."""
    if isinstance(feature_type, ScaledType):
        found = paired_counts(feature_type.origin, action, kernel)
        return [(ties, n * feature_type.scale) for ties, n in found]  # type: ignore[misc]
    paired = paired_kernels(feature_type, action, kernel)
    return [(ties, len(rows)) for ties, rows in zip(paired.ties, paired.rows, strict=True)]


def _counts(
    feature_type: FeatureType, product: list[list[int]], ties: dict[int, Ties]
) -> np.ndarray:
    """Channels from block `j` to block `i`: symmetric, so that each channel is used once."""
    blocks, share = feature_type.blocks, len(feature_type.blocks)
    counts = np.zeros((share, share), dtype=np.int64)
    for i, a in enumerate(blocks):
        for j, b in enumerate(blocks):
            if i != j and ties[product[i][j]].size:  # some kernels have no such pixels
                counts[i, j] = min(a.multiplicity, b.multiplicity) // share
    for i, a in enumerate(blocks):
        counts[i, i] = a.multiplicity - counts[i].sum()
    return counts


def _product(a: reps.Irrep, b: reps.Irrep) -> int:
    """Index of the irrep `a (x) b`, both of dimension one."""
    values = a.characters * b.characters
    return next(i.index for i in a.group.irreps if np.array_equal(i.characters, values))


def _ties(irrep: reps.Irrep, action: ImageAction, kernel: tuple[int, int]) -> Ties:
    """Kernels with `k(g p) = chi(g) k(p)`: free on one pixel of each orbit that allows any."""
    index = np.zeros(kernel[0] * kernel[1], dtype=np.int64)
    signs = np.zeros(len(index))
    size = 0
    for kind in grid_orbits(action, kernel):
        if kind.multiplicities[irrep.index]:
            moved = np.rint(irrep.matrices[kind.transversal, 0, 0])
            for points in kind.points:
                index[points], signs[points] = size, moved
                size += 1
    return Ties(irrep.name, size, index, signs)


@lru_cache(maxsize=256)
def gset_kernels(
    gset: GSetType, action: ImageAction, kernel: tuple[int, int]
) -> tuple[np.ndarray, ...]:
    """For each kind of orbit which free number stands where: int64 `(points, pixels)`.

    The kernel at coset `t H` is `t` applied to the kernel at `H`, which `H` must leave alone.
    """
    images = action.permutation(*kernel)
    found = []
    for orbits in gset.orbits:
        (kind,) = reps.quotient(gset.group, orbits.stabiliser).decompose().orbit_types
        smallest = images[list(orbits.stabiliser)].min(axis=0)
        _, tied = np.unique(smallest, return_inverse=True)
        back = [gset.group.inverse(int(t)) for t in kind.transversal]
        found.append(np.stack([tied.ravel()[images[g]] for g in back]))
    return tuple(found)
