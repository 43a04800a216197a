"""Layers built by hand: what a constructor refuses, and how it says so."""

from collections.abc import Callable

import pytest
import torch

import irrepnet as ir
from irrepnet import actions, nn
from irrepnet._errors import FeatureTypeError, GridError, IrrepMismatchError, SpecError
from irrepnet.types import check_group, gset_for

FLOP, D4 = actions.image("flop"), actions.image("D4")
X = ir.FeatureType(FLOP.group, "2*sym + 2*asym")
Y = ir.FeatureType.regular(D4.group, 16)
EMPTY, ODD = ir.FeatureType(FLOP.group, "0"), ir.FeatureType(FLOP.group, "2*asym")
G = gset_for(X)
NINE = D4.on_grid(3, 3)
NO_CHANNELS = "the type 0 over flop has no channels: expected a type with at least one"

CASES: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: nn.PatchEmbed(FLOP, 3, (9, 8), (4, 4), X), GridError, "of 4 x 4 do not tile an image"),
    (lambda: nn.PatchEmbed(D4, 3, (8, 12), (4, 4), Y), GridError, "'D4' exchanges rows and colum"),
    (lambda: nn.PatchEmbed(FLOP, 0, (8, 8), (4, 4), X), SpecError, "got 0 image channels: expect"),
    (lambda: nn.PatchEmbed(D4, 3, (8, 8), (4, 4), X), SpecError, "lies over flop: expected a type"),
    (lambda: check_group(X, "flop"), SpecError, "got 'flop' as an action: expected an Im"),
    (lambda: nn.Downsample(X, FLOP, (5, 5), (2, 2), X), GridError, "do not tile a grid of 5 x 5"),
    (lambda: nn.Downsample(Y, FLOP, (4, 4), (2, 2), X), SpecError, "lies over D4: expected"),
    (lambda: nn.Upsample(Y, FLOP, (4, 4), (2, 2), X), SpecError, "lies over D4: expected"),
    (lambda: nn.Upsample(Y, D4, (4, 4), (2, 3), Y), GridError, "does not preserve a window"),
    (lambda: nn.Unpatchify(FLOP, X, (4, 4), (2, 2), 0), SpecError, "got 0 image channels"),
    (lambda: nn.Conv(Y, FLOP, (4, 4), X), SpecError, "lies over D4: expected"),
    (lambda: nn.GSetDepthwiseConv(gset_for(Y), FLOP, (4, 4)), SpecError, "lies over D4: expected"),
    (lambda: nn.DropPath(1.5), SpecError, r"got a dropping rate of 1.5: expected 0 <= rate < 1"),
    (lambda: nn.InvariantDropout(-1.0), SpecError, "got a dropping rate of -1.0"),
    (lambda: nn.Dropout(X, 2.0), SpecError, "got a dropping rate of 2.0"),
    (lambda: nn.Dropout(X, 0.5, NINE), SpecError, "the tokens are permuted by D4"),
    (lambda: nn.IsotypicAttention(X, 2, 1.0), SpecError, "got dropout=1.0: expected 0 <= rate < 1"),
    (lambda: nn.PermutedAttention(G, 2, -0.5), SpecError, "got dropout=-0.5"),
    (lambda: nn.ClassToken(ODD), FeatureTypeError, "has no trivial copy, so an invariant class to"),
    (lambda: nn.RegisterTokens(ODD, 2), FeatureTypeError, "no trivial copy, so invariant tokens"),
    (lambda: nn.RegisterTokens(X, 0), SpecError, "got 0 register tokens: expected at least one"),
    (lambda: nn.IsotypicLayerNorm(X, eps=-1.0), SpecError, "got eps=-1.0: expected a number >= 0"),
    (lambda: nn.TokenPool("token", 0), SpecError, "got 0 prefix tokens for pooling 'token'"),
    (lambda: nn.InvariantMap(ODD), IrrepMismatchError, "no trivial copy, so kind='trivial' gives"),
    (
        lambda: nn.GSetActivation(G, enter="x"),
        SpecError,
        "unknown basis 'x': expected one of irreps",
    ),
    (lambda: nn.MaxFilter(X, 0), SpecError, "got 0 filters: expected at least one"),
    (
        lambda: nn.OrbitPool(G, FLOP.on_grid(2, 2), "rms"),
        SpecError,
        "expected one of trivial, norm$",
    ),
    *(
        (lambda make=make: make(EMPTY), FeatureTypeError, NO_CHANNELS)
        for make in (
            nn.IsotypicLayerNorm,
            nn.LayerScale,
            nn.NormActivation,
            nn.Gated,
            nn.DirectActivation,
            nn.PolynomialMap,
            lambda x: nn.MaxFilter(x, 2),
            lambda x: nn.ToMaps(x, (2, 2)),
        )
    ),
]


@pytest.mark.parametrize(("make", "error", "message"), CASES)
def test_what_is_refused(make: Callable[[], object], error: type[Exception], message: str) -> None:
    text = message if message.endswith("$") else message + ".*"
    with pytest.raises(error, match=text.replace("$", r"\.$")):
        make()


def test_layers_built_by_hand_run() -> None:
    x = torch.randn(2, 3, 8, 8)
    net = torch.nn.Sequential(
        nn.PatchEmbed(FLOP, 3, (8, 8), (4, 4), X),
        nn.IsotypicLayerNorm(X),
        nn.GSetActivation(G, "gelu"),
        nn.DropPath(0.0),
        nn.TokenPool("avg", 0),
        nn.InvariantMap(X, "norm"),
    )
    assert torch.allclose(net(x.flip(3)), net(x), atol=1e-6)
