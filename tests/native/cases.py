"""Layers for which there are kernels, run forward and back; as a program, without kernels.

`IRREPNET_NATIVE=0 python -m tests.native.cases FILE` writes their results to a file.
"""

import sys
from collections.abc import Iterator

import torch
from torch import Tensor

from irrepnet import groups, nn, testing
from irrepnet.groups import Group
from irrepnet.types import FeatureType, GSetType, gset_for

NAMES = ("flop", "C4", "D4", "Q8", "A5")
DTYPES = (torch.float32, torch.bfloat16)


def _some_orbits(G: Group) -> GSetType:
    """One kind of orbit of each size up to six points."""
    kinds = {G.order // H.order: H.elements for H in G.subgroup_classes}
    small = [kinds[points] for points in sorted(kinds) if points <= 6]
    return GSetType(G, tuple((h, 17 + k) for k, h in enumerate(small)))


def layers(name: str) -> dict[str, nn.Layer]:
    """Layers in evaluation mode by kind; A5's regular orbits have too many points for kernels."""
    G = groups.parse(name)
    regular = FeatureType.regular(G, 17 * G.order)
    built = {
        "gelu": nn.GSetActivation(gset_for(regular)),
        "orbits": nn.GSetActivation(_some_orbits(G)),
        "norm": nn.IsotypicLayerNorm(regular),
        "plain norm": nn.IsotypicLayerNorm(regular, affine=False),
    }
    if name in ("D4", "A5"):
        built["points"] = nn.ToIrreps(_some_orbits(G))
    if name != "A5":
        built["attention"] = nn.IsotypicAttention(FeatureType.regular(G, 9 * G.order), 3)
    return {kind: testing.randomise_(layer).eval() for kind, layer in built.items()}


def run(layer: nn.Layer, dtype: torch.dtype, exact: bool = False) -> list[Tensor]:
    """Inference, output, and what goes back to input and parameters, on numbers of a dtype."""
    layer = layer.double() if exact else layer.to(dtype)
    dim = layer.basis.dim if hasattr(layer, "basis") else layer.dim
    width = 3 * dim if isinstance(layer, nn.IsotypicAttention) else dim
    generator = torch.Generator().manual_seed(0)
    x = (
        torch.randn(3, 5, width, generator=generator)
        .to(dtype)
        .to(torch.float64 if exact else dtype)
    )
    back = torch.randn(3, 5, dim, generator=generator).to(dtype).to(x.dtype)
    with torch.no_grad():
        calm = layer(x)
    out = layer(x.requires_grad_())
    found = torch.autograd.grad(out, [x, *layer.parameters()], back)
    return [t.detach().clone() for t in (calm, out, *found)]


def results() -> Iterator[tuple[str, list[Tensor]]]:
    for name in NAMES:
        for dtype in DTYPES:
            for kind, layer in layers(name).items():
                yield f"{name} {kind} {dtype}", run(layer, dtype)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.save(dict(results()), sys.argv[1])
