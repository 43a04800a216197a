"""Every group in GAP's file: what identifies a group, and not only what is consistent."""

from typing import Any

import numpy as np

from irrepnet import groups
from irrepnet.groups import Group


def classes_in_gap_order(group: Group, gap: dict[str, Any]) -> list[int]:
    return [group.class_of(group.index(images)) for images in gap["class_reps"]]


def test_order_and_classes(gap: dict[str, Any], gap_group: Group) -> None:
    assert gap_group.order == gap["order"]
    assert gap_group.degree == gap["degree"]
    assert len(gap_group.conjugacy_classes) == gap["nclasses"]
    ours = classes_in_gap_order(gap_group, gap)
    assert sorted(ours) == list(range(gap["nclasses"]))
    classes = gap_group.conjugacy_classes
    assert [classes[i].size for i in ours] == gap["class_sizes"]
    assert [classes[i].element_order for i in ours] == gap["class_orders"]


def test_power_maps(gap: dict[str, Any], gap_group: Group) -> None:
    ours = classes_in_gap_order(gap_group, gap)
    for p, powers in gap["power_maps"]:
        found = gap_group.power_map(p)
        assert [found[i] for i in ours] == [ours[j] for j in powers]
    inverses = gap_group.power_map(-1)
    assert [inverses[i] for i in ours] == [ours[j] for j in gap["inverse_classes"]]


def test_structure(gap: dict[str, Any], gap_group: Group) -> None:
    assert gap_group.is_abelian == gap["is_abelian"]
    assert groups.is_solvable(gap_group) == gap["is_solvable"]
    assert groups.centre(gap_group).order == gap["class_sizes"].count(1)
    # The linear characters are those of the quotient by the commutator subgroup.
    assert groups.commutator_subgroup(gap_group).index == gap["degrees"].count(1)


def test_a_wrong_group_is_noticed() -> None:
    dihedral, quaternion = groups.dihedral(4), groups.quaternion()
    sizes = [sorted(c.size for c in G.conjugacy_classes) for G in (dihedral, quaternion)]
    assert sizes[0] == sizes[1]
    orders = [sorted(c.element_order for c in G.conjugacy_classes) for G in (dihedral, quaternion)]
    assert orders[0] != orders[1]
    squares = [np.count_nonzero(G.power_map(2) == 0) for G in (dihedral, quaternion)]
    assert squares == [4, 2]
