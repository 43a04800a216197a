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
# # 4. Schur's lemma and equivariant maps
#
# A network that respects a group may use only linear maps that commute with it. Which are these,
# how many weights do they have, and what do they cost? We count them in three ways, look at their
# weights before and after the change of coordinates of [tutorial
# 3](03_isotypic_decomposition.ipynb), and find that the second picture is nearly empty. The empty
# space is where the savings come from.

# %%
import itertools

import numpy as np
import torch
from _draw import bars, labelled_grids, pictures

import irrepnet as ir

rng = np.random.default_rng(0)
mirror, turns, square = (ir.actions.image(name) for name in ("flop", "C4", "D4"))
flop, C4, D4, Q8 = mirror.group, turns.group, square.group, ir.groups.quaternion()

# %% [markdown]
# ## The condition
#
# Let $V$ and $W$ be representations of $G$, with matrices $\rho(g)$ and $\sigma(g)$. A linear map
# $A: V \to W$ is **equivariant** (an **intertwiner**) if it does not matter whether one moves
# first or maps first:
#
# $$ A\,\rho(g) = \sigma(g)\,A \quad \text{for all } g. $$
#
# It is enough to ask for the generators of $G$. Sums and multiples of equivariant maps are
# equivariant, so they form a vector space, $\operatorname{Hom}_G(V, W)$. Its dimension is the
# number of free weights of the layer. In the smallest interesting case, four pixels in a row and
# the mirror, it contains the matrices that a half turn does not change:

# %%
four = ir.reps.permutation(flop, mirror.permutation(1, 4))
maps = ir.reps.hom(four, four)
A = maps.materialize(rng.normal(size=maps.dim))  # a random one
pictures(
    [rng.normal(size=(4, 4)), A],
    ["any map: 16 weights", f"equivariant: {maps.dim} weights"],
    "A random matrix, and a random matrix that looks the same upside down",
    size=1.9,
    signed=True,
)

# %%
M = four.matrix(1)
assert np.allclose(A @ M, M @ A)
assert np.allclose(A, np.rot90(A, 2))
assert maps.dim == 8
assert maps.contains(A)
assert not maps.contains(rng.normal(size=(4, 4)))

# %% [markdown]
# ## Counting, first way: the equations
#
# $A\rho(g) - \sigma(g)A = 0$ is a system of linear equations for the entries of $A$. The number
# of unknowns minus its rank is the dimension. This needs no theory and no thought, and for 196
# tokens a matrix with 38,416 columns.


# %%
def count_by_equations(V, W):
    """Dimension of the null space."""
    equations = [
        np.kron(np.eye(W.dim), V.matrix(g).T) - np.kron(W.matrix(g), np.eye(V.dim))
        for g in V.group.generators
    ]
    return V.dim * W.dim - int(np.linalg.matrix_rank(np.concatenate(equations)))


# %% [markdown]
# ## Second way: orbits of pairs
#
# Where the group permutes points, the condition says $A_{gp, gq} = A_{p,q}$: the weight from $q$
# to $p$ equals the weight from $gq$ to $gp$. So the free weights are the orbits of *pairs* of
# points, and an equivariant layer is a layer with shared weights. In the pictures, equal colours
# are equal weights.

# %%
ring = ir.reps.regular(ir.groups.cyclic(8))
grid = ir.reps.permutation(D4, square.permutation(3, 3))
sharing = [ir.reps.hom(four, four), ir.reps.hom(ring, ring), ir.reps.hom(grid, grid)]
labelled_grids(
    [H.orbitals for H in sharing],
    ["mirror, 4 in a row", "C8, 8 on a ring", "D4, 3 × 3 pixels"],
    "Three square weight matrices; equal numbers mark shared weights",
    size=0.36,
)

# %% [markdown]
# The one in the middle is an old friend: each row is the one above it, shifted. With a cyclic
# group on a ring, equivariant maps are the circular **convolutions**. The theory that follows is
# what makes convolution cheap in the Fourier domain, for any finite group.

# %%
weights = rng.normal(size=8)
conv = weights[sharing[1].orbitals]  # one number for each orbit of pairs
assert all((conv[i] == np.roll(conv[0], i)).all() for i in range(8))
assert sharing[1].contains(conv)


def count_by_pairs(V, W):
    """Number of orbits of pairs of points; both must be permutation representations."""
    return int(ir.reps.hom(V, W).orbitals.max()) + 1


# %% [markdown]
# ## Third way: characters
#
# Let the irrep $i$ occur $m_i$ times in $V$ and $m'_i$ times in $W$. Then
#
# $$ \dim \operatorname{Hom}_G(V, W) = \frac{1}{|G|} \sum_g \chi_V(g)\, \chi_W(g)
#      = \sum_i e_i\, m_i\, m'_i $$
#
# with $e_i = 1, 2, 4$ for the types R, C, H. This is a handful of multiplications, whatever the
# size of the matrices. All three must agree.


# %%
def count_by_characters(V, W):
    """The sum over irreps; the average over elements says the same."""
    average = (V.character * W.character)[V.group.class_labels].mean()
    irreps = V.group.irreps
    terms = zip(irreps, V.multiplicities, W.multiplicities, strict=True)
    total = sum(i.end_dim * m * n for i, m, n in terms)
    assert np.isclose(average, total)
    return total


four_by_four = ir.reps.permutation(D4, square.permutation(4, 4))
turned = ir.reps.permutation(C4, turns.permutation(4, 4))
three = ir.reps.permutation(ir.groups.symmetric(3), ir.groups.symmetric(3).elements)
cases = {
    "mirror, 4 in a row": (four, four),
    "C8, 8 on a ring": (ring, ring),
    "C4, 4 x 4 pixels": (turned, turned),
    "D4, 4 x 4 pixels": (four_by_four, four_by_four),
    "D4, 4 x 4 to 3 x 3": (four_by_four, grid),
    "S3, 3 points": (three, three),
    "Q8 on itself": (ir.reps.regular(Q8), ir.reps.regular(Q8)),
}
for name, (V, W) in cases.items():
    counts = [count(V, W) for count in (count_by_equations, count_by_pairs, count_by_characters)]
    print(f"{name:20} {V.dim * W.dim:3} weights, free: {counts}")
    assert len({*counts, ir.reps.hom(V, W).dim}) == 1

# %% [markdown]
# ## Schur's lemma
#
# Why does the third way work? Because of a lemma with a proof of three lines. Let $A$ be an
# equivariant map from one irrep to another. Its kernel is invariant, hence all or nothing; its
# image is invariant, hence all or nothing. So $A$ is zero or invertible, and if it is invertible
# the two irreps are the same up to coordinates. In short (**Schur's lemma**):
#
# - between different irreps, every equivariant map is zero;
# - from an irrep to itself, the equivariant maps are the real numbers, the complex numbers, or
#   the quaternions.

# %%
for G in (D4, C4, Q8, ir.groups.parse("S4")):
    for i, j in itertools.product(G.irreps, G.irreps):
        between = ir.reps.hom(ir.reps.of_irrep(i), ir.reps.of_irrep(j))
        assert between.dim == (i.end_dim if i == j else 0)

# %% [markdown]
# Apply this copy by copy. In isotypic coordinates, an equivariant map cannot lead from one irrep
# to another: its matrix is **block-diagonal**, one block for each irrep. Nor can it do as it
# likes inside a block. For an irrep of type R with $m$ copies, the block is $I_d \otimes W$: one
# small matrix $W$, used for each of the $d$ components alike. Here is a random equivariant map
# for D4 on 4 × 4 pixels, before and after:


# %%
def before_and_after(V):
    """A random equivariant map of V, in natural and in isotypic coordinates."""
    H, U = ir.reps.hom(V, V), V.decompose().basis.to_dense()
    A = H.materialize(rng.normal(size=H.dim))
    return A, U @ A @ U.T


A, blocks = before_and_after(four_by_four)
print(four_by_four.decompose())
pictures(
    [A, blocks],
    ["on pixels", "in isotypic coordinates"],
    "A full 16 by 16 matrix; the same map in six small diagonal blocks, the last two equal",
    size=3.0,
    signed=True,
)

# %%
outside = blocks.copy()
for rows in four_by_four.decompose().blocks:
    outside[rows, rows] = 0
assert np.abs(outside).max() < 1e-12  # Schur, first half

E = four_by_four.decompose().blocks[D4.irrep("E").index]
m = four_by_four.multiplicities[D4.irrep("E").index]
W = blocks[E, E][:m, :m]
assert np.allclose(blocks[E, E], np.kron(np.eye(2), W))  # Schur, second half: type R

# %% [markdown]
# With 256 weights on the left, 36 are free; and the right picture shows all 36, the lower two
# blocks being the same one twice.
#
# ### Blocks of type C and H
#
# With complex type, a weight is a complex number $a + b\mathrm{i}$, which in real numbers is the
# pattern $\begin{pmatrix} a & -b \\ b & a \end{pmatrix}$; with quaternionic type it is a 4 × 4
# pattern of four numbers. Below, C4 on 4 × 4 pixels and two copies of Q8 acting on itself. In the
# large block of the left picture look for two halves that are equal and two that are opposite; in
# the right one, each square of the 4 × 4 blocks is one of four, up to sign.

# %%
_, complex_blocks = before_and_after(turned)
_, quaternion_blocks = before_and_after(2 * ir.reps.regular(Q8))
pictures(
    [complex_blocks, quaternion_blocks],
    ["C4: two real blocks, one complex", "Q8: four real blocks, one quaternionic"],
    "Block-diagonal matrices whose largest blocks repeat their parts, with signs",
    size=3.0,
    signed=True,
)

# %%
c = complex_blocks[8:, 8:].reshape(2, 4, 2, 4).transpose(0, 2, 1, 3)  # [row part, column part]
assert np.allclose(c[0, 0], c[1, 1])
assert np.allclose(c[0, 1], -c[1, 0])

q = quaternion_blocks[8:, 8:].reshape(4, 2, 4, 2).transpose(0, 2, 1, 3)
units = Q8.irreps[4].commutant  # 1, i, j, k as matrices of signs
parts = [q[k, 0] for k in range(4)]  # the first column of parts holds all four numbers
assert np.allclose(quaternion_blocks[8:, 8:], sum(map(np.kron, units, parts)))

# %% [markdown]
# ## Where the FLOPs go
#
# A dense layer multiplies by all entries, $\dim V \cdot \dim W$ of them for every feature vector.
# In isotypic coordinates only the blocks remain. A block of type R applies a $m' \times m$ matrix
# to $d$ components: $d\,m\,m'$ multiply-accumulates (MACs). In type C or H, $d/e$ groups of $e$
# components are each multiplied by an $em' \times em$ matrix. In all cases
#
# $$ \text{weights} = \sum_i e_i\, m_i\, m'_i,
#      \qquad \text{MACs} = \sum_i d_i\, e_i\, m_i\, m'_i . $$
#
# Take the **regular type**, $c$ copies of the group acting on itself. The irrep $i$ then occurs
# $m_i = c\,d_i/e_i$ times, the width is $c|G|$, and
#
# $$ \frac{\text{dense MACs}}{\text{block MACs}}
#      = \frac{(c|G|)^2}{\sum_i d_i e_i (c\, d_i/e_i)^2} = \frac{|G|^2}{\sum_i d_i^3 / e_i},
#      \qquad \frac{\text{dense weights}}{\text{block weights}} = |G| . $$
#
# The library's own counter agrees. (It compares its formula with `torch.utils.flop_counter`
# before it answers, and counts 2 FLOPs a MAC.)

# %%
chosen = ["C2", "C4", "C2xC2", "S3", "D4", "Q8", "A4", "S4"]
flop_savings, weight_savings = [], []
for name in chosen:
    G = ir.groups.parse(name)
    X = ir.FeatureType.regular(G, 4 * G.order)
    layer = ir.compile(ir.specs.Linear(X, X, bias=False), device="meta")
    flops = ir.flops(layer, (X.dim,)).matmul_flops
    formula = G.order**2 / sum(i.dim**3 / i.end_dim for i in G.irreps)
    assert np.isclose(2 * X.dim**2 / flops, formula)
    flop_savings.append(formula)
    weight_savings.append(X.dim**2 / sum(p.numel() for p in layer.parameters()))

assert np.allclose(weight_savings, [ir.groups.parse(name).order for name in chosen])
bars(
    {"weights": weight_savings, "FLOPs": flop_savings},
    chosen,
    "Savings of regular features for eight groups: weights by the order, FLOPs by less",
    "times fewer",
    width=7,
)

# %% [markdown]
# Two things to see. Weights shrink by the order of the group, arithmetic by less, because a
# weight of a $d$-dimensional irrep is used $d$ times. And the mirror halves a layer (2), D4 cuts
# it to 3/16 (16/3), while Q8, with the same order, saves only 3.2 times: a quaternionic block
# must be multiplied out.
#
# Within D4's regular features, half of the channels belong to E and do two thirds of the work:

# %%
X = ir.FeatureType.regular(D4, 96)
channels = np.array([b.width for b in X.blocks]) / X.dim
macs = np.array([b.irrep.dim * b.irrep.end_dim * b.multiplicity**2 for b in X.blocks])
bars(
    {"channels": channels, "FLOPs": macs / macs.sum()},
    [b.irrep.name for b in X.blocks],
    "For D4: a letter has 1/8 of the channels and 1/12 of the work, E has 1/2 and 2/3",
    "share",
)

# %%
assert np.allclose(channels, [1 / 8] * 4 + [1 / 2])
assert np.allclose(macs / macs.sum(), [1 / 12] * 4 + [2 / 3])
assert np.isclose(X.dim**2 / macs.sum(), 16 / 3)

# %% [markdown]
# ## Multiplicities are free
#
# The regular type is a habit, not a law. Any multiplicities make a type; for width $\sum d_i m_i$
# the saving is
#
# $$ \frac{(\sum_i d_i m_i)^2}{\sum_i d_i e_i m_i^2} \;\le\; \sum_i \frac{d_i}{e_i}, $$
#
# by the Cauchy-Schwarz inequality, with equality when $m_i$ is proportional to $1/e_i$. For D4
# that means *equal* multiplicities and a factor of 6 in place of 5.33. At the other end, features
# that are all invariant save nothing at all: there is one block, and it is dense.


# %%
def saving(X):
    return X.dim**2 / sum(b.irrep.dim * b.irrep.end_dim * b.multiplicity**2 for b in X.blocks)


print("D4 regular: ", saving(ir.FeatureType(D4, [1, 1, 1, 1, 2])))
print("D4 equal:   ", saving(ir.FeatureType(D4, [2, 2, 2, 2, 2])))
print("D4 trivial: ", saving(ir.FeatureType.trivial(D4, 12)))
assert np.isclose(saving(ir.FeatureType(D4, [2, 2, 2, 2, 2])), 6)
assert saving(ir.FeatureType.trivial(D4, 12)) == 1

for G in (flop, C4, D4, Q8):
    best = sum(i.dim / i.end_dim for i in G.irreps)
    assert np.isclose(saving(ir.FeatureType(G, [4 // i.end_dim for i in G.irreps])), best)
    for _ in range(200):
        X = ir.FeatureType(G, rng.integers(0, 9, len(G.irreps)).tolist())
        assert X.dim == 0 or saving(X) <= best + 1e-9

# %% [markdown]
# Not every type lets a GELU act on it, and that is what decides in practice ([tutorial
# 5](05_nonlinearities.ipynb)).
#
# ## The same as a layer
#
# A spec names the types on both sides; `compile` makes a torch module. Its parameters are the
# small matrices, one for each irrep, and nothing else.

# %%
X = ir.FeatureType.regular(D4, 24)
layer = ir.compile(ir.specs.Linear(X, X))
for name, parameter in layer.named_parameters():
    print(name, tuple(parameter.shape))
print()
print(layer.plan.explain())

# %% [markdown]
# Each layer can be written as a stock `torch.nn.Linear` with the same outputs, `to_dense()`. Its
# weight is the picture of the second half of this tutorial, and the two agree on every input.
# `certify` measures the equivariance. An ordinary layer fails.

# %%
ir.testing.randomise_(layer)
dense = layer.to_dense()
pictures(
    [dense.weight.detach().numpy()],
    ["weight of layer.to_dense()"],
    "A 24 by 24 matrix with four small blocks and two equal larger ones",
    size=2.6,
    signed=True,
)

# %%
x = torch.randn(5, X.dim)
assert torch.allclose(layer(x), dense(x), atol=1e-5)
assert ir.certify(layer).worst < 1e-12


def error(f, g):
    """How far f is from commuting with the element g."""
    rho = torch.tensor(X.matrix(g), dtype=x.dtype)
    return ((f(x @ rho.T) - f(x) @ rho.T).abs().max() / f(x).abs().max()).item()


ordinary = torch.nn.Linear(X.dim, X.dim)
assert max(error(layer, g) for g in range(D4.order)) < 1e-5
assert max(error(ordinary, g) for g in range(1, D4.order)) > 0.1

# %% [markdown]
# The bias follows the same rule: adding a vector commutes with the group if the vector is
# invariant, so only the copies of the trivial irrep have one. And Schur's lemma is an error
# message:

# %%
assert layer.bias.shape == (X.num_invariants,)
try:
    ir.compile(ir.specs.Linear(ir.FeatureType(flop, "8*sym"), ir.FeatureType(flop, "8*asym")))
except ir.IrrepnetError as problem:
    print(problem)

# %% [markdown]
# ## From any matrix to the nearest equivariant one
#
# A trained dense matrix $A$ is not equivariant, but there is one equivariant matrix closest to
# it, the average over the group,
#
# $$ \bar A = \frac{1}{|G|} \sum_g \sigma(g)\, A\, \rho(g)^{-1}, $$
#
# which in isotypic coordinates just deletes everything outside the blocks and averages what
# should be equal inside. It is how dense weights become a starting point for an equivariant
# network.

# %%
V = four_by_four
H, A = ir.reps.hom(V, V), rng.normal(size=(16, 16))
nearest = H.project(A)
average = sum(V.matrix(g) @ A @ V.matrix(g).T for g in range(D4.order)) / D4.order
pictures(
    [A, nearest],
    ["any matrix", "nearest equivariant one"],
    "A random 16 by 16 matrix, and its average over D4, which has a regular pattern",
    size=2.4,
    signed=True,
)

# %%
assert np.allclose(nearest, average)
assert H.contains(nearest)
assert np.allclose(H.project(nearest), nearest)
assert np.isclose(((A - nearest) * nearest).sum(), 0)  # a perpendicular foot: nothing is nearer
for _ in range(20):
    other = nearest + 0.1 * H.materialize(rng.normal(size=H.dim))
    assert np.linalg.norm(A - other) > np.linalg.norm(A - nearest)

# %% [markdown]
# ## What to remember
#
# - Equivariant layers are layers with shared weights; orbits of pairs say which.
# - In isotypic coordinates they are block-diagonal, a small matrix over R, C or H for each irrep.
# - Weights: $\sum e\,m\,m'$. MACs: $\sum d\,e\,m\,m'$. For regular features: $|G|$ and
#   $|G|^2/\sum (d^3/e)$ times fewer than dense.
#
# ## Exercises
#
# 1. How many free weights has a map from 14 × 14 tokens to themselves under D4? Do it with
#    multiplicities, and with Burnside's lemma for pairs.
# 2. A 3 × 3 convolution kernel with one channel in and out, no direction preferred: how many
#    weights?
# 3. All permutations of $n$ points: show that only two weights are left, whatever $n \geq 2$.
#    Which layer is this?
# 4. The largest possible saving for S4, and multiplicities that reach it.
# 5. The product of two complex blocks: check on C4 that composing layers multiplies their weights
#    as complex numbers.

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 1. 28^2 + 21^2 + 21^2 + 28^2 + 49^2; an element fixes as many pairs as (fixed tokens)^2.
tokens = ir.reps.permutation(D4, square.permutation(14, 14))
assert sum(m**2 for m in tokens.multiplicities) == 4851
fixed = (tokens.images == np.arange(196)).sum(axis=1)
assert (fixed**2).mean() == ir.reps.hom(tokens, tokens).dim == 4851

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 2. Three: centre, edges, corners. These are the intertwiners from the patch to one invariant.
patch = ir.reps.permutation(D4, square.permutation(3, 3))
assert ir.reps.hom(patch, ir.reps.isotypic(D4, (1, 0, 0, 0, 0))).dim == 3

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 3. Pairs are equal or different: a I + b (all ones), the layer of Deep Sets.
for n in (2, 3, 4, 5):
    S = ir.groups.symmetric(n)
    points = ir.reps.permutation(S, S.elements)
    assert ir.reps.hom(points, points).dim == 2
    assert ir.reps.hom(points, points).contains(3 * np.eye(n) + 2 * np.ones((n, n)))

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 4. All irreps of S4 are of type R: equal multiplicities, and 1 + 1 + 2 + 3 + 3 = 10.
S4 = ir.groups.symmetric(4)
assert np.isclose(saving(ir.FeatureType(S4, [3] * 5)), 10)

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 5. Parameters of the complex block have shape (2, m, m): real and imaginary parts.
H = ir.reps.hom(turned, turned)
first, second = (H.materialize(rng.normal(size=H.dim)) for _ in range(2))
a, b, ab = (H.parameters(A)[2] for A in (first, second, first @ second))
assert np.allclose(ab[0] + 1j * ab[1], (a[0] + 1j * a[1]) @ (b[0] + 1j * b[1]))

# %% [markdown]
# Next: [5. Nonlinearities](05_nonlinearities.ipynb), where the trouble starts.
