import numpy as np
import pytest

from irrepnet import groups
from irrepnet.nn._straight_line import StraightLine, straight_line
from irrepnet.types import FeatureType, gset_for


def meaning(line: StraightLine, columns: int) -> np.ndarray:
    registers = list(np.eye(columns))
    for i, j, factor in line.steps:
        registers.append(registers[i] + factor * registers[j])
    return np.stack([registers[i] * factor for i, factor in line.outputs])


#: Additions of the regular representation's transform; those of C2^n are the fast transform's.
ADDITIONS = {"flop": 2, "C2xC2": 8, "C4": 6, "D4": 20, "Q8": 16, "C2xC2xC2xC2": 64}


@pytest.mark.parametrize("name", ADDITIONS)
def test_butterflies_are_found_for_any_group(name: str) -> None:
    G = groups.parse(name)
    (run,) = gset_for(FeatureType.regular(G, G.order)).runs
    for matrix in (run.matrix, run.matrix.T):
        line = straight_line(matrix)
        assert np.abs(meaning(line, run.size) - matrix).max() < 1e-11
        assert len(line.steps) == ADDITIONS[name]


@pytest.mark.parametrize("seed", range(3))
def test_any_matrix_is_written_out(seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix = random.standard_normal((5, 7)) * (random.random((5, 7)) < 0.6)
    matrix[:, 0] += 1
    line = straight_line(matrix)
    assert np.abs(meaning(line, 7) - matrix).max() < 1e-10
    assert len(line.steps) <= np.count_nonzero(matrix) - 5
