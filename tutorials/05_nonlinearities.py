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
# # 5. Nonlinearities, attention and the rest
#
# Linear layers became blocks ([tutorial 4](04_schur_and_equivariant_maps.ipynb)). Everything
# between them has to commute with the group too, and here intuition fails first: a ReLU on a
# channel that changes its sign is already wrong. This tutorial says which functions may act
# where, what to do when they may not, and goes through the other parts of a transformer:
# attention, normalisation, positions.
#
# You need feature types and isotypic coordinates ([tutorial 3](03_isotypic_decomposition.ipynb)),
# and PyTorch.

# %%
import numpy as np
import torch
from _draw import curves, pictures, planes, verdicts
from torch.nn.functional import gelu, relu

import irrepnet as ir
from irrepnet import specs, types

rng = np.random.default_rng(0)
torch.manual_seed(0)
torch.set_default_dtype(torch.float64)

flop, D4 = ir.groups.flop(), ir.groups.octic()
C3, S3, Q8 = ir.groups.cyclic(3), ir.groups.symmetric(3), ir.groups.quaternion()
square = ir.actions.image("D4")

# %% [markdown]
# ## ReLU breaks on a sign
#
# An antisymmetric channel holds $y = (a - b)/\sqrt2$, and when the image is mirrored it becomes
# $-y$. A function that acts on it must send $-y$ to minus what it sends $y$ to: it must be odd.
# ReLU is not. Neither is GELU. Tanh is. The absolute value is even: both signs give the same,
# which is respectable too, only that the result is *symmetric*.

# %%
functions = {
    "relu": relu,
    "gelu": gelu,
    "tanh": torch.tanh,
    "abs": torch.abs,
    "square": torch.square,
}
x = torch.linspace(-2, 2, 101)
curves(
    x.numpy(),
    {name: {"f(−y)": f(-x).numpy(), "−f(y)": -f(x).numpy()} for name, f in functions.items()},
    "f(-y) and -f(y) for five functions: equal only for tanh",
)

# %%
for name, f in functions.items():
    assert torch.allclose(f(-x), -f(x)) == (name == "tanh")
    assert torch.allclose(f(-x), f(x)) == (name in ("abs", "square"))

# %% [markdown]
# Does a sign matter that much? It does: a network with such a mistake trains without complaint
# and may do well, but it is no longer equivariant, and whatever was promised about mirrored
# images is false.
#
# ## The theorem
#
# Let a function $f$ act on all channels alike. When does it commute with the matrices $\rho(g)$?
# It depends on the *basis* in which the channels are stored:
#
# | in the stored basis, each $\rho(g)$ is | then |
# |:--|:--|
# | a permutation | any $f$ commutes |
# | a permutation with signs | odd $f$ commute; even $f$ do, into $\lvert\rho\rvert$: no signs |
# | anything else | no $f$ but linear ones |
#
# (Pacini, Dong, Lepri and Santin, ICLR 2024, for continuous $f$; for finite groups, up to the
# scale of the coordinates.) The first two lines are easy. The third is the theorem, and it kills
# the hope for a clever activation: if a matrix mixes two channels by adding multiples of them,
# $f$ would have to be additive.
#
# Let us try. Seven ways to store features, five functions, random inputs; "yes" means no error
# for any element, "|ρ|" that the output transforms by the matrices without signs.


# %%
def verdict(f, matrices):
    """Whether f commutes with all matrices, as it is or without signs; by experiment."""
    x = torch.randn(50, matrices.shape[-1])
    for word, out in [("yes", matrices), ("|ρ|", np.abs(matrices))]:
        errors = [
            (f(x @ torch.tensor(a).T) - f(x) @ torch.tensor(b).T).abs().max()
            for a, b in zip(matrices, out, strict=True)
        ]
        if max(errors) < 1e-12:
            return word
    return "no"


def stored(X):
    """How the group acts on the channels of a feature type."""
    return np.stack([X.matrix(g) for g in range(X.group.order)])


stores = {
    "flop, irreps": ir.FeatureType(flop, "sym + asym"),
    "D4, irreps": ir.FeatureType.regular(D4, 8),
    "Q8, irreps": ir.FeatureType.regular(Q8, 8),
    "C3, irreps": ir.FeatureType.regular(C3, 3),
    "S3, irreps": ir.FeatureType.regular(S3, 6),
}
matrices = {name: stored(X) for name, X in stores.items()}
matrices["D4, points"] = ir.reps.regular(D4).matrices
matrices["S3, points"] = ir.reps.regular(S3).matrices
found = {name: [verdict(f, m) for f in functions.values()] for name, m in matrices.items()}
verdicts(
    list(found.values()),
    list(found),
    list(functions),
    "Which functions commute: all on points, odd and even ones where there are signs, else none",
)

# %% [markdown]
# The irreps of D4 and (in the library's basis) of Q8 are permutations with signs. A turn by 120
# degrees is not, in any basis of the plane (it cannot permute two lines), and so C3 and S3 refuse
# everything. The library decides this exactly, without trying, when the network is built; and its
# decision is the experiment's.

# %%
for name, X in stores.items():
    for function, outcome in zip(functions, found[name], strict=True):
        try:
            parity = types.check_pointwise(X, function)
            decided = {"odd": "yes", "even": "|ρ|"}[parity]
        except ir.IrrepnetError:
            decided = "no"
        assert decided == outcome

try:
    ir.compile(specs.DirectActivation(stores["S3, irreps"], "tanh"))
except ir.IrrepnetError as problem:
    print(problem)

# %% [markdown]
# ## The way out: points
#
# In the table, the rows "points" say yes to everything. So go there: change to a basis in which
# the group permutes the channels, apply the function, and come back. For the mirror these are the
# two butterflies of tutorial 3:
#
# $$ a = \frac{y_+ + y_-}{\sqrt2}, \quad b = \frac{y_+ - y_-}{\sqrt2}, \qquad
#      z_\pm = \frac{f(a) \pm f(b)}{\sqrt2} . $$
#
# Seen from the typed channels, this is a function of two numbers. Its symmetric output is even in
# $y_-$, its antisymmetric output is odd in $y_-$: signs take care of themselves.

# %%
X = ir.FeatureType(flop, "sym + asym")
through_points = ir.compile(specs.Activation(X, "gelu"))
print(through_points.plan.explain())

line = torch.linspace(-3, 3, 61)
inputs = torch.stack(torch.meshgrid(line, line, indexing="ij")[::-1], dim=-1)  # (sym, asym)
outputs = through_points(inputs)
pictures(
    [outputs[..., 0].numpy()[::-1], outputs[..., 1].numpy()[::-1]],
    ["symmetric output", "antisymmetric output"],
    "Two maps over the plane of inputs: upside down, one is the same and one changes its sign",
    size=2.0,
    signed=True,
)

# %%
plus, minus = inputs.unbind(-1)
a, b = (plus + minus) / 2**0.5, (plus - minus) / 2**0.5
by_hand = torch.stack([gelu(a) + gelu(b), gelu(a) - gelu(b)], dim=-1) / 2**0.5
assert torch.allclose(outputs, by_hand)
assert torch.allclose(outputs[..., 0], outputs[..., 0].flip(0))  # even in the antisymmetric input
assert torch.allclose(outputs[..., 1], -outputs[..., 1].flip(0))  # odd in it

# %% [markdown]
# ### Which types have points?
#
# A set on which $G$ acts is a **G-set**. It falls into orbits, and an orbit whose points have the
# stabiliser $H$ looks like the cosets $G/H$. So a type has a basis of points exactly if it is a
# sum of coset representations $\mathbb{R}[G/H]$. There is one for each class of subgroups; for D4
# eight, here with the irreps that they contain. `A1` occurs exactly once in each.

# %%
names = ["e", "r", "r²", "r³", "v", "d", "m", "a"]
for stabiliser, multiplicities in types.transitive_types(D4):
    X = ir.FeatureType(D4, multiplicities)
    H = "{" + ", ".join(names[g] for g in stabiliser) + "}"
    print(f"{D4.order // len(stabiliser)} points, H = {H:30} {X}")
    assert X == ir.FeatureType(D4, ir.reps.quotient(D4, stabiliser).multiplicities)
    assert X.num_invariants == 1

# %% [markdown]
# Multiples of the first line, the regular type, are the usual choice. But any sum of lines will
# do, and the compiler searches for one (most regular orbits first). Equal multiplicities of all
# five irreps, which made linear layers of D4 six times cheaper in tutorial 4, are the first line
# and the second. For the mirror the condition is that there are no more antisymmetric than
# symmetric channels.

# %%
equal = ir.FeatureType(D4, [2, 2, 2, 2, 2])
print("2 of each irrep of D4: ", types.gset_for(equal))
assert types.gset_for(equal).counts == (((0,), 1), ((0, 2), 1))  # 8 + 4 points

print("5 sym + 3 asym:        ", types.gset_for(ir.FeatureType(flop, "5*sym + 3*asym")))
for text in ("5*sym + 3*asym", "3*sym + 5*asym"):
    X = ir.FeatureType(flop, text)
    try:
        points = types.gset_for(X)
        assert X.multiplicities[1] <= X.multiplicities[0]
        assert points.num_orbits == X.num_invariants
    except ir.IrrepnetError as problem:
        print(problem)

# %% [markdown]
# ## Gates and norms: legal on every type
#
# What if a type has no points? Two constructions never fail, for any group and irreps of type R,
# C or H. Both multiply a whole copy of an irrep by an invariant number, which cannot disturb how
# it transforms.
#
# - **Gated** (`specs.Gated`): for every copy the layer before computes one more invariant
#   channel, the gate; the copy is multiplied by its sigmoid.
# - **Norm** (`specs.NormActivation`): the copy is multiplied by a function of its own length.
#
# Look at a circle of vectors in the plane. ReLU cuts, tanh pulls the circle towards a square
# (legal for D4, whose symmetries the square has, illegal for S3, whose it has not), and the norm
# activation leaves it round.

# %%
angles = torch.linspace(0, 2 * torch.pi, 73)[:-1]
circle = torch.stack([angles.cos(), angles.sin()], dim=-1)
E = ir.FeatureType(D4, "E")
by_norm = ir.compile(specs.NormActivation(E))
torch.nn.init.constant_(by_norm.bias, 0.5)
planes(
    circle.numpy(),
    [relu(circle).numpy(), torch.tanh(2 * circle).numpy(), by_norm(circle).detach().numpy()],
    ["relu", "tanh(2x)", "norm activation"],
    "A circle after ReLU: a quarter of it; after tanh: a rounded square; after a norm: a circle",
)

# %%
lengths = by_norm(circle).norm(dim=-1)
assert torch.allclose(lengths, lengths[0].expand_as(lengths))  # still round
assert torch.tanh(2 * circle).norm(dim=-1).std() > 0.01  # no longer round

for G in (flop, D4, C3, S3, Q8):
    X = ir.FeatureType(G, [3] * len(G.irreps))
    for spec in (specs.Gated(X), specs.NormActivation(X, "sigmoid")):
        layer = ir.testing.randomise_(ir.compile(spec))
        assert ir.certify(layer).worst < 1e-12
assert specs.Gated(ir.FeatureType(D4, "2*A1 + 3*E")).gates == 3
print("input of a gated layer:", specs.Gated(ir.FeatureType(D4, "2*A1 + 3*E")).in_type)

# %% [markdown]
# ## Attention
#
# Attention compares a query with a key by their inner product. All matrices $\rho(g)$ are
# orthogonal, so
#
# $$ \langle \rho(g) q, \rho(g) k \rangle = \langle q, k \rangle $$
#
# and the logits are invariant with no further effort; values are then averaged with invariant
# weights. When the group also moves tokens, the attention matrix moves with them, rows and
# columns. Below, eight tokens in a row with random features under the mirror: the right picture
# is the left one turned by 180 degrees.

# %%
X = ir.FeatureType(flop, "4*sym + 4*asym")
tokens = torch.randn(8, X.dim)
rho = torch.tensor(X.matrix(1))


def mirrored(tokens):
    """Reverse the row and act on the channels: the element acts on both."""
    return tokens.flip(0) @ rho.T


to_q, to_k = (ir.testing.randomise_(ir.compile(specs.Linear(X, X)), seed) for seed in (1, 2))


def weights(tokens):
    """One head of attention: the matrix."""
    q, k = to_q(tokens), to_k(tokens)
    return (q @ k.T / X.dim**0.5).softmax(-1).detach()


pictures(
    [weights(tokens).numpy(), weights(mirrored(tokens)).numpy()],
    ["tokens", "mirrored tokens"],
    "Two attention matrices, one the other turned by a half turn",
    size=2.0,
)

# %%
assert torch.allclose(weights(mirrored(tokens)), weights(tokens).flip(0, 1))
v = torch.randn(8, X.dim)
attended, attended_after = weights(tokens) @ v, weights(mirrored(tokens)) @ mirrored(v)
assert torch.allclose(attended_after, mirrored(attended))

# %% [markdown]
# With several heads, each head sees some of the channels. The argument needs an orthogonal action
# *on those*, so a head must hold whole copies of irreps: with one component of a plane E, the
# inner product would not be invariant. The library gives each head an equal share of every irrep,
# and says which numbers of heads are possible.

# %%
plane = torch.tensor(D4.irrep("E").matrix(1))  # a quarter turn
q, k = torch.randn(2), torch.randn(2)
assert torch.isclose((plane @ q) @ (plane @ k), q @ k)
assert not torch.isclose((plane @ q)[0] * (plane @ k)[0], q[0] * k[0])  # one component alone

assert ir.compile(specs.Attention(X, heads=4)).plan is not None
try:
    ir.compile(specs.Attention(X, heads=3))
except ir.IrrepnetError as problem:
    print(problem)

# %% [markdown]
# (Heads may also be permuted by the group like points, `specs.PermutedAttention`; and dropout on
# attention weights is equivariant only on average.)
#
# ## LayerNorm
#
# PyTorch's LayerNorm subtracts the mean over all channels, divides by the standard deviation, and
# then scales and shifts each channel. On typed channels three of the four steps are wrong: a mean
# over symmetric and antisymmetric channels is neither; scaling the components of one copy
# differently breaks the copy; a shift breaks every sign. The joint scale is right, because the
# length of a vector is invariant. `specs.LayerNorm` centres each irrep over its copies, divides
# by one joint deviation, and has one factor for each copy and shifts for the invariants only.


# %%
def error(f, X):
    """The largest relative error of f(g x) = g f(x) over the group."""
    x = torch.randn(20, X.dim)
    errors = [
        (f(x @ torch.tensor(X.matrix(g)).T) - f(x) @ torch.tensor(X.matrix(g)).T).abs().max()
        for g in range(X.group.order)
    ]
    return (max(errors) / f(x).abs().max()).item()


X = ir.FeatureType.regular(D4, 32)
stock = ir.testing.randomise_(torch.nn.LayerNorm(X.dim))
typed = ir.testing.randomise_(ir.compile(specs.LayerNorm(X)))
print(f"error of torch.nn.LayerNorm: {error(stock, X):.2f}")
factors = sum(p.numel() for name, p in typed.named_parameters() if "weight" in name)
print(f"{X.dim} channels, {factors} factors, {typed.bias.numel()} shifts")
assert error(stock, X) > 0.1
assert error(typed, X) < 1e-12
assert factors == sum(X.multiplicities)
assert typed.bias.shape == (X.num_invariants,)

no_affine = torch.nn.LayerNorm(X.dim, elementwise_affine=False)
assert error(no_affine, X) > 0.01  # the mean alone does harm

# %% [markdown]
# ## Positions
#
# A positional embedding is a table with one vector for each token, added to the tokens. Adding
# commutes with the group if the table itself is invariant: as a picture on the grid with typed
# channels, $p(gt) = \rho(g)\,p(t)$. For a symmetric channel the picture must be symmetric, for an
# antisymmetric one antisymmetric, and for the irreps of D4 it must look like the fields of
# tutorial 2. Here is a random embedding of one channel each on 7 × 7 tokens:

# %%
X = ir.FeatureType(D4, "A1 + A2 + B1 + B2 + E")
position = ir.testing.randomise_(ir.compile(specs.PositionalEmbedding(X, square, (7, 7))))
table = position(torch.zeros(1, 49, X.dim))[0].detach().numpy()
pictures(
    list(table.T.reshape(6, 7, 7)),
    ["A1", "A2", "B1", "B2", "E, first", "E, second"],
    "Six random tables on 7 by 7 tokens with the symmetries of the irreps of D4",
    columns=6,
    size=1.5,
    signed=True,
)

# %%
moves = square.permutation(7, 7)
for g in range(D4.order):
    moved = np.empty_like(table)
    moved[moves[g]] = table @ X.matrix(g).T  # the vector of token t goes to token g t
    assert np.allclose(moved, table)

free = {n.removeprefix("weight_"): p.numel() for n, p in position.named_parameters()}
print("free numbers by irrep:", free, "of", table.size)
kinds = square.on_grid(7, 7).orbit_types
for irrep in D4.irreps:  # every orbit gives as many as its stabiliser fixes in the irrep
    fixed = sum(kind.num_orbits * kind.multiplicities[irrep.index] for kind in kinds)
    assert free[irrep.name] == fixed * irrep.end_dim

# %% [markdown]
# White cells are forced: what is antisymmetric vanishes on its mirror line. On odd grids this
# happens, and the library keeps exactly what remains: A2, which is odd under all four mirrors,
# has 3 free numbers where A1 has 10. A class token has no place that moves, so only its invariant
# channels may be learned.

# %%
grid = table.T.reshape(6, 7, 7)
assert np.allclose(grid[1][3], 0)  # A2 on the middle row
assert np.allclose(np.diag(grid[1]), 0)  # and on the diagonal
assert (free["A1"], free["A2"]) == (10, 3)
token = ir.compile(specs.ClassToken(X))
assert sum(p.numel() for p in token.parameters()) == X.num_invariants

# %% [markdown]
# ## All together
#
# A residual block out of these parts, certified layer by layer; and what happens to the
# certificate if the activation forgets to change the basis. The second block cannot be built from
# specs, so we have to break it by hand.

# %%
X = ir.FeatureType.regular(D4, 32)
block = specs.residual(
    norm=specs.LayerNorm(X),
    fc1=specs.Linear(X, 4 * X),
    act=specs.Activation(4 * X, "gelu"),
    fc2=specs.Linear(4 * X, X),
)
net = ir.testing.randomise_(ir.compile(block))
assert ir.certify(net).worst < 1e-12

net.act = torch.nn.GELU()  # on the channels as they are stored: trains, and is wrong
print(f"error after the accident: {error(net, X):.2f}")
assert error(net, X) > 0.01

# %% [markdown]
# ## What to remember
#
# - Pointwise functions need a basis of points, or of signs if they are odd or even. The library
#   checks it exactly.
# - A type has points if it is a sum of $\mathbb{R}[G/H]$; `specs.Activation` goes there and back.
# - Gates and norms work for every type. Inner products are invariant. Means, biases and tables
#   must be invariant vectors.
#
# ## Exercises
#
# 1. $|y|$ of an antisymmetric channel: of which type is the output? And of the plane E of D4?
# 2. Which is the smallest type that contains `3*sym + 4*asym` and has points?
# 3. Softmax over channels: is it equivariant on irreps, on points?
# 4. Multiplying two channels is a nonlinearity too. Of which types are the products of two
#    antisymmetric channels, and of two planes E?
# 5. Positions for `192*sym + 192*asym` under the mirror: how many free numbers on 14 × 14 tokens,
#    and on 7 × 7?

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 1. Symmetric. For E the two components change places, without signs: A1 + B1.
assert str(types.absolute_type(ir.FeatureType(flop, "asym")).gset.feature_type) == "1*sym"
assert str(types.absolute_type(ir.FeatureType(D4, "E")).gset.feature_type) == "1*A1 + 1*B1"

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 2. One more symmetric channel.
assert types.gset_for(ir.FeatureType(flop, "4*sym + 4*asym")).num_orbits == 4

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 3. On points it is: permuting the inputs permutes the outputs. On irreps a sign is lost.
softmax = torch.nn.Softmax(dim=-1)
assert verdict(softmax, matrices["D4, points"]) == "yes"
assert verdict(softmax, matrices["D4, irreps"]) == "no"

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 4. Minus times minus is plus; and E times E contains every letter once.
asym, E = ir.FeatureType(flop, "asym"), ir.FeatureType(D4, "E")
assert str(asym @ asym) == "1*sym"
assert str(E @ E) == "1*A1 + 1*A2 + 1*B1 + 1*B2"

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 5. 98 pairs of tokens, half of the table. On 7 x 7 the middle column is zero where antisymmetric.
X, mirror = ir.FeatureType(flop, "192*sym + 192*asym"), ir.actions.image("flop")
for side, expected in [(14, 98 * 384), (7, 28 * 192 + 21 * 192)]:
    position = ir.compile(specs.PositionalEmbedding(X, mirror, (side, side)), device="meta")
    assert sum(p.numel() for p in position.parameters()) == expected

# %% [markdown]
# These five tutorials are the theory. From here on, networks: declare types, compile, read the
# plan, measure.
