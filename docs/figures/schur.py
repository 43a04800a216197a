"""One equivariant matrix in two bases: points, and irreps."""

import matplotlib.pyplot as plt
import numpy as np
from _style import show
from matplotlib.figure import Figure

import irrepnet as ir


def draw() -> Figure:
    """A matrix that commutes with D4, before and after the change of basis."""
    group = ir.groups.dihedral(4)
    channels = 3 * ir.reps.regular(group)
    commuting = ir.reps.hom(channels, channels)
    matrix = commuting.project(np.random.default_rng(0).standard_normal((24, 24)))
    basis = channels.decompose().basis.to_dense()
    blocks = basis @ matrix @ basis.T
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.2))
    size = float(np.abs(matrix).max())
    show(
        left, matrix, f"in the basis of points:\n{matrix.size} numbers, {commuting.dim} free", size
    )
    used = sum((i.dim * m) * m for i, m in zip(group.irreps, (3, 3, 3, 3, 6), strict=True))
    assert np.count_nonzero(np.abs(blocks) > 1e-9) == used
    show(right, blocks, f"in irreps:\n{used} products instead of {matrix.size}", size)
    return figure
