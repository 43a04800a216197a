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
# # 3. Isotypic decomposition: a photo taken apart
#
# Every photo is the sum of a perfectly symmetric one and a perfectly antisymmetric one. That is
# one line of arithmetic, and it is also the whole method of this library in its smallest case.
# Here we do it with the mirror, then with all eight symmetries of the square, measure how much of
# a photo is in each part, and look at what the change of coordinates costs: next to nothing, if
# one does not multiply by matrices.
#
# You need irreps and characters ([tutorial 2](02_representations_and_characters.ipynb)).

# %%
import numpy as np
from _draw import bars, butterfly, pictures
from skimage import color, data, transform

import irrepnet as ir


def sample(picture, size=96):
    """A square grey picture, small."""
    grey = color.rgb2gray(picture) if picture.ndim == 3 else picture / 255
    return transform.resize(grey, (size, size), anti_aliasing=True)


photo = sample(data.astronaut()[20:148, 160:288])  # Eileen Collins; NASA, public domain
mirror, square = ir.actions.image("flop"), ir.actions.image("D4")

# %% [markdown]
# ## Two parts
#
# Let $mx$ be the mirrored photo. Then
#
# $$ x = \underbrace{\tfrac12 (x + mx)}_{\text{symmetric}}
#      + \underbrace{\tfrac12 (x - mx)}_{\text{antisymmetric}} . $$
#
# The first part does not change when it is mirrored, the second changes its sign. Grey pictures
# below are photos; in red and blue ones, red is positive, blue negative and white zero.

# %%
mirrored = mirror.move(1, photo)
symmetric, antisymmetric = (photo + mirrored) / 2, (photo - mirrored) / 2

pictures(
    [photo, mirrored, symmetric, antisymmetric],
    ["photo", "mirrored", "symmetric part", "antisymmetric part"],
    "A face, its mirror image, a symmetric face, and what is red on one side and blue on the other",
    size=2.1,
    signed=[False, False, False, True],
)

# %%
assert np.allclose(symmetric + antisymmetric, photo)
assert np.allclose(mirror.move(1, symmetric), symmetric)
assert np.allclose(mirror.move(1, antisymmetric), -antisymmetric)

# %% [markdown]
# Call the sum of the squares of all pixels the **energy** of a picture. The two parts are
# perpendicular as vectors, so their energies add up to that of the photo (Pythagoras).
# Perpendicular they are because any product of a symmetric and an antisymmetric picture is
# antisymmetric, and sums to zero.
#
# Most of a photo's energy is its mean brightness, which is symmetric and says little. We subtract
# it before we compare. In noise both halves are equally strong; in a face seen from the front
# they are not; and a face that is off the centre is no longer symmetric *about the centre*, which
# is all that this decomposition knows.


# %%
def energy(x):
    """Sum of squares."""
    return float((x**2).sum())


def share_of_symmetric(x):
    x = x - x.mean()
    return energy(x + mirror.move(1, x)) / 4 / energy(x)


assert np.isclose((symmetric * antisymmetric).sum(), 0)
assert np.isclose(energy(symmetric) + energy(antisymmetric), energy(photo))

rng = np.random.default_rng(0)
examples = {
    "face": photo,
    "off centre": sample(data.astronaut()[20:148, 120:248]),
    "bricks": sample(data.brick()),
    "noise": rng.normal(size=photo.shape),
}
shares = np.array([share_of_symmetric(x) for x in examples.values()])
bars(
    {"symmetric": shares, "antisymmetric": 1 - shares},
    list(examples),
    "Shares of energy: the face is mostly symmetric, off centre it is not, noise is half and half",
    "share of energy",
)

# %%
by_name = dict(zip(examples, shares, strict=True))
assert by_name["face"] > 0.7
assert by_name["off centre"] < 0.6
assert abs(by_name["noise"] - 0.5) < 0.02

# %% [markdown]
# ## The butterfly
#
# Both parts have as many pixels as the photo, but half of them repeat the other half. What needs
# to be stored is, for every pair of pixels $a, b$ that the mirror exchanges,
#
# $$ y_+ = \frac{a + b}{\sqrt 2}, \qquad y_- = \frac{a - b}{\sqrt 2}. $$
#
# This is a rotation of the plane (followed by a mirror) and keeps lengths. Drawn as a flow of
# numbers, two lines cross for every pair: a **butterfly**. One addition and one subtraction for
# two pixels, no matter how large the image is.

# %%
butterfly(8, "Eight pixels of a row flow into four sums and four differences, each pair crossing")

# %%
row = photo[48, 40:48]
a, b = row[:4], row[:3:-1]  # pixel 0 meets pixel 7, 1 meets 6, ...
by_hand = np.concatenate([a + b, a - b]) / np.sqrt(2)

flop = mirror.group
of_a_row = ir.reps.permutation(flop, mirror.permutation(1, 8)).decompose()
assert np.allclose(of_a_row.basis.apply(row), by_hand)
assert np.allclose(of_a_row.basis.adjoint(by_hand), row)  # and back
print(of_a_row)

# %% [markdown]
# `decompose()` finds these coordinates for any group. In them, the mirror is a diagonal matrix:
# four channels stay, four change their sign. `basis.apply` goes there, `basis.adjoint` comes
# back; the matrix `U` is only formed if you ask for it, as here.

# %%
U, M = of_a_row.basis.to_dense(), ir.reps.permutation(flop, mirror.permutation(1, 8)).matrix(1)
pictures(
    [M, U, U @ M @ U.T],
    ["mirror, on pixels", "U", "mirror, new coordinates"],
    "The mirror as an antidiagonal matrix, the butterfly matrix, and the mirror as a diagonal",
    size=1.9,
    signed=True,
)

# %%
assert np.allclose(U @ U.T, np.eye(8))
assert np.allclose(U @ M @ U.T, np.diag([1, 1, 1, 1, -1, -1, -1, -1]))

# %% [markdown]
# ## Any group: the isotypic parts
#
# Let $V$ be a representation and $i$ an irrep. Collect everything in $V$ that transforms like
# $i$, all copies together: this is the **isotypic part** of $i$. How it splits into single copies
# is our choice (which two perpendicular axes does a plane of copies have?), the part itself is
# not. It can be computed without choosing anything, by an average over the group with the
# character as a weight:
#
# $$ P_i = \frac{d_i}{e_i\,|G|} \sum_{g} \chi_i(g)\, \rho(g), $$
#
# where $d_i$ is the real dimension and $e_i = 1, 2, 4$ for the types R, C, H. For the mirror,
# $\chi = (1, \pm 1)$ and this is $\frac12 (x \pm mx)$. For D4 it is eight moved photos, added
# with signs.


# %%
def isotypic_part(action, irrep, x):
    """The sum above, for a picture."""
    weights = irrep.characters[action.group.class_labels]
    total = sum(w * action.move(g, x) for g, w in enumerate(weights))
    return irrep.dim / irrep.end_dim * total / action.group.order


D4 = square.group
parts = {irrep.name: isotypic_part(square, irrep, photo) for irrep in D4.irreps}
titles = ["A1: all eight alike", "A2: turns +, mirrors −", "B1: axis mirrors +"]
titles += ["B2: diagonal mirrors +", "E: half turn −"]
pictures(
    [parts["A1"] - photo.mean(), *list(parts.values())[1:]],
    titles,
    "Five parts of a face: four kaleidoscopes with different signs, and the part E",
    columns=5,
    size=1.85,
    signed=True,
)

# %%
assert np.allclose(sum(parts.values()), photo)
for name, part in parts.items():
    irrep = D4.irrep(name)
    assert np.allclose(isotypic_part(square, irrep, part), part)  # nothing is lost the second time
    for other in D4.irreps:
        if other != irrep:
            assert np.allclose(isotypic_part(square, other, part), 0)
            assert np.isclose((parts[other.name] * part).sum(), 0)  # perpendicular

for name in ("A1", "A2", "B1", "B2"):
    for g in range(D4.order):
        assert np.allclose(square.move(g, parts[name]), D4.irrep(name).matrix(g) * parts[name])
assert np.allclose(square.move(2, parts["E"]), -parts["E"])  # element 2 is the half turn

# %% [markdown]
# (Of A1 the mean brightness was subtracted for the picture.) The library computes the same parts
# from coordinates: keep those of one irrep, set the others to zero, go back.

# %%
pixels = ir.reps.permutation(D4, square.permutation(*photo.shape))
decomposition = pixels.decompose()
print(decomposition)
for irrep in D4.irreps:
    part = decomposition.part(photo.ravel(), irrep).reshape(photo.shape)
    assert np.allclose(part, parts[irrep.name])

# %% [markdown]
# ### The part E has two components
#
# A copy of E is a plane, with a first and a second component. In the library's coordinates the
# rows of a block are ordered "component times number of copies, plus copy", so the first half of
# the block E is the first component of every copy. As pictures: what is odd from left to right
# and even from top to bottom, and the other way round. A quarter turn exchanges them, like the
# $x$ and $y$ of a gradient.

# %%
coordinates = decomposition.basis.apply(photo.ravel())
block = decomposition.blocks[D4.irrep("E").index]
copies = decomposition.multiplicities[D4.irrep("E").index]
components = []
for k in range(2):
    kept = np.zeros_like(coordinates)
    chosen = slice(block.start + k * copies, block.start + (k + 1) * copies)
    kept[chosen] = coordinates[chosen]
    components.append(decomposition.basis.adjoint(kept).reshape(photo.shape))
pictures(
    components,
    ["E, first component", "E, second component"],
    "The two components of the part E: odd from left to right, odd from top to bottom",
    size=2.2,
    signed=True,
)

# %%
first, second = components
assert np.allclose(first + second, parts["E"])
assert np.allclose(mirror.move(1, first), -first)
assert np.allclose(mirror.move(1, second), second)
assert np.allclose(np.flipud(first), first)
assert np.allclose(np.flipud(second), -second)

# %% [markdown]
# ## Where the energy is
#
# How much to expect? In noise, all directions are alike, so each part gets the share of
# dimensions that it has: $m_i d_i / n$ with the multiplicity $m_i$. For D4 that is nearly 1/8 for
# each letter and 1/2 for E.


# %%
def shares_of_energy(x):
    """One number for each irrep of D4, adding up to one; the mean brightness left out."""
    x = (x - x.mean()).ravel()
    return np.array([energy(decomposition.part(x, i)) for i in D4.irreps]) / energy(x)


dims = np.array([m * i.dim for m, i in zip(decomposition.multiplicities, D4.irreps, strict=True)])
measured = {name: shares_of_energy(x) for name, x in examples.items() if name != "off centre"}
bars(
    {"dimensions": dims / dims.sum(), **measured},
    [i.name for i in D4.irreps],
    "Shares of energy in the five parts, for a face, bricks and noise, beside shares of dimensions",
    "share of energy",
    width=7,
)

# %%
assert dims.sum() == photo.size
assert all(np.isclose(shares.sum(), 1) for shares in measured.values())
assert np.abs(measured["noise"] - dims / dims.sum()).max() < 0.02
for name in ("A2", "B2"):
    k = D4.irrep(name).index
    assert D4.irrep(name).matrix(6) == -1  # element 6 is the mirror
    assert measured["face"][k] < 0.5 * measured["noise"][k]

# %% [markdown]
# A face has little in A2 and B2, the pictures that change their sign in the mirror. Note what the
# numbers do *not* depend on: turn or mirror the photo, and the parts turn with it, each within
# its own space. The energies stay as they are. They are the simplest invariants one can read from
# typed features; the "norm" head of the library's networks takes such a number from every copy.

# %%
for g in range(D4.order):
    assert np.allclose(shares_of_energy(square.move(g, photo)), measured["face"])

# %% [markdown]
# ## The eightfold butterfly
#
# Does a bigger group cost more? Take eight pixels that D4 permutes among themselves, one for each
# element: the regular representation. Two rounds of butterflies, one for the upside-down mirror
# and one for the half turn, and a third for quarter turns in the half where it is needed: 20
# additions for 8 pixels, where the matrix has 64 entries. For tidiness we build the rounds as
# matrices.


# %%
def crossings(pairs, size=8):
    """A round of butterflies as a matrix: of each pair first the sum, then the difference."""
    stage = np.eye(size)
    for p, q in pairs:
        stage[[p, p, q, q], [p, q, p, q]] = np.array([1, 1, 1, -1]) / np.sqrt(2)
    return stage


e, r, r2, r3, v, d, m, a = range(8)
upside_down = crossings([(e, v), (r, d), (r2, m), (r3, a)])
half_turn = crossings([(e, r2), (r, r3), (v, m), (d, a)])
quarter_turn = crossings([(e, r), (v, d)])
order = np.eye(8)[[e, v, r, d, r2, r3, a, m]]  # A1, A2, B1, B2, then E by component
order[7] *= -1
stages = [upside_down, half_turn, quarter_turn, order]
total = order @ quarter_turn @ half_turn @ upside_down
pictures(
    [*stages, total],
    ["round 1", "round 2", "round 3", "order", "all together"],
    "Three sparse matrices, a reordering, and their product, which is a full matrix of signs",
    size=1.7,
    signed=True,
)

# %%
regular = ir.reps.regular(D4)
assert np.allclose(total @ total.T, np.eye(8))
for g in range(D4.order):
    blocks = total @ regular.matrix(g) @ total.T
    for k, name in enumerate(["A1", "A2", "B1", "B2"]):
        assert np.isclose(blocks[k, k], D4.irrep(name).matrix(g).item())
    assert np.allclose(blocks[4:, 4:], np.kron(D4.irrep("E").matrix(g), np.eye(2)))
    assert np.allclose(blocks[:4, 4:], 0)
additions = sum(int((np.count_nonzero(stage, axis=1) == 2).sum()) for stage in stages)
print("additions for eight pixels:", additions)
assert additions == 20

# %% [markdown]
# Images are many orbits, and every orbit is transformed by itself. That is why the library can
# take a 224 × 224 image apart without a matrix: the dense one would hold 20 GB and cost a hundred
# thousand operations a pixel; by orbits it is a dozen.

# %%
large = ir.reps.permutation(D4, square.permutation(224, 224)).decompose()
per_pixel = large.basis.flops / 224**2
print(f"{per_pixel:.1f} FLOPs a pixel by orbits, {2 * 224**2:,} dense")
assert per_pixel < 20
assert 8 * 224**4 > 20e9  # bytes of a dense matrix

x = rng.normal(size=224 * 224)
assert np.allclose(large.basis.adjoint(large.basis.apply(x)), x)

# %% [markdown]
# ## What a network makes of this
#
# A feature vector with 384 channels, taken apart once, is 192 symmetric and 192 antisymmetric
# numbers, or for D4 48 of each letter and 96 planes E. A network of this library changes
# coordinates once, when it reads the image, and then *stays* in them: its features are typed,
# `FeatureType(G, "192*sym + 192*asym")`. The next tutorial shows why linear layers become so much
# cheaper there.

# %%
for action, text in [
    (mirror, "192*sym + 192*asym"),
    (square, "48*A1 + 48*A2 + 48*B1 + 48*B2 + 96*E"),
]:
    X = ir.FeatureType(action.group, text)
    assert X == ir.FeatureType.regular(action.group, 384)
    assert X.dim == 384

# %% [markdown]
# ## Exercises
#
# 1. A row of five pixels under the mirror: which multiplicities, and what becomes of the middle
#    pixel?
# 2. C4 takes the photo into three parts. Express them by D4's five.
# 3. What remains if you average the eight moved photos? Of what kind is it?
# 4. Under the four moves of `klein_four`, D4's part E falls in two. Why can it, and which are
#    they?
# 5. Find a picture whose energy lies in A2 alone, and check that it does.

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 1. Three symmetric and two antisymmetric; the middle pixel is its own pair and enters as it is.
five = ir.reps.permutation(flop, mirror.permutation(1, 5)).decompose()
assert str(five) == "3*sym + 2*asym"
assert (five.basis.to_dense()[:, 2] == [0, 0, 1, 0, 0]).all()

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 2. Mirrors no longer tell A1 from A2, nor B1 from B2.
turns = ir.actions.image("C4")
by_turns = [isotypic_part(turns, irrep, photo) for irrep in turns.group.irreps]
for part, names in zip(by_turns, [("A1", "A2"), ("B1", "B2"), ("E",)], strict=True):
    assert np.allclose(part, sum(parts[name] for name in names))

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 3. The part A1, which is invariant: its character is 1 everywhere.
assert np.allclose(np.mean([square.move(g, photo) for g in range(8)], axis=0), parts["A1"])

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 4. Only quarter turns (and diagonal mirrors) mix the two components, and klein_four has none.
klein = ir.actions.image("klein_four")
halves = [isotypic_part(klein, irrep, parts["E"]) for irrep in klein.group.irreps]
halves = [half for half in halves if energy(half) > 1e-9]
assert len(halves) == 2
assert all(any(np.allclose(half, c) for c in components) for half in halves)

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 5. The pinwheel of tutorial 2.
line = np.linspace(-1, 1, 96)
x, y = np.meshgrid(line, -line)
assert np.allclose(shares_of_energy(x * y * (x**2 - y**2)), [0, 1, 0, 0, 0])

# %% [markdown]
# Next: [4. Schur's lemma and equivariant bases](04_schur_and_equivariant_maps.ipynb).
