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
# # 2. Representations, characters and irreps
#
# Networks are made of matrices. To teach a group to a network, its elements have to become
# matrices. This tutorial turns elements into matrices, takes the matrices apart into pieces that
# cannot be divided further, and reads off from one small table nearly everything about the
# pieces. Two surprises wait for people who learned this over the complex numbers: networks are
# real, and over the real numbers C4 and Q8 behave as no table suggests.
#
# You need groups, actions and conjugacy classes ([tutorial
# 1](01_groups_that_act_on_images.ipynb)), and to know what an eigenvector is.

# %%
import itertools

import numpy as np
from _draw import bars, pictures

import irrepnet as ir

square = ir.actions.image("D4")
D4, C4, Q8 = square.group, ir.groups.cyclic(4), ir.groups.quaternion()
names = ["e", "r", "r²", "r³", "v", "d", "m", "a"]  # of D4's elements, as in tutorial 1

# %% [markdown]
# ## Group elements as matrices
#
# A **representation** of $G$ on $\mathbb{R}^n$ is a matrix $\rho(g)$ for every element such that
#
# $$ \rho(gh) = \rho(g)\,\rho(h). $$
#
# The number $n$ is its **dimension**. Whenever a group moves $n$ points around there is a
# representation for free: $\rho(g)$ sends the basis vector of point $i$ to that of point $gi$.
# Take the four pixels of a 2 × 2 image under D4, numbered row by row.

# %%
pixels = ir.reps.permutation(D4, square.permutation(2, 2))
matrices = [pixels.matrix(g) for g in range(D4.order)]
pictures(
    matrices,
    [f"ρ({n})" for n in names],
    "Eight permutation matrices of size four",
    columns=8,
    size=1.05,
    signed=True,
)

# %%
for g, h in itertools.product(range(D4.order), repeat=2):
    assert (matrices[g] @ matrices[h] == matrices[D4.multiply(g, h)]).all()
for M in matrices:
    assert (M @ M.T == np.eye(4)).all()  # orthogonal: lengths and angles are kept

# %% [markdown]
# ## In better coordinates, blocks
#
# What a representation does must not depend on the coordinates in which we write it. Here is the
# same representation in another orthonormal basis, the rows of `U`: the matrices are $U \rho(g)
# U^T$.

# %%
decomposition = pixels.decompose()
U = decomposition.basis.to_dense()
pictures(
    [U @ M @ U.T for M in matrices],
    [f"Uρ({n})Uᵀ" for n in names],
    "The same eight matrices in blocks: two numbers and one two by two block",
    columns=8,
    size=1.05,
    signed=True,
)

# %%
print(decomposition)
for M in matrices:
    B = U @ M @ U.T
    outside = B.copy()
    outside[0, 0] = outside[1, 1] = 0
    outside[2:, 2:] = 0
    assert np.abs(outside).max() < 1e-15  # nothing between the blocks

# %% [markdown]
# The four-dimensional space has fallen into three parts that the group never mixes: two lines and
# a plane. A subspace that every $\rho(g)$ maps to itself is called **invariant**. A
# representation without invariant subspaces (other than all and nothing) is **irreducible**, an
# **irrep** for short. Irreps are the atoms. That everything can be split into them is not luck:
# where all matrices are orthogonal, what is perpendicular to an invariant subspace is invariant
# too, so one can split again and again (Maschke).
#
# The rows of $U$ say what the parts are. As 2 × 2 images:

# %%
pictures(
    list(U.reshape(4, 2, 2)),
    ["A1", "B2", "E, first", "E, second"],
    "Four patterns on two by two pixels: constant, diagonal against diagonal, and two gradients",
    size=1.3,
    signed=True,
)

# %%
first, second, *gradients = 2 * U.reshape(4, 2, 2)
assert np.allclose(first, 1)
assert np.allclose(second * second[0, 0], [[1, -1], [-1, 1]])
for gradient in gradients:
    assert np.allclose(np.rot90(gradient, 2), -gradient)  # a half turn changes the sign

# %% [markdown]
# The mean brightness; one diagonal minus the other; and two gradients. A quarter turn changes one
# gradient into the other, which is why these two stay together: no single direction of the plane
# is invariant. (How the library finds $U$ without guessing: tutorial 3.)
#
# ## D4's five irreps, drawn
#
# D4 has exactly five irreps, four of dimension one and one of dimension two. Chemists named them
# after Mulliken: A and B are one-dimensional (A if a quarter turn does nothing, B if it changes
# the sign), E is two-dimensional. Each is a way for a picture to change under the group. These
# fields change in precisely these ways:

# %%
line = np.linspace(-1, 1, 24)
x, y = np.meshgrid(line, -line)  # x to the right, y upwards
fields = {
    "A1": x**2 + y**2,
    "A2": x * y * (x**2 - y**2),
    "B1": x**2 - y**2,
    "B2": x * y,
    "E, x": x,
    "E, y": y,
}
formulas = ["x² + y²", "xy(x² − y²)", "x² − y²", "xy", "x", "y"]
pictures(
    list(fields.values()),
    [f"{n}: {f}" for n, f in zip(fields, formulas, strict=True)],
    "Six coloured fields on a square, one for each component of each irrep of D4",
    columns=6,
    size=1.5,
    signed=True,
)

# %%
for name, field in fields.items():
    for g in range(D4.order):
        if "E" not in name:  # the group multiplies the field by a number, +1 or -1
            assert np.allclose(square.move(g, field), D4.irrep(name).matrix(g) * field)

plane = np.stack([x, y])  # and mixes these two by a 2 x 2 matrix
for g in range(D4.order):
    moved = square.move(g, plane)
    mixed = np.tensordot(D4.irrep("E").matrix(g).T, plane, 1)  # g x_j = sum_i rho_ij x_i
    assert np.allclose(moved, mixed)

# %% [markdown]
# ## Characters: one number an element is enough
#
# The entries of $\rho(g)$ depend on coordinates. Its trace does not. The function
#
# $$ \chi(g) = \operatorname{trace} \rho(g) $$
#
# is the **character** of the representation. Because $\operatorname{trace}(bab^{-1}) =
# \operatorname{trace}(a)$, it is constant on conjugacy classes, so one value a class is all there
# is to store. For points that a group permutes, the trace counts the points that stay.

# %%
traces = np.array([np.trace(M) for M in matrices])
assert np.allclose(traces, [np.trace(U @ M @ U.T) for M in matrices])
assert (traces == (square.permutation(2, 2) == np.arange(4)).sum(axis=1)).all()
assert (traces == pixels.character[D4.class_labels]).all()
print(dict(zip(names, traces.astype(int).tolist(), strict=True)))

# %% [markdown]
# The characters of the irreps, row by row, are the **character table**. Columns are the classes,
# with their size and the order of their elements above them; the sign after the name is explained
# further down.

# %%
print(D4.character_table)

# %% [markdown]
# How to read it, with the checks.
#
# - The first column belongs to the identity, whose trace is the dimension. The squares of the
#   dimensions add up to the order: 1 + 1 + 1 + 1 + 4 = 8.
# - There are as many rows as columns.
# - Rows are orthogonal, if every class counts as often as it has elements: $\frac{1}{|G|}\sum_g
#   \overline{\chi_i(g)}\,\chi_j(g)$ is 1 for equal irreps and 0 for different ones.
# - Columns are orthogonal as well: that $g$ and $h$ are not conjugate shows in the table.

# %%
for G in (D4, C4, Q8, ir.groups.parse("A5"), ir.groups.parse("S5")):
    chi = G.character_table.values
    sizes = np.array([c.size for c in G.conjugacy_classes])
    assert (chi[:, 0].real ** 2).sum() == G.order
    assert chi.shape == (len(sizes), len(sizes))
    assert np.allclose((chi.conj() * sizes) @ chi.T / G.order, np.eye(len(sizes)))
    assert np.allclose(chi.T.conj() @ chi, np.diag(G.order / sizes))

# %% [markdown]
# Orthogonality is what makes tables useful. Any character is a sum of irreducible ones, and an
# inner product says how often each occurs, its **multiplicity**. No matrix has to be
# diagonalised. For the four pixels, with the character counted above:

# %%
by_hand = [(irrep.characters[D4.class_labels] * traces).sum() / D4.order for irrep in D4.irreps]
assert by_hand == [1, 0, 0, 1, 1]  # A1 + B2 + E
assert tuple(by_hand) == pixels.multiplicities

big = ir.reps.permutation(D4, square.permutation(224, 224))
print("224 x 224 pixels:", big.decompose())
assert sum(m * i.dim for m, i in zip(big.multiplicities, D4.irreps, strict=True)) == 224**2

# %% [markdown]
# So far so classical, and the table of the icosahedron's rotations is a pleasure to look at: the
# golden ratio appears as the trace of a turn by 72 degrees. In this library, tables are exact;
# nothing is rounded before the numbers reach torch.

# %%
print(ir.groups.icosahedral().character_table)
golden = (1 + 5**0.5) / 2
assert np.isclose(ir.groups.icosahedral().character_table.values[1].real, golden).any()
assert np.isclose(1 + 2 * np.cos(np.deg2rad(72)), golden)  # the trace of a turn in space

# %% [markdown]
# ## First surprise: C4, or: networks are real
#
# Here is the table of the four quarter turns.

# %%
print(C4.character_table)
print("complex irreps:", len(C4.character_table.degrees), "  real irreps:", len(C4.irreps))

# %% [markdown]
# Four complex irreps, each of dimension one, and two of them have the values $\pm\mathrm{i}$. A
# network has no $\mathrm{i}$ to store. Over the real numbers, `chi2` and its conjugate can only
# occur together, as a quarter turn of the plane, and no line of the plane is invariant. So C4 has
# *three* real irreps: two lines and a plane. `G.character_table` has the complex rows, `G.irreps`
# are the real ones.

# %%
turn = C4.irreps[2]
print(turn.name, "has dimension", turn.dim, "and type", turn.kind)
print(turn.matrix(1))
assert len(C4.irreps) == 3
assert np.allclose(turn.characters, 2 * C4.character_table.values[turn.rows[0]].real)
assert np.abs(np.linalg.eigvals(turn.matrix(1)).imag).min() == 1  # no real eigenvector

# %% [markdown]
# Both C4 and D4 have an irreducible plane in which a quarter turn is a quarter turn. They are not
# alike. Ask which matrices *commute* with the group: for a network these are the linear maps that
# it may use. Commuting is a linear condition, so the answer is a null space, and we can count by
# brute force.


# %%
def commuting(irrep):
    """All matrices X with X rho(g) = rho(g) X: an orthonormal basis, by brute force."""
    d, one = irrep.dim, np.eye(irrep.dim)
    conditions = [
        np.kron(one, irrep.matrix(g)) - np.kron(irrep.matrix(g).T, one)
        for g in irrep.group.generators
    ]
    _, sizes, vectors = np.linalg.svd(np.concatenate(conditions))
    return [v.reshape(d, d).T for v, s in zip(vectors, sizes, strict=True) if s < 1e-12]


print("plane of D4:", len(commuting(D4.irrep("E"))), "  plane of C4:", len(commuting(turn)))
assert (len(commuting(D4.irrep("E"))), len(commuting(turn))) == (1, 2)

# %% [markdown]
# For D4 only multiples of the identity commute. For C4 so does the quarter turn itself, $J$, and
# with it every $a I + b J$. Since $J^2 = -I$, these are the complex numbers, in real clothes.
#
# This is about gradients of images. If only turns are symmetries, a layer may turn a gradient
# $(\partial_x, \partial_y)$ into $(-\partial_y, \partial_x)$. If mirrors are symmetries too it
# may not, because a mirror changes left turns into right turns.

# %%
J = np.array([[0.0, -1.0], [1.0, 0.0]])
assert (J @ J == -np.eye(2)).all()
assert all((J @ turn.matrix(g) == turn.matrix(g) @ J).all() for g in range(C4.order))
E = D4.irrep("E")
offenders = [names[g] for g in range(D4.order) if (J @ E.matrix(g) != E.matrix(g) @ J).any()]
print("J does not commute with", ", ".join(offenders))
assert offenders == ["v", "d", "m", "a"]  # the four mirrors

# %% [markdown]
# ## Second surprise: Q8, or: the table does not tell
#
# The quaternion group $\{\pm 1, \pm i, \pm j, \pm k\}$ and D4 have the same character table. (The
# columns stand in another order, which means nothing.)

# %%
print(Q8.character_table)
octic, quaternion = (G.character_table.values.real for G in (D4, Q8))
same = [
    columns
    for columns in itertools.permutations(range(5))
    if sorted(octic.tolist()) == sorted(quaternion[:, columns].tolist())
]
assert same  # with the columns rearranged, all values agree
print("real dimensions: D4", [i.dim for i in D4.irreps], "  Q8", [i.dim for i in Q8.irreps])

# %% [markdown]
# And yet the real irreps differ: D4 has a plane where Q8 has a space of dimension *four*. The
# two-dimensional complex irrep of Q8 has a real character and still cannot be written with real
# matrices. What tells them apart is a number from 1906, the **Frobenius-Schur indicator**, the
# average of the character over all squares:
#
# $$ \nu(\chi) = \frac{1}{|G|} \sum_{g} \chi(g^2) \in \{1, 0, -1\}. $$
#
# It is the sign in the printed tables: `+`, `o` or `-`. D4 has mostly elements whose square is
# $e$, Q8 mostly elements whose square is $-1$.


# %%
def indicator(G, row):
    """The Frobenius-Schur indicator, by its definition."""
    squares = [G.multiply(g, g) for g in range(G.order)]
    return round((G.character_table.values[row][G.class_labels[squares]].sum() / G.order).real)


for G in (D4, Q8, C4):
    ours = tuple(indicator(G, row) for row in range(len(G.conjugacy_classes)))
    assert ours == G.character_table.frobenius_schur
    print(G.name, ours)

# %% [markdown]
# Which maps commute with Q8's irrep? A space of dimension four again: $I$ and three matrices that
# are, product for product, the quaternion units. The library keeps them in a fixed form,
# `irrep.commutant`.

# %%
H = Q8.irreps[4]
one, i, j, k = H.commutant
pictures(
    [one, i, j, k],
    ["1", "i", "j", "k"],
    "Four signed permutation matrices that multiply like quaternions",
    size=1.3,
    signed=True,
)

# %%
assert len(commuting(H)) == 4
assert all((M @ M == -one).all() for M in (i, j, k))
assert (i @ j == k).all()
assert (j @ i == -k).all()
for M, g in itertools.product(H.commutant, range(Q8.order)):
    assert (M @ H.matrix(g) == H.matrix(g) @ M).all()

# %% [markdown]
# ## Three types, and no fourth
#
# What commutes with a real irrep can always be divided (a commuting map that is not zero has no
# kernel, since the kernel would be invariant), and there are only three such worlds: real
# numbers, complex numbers, quaternions (Frobenius, 1877). With $e$ the real dimension of what
# commutes:
#
# | type | from the complex irrep | indicator | real dimension $d$ | $e$ |
# |:--:|:--:|:--:|:--:|:--:|
# | R | $\chi$ | $1$ | $\chi(1)$ | 1 |
# | C | $\chi + \bar\chi$ | $0$ | $2\chi(1)$ | 2 |
# | H | $2\chi$ | $-1$ | $2\chi(1)$ | 4 |
#
# In place of $\sum \chi(1)^2 = |G|$ one has $\sum d^2/e = |G|$ over the real irreps. A small zoo:

# %%
zoo = ["C2", "C3", "C4", "C2xC2", "S3", "D4", "Q8", "Dic3", "A4", "S4", "Dic5", "A5", "C4xS3"]
for name in zoo:
    G = ir.groups.parse(name)
    kinds = [f"{i.dim}{i.kind}" for i in G.irreps]
    print(f"{name:6} order {G.order:3}: {' '.join(kinds)}")
    assert sum(i.dim**2 // i.end_dim for i in G.irreps) == G.order
    for irrep in G.irreps:
        assert len(commuting(irrep)) == irrep.end_dim == {"R": 1, "C": 2, "H": 4}[irrep.kind]

# %% [markdown]
# ## Why a real network should care
#
# **It decides what can be learned.** Between two copies of an irrep there are $e$ free weights.
# Code that treats every irrep as if it were real has one. For C4 it can scale gradients but never
# turn them, and no amount of training brings the turn back. The nearest multiple of $I$ to the
# quarter turn $J$ is zero:

# %%
quarter = turn.matrix(1)
nearest = (quarter * np.eye(2)).sum() / 2  # least squares: min |J - a I|
assert nearest == 0
V = ir.reps.of_irrep(turn)
assert ir.reps.hom(V, V).dim == 2
assert np.allclose(ir.reps.hom(V, V).project(quarter), quarter)  # the library loses nothing

# %% [markdown]
# **It decides what is saved.** If all irreps occur as often as in the group's action on itself
# (the *regular representation*, in which an irrep occurs $d/e$ times), a linear layer that
# respects the group costs less than a dense one by the factor
#
# $$ \frac{|G|^2}{\sum d^3 / e}. $$
#
# Tutorial 4 derives it. Among the three groups of order 8 below, the order and even the table say
# nothing about the cost; the type does.


# %%
def saving(G):
    return G.order**2 / sum(i.dim**3 / i.end_dim for i in G.irreps)


chosen = ["C2", "C2xC2", "C4", "S3", "C8", "Q8", "D4", "A4", "S4"]
savings = [saving(ir.groups.parse(name)) for name in chosen]
bars(
    {"saving": savings},
    chosen,
    "How much cheaper a linear layer is, for nine groups, from 2 for C2 to 9 for S4",
    "dense cost / block cost",
)

# %%
for name, expected in [("C2", 2), ("C4", 8 / 3), ("Q8", 3.2), ("D4", 16 / 3)]:
    assert np.isclose(saving(ir.groups.parse(name)), expected)

for name in zoo:
    G = ir.groups.parse(name)
    regular = ir.reps.regular(G).multiplicities
    assert regular == tuple(i.dim // i.end_dim for i in G.irreps)

# %% [markdown]
# ## What to remember
#
# - A representation is a homomorphism into matrices; irreps are its atoms; multiplicities are
#   inner products of characters.
# - `G.character_table` is complex, `G.irreps` are real, and their numbers differ.
# - Every real irrep has a dimension $d$, a type, and $e \in \{1, 2, 4\}$ free weights between two
#   copies.
# - Two groups can share a table and differ in types.
#
# ## Exercises
#
# 1. D4 on 3 × 3 pixels: write down the character by counting fixed pixels, then the
#    multiplicities.
# 2. How many real irreps has the cyclic group C12, and of which types? And C*n*?
# 3. Show on the zoo: if every element is conjugate to its inverse, there are no irreps of type C.
# 4. The sum of $\nu(\chi)\chi(1)$ over all rows of a table counts the elements with $g^2 = e$.
#    Check it for D4 and Q8, and say from it alone why Q8 must have an indicator $-1$.
# 5. Find a group of order less than 16, other than Q8, with an irrep of type H.

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 1. Turns fix the centre; a half turn too; each mirror fixes a line of three.
fixed = {0: 9, 1: 1, 2: 1, 3: 1, 4: 3, 5: 3, 6: 3, 7: 3}
nine = ir.reps.permutation(D4, square.permutation(3, 3))
assert all(nine.character[D4.class_of(g)] == count for g, count in fixed.items())
assert str(nine.decompose()) == "3*A1 + 1*B1 + 1*B2 + 2*E"

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 2. The trivial one; for even n the alternating sign; all others are turns of the plane, type C.
for n in (3, 4, 5, 12, 13):
    lines = 2 - n % 2
    kinds = sorted(i.kind for i in ir.groups.cyclic(n).irreps)
    assert kinds == sorted(["R"] * lines + ["C"] * ((n - lines) // 2))

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 3. Then chi(g) = chi(g^-1) = conj(chi(g)) is real, and type C means chi is not its own conjugate.
for name in zoo:
    G = ir.groups.parse(name)
    ambivalent = all(G.class_of(g) == G.class_of(G.inverse(g)) for g in range(G.order))
    assert ambivalent == all(i.kind != "C" for i in G.irreps)

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 4. Q8 has two such elements, 1 and -1. Four ones from the lines leave -2 for degree 2.
for G, count in [(D4, 6), (Q8, 2)]:
    roots = sum(G.multiply(g, g) == G.identity for g in range(G.order))
    table = G.character_table
    total = sum(nu * d for nu, d in zip(table.frobenius_schur, table.degrees, strict=True))
    assert roots == total == count

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 5. The dicyclic group of order 12.
assert [i.kind for i in ir.groups.dicyclic(3).irreps].count("H") == 1

# %% [markdown]
# Next: [3. Isotypic decomposition](03_isotypic_decomposition.ipynb), where a photo is taken
# apart.
