"""Fields of specs are checked where a spec is made."""

from dataclasses import dataclass

import numpy as np
import pytest

import irrepnet as ir
from irrepnet import actions, groups, specs
from irrepnet._errors import SpecError

FLOP = actions.image("flop")
X = ir.FeatureType(FLOP.group, "2*sym + 2*asym")
Y = ir.FeatureType.regular(groups.quaternion(), 8)


def test_one_number_stands_for_a_pair_and_lists_become_tuples() -> None:
    pairs = specs.Conv(X, FLOP, (4, 4), X, (3, 3), (1, 1), (1, 1))
    assert specs.Conv(X, FLOP, 4, X, 3, 1, 1) == pairs
    assert specs.Conv(X, FLOP, [4, 4], X, [3, 3], np.int64(1), (1, 1)) == pairs
    assert hash(specs.Conv(X, FLOP, 4, X)) == hash(specs.Conv(X, FLOP, (4, 4), X))
    listed = specs.Chain([["a", specs.LayerScale(X)], ("b", specs.LayerNorm(X))])
    assert listed == specs.chain(a=specs.LayerScale(X), b=specs.LayerNorm(X))
    assert type(specs.MaxFilter(X, np.int64(3)).filters) is int


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: specs.Linear(4, 8), "Linear: got in_type=4: expected a FeatureType, such as"),
        (
            lambda: specs.Linear(X, "2*sym"),
            r"Linear: got out_type='2\*sym': expected a FeatureType",
        ),
        (lambda: specs.Linear(X, X, bias=3), "Linear: got bias=3: expected True or False"),
        (
            lambda: specs.DepthwiseConv(X, FLOP, 4, pairing=3),
            "got pairing=3: expected text, or None",
        ),
        (lambda: specs.Activation(X, max), "got function=<.*>: expected text"),
        (lambda: specs.Conv(X, "flop", 4, X), r"got action='flop': expected an ImageAction, such"),
        (
            lambda: specs.Conv(X, FLOP, (4, 4, 4), X),
            r"got grid=\(4, 4, 4\): expected two whole num",
        ),
        (
            lambda: specs.Conv(X, FLOP, 4.5, X),
            "got grid=4.5: expected two whole numbers, height and",
        ),
        (lambda: specs.TokenLinear(X, FLOP), "got points=actions.image.*: expected a PointAction"),
        (lambda: specs.Attention(X, True), "got heads=True: expected a whole number"),
        (lambda: specs.LayerNorm(X, eps="small"), "got eps='small': expected a number"),
        (lambda: specs.Restrict(X, "trivial", (0,)), "got subgroup='trivial': expected a Group"),
        (
            lambda: specs.Chain((specs.LayerScale(X),)),
            "Chain: got steps=.*: expected pairs of a na",
        ),
        (lambda: specs.Residual(specs.LayerScale(X)), "specs.chain"),
    ],
)
def test_what_a_field_may_hold(make, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        make()


def test_specs_of_users_are_checked_alike() -> None:
    @dataclass(frozen=True)
    class Own(specs.Spec):
        feature_type: "ir.FeatureType"
        size: tuple[int, int]
        anything: object = None

    assert Own(Y, 3).size == (3, 3)
    with pytest.raises(SpecError, match="Own: got feature_type='Q8': expected a FeatureType"):
        Own("Q8", 3)
    del specs.Spec.known["Own"]
