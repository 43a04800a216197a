"""A network on sets: the symmetric group permutes five points and leaves channels alone.

Equivariant maps of points that every permutation respects are multiples of the identity and of the
mean (Deep Sets): two numbers for each pair of channels. The compiler finds them from the group.
"""

import torch

import irrepnet as ir
from irrepnet import actions, groups, nn, specs

S5 = groups.symmetric(5)
points = actions.natural(S5)
X, H = ir.FeatureType.trivial(S5, 3), ir.FeatureType.trivial(S5, 16)

# A channel map of every point, then points mixed, then a pointwise function.
layer = specs.Chain(
    (
        ("points", specs.Tokens(X, points)),
        ("lift", specs.Linear(X, H)),
        ("mix", specs.TokenLinear(H, points)),
        ("act", specs.Activation(H, "gelu")),
    )
)
net = ir.compile(
    specs.Chain((("layer", layer), ("pool", specs.OrbitPool(H, points)))), dtype=torch.float64
)
print(net.plan.explain())

# Two weights: on the trivial irrep (the mean) and on the standard one (the rest).
mix = net.get_submodule("layer.mix")
assert isinstance(mix, nn.TokenLinear)
assert [w.numel() for w in (mix.weight_chi0, mix.weight_chi2)] == [1, 1]
matrix = mix.weight_matrix()
identity, mean = torch.eye(5, dtype=torch.float64), torch.full((5, 5), 0.2, dtype=torch.float64)
deep_sets = mix.weight_chi2 * identity + (mix.weight_chi0 - mix.weight_chi2) * mean
assert torch.allclose(matrix, deep_sets, atol=1e-12)

# All pairs of channels: the dimension of Hom over R^5 (x) R^3 -> R^5 (x) R^16 is 2 for each.
V = ir.reps.permutation(S5, points.array)
assert ir.reps.hom(3 * V, 16 * V).dim == 2 * 3 * 16

# The pooled output does not change under any of the 120 permutations.
x = torch.randn(1, 5, 3, dtype=torch.float64)
for images in points.images:
    assert torch.allclose(net(x[:, list(images)]), net(x), atol=1e-12)
assert ir.certify(net, dtypes=(torch.float64,)).worst < 1e-12
