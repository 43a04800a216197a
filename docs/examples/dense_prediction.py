"""Features as maps: a segmenter whose backbone is equivariant and whose head is stock torch.

`ToMaps` ends a network in `(batch, channels, height, width)`. A head that sees invariant channels
only, and mixes no pixels, keeps the symmetry: turning the image turns the prediction.
"""

import torch
from torch import nn

import irrepnet as ir
from irrepnet import actions, specs

square = actions.image("D4")
size, grid = (24, 24), (6, 6)
X = ir.FeatureType.regular(square.group, 64)
invariants = specs.InvariantMap(X, "norm")
seen = ir.FeatureType.trivial(square.group, 48)  # 8 of each of A1, A2, B1, B2 and 16 of E

block = specs.residual(
    conv=specs.DepthwiseConv(X, square, grid, (3, 3), padding=(1, 1)),
    norm=specs.LayerNorm(X),
    mix=specs.Linear(X, X),
    act=specs.Activation(X, "gelu"),
)
backbone = ir.compile(
    specs.PatchEmbed(square, 3, size, (4, 4), X)
    >> 2 * block
    >> invariants
    >> specs.ToMaps(seen, square, grid),
    dtype=torch.float64,
)
ir.testing.randomise_(backbone)
assert ir.certify(backbone, dtypes=(torch.float64,), every_element=True).worst < 1e-12

head = nn.Sequential(nn.Conv2d(48, 16, 1), nn.ReLU(), nn.Conv2d(16, 5, 1), nn.Upsample(size))
segmenter = nn.Sequential(backbone, head.double())
x = torch.randn(2, 3, *size, dtype=torch.float64)
masks = segmenter(x)
assert masks.shape == (2, 5, *size)
for move in (lambda y: y.rot90(1, (2, 3)), lambda y: y.flip(3), lambda y: y.transpose(2, 3)):
    assert torch.allclose(segmenter(move(x)), move(masks), atol=1e-10)
print(f"{backbone.plan.target}: {ir.flops(backbone, (3, *size)).total:,} FLOPs an image")
