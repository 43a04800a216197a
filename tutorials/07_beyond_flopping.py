# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7. Beyond flopping
#
# [Tutorial 6](06_from_declaration_to_network.ipynb) built networks for one mirror. Nothing in it
# was about mirrors. Here are six other symmetries: the square's, a chain of ever smaller groups, a
# network that gives symmetry up, a set, a board game and a robot. Each time the same three lines:
# **who acts, on which types, compile**.

# %%
import numpy as np
import torch
from _draw import COLOURS, bars, figure, pictures, png
from skimage.data import astronaut
from skimage.transform import resize

import irrepnet as ir
from irrepnet import nn, specs

torch.manual_seed(0)
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def checked(net):
    """Random weights of order one, and the worst error over *every* element of the group."""
    ir.testing.randomise_(net)
    error = ir.certify(net, dtypes=(torch.float64,), every_element=True).worst
    assert error < 1e-12
    return error


# %% [markdown]
# ## All eight symmetries of the square
#
# `"D4"` is the mirrors and quarter turns of an image; networks for it are called *octic*. It has
# four irreps of dimension one and a plane, `E`, whose two components turn into each other. The
# compiler never asks which group it is: it needs the irreps, and computes them.

# %%
square = ir.actions.image("D4")
options = {"width": 96, "heads": 4, "depth": 2, "img_size": 48, "patch": 8}
options |= {"num_classes": 6, "global_pool": "avg"}
octic = ir.create_model("vit_tiny_patch16_224", group=square, **options)
print(f"error over all {square.group.order} elements: {checked(octic):.0e}")
print("tokens are", octic.plan.spec.feature_type)

# %% [markdown]
# The logits of a photograph do not change, whichever way it is turned; those of the ordinary
# network do. (Both have random weights. Bars are the changes of six logits.)

# %%
colours = torch.tensor(resize(astronaut()[:256, 96:352], (48, 48)))
photo = ((colours - colours.mean()) / colours.std()).permute(2, 0, 1)[None]
D4 = square.group

ordinary = ir.testing.randomise_(ir.create_model("vit_tiny_patch16_224", "trivial", **options))
shots = [torch.tensor(square.move(g, photo.numpy())) for g in range(8)]
with torch.no_grad():
    steady, moving = (torch.cat([net(shot) for shot in shots]) for net in (octic, ordinary))

most = (moving - moving[0]).abs().max().item()
drawn = figure(7.4, 3.0)
grid = drawn.add_gridspec(3, 8, height_ratios=(1.1, 1, 1))
for g, shot in enumerate(shots):
    axes = drawn.add_subplot(grid[0, g])
    axes.imshow((shot * colours.std() + colours.mean())[0].permute(1, 2, 0).clamp(0, 1).numpy())
    axes.axis("off")
    for row, (logits, label) in enumerate([(steady, "octic"), (moving, "ordinary")], start=1):
        axes = drawn.add_subplot(grid[row, g])
        axes.bar(range(6), (logits[g] - logits[0]).numpy(), color=COLOURS[row - 1])
        axes.set_ylim(-most, most)
        axes.axhline(0, color="#999", lw=0.5)
        axes.set_xticks([])
        axes.set_yticks([])
        if g == 0:
            axes.set_ylabel(label, fontsize=9)
png(drawn, "A portrait in eight positions; only the ordinary network's logits change")

# %%
assert torch.allclose(steady, steady[:1].expand(8, -1), atol=1e-12)
assert (moving - moving[:1]).abs().max() > 0.1

# %% [markdown]
# ### What it saves, and a type that nobody published
#
# For the regular type, the FLOPs of linear layers shrink by $|G|^2 / \sum d^3$ (tutorial 4), which
# is 64 / 12 = 5⅓ for D4. But multiplicities are free. Equal multiplicities of all five irreps cost
# even less: 6 times. They have points, too, so GELU stays legal; the compiler finds 8 + 4 of them
# in place of the regular 8. Pass the type as text:

# %%
types = {
    "dense": ("trivial", None),
    "flop": ("flop", None),
    "D4, regular": ("D4", None),
    "D4, equal": ("D4", "16*A1 + 16*A2 + 16*B1 + 16*B2 + 16*E"),
}
linear = {}
for label, (group, text) in types.items():
    net = ir.create_model("vit_tiny_patch16_224", group, feature_type=text, **options)
    rows = ir.flops(net, (3, 48, 48)).rows
    linear[label] = sum(r.matmul_flops for r in rows if r.path.endswith(("qkv", "fc1", "fc2")))
    if group != "trivial":
        checked(net)
bars(
    {"": [linear["dense"] / linear[label] for label in types]},
    [f"{label}" for label in types],
    "How many times fewer FLOPs in linear layers: 1, 2, 5.33 and 6",
    ylabel="times fewer FLOPs\nin qkv, fc1, fc2",
    width=5.5,
    height=2.3,
)

# %%
assert linear["dense"] == 2 * linear["flop"]
assert 3 * linear["dense"] == 16 * linear["D4, regular"]
assert linear["dense"] == 6 * linear["D4, equal"]

# %% [markdown]
# ## Down a chain of subgroups
#
# How much symmetry should a network have? Early layers look at edges, and edges turn as well as
# they stand. Late layers see heads and feet, which do not. So begin with D4 and give elements up on
# the way: a *cascade*. At each step the plane `E` falls apart into irreps of the subgroup. What
# stands there is a fixed change of basis without weights, so that from the next block on the same
# channels are typed over the smaller group.

# %%
deeper = {**options, "depth": 4}
cascade = ir.create_model(
    "vit_tiny_patch16_224",
    group="D4",
    break_at=[("klein_four", 1), ("flop", 2), ("trivial", 3)],
    **deeper,
)
explained = cascade.plan.explain().splitlines()
print(next(line.strip() for line in explained if " Restrict:" in line))
assert not list(cascade.get_submodule("blocks.restrict1").parameters())
checked(cascade)
print(ir.certify(cascade, every_element=True, dtypes=(torch.float64,)).table())

# %% [markdown]
# The certificate asks of each layer what it promises: eight elements in the first block, then four,
# two, and only the identity. And what was given up is gone: below, the change of the *output* under
# all eight elements, for cascades that stop at different subgroups. Dark is "does not change".

# %%
chains = {
    "D4": [],
    "D4 > both mirrors": [("klein_four", 1)],
    "D4 > both mirrors > flop": [("klein_four", 1), ("flop", 2)],
    "D4 > ... > trivial": [("klein_four", 1), ("flop", 2), ("trivial", 3)],
}
change = np.empty((len(chains), 8))
for row, breaks in enumerate(chains.values()):
    net = ir.create_model("vit_tiny_patch16_224", "D4", break_at=breaks, **deeper)
    checked(net)
    with torch.no_grad():
        logits = torch.cat([net(shot) for shot in shots])
    change[row] = ((logits - logits[0]).abs().amax(1) / logits[0].abs().max()).numpy()

names = ["e", "r", "r²", "r³", "v", "d", "m", "a"]
drawn = figure(6.2, 2.3)
axes = drawn.add_subplot()
shown = axes.imshow(np.log10(change + 1e-17), cmap="viridis", vmin=-16, vmax=0, aspect="auto")
axes.set_xticks(range(8), names)
axes.set_yticks(range(len(chains)), list(chains))
axes.tick_params(length=0)
drawn.colorbar(shown, label="log10 of the change")
png(drawn, "Which elements leave the logits alone: all eight, four, two, one")

# %%
kept = [
    range(8),
    ir.actions.image("klein_four").embedding(square),
    ir.actions.image("flop").embedding(square),
    [0],
]
for row, elements in enumerate(kept):
    for g in range(8):
        assert (change[row, g] < 1e-12) == (g in elements)

# %% [markdown]
# A chain must descend. The mirror is no subgroup of the quarter turns, and the message says so:

# %%
try:
    ir.create_model("vit_tiny_patch16_224", "C4", break_at=[("flop", 1)], **deeper)
except ir.IrrepnetError as problem:
    refusal = str(problem)
print(refusal)
assert "no subgroup" in refusal

# %% [markdown]
# ## Hybrids
#
# The simplest chain has one step: from a group to nothing, in the middle. The papers call such
# networks *hybrid*, and report them to be more accurate than fully equivariant ones of the same
# width: cheap equivariant layers first, then layers that may use handedness. Each block costs what
# blocks of its group cost, so the price of accuracy is the number of free blocks.

# %%
for place in range(5):
    breaks = [("trivial", place)] if place < 4 else None
    net = ir.create_model("vit_tiny_patch16_224", "flop", break_at=breaks, **deeper)
    report = ir.flops(net, (3, 48, 48))
    print(f"{place} of 4 blocks flopping: {report.total / 1e6:6.1f} million FLOPs")
    if place == 0:
        most = report.total
assert 1.7 < most / report.total < 2.0

# %% [markdown]
# ## A set
#
# Groups need not move images. Five points without order: the symmetric group `S5` permutes them,
# all 120 ways. Who acts: `S5` on its points. On which types: three invariant channels a point.
# Compile. The layer that mixes points has exactly two weights for all 25 pairs, one on the diagonal
# and one off it. That is the theorem of *Deep Sets*, found from the group.

# %%
S5 = ir.groups.symmetric(5)
points = ir.actions.natural(S5)
X, H = ir.FeatureType.trivial(S5, 3), ir.FeatureType.trivial(S5, 16)

on_sets = ir.compile(
    specs.chain(
        points=specs.Tokens(X, points),
        lift=specs.Linear(X, H),
        mix=specs.TokenLinear(H, points),
        act=specs.Activation(H, "gelu"),
        pool=specs.OrbitPool(H, points),
    )
)
print(f"error over all {S5.order} permutations: {checked(on_sets):.0e}")

mix = on_sets.get_submodule("mix")
assert isinstance(mix, nn.TokenLinear)
matrix = mix.weight_matrix().detach()
weights = [p for name, p in mix.named_parameters() if name.startswith("weight")]
assert sum(w.numel() for w in weights) == 2
assert torch.allclose(matrix.diagonal(), matrix[0, 0].expand(5))
assert torch.allclose(matrix[~torch.eye(5, dtype=torch.bool)], matrix[0, 1].expand(20))
pictures([matrix.numpy()], ["mixes 5 points"], "Two colours: the diagonal and the rest", size=1.8)

# %% [markdown]
# ## A board game
#
# Two planes (my stones, yours) go in; a score for every cell (where to play) and one value (who is
# ahead) come out. Turn the board, and the scores should turn and the value stay. On a board of
# 5 × 5 the middle cell, row, column and diagonals stay in place under some symmetries; nothing has
# to be padded away.

# %%
size = (5, 5)
planes, one = ir.FeatureType.trivial(D4, 16), ir.FeatureType.trivial(D4, 1)
X = ir.FeatureType.regular(D4, 48)
block = specs.residual(
    norm=specs.LayerNorm(X),
    conv1=specs.Conv(X, square, size, X),
    act=specs.Activation(X, "relu"),
    conv2=specs.Conv(X, square, size, X),
)
trunk = specs.chain(
    stones=specs.PatchEmbed(square, 2, size, (1, 1), planes),
    lift=specs.Conv(planes, square, size, X),
    blocks=2 * block,
    norm=specs.LayerNorm(X),
)
policy = ir.compile(trunk >> specs.Linear(X, one))
value = ir.compile(trunk >> specs.TokenPool(X, "avg") >> specs.InvariantMap(X, "norm"))
for net in (policy, value):
    checked(net)

board = torch.zeros(1, 2, *size)
for player, cells in enumerate([[(1, 1), (2, 1), (3, 2)], [(1, 3), (2, 2)]]):
    for row, column in cells:
        board[0, player, row, column] = 1
boards = [board, board.rot90(1, (2, 3)), board.flip(3)]
scores = [policy(b).detach().view(size) for b in boards]
pictures(
    [(b[0, 0] - b[0, 1]).numpy() for b in boards] + [s.numpy() for s in scores],
    ["position", "quarter turn", "mirrored", "scores", "scores", "scores"],
    "A position in three orientations and its scores, which turn with it",
    columns=3,
    signed=True,
    size=1.5,
)

# %%
assert torch.allclose(scores[1], scores[0].rot90(1, (0, 1)))
assert torch.allclose(scores[2], scores[0].flip(1))
for b in boards:
    assert torch.allclose(value(b), value(board))

# %% [markdown]
# ## A robot
#
# A robot with four legs is symmetric left to right and (if it is built so) front to back: `C2 x C2`
# acts on its twelve joints. A mirror exchanges legs, and it changes the *sign* of some joints: what
# turns outwards to the left turns outwards to the right. So the joints are a *signed* permutation
# representation. Which type is it? Decompose it; the answer is exact.

# %%
G = ir.groups.klein_four()
legs = ["front left", "front right", "back left", "back right"]
kinds = ["sideways", "swing", "knee"]
left_right, front_back = [1, 0, 3, 2], [2, 3, 0, 1]  # where each generator sends each leg
images = [[3 * leg[k // 3] + k % 3 for k in range(12)] for leg in (left_right, front_back)]
signs = [[(-1, 1, 1)[k % 3] for k in range(12)], [(1, -1, 1)[k % 3] for k in range(12)]]
joints = ir.reps.signed_permutation(G, np.array(images), np.array(signs))
torques = joints.decompose()
J = ir.FeatureType(G, torques.multiplicities)
print("12 joints are", J)

basis = torques.basis.to_dense()
moves = basis[:3].reshape(3, 4, 3)
pictures(
    list(moves),
    [f"symmetric {k}" for k in range(3)],
    "Three symmetric movements, four legs down and three joints across",
    signed=True,
    size=1.6,
)

# %%
assert np.allclose(basis @ basis.T, np.eye(12))
for k, row in enumerate(moves):
    for a in range(4):
        assert np.allclose(joints.matrices[a] @ row.ravel(), row.ravel())  # looks the same mirrored
    assert np.count_nonzero(np.abs(row).sum(axis=0) > 1e-12) == 1, kinds[k]  # one kind of joint

# %% [markdown]
# (Legs down, joints across: the three ways to move all four legs that every mirror leaves alone.)
# Angles and velocities go in, torques come out. The state is the representation twice, so let the
# library decompose *that*, and the network is three lines again.

# %%
state = (joints + joints).decompose()
H = ir.FeatureType.regular(G, 64)
policy = ir.compile(
    specs.Linear(2 * J, H)
    >> specs.DirectActivation(H, "tanh")  # all irreps are signs, and tanh is odd
    >> specs.Linear(H, H)
    >> specs.Activation(H, "gelu")  # any other function goes to points and back
    >> specs.Linear(H, J)
)
assert state.multiplicities == (2 * J).multiplicities
print(f"error {checked(policy):.0e}")


def act(angles, velocities):
    """Torques of twelve joints."""
    x = state.basis.apply(np.concatenate([angles, velocities]))
    with torch.no_grad():
        return torques.basis.adjoint(policy(torch.tensor(x)[None])[0].numpy())


rng = np.random.default_rng(0)
angles, velocities = rng.normal(size=12), rng.normal(size=12)
for mirror in joints.matrices:
    moved = act(mirror @ angles, mirror @ velocities)
    assert np.allclose(moved, mirror @ act(angles, velocities))

weights = sum(p.numel() for name, p in policy.named_parameters() if "weight" in name)
assert 4 * weights == 24 * 64 + 64 * 64 + 64 * 12
print(f"{weights} weights in place of {4 * weights}")

# %% [markdown]
# ## What to remember
#
# - Who acts (`actions.image`, `actions.natural`, a representation), on which types, `compile`.
# - Multiplicities are free. The regular type is a habit, not a law.
# - `break_at` gives symmetry up where you say, down a chain of subgroups; the certificate asks of
#   each layer exactly what is left.
#
# ## Exercises
#
# 1. The quarter turns `"C4"` save less than the group of the same order `"klein_four"`. By how
#    much, in linear layers? Which irrep is to blame?
# 2. Make a set network for a set of two kinds, three red points and two blue ones, that may be
#    permuted within their kind. How many weights mix the points?
# 3. Which elements are left in a network that goes from `"D4"` to `"C4"` to `"rot180"`?
# 4. A noughts-and-crosses player should also know that exchanging the players negates the value.
#    With which group and which type of the two planes would you say so?

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 1. 8/3 against 4: the plane of C4 is of complex type, its block is a complex product, and costs
# twice the real one of its size.
savings = {}
for group in ("C4", "klein_four"):
    net = ir.create_model("vit_tiny_patch16_224", group, **options)
    rows = ir.flops(net, (3, 48, 48)).rows
    cost = sum(r.matmul_flops for r in rows if r.path.endswith(("qkv", "fc1", "fc2")))
    savings[group] = linear["dense"] / cost
assert np.isclose(savings["C4"], 8 / 3)
assert np.isclose(savings["klein_four"], 4)
assert [i.kind for i in ir.actions.image("C4").group.irreps] == ["R", "R", "C"]

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 2. S3 x S2, as permutations of five points: red-red (two), blue-blue (two), red-blue and blue-red.
kinds_of_two = ir.groups.from_permutations(
    [[1, 2, 0, 3, 4], [1, 0, 2, 3, 4], [0, 1, 2, 4, 3]], name="S3 x S2"
)
two_kinds = ir.actions.natural(kinds_of_two)
layer = specs.TokenLinear(ir.FeatureType.trivial(kinds_of_two, 1), two_kinds, bias=False)
assert kinds_of_two.order == 12
assert sum(p.numel() for p in ir.compile(layer).parameters()) == 6

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 3. The half turn and the identity.
net = ir.create_model("vit_tiny_patch16_224", "D4", break_at=[("C4", 1), ("rot180", 2)], **deeper)
checked(net)
with torch.no_grad():
    logits = torch.cat([net(shot) for shot in shots])
assert torch.allclose(logits[2], logits[0])
assert not any(torch.allclose(logits[g], logits[0]) for g in (1, 3, 4, 5, 6, 7))

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 4. D4 x C2: the new element exchanges the planes, so they are its regular representation (their
# sum stays, their difference changes its sign), and the value is the irrep of sign -1.
C2 = ir.groups.cyclic(2)
both = ir.groups.direct_product(D4, C2)
exchange = ir.reps.regular(C2).decompose()
assert exchange.multiplicities == (1, 1)
assert both.order == 16
values = [
    i
    for i in both.irreps
    if i.dim == 1 and [i.matrix(g)[0, 0] for g in both.generators] == [1, 1, -1]
]  # the generators are a turn, a mirror and the exchange
assert len(values) == 1
