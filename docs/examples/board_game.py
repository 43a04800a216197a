"""The trunk of a player of a board game: all eight symmetries of a 5 x 5 board.

Two planes (my stones, yours) go in; a move for every cell and one value come out. Turning or
mirroring the board turns or mirrors the moves and leaves the value alone. The middle cell, row,
column and diagonals are fixed by some symmetries; nothing has to be padded away.
"""

import torch

import irrepnet as ir
from irrepnet import actions, specs

board = actions.image("D4")
D4, size = board.group, (5, 5)
planes = ir.FeatureType.trivial(D4, 16)
X = ir.FeatureType.regular(D4, 48)
one = ir.FeatureType.trivial(D4, 1)

block = specs.residual(
    norm=specs.LayerNorm(X),
    conv1=specs.Conv(X, board, size, X),
    act=specs.Activation(X, "relu"),
    conv2=specs.Conv(X, board, size, X),
)
trunk = specs.chain(
    stones=specs.PatchEmbed(board, 2, size, (1, 1), planes),
    lift=specs.Conv(planes, board, size, X),
    blocks=3 * block,
    norm=specs.LayerNorm(X),
)
policy = ir.compile(trunk >> specs.Linear(X, one), dtype=torch.float64)
value = ir.compile(
    trunk >> specs.TokenPool(X, "avg") >> specs.InvariantMap(X, "norm"), dtype=torch.float64
)
for net in (policy, value):
    ir.testing.randomise_(net)
    certificate = ir.certify(net, dtypes=(torch.float64,), every_element=True)
    assert certificate.worst < 1e-12
    print(f"{ir.flops(net, (2, *size)).total:,} FLOPs a board, error {certificate.worst:.0e}")

boards = torch.randn(3, 2, *size, dtype=torch.float64)
moves = policy(boards).view(3, *size)
assert torch.allclose(policy(boards.rot90(1, (2, 3))).view(3, *size), moves.rot90(1, (1, 2)))
assert torch.allclose(value(boards.flip(3)), value(boards))
