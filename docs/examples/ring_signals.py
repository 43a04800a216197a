"""A network on signals of twelve samples on a ring, equivariant to all shifts.

The cyclic group of order twelve shifts the samples. Its real irreps are frequencies: two of real
type (the mean and the alternating one) and five of complex type. A linear map that commutes with
shifts is a circular convolution, and in the isotypic basis it is one complex number for each
frequency: the compiler finds the discrete Fourier transform.
"""

import torch

import irrepnet as ir
from irrepnet import actions, groups, nn, specs, testing

C12 = groups.cyclic(12)
ring = actions.from_images("shifts", C12, [[(i + 1) % 12 for i in range(12)]])
assert [i.kind for i in C12.irreps].count("C") == 5

X = ir.FeatureType.trivial(C12, 1)  # one real sample at each place
H = ir.FeatureType.regular(C12, 24)  # channels that the shift permutes as well

# A single mixing layer is a circular convolution with any kernel.
conv = ir.compile(specs.TokenLinear(X, ring, bias=False), dtype=torch.float64)
assert isinstance(conv, nn.TokenLinear)
assert sum(p.numel() for p in conv.parameters()) == 12
kernel = torch.randn(12, dtype=torch.float64)
conv.load_matrix_(torch.stack([kernel.roll(i) for i in range(12)], dim=1))
x = torch.randn(1, 12, 1, dtype=torch.float64)
spectrum = torch.fft.fft(kernel) * torch.fft.fft(x[0, :, 0])
assert torch.allclose(conv(x)[0, :, 0], torch.fft.ifft(spectrum).real, atol=1e-12)

# A small ResMLP of signals: tokens and channels both typed, an activation on the channels' points.
steps: list[tuple[str, specs.Spec]] = [
    ("samples", specs.Tokens(X, ring)),
    ("lift", specs.Linear(X, H, bias=False)),
]
for index in range(2):
    mix = specs.Residual((("norm", specs.Affine(H, ring)), ("tokens", specs.TokenLinear(H, ring))))
    mlp = specs.Residual(
        (
            ("fc1", specs.Linear(H, 2 * H, bias=False)),
            ("bias", specs.TokenBias(2 * H, ring)),
            ("act", specs.Activation(2 * H, "gelu")),
            ("fc2", specs.Linear(2 * H, H)),
        )
    )
    steps += [(f"mix{index}", mix), (f"mlp{index}", mlp)]
steps.append(("pool", specs.OrbitPool(H, ring, kind="norm")))
net = ir.compile(specs.Chain(tuple(steps)), dtype=torch.float64)
testing.randomise_(net)
print(net.plan.explain())

signal = torch.randn(3, 12, 1, dtype=torch.float64)
for shift in range(12):
    assert torch.allclose(net(signal.roll(shift, dims=1)), net(signal), atol=1e-10)
assert ir.certify(net, dtypes=(torch.float64,)).worst < 1e-12
assert not torch.allclose(net(signal.flip(1)), net(signal), atol=1e-3)  # mirrors are not in C12
