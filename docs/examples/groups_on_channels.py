"""Groups that move no image: the quaternions and the icosahedron's rotations act on channels.

Q8 has an irrep of quaternionic type, dimension 4; A5 has real irreps of dimensions 1, 3, 3, 4, 5.
The same specs compile, and the same promises hold.
"""

import torch

import irrepnet as ir
from irrepnet import groups, specs

for G in (groups.quaternion(), groups.alternating(5)):
    X = ir.FeatureType(G, [2] * len(G.irreps))  # any multiplicities, not only regular ones
    H = ir.FeatureType.regular(G, 2 * G.order)
    net = ir.compile(
        specs.chain(
            expand=specs.Linear(X, H),
            act=specs.Activation(H, "gelu"),  # on the points of the regular representation
            back=specs.Linear(H, X),
            mix=specs.residual(specs.RMSNorm(X) >> specs.Linear(X, X) >> specs.NormActivation(X)),
            gates=specs.Linear(X, specs.Gated(X).in_type),
            gated=specs.Gated(X),
            head=specs.InvariantMap(X, "norm"),
        ),
        dtype=torch.float64,
    )
    ir.testing.randomise_(net)
    certificate = ir.certify(net, dtypes=(torch.float64,), every_element=True)
    assert certificate.worst < 1e-12
    ir.testing.assert_matches_dense(net)
    report = ir.testing.assert_flops(net, (1, X.dim))
    print(f"{G}: {X.dim} channels, {report.total:,} FLOPs, error {certificate.worst:.0e}")
