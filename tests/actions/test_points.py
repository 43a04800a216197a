import numpy as np
import pytest

from irrepnet import actions, groups
from irrepnet._errors import RepresentationError


def test_generators_or_all_elements() -> None:
    C4 = groups.cyclic(4)
    ring = actions.from_images("ring", C4, [[1, 2, 3, 0]])
    assert ring.num_points == 4
    assert ring.array.tolist() == [[(i + a) % 4 for i in range(4)] for a in range(4)]
    assert actions.from_images("ring", C4, ring.images) == ring
    assert hash(actions.from_images("ring", C4, ring.images)) == hash(ring)


def test_natural() -> None:
    S4 = groups.symmetric(4)
    points = actions.natural(S4)
    assert points.num_points == 4
    for a in range(S4.order):
        assert points.images[a] == S4.permutation(a)
    (kind,) = points.orbit_types
    assert len(kind.stabiliser) == 6


def test_restriction() -> None:
    D4 = groups.dihedral(4)
    points = actions.natural(D4)
    subgroup = D4.subgroup([1])
    smaller = points.restrict("turns", subgroup.as_group(), subgroup.elements)
    assert (smaller.array == points.array[list(subgroup.elements)]).all()
    assert smaller.name == "turns"


def test_orbits() -> None:
    points = actions.from_images("pairs and a point", groups.flop(), [[1, 0, 3, 2, 4]])
    kinds = {k.points.shape: k.stabiliser for k in points.orbit_types}
    assert kinds == {(2, 2): (0,), (1, 1): (0, 1)}
    assert np.concatenate([k.points.ravel() for k in points.orbit_types]).sum() == 10


def test_images_that_are_no_action() -> None:
    with pytest.raises(RepresentationError):
        actions.from_images("x", groups.cyclic(3), [[1, 0, 2]])
    with pytest.raises(RepresentationError):
        actions.from_images("x", groups.cyclic(2), [[0, 0]])
