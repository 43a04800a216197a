"""A policy for a four-legged robot: C2 x C2 by signed permutations of its joints.

Mirroring left and right exchanges legs and changes the sign of the joints that turn sideways;
mirroring front and back exchanges legs the other way and changes the sign of those that swing.
"""

import numpy as np
import torch

import irrepnet as ir
from irrepnet import groups, reps, specs

G = groups.klein_four()

# Joint 3 * leg + joint; legs: front left, front right, back left, back right; joints: sideways,
# swing, knee. Where each generator sends each joint, and with which sign.
sides, ends = [1, 0, 3, 2], [2, 3, 0, 1]
images = [[3 * leg[k // 3] + k % 3 for k in range(12)] for leg in (sides, ends)]
signs = [[(-1, 1, 1)[k % 3] for k in range(12)], [(1, -1, 1)[k % 3] for k in range(12)]]
joints = reps.signed_permutation(G, np.array(images), np.array(signs))
found = joints.decompose()
J = ir.FeatureType(G, found.multiplicities)
print(f"12 joints are {J}")

# Angles and velocities go in, torques come out. All irreps of C2 x C2 are signs, so an odd function
# may act on irreps directly; any other acts on points.
H = ir.FeatureType.regular(G, 64)
spec = (
    specs.Linear(2 * J, H)
    >> specs.DirectActivation(H, "tanh")
    >> specs.Linear(H, H)
    >> specs.Activation(H, "gelu")
    >> specs.Linear(H, J)
)
net = ir.testing.randomise_(ir.compile(spec, dtype=torch.float64))
assert ir.certify(net, dtypes=(torch.float64,), every_element=True).worst < 1e-12
dense = 2 * (24 * 64 + 64 * 64 + 64 * 12)
print(f"{ir.flops(net, (1, 24)).matmul_flops:,} FLOPs of products, {dense:,} without symmetry")


def policy(angles: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """Torques of the twelve joints."""
    parts = [found.basis.apply(v) for v in (angles, velocities)]
    # Type 2 * J: inside each irrep the copies of the angles, then those of the velocities.
    x = np.concatenate(
        [part[block.start : block.stop] for block in J.blocks for part in parts], axis=0
    )
    with torch.no_grad():
        return found.basis.adjoint(net(torch.tensor(x)[None])[0].numpy())


rng = np.random.default_rng(0)
angles, velocities = rng.normal(size=12), rng.normal(size=12)
for a in range(G.order):
    mirror = joints.matrices[a]
    moved = policy(mirror @ angles, mirror @ velocities)
    assert np.allclose(moved, mirror @ policy(angles, velocities), atol=1e-12)
