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
# # 1. Groups that act on images
#
# Show a network a cat, then the same cat in a mirror. Nothing has happened to the cat, and yet
# every pixel has moved. A network that does not know this learns it from examples, a little for
# every filter, and pays for the knowledge with weights and arithmetic. The networks of this
# library know it from the start. What they know is a *group*, and this tutorial is about groups:
# no more of the theory than the library uses, each idea once, and each claim followed by a cell
# that checks it.
#
# If you know PyTorch and no algebra, read from the top. If you know algebra, look at the code and
# at the section on the one sign to get right. Nothing here needs torch.

# %%
import itertools

import networkx
import numpy as np
from _draw import cayley_graphs, coloured_table, hasse, labelled_grids, pictures, two_rings
from skimage import color, data, transform

import irrepnet as ir

# %% [markdown]
# ## Eight ways to lay a photo on a table
#
# A square photo can be laid on a square table in eight ways: four quarter turns, and four more
# with the photo face down. `ir.actions.image("D4")` knows these eight moves. They are numbered
# from 0, and number 0 leaves the photo alone.

# %%
face = color.rgb2gray(data.chelsea()[:, 80:380])
photo = transform.resize(face, (100, 100), anti_aliasing=True)
square = ir.actions.image("D4")
D4 = square.group

names = ["e", "r", "r²", "r³", "v", "d", "m", "a"]
words = ["as it is", "quarter turn", "half turn", "three quarters"]
words += ["upside down", "transpose", "mirror", "anti-transpose"]
moved = [square.move(g, photo) for g in range(D4.order)]
pictures(
    moved,
    [f"{n}: {w}" for n, w in zip(names, words, strict=True)],
    "A cat's face in eight positions: four quarter turns, and the same four mirrored",
    columns=4,
)

# %%
assert D4.order == 8
assert all((a != b).any() for a, b in itertools.combinations(moved, 2))  # eight different pictures
assert (moved[1] == np.rot90(photo)).all()
assert (moved[6] == np.fliplr(photo)).all()

# %% [markdown]
# ## What makes them a group
#
# Do one move, then another: the result is again one of the eight. That is almost the whole
# definition. A **group** is a set with a product such that
#
# 1. the product of two elements is an element;
# 2. brackets do not matter: $(ab)c = a(bc)$;
# 3. some element $e$, the **identity**, changes nothing: $ea = ae = a$;
# 4. every element $a$ can be undone, by its **inverse**: $a a^{-1} = a^{-1} a = e$.
#
# The number of elements is the **order** of the group. All products together are its **Cayley
# table**: row $a$, column $b$ holds $ab$. With the table in hand the four rules are four lines.

# %%
table = D4.cayley_table
everyone = np.arange(D4.order)
assert set(table.ravel()) == set(everyone)  # 1: nothing new comes out
assert (table[table[:, :, None], everyone] == table[:, table]).all()  # 2: (ab)c = a(bc)
assert (table[D4.identity] == everyone).all()  # 3: e a = a
assert (table[:, D4.identity] == everyone).all()  # ... = a e
assert (table[everyone, D4.inverses] == D4.identity).all()  # 4

coloured_table(table, names, "The multiplication table of D4, one colour for each element")

# %% [markdown]
# Look along any row or down any column: each colour occurs exactly once. That is rule 4 at work,
# because $ab = ac$ can be multiplied by $a^{-1}$ to give $b = c$. The upper left quarter holds no
# new colours: the four turns are a group by themselves, a **subgroup**. And the table is not
# symmetric about its diagonal: a turn after a mirror is not a mirror after a turn. Groups in
# which the order never matters are called **abelian**; of the symmetries of an image, only all
# eight together are not.

# %%
r, m = names.index("r"), names.index("m")
assert all(sorted(line) == list(everyone) for line in [*table, *table.T])
assert set(table[:4, :4].ravel()) == {0, 1, 2, 3}
assert not D4.is_abelian
assert ir.groups.cyclic(4).is_abelian
print("r m =", names[D4.multiply(r, m)], "   m r =", names[D4.multiply(m, r)])

# %% [markdown]
# ## An action, and the one sign to get right
#
# So far the eight elements multiply; they also *do* something. A group **acts** on a set when
# each element $g$ moves each point $x$ to a point $gx$ of the set, the identity moves nothing,
# and
#
# $$ (gh)x = g(hx): \quad \text{first } h, \text{ then } g. $$
#
# This is called a left action, and everything in this library is one. Pixels are easy: an element
# moves the place $p$ to the place $gp$. An image is a function on places, and the value that
# stood at $p$ shall now stand at $gp$. So the value that stands at $p$ *now* is the one that came
# from $g^{-1}p$:
#
# $$ (gx)(p) = x(g^{-1}p). $$
#
# The inverse looks like pedantry. It is not. Without it, products come out in the wrong order,
# every picture still looks plausible, and for mirrors (which undo themselves) nothing goes wrong
# at all. The bug waits for the first quarter turn.

# %%
for g, h in itertools.product(everyone, everyone):
    one_by_one = square.move(g, square.move(h, photo))
    assert (one_by_one == square.move(D4.multiply(g, h), photo)).all()

places = square.permutation(*photo.shape)  # [g, p]: where element g moves pixel p


def forgot_the_inverse(g, x):
    """The plausible mistake: look up x at g p."""
    return x.ravel()[places[g]].reshape(x.shape)


wrong = [
    (g, h)
    for g, h in itertools.product(everyone, everyone)
    if (
        forgot_the_inverse(g, forgot_the_inverse(h, photo))
        != forgot_the_inverse(D4.multiply(g, h), photo)
    ).any()
]
commuting = {(g, h) for g, h in itertools.product(everyone, everyone) if table[g, h] == table[h, g]}
assert set(wrong) == set(itertools.product(everyone, everyone)) - commuting
print(f"the mistake shows in {len(wrong)} of 64 products: exactly where g h differs from h g")

# %% [markdown]
# ## Same move, seen from elsewhere
#
# Walk around the table and look again. What was a mirror from left to right is now a mirror from
# top to bottom; a quarter turn is still a quarter turn. If $b$ is the walk, the move $a$ has
# become $b a b^{-1}$. The elements that turn into one another like this form a **conjugacy
# class**. D4 has five: the identity, the half turn, both quarter turns, both mirrors along the
# axes, both along the diagonals. Tutorial 2 needs them: what a representation tells about an
# element, it tells about the whole class.

# %%
for c in D4.conjugacy_classes:
    a = c.representative
    members = {D4.multiply(D4.multiply(b, a), D4.inverse(b)) for b in everyone}
    assert members == set(np.flatnonzero(D4.class_labels == D4.class_of(a)))
    assert len(members) == c.size
    print(f"{{{', '.join(names[i] for i in sorted(members))}}}  of order {c.element_order}")

# %% [markdown]
# (The **order of an element** is how often one has to repeat it to be back: two for a mirror,
# four for a quarter turn.)
#
# ## Orbits: which pixels are the same pixel
#
# Take one pixel and apply all moves. The set of places that it visits is its **orbit**. The
# elements that leave it in place are its **stabiliser**. The larger the stabiliser, the smaller
# the orbit:
#
# $$ |\text{orbit}| \cdot |\text{stabiliser}| = |G|. $$
#
# In the pictures, pixels with the same number lie in the same orbit.


# %%
def orbit_numbers(action, height, width):
    """For every cell the number of its orbit, in order of the first cell."""
    images = action.permutation(height, width)
    return np.unique(images.min(axis=0), return_inverse=True)[1].reshape(height, width)


mirror, turns = ir.actions.image("flop"), ir.actions.image("C4")
labelled_grids(
    [
        orbit_numbers(mirror, 5, 5),
        orbit_numbers(turns, 5, 5),
        orbit_numbers(square, 5, 5),
        orbit_numbers(square, 6, 6),
    ],
    ["mirror, 5 × 5", "quarter turns, 5 × 5", "D4, 5 × 5", "D4, 6 × 6"],
    "Cells of small grids, coloured by orbit, under the mirror, the quarter turns and D4",
)

# %%
for action, (height, width) in [
    (mirror, (5, 5)),
    (turns, (5, 5)),
    (square, (5, 5)),
    (square, (6, 6)),
]:
    images = action.permutation(height, width)
    for p in range(height * width):
        orbit, stabiliser = set(images[:, p]), np.flatnonzero(images[:, p] == p)
        assert len(orbit) * len(stabiliser) == action.group.order

# %% [markdown]
# Under the mirror, the middle column of an odd grid stays where it is: five orbits of a single
# pixel. On an even grid nothing stays. Under D4 the centre of an odd grid is alone, the pixels on
# axes and diagonals come in fours, all others in eights. The library sorts orbits by stabiliser,
# because the orbits with (up to conjugation) the same stabiliser are all alike.

# %%
for kind in square.on_grid(5, 5).orbit_types:
    fixed_by = ", ".join(names[g] for g in kind.stabiliser)
    print(f"{kind.num_orbits} orbits of {kind.index} pixels, one of them fixed by {{{fixed_by}}}")
    assert kind.index * len(kind.stabiliser) == D4.order

assert sum(kind.num_orbits * kind.index for kind in square.on_grid(5, 5).orbit_types) == 25

# %% [markdown]
# ### Why a network cares
#
# Suppose a layer computes one number from a grid, $\sum_p w_p x_p$, and this number must not
# change when the image moves. Then $w$ must be constant on every orbit: *the orbits are the free
# parameters*. Counting them needs no list of orbits. **Burnside's lemma** says that the number of
# orbits is the average number of points that an element fixes.

# %%
for action in (mirror, turns, square):
    for side in (7, 14, 224):
        images = action.permutation(side, side)
        fixed_points = (images == np.arange(side * side)).sum(axis=1)
        orbits = sum(kind.num_orbits for kind in action.on_grid(side, side).orbit_types)
        assert fixed_points.mean() == orbits
        print(
            f"{action.name:5} on {side:3} x {side:3}: {orbits:6,} weights for {side**2:6,} pixels"
        )

# %%
rng = np.random.default_rng(0)
shared = rng.normal(size=100)[orbit_numbers(square, 14, 14)]  # one number an orbit
free = rng.normal(size=(14, 14))
x = rng.normal(size=(14, 14))


def change(weights):
    """The largest change of sum(weights * x) under the group."""
    return max(abs((weights * square.move(g, x)).sum() - (weights * x).sum()) for g in everyone)


assert change(shared) < 1e-12 < 1 < change(free)

# %% [markdown]
# ### Grids that a group does not preserve
#
# A quarter turn of a 14 × 16 grid is no 14 × 16 grid. The mirror has no such trouble. The library
# says so before anything is built.

# %%
assert mirror.preserves(14, 16)
assert not square.preserves(14, 16)
try:
    square.on_grid(14, 16)
except ir.IrrepnetError as problem:
    print(problem)

# %% [markdown]
# ## The shape of a group
#
# Choose a few elements from which products make all others: **generators**. Draw a dot for every
# element and, for each generator $g$, an arrow from $a$ to $ag$. This is the **Cayley graph**, a
# map on which multiplying is walking. A generator that undoes itself is drawn as a line without a
# head.
#
# Three groups of order eight, three different maps: turns of an octagon (C8), symmetries of a
# square (D4), and the quaternion group Q8, whose elements are $\pm 1, \pm i, \pm j, \pm k$ with
# $i^2 = j^2 = k^2 = ijk = -1$. Q8 moves no image, but it will surprise us in tutorial 2.

# %%
C8, Q8 = ir.groups.cyclic(8), ir.groups.quaternion()
i, j = Q8.generators
minus = Q8.multiply(i, i)  # the element -1
units = {"1": 0, "i": i, "j": j, "k": Q8.multiply(i, j)}
units |= {f"-{name}": Q8.multiply(minus, a) for name, a in list(units.items())}
quaternion_names = {a: name for name, a in units.items()}

cayley_graphs(
    [
        (C8, two_rings(C8), [str(a) for a in range(8)]),
        (D4, two_rings(D4), names),
        (Q8, two_rings(Q8, 0.5), [quaternion_names[a] for a in range(8)]),
    ],
    ["C8", "D4", "Q8"],
    "Cayley graphs of three groups of order eight: an octagon, two squares, two linked squares",
)

# %% [markdown]
# The arrows say at a glance what the tables hide. C8 is one ring. In D4 a second generator, drawn
# as lines, leads from one ring to another which runs the *other* way round: that is why a turn
# and a mirror do not commute. In Q8 the second generator is not its own inverse; its arrows wind
# through both rings. Different pictures do not prove that groups differ (choose other generators,
# get another picture), but the orders of elements do.

# %%
for G in (C8, D4, Q8):
    print(G.name, "orders of the elements:", sorted(G.element_orders.tolist()))

assert len({tuple(sorted(G.element_orders.tolist())) for G in (C8, D4, Q8)}) == 3
assert Q8.multiply(units["i"], units["j"]) == units["k"]
assert Q8.multiply(units["j"], units["i"]) == units["-k"]

# %% [markdown]
# ## The lattice of subgroups
#
# A **subgroup** is a part of a group that is a group itself. Its order divides the order of the
# group (Lagrange), because its cosets cut the group into parts of equal size. D4 has ten
# subgroups. Below, larger ones stand above smaller ones and a line means "contained, with nothing
# in between". Subgroups with one colour are conjugate: the same symmetry, seen from elsewhere.

# %%
lattice = ir.groups.subgroup_lattice(D4, conjugates=True)
called = {ir.actions.image(name).embedding(square): name for name in ir.actions.image_names()}
called = {tuple(sorted(elements)): name for elements, name in called.items()}


def label(subgroup):
    """Its elements, and the name of the image action, if it has one."""
    elements = "{" + ", ".join(names[g] for g in subgroup.elements) + "}"
    return f"{called.get(subgroup.elements, 'no name')}\n{elements}"


labels = {n: label(H) for n, H in lattice.nodes(data="subgroup")}
columns = dict.fromkeys(called.values(), 0.0)
columns |= {"flop": -2, "vflip": -1, "klein_four": -1.5, "transpose": 1, "antitranspose": 2}
across = {n: columns.get(called.get(H.elements), 1.5) for n, H in lattice.nodes(data="subgroup")}
hasse(
    lattice, labels, "The ten subgroups of D4 on four levels, orders 1, 2, 4, 8", across, size=7.5
)

# %%
orders = [order for _, order in lattice.nodes(data="order")]
assert sorted(orders) == [1, 2, 2, 2, 2, 2, 4, 4, 4, 8]
assert all(D4.order % order == 0 for order in orders)
assert len(D4.subgroup_classes) == 8  # flop and vflip are conjugate, and so are the two transposes

# %% [markdown]
# Each upward path is a network that gives up symmetry step by step (read it downwards): eightfold
# in its first blocks, then only mirrors, then none. Such *hybrid* networks are the subject of
# tutorial 7. `restrict` takes a step down.

# %%
step = square.restrict("klein_four").restrict("flop").restrict("trivial")
print("paths from D4 down to nothing:", len(list(networkx.all_simple_paths(lattice, 0, 9))))
assert step.group.order == 1
assert len(list(networkx.all_simple_paths(lattice, 0, 9))) == 7

# %% [markdown]
# ## Not only images
#
# Any finite set will do. Three interchangeable players and one referee: every permutation of the
# players, and the referee stays. `from_images` takes where the generators send each point.

# %%
S3 = ir.groups.symmetric(3)
table_of_four = ir.actions.from_images(
    "players", S3, [[*S3.permutation(g), 3] for g in range(S3.order)]
)
print([(kind.num_orbits, kind.index) for kind in table_of_four.orbit_types])
assert [(kind.num_orbits, kind.index) for kind in table_of_four.orbit_types] == [(1, 3), (1, 1)]

# %% [markdown]
# ## What to remember
#
# - Elements are the numbers `0 .. G.order - 1`; `G.multiply(a, b)` does `b` first.
# - An image moves by $(gx)(p) = x(g^{-1}p)$: `action.move(g, x)`.
# - Orbits are what a symmetric layer can tell apart; stabilisers say how large they are.
# - A group alone does not say how it moves an image: mirror, half turn and transpose are all of
#   order two. An `ImageAction` says it.
#
# ## Exercises
#
# The answers are in the folded cells below; each checks itself.
#
# 1. A strip of 1 × 9 pixels: how many orbits do the mirror and the half turn have? Why the same
#    number?
# 2. How many orbits has D4 on 224 × 224 pixels, by Burnside's lemma and without a computer?
# 3. How many black-and-white pictures of 3 × 3 pixels are different under D4? (The group acts on
#    pictures now: 512 points.)
# 4. The group C4 × C2 has order 8 as well. Is it one of the three whose Cayley graphs we drew?
# 5. Build the action of the half turn from its matrix, without using its name.

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 1. On a single row they do the same thing: column j goes to column 8 - j.
for name in ("flop", "rot180"):
    (pairs, middle) = ir.actions.image(name).on_grid(1, 9).orbit_types
    assert (pairs.num_orbits, pairs.index, middle.num_orbits, middle.index) == (4, 2, 1, 1)

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 2. The identity fixes 224^2 pixels, turns and axis mirrors none (the side is even), the two
# diagonal mirrors 224 each: (50176 + 2 * 224) / 8.
assert (224**2 + 2 * 224) // 8 == 6328
assert sum(kind.num_orbits for kind in square.on_grid(224, 224).orbit_types) == 6328

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 3. An element fixes the pictures that are constant on its own cycles of pixels: 2^cycles of them.
on_pixels = ir.reps.permutation(D4, square.permutation(3, 3))
cycles = [
    networkx.number_connected_components(networkx.Graph(list(enumerate(on_pixels.images[g]))))
    for g in everyone
]
assert sum(2**c for c in cycles) / D4.order == 102
every_picture = (np.arange(512)[:, None, None] >> np.arange(9).reshape(3, 3)) & 1
smallest = {min(square.move(g, x).tobytes() for g in everyone) for x in every_picture}
assert len(smallest) == 102

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 4. No: it is abelian (D4 and Q8 are not), and it has no element of order 8 (C8 has four).
other = ir.groups.parse("C4xC2")
assert other.is_abelian
assert other.exponent == 4
assert sorted(other.element_orders.tolist()) == [1, 2, 2, 2, 4, 4, 4, 4]

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 5. Matrices act on (row, column) from the centre; the half turn negates both.
half_turn = ir.actions.from_generators("my half turn", ir.groups.cyclic(2), [((-1, 0), (0, -1))])
assert (half_turn.move(1, photo) == np.rot90(photo, 2)).all()

# %% [markdown]
# Next: [2. Representations, characters and irreps](02_representations_and_characters.ipynb),
# where group elements become matrices.
