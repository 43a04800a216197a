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
# # 9. Your own group, your own layer
#
# The library does not know your problem. It does not have to: a group is given by a few
# permutations, and a layer by what it does, what it costs and which types it takes. We take a group
# of order 48 from music that no table of the library mentions, and compile networks for it; then we
# write a layer kind that does not exist, in forty lines, and let the test kit try to break it.
#
# You need PyTorch, and feature types ([tutorial 6](06_from_declaration_to_network.ipynb)).

# %%
import itertools
from dataclasses import dataclass

import numpy as np
import torch
from _draw import COLOURS, bars, circle, figure, pictures, png

import irrepnet as ir
from irrepnet import nn, specs, testing, types
from irrepnet.compiler import Cost, Features, register

torch.manual_seed(0)
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## A group from permutations
#
# Music has twelve tones: C, C sharp, D, and so on; after B comes C again. Number them 0 to 11 and
# put them on a clock. Three things that composers do to melodies permute them:
#
# - **transpose** by a semitone, $i \mapsto i + 1$;
# - **invert**, $i \mapsto -i$: what went up goes down;
# - **multiply by five**, $i \mapsto 5i$: it exchanges the chromatic scale with the circle of
#   fourths.
#
# All modulo 12. A permutation is a list that says where each point goes.

# %%
transpose = [(i + 1) % 12 for i in range(12)]
invert = [-i % 12 for i in range(12)]
five = [5 * i % 12 for i in range(12)]
G = ir.groups.from_permutations([transpose, invert, five], name="tones")
print(f"{G.name}: {G.order} elements, {len(G.conjugacy_classes)} classes, abelian: {G.is_abelian}")

drawn = figure(7.2, 2.6)
places = circle(12)
for k, (images, title) in enumerate(
    [(transpose, "transpose"), (invert, "invert"), (five, "times five")], start=1
):
    axes = drawn.add_subplot(1, 3, k)
    for i, j in enumerate(images):
        if i != j:
            (x, y), (dx, dy) = 0.86 * places[i], 0.86 * (places[j] - places[i])
            both_ways = images[j] == i
            head = 0 if both_ways else 0.08
            axes.arrow(
                x, y, dx, dy, color=COLOURS[k - 1], head_width=head, length_includes_head=True
            )
        axes.text(*places[i], str(i), ha="center", va="center", fontsize=9)
    axes.set_title(title, fontsize=10)
    axes.set_aspect("equal")
    axes.set_xlim(-1.2, 1.2)
    axes.set_ylim(-1.2, 1.2)
    axes.axis("off")
png(drawn, "Twelve tones on a clock and where three permutations send them")

# %%
assert G.order == 48
a, b = (G.index(p) for p in (transpose, five))
assert G.permutation(G.multiply(b, a))[0] == 5  # first transpose, then times five: 0 -> 1 -> 5
assert G.multiply(a, b) != G.multiply(b, a)
C_major, F_minor = {0, 4, 7}, {5, 8, 0}
assert {invert[i] for i in C_major} == F_minor  # inversion exchanges major and minor

# %% [markdown]
# ## Everything else is computed
#
# Irreps, their types and characters, exactly. Nobody has names for them, so they are `chi0`,
# `chi1`, and so on, by dimension. The dimensions must satisfy $\sum d^2 / e = |G|$, with $e = 1$
# for irreps of real type.

# %%
print(", ".join(f"{i.name} ({i.dim}, {i.kind})" for i in G.irreps))
assert sum(i.dim**2 // i.end_dim for i in G.irreps) == G.order

# %% [markdown]
# How do the twelve tones themselves decompose? `actions.natural` is the group on the points that
# its permutations move. Of fifteen irreps, six occur, once each. Here is a vector of each kind, as
# a function on the clock.

# %%
tones = ir.actions.natural(G)
V = ir.reps.permutation(G, tones.array)
found = V.decompose()
T = ir.FeatureType(G, found.multiplicities)
print("the tones are", T)
basis = found.basis.to_dense()
drawn = figure(7.4, 1.7)
for k, block in enumerate(T.blocks, start=1):
    axes = drawn.add_subplot(1, 6, k)
    vector = basis[block.start]
    most = np.abs(vector).max()
    axes.scatter(*places.T, c=vector, cmap="RdBu_r", vmin=-most, vmax=most, s=90, edgecolor="#888")
    axes.set_title(f"{block.irrep.name}, dim {block.irrep.dim}", fontsize=9)
    axes.set_aspect("equal")
    axes.set_xlim(-1.3, 1.3)
    axes.set_ylim(-1.3, 1.3)
    axes.axis("off")
png(drawn, "Six functions on twelve tones, one of each irrep that occurs")

# %%
assert set(T.multiplicities) == {0, 1}
assert len(T.blocks) == 6
assert T.dim == 12

# %% [markdown]
# ## From permutation generators to a compiled network
#
# By Schur's lemma, the maps of the tones that commute with everything form a space of dimension six
# (tutorial 4 counts it three ways; one is the number of kinds of intervals that the group leaves
# distinct). With fewer symmetries there are more. Here is a random map for each of three groups:

# %%
generators = {"T": [transpose], "T, I": [transpose, invert], "T, I, M": [transpose, invert, five]}
matrices, counts = [], {}
for name, images in generators.items():
    group = ir.groups.from_permutations(images, name=name)
    points = ir.actions.natural(group)
    mix = ir.compile(specs.TokenLinear(ir.FeatureType.trivial(group, 1), points, bias=False))
    assert isinstance(mix, nn.TokenLinear)
    matrices.append(testing.randomise_(mix).weight_matrix().detach().numpy())
    counts[name] = sum(p.numel() for p in mix.parameters())
    permuted = ir.reps.permutation(group, points.array)
    assert counts[name] == ir.reps.hom(permuted, permuted).dim
pictures(
    matrices,
    [f"{name}: {count} weights" for name, count in counts.items()],
    "Three 12 by 12 matrices with more and more repetitions",
    signed=True,
    size=2.2,
)

# %%
assert counts == {"T": 12, "T, I": 7, "T, I, M": 6}
for matrix, (name, images) in zip(matrices, generators.items(), strict=True):
    distinct = len(np.unique(matrix.round(9)))
    assert distinct == counts[name]
    for p in images:
        assert np.allclose(matrix[np.ix_(p, p)], matrix)

# %% [markdown]
# Now a network: tokens are tones, one number each (is it played?). Three blocks mix tones and apply
# functions, and the pool is invariant. Nothing below mentions music.


# %%
def chord_network(group):
    """From chords, 12 tones of one channel, to 16 invariants."""
    points = ir.actions.natural(group)
    X, H = (ir.FeatureType.trivial(group, n) for n in (1, 16))
    block = specs.residual(
        mix=specs.TokenLinear(H, points),
        act=specs.Activation(H, "gelu"),
        fc=specs.Linear(H, H),
    )
    net = ir.compile(
        specs.chain(
            tones=specs.Tokens(X, points),
            lift=specs.Linear(X, H),
            blocks=3 * block,
            pool=specs.OrbitPool(H, points),
        )
    )
    return testing.randomise_(net)


net = chord_network(G)
testing.assert_equivariant(net)  # all 48 elements
testing.assert_matches_dense(net)
print(f"{testing.assert_flops(net, (12, 1)).total:,} FLOPs a chord")

# %% [markdown]
# Is it any good? There are $2^{12} = 4096$ chords. How many *kinds* of chords there are, if
# transposed, inverted, multiplied chords count as one, music theorists know: 352, 224 and 158. A
# network that is invariant can give at most that many different outputs. One that also sees
# everything there is to see gives exactly that many. Let us count the outputs of random networks.

# %%
chords = np.array(list(itertools.product([0.0, 1.0], repeat=12)))
kinds, outputs = [], []
for name, images in generators.items():
    group = ir.groups.from_permutations(images, name=name)
    codes = [chords[:, p] @ 2 ** np.arange(12) for p in group.elements]
    kinds.append(len(np.unique(np.min(codes, axis=0))))
    with torch.no_grad():
        y = chord_network(group)(torch.tensor(chords)[..., None]).flatten(1)
    outputs.append(len(np.unique((y / y.abs().max()).numpy().round(8), axis=0)))
    print(f"{name:8} {kinds[-1]} kinds of chords, {outputs[-1]} different outputs")
bars(
    {"kinds of chords": kinds, "outputs": outputs},
    list(generators),
    "Kinds of chords and outputs of the networks: the same numbers",
    width=4.5,
    height=2.2,
)

# %%
assert kinds == outputs == [352, 224, 158]

# %% [markdown]
# ## Your own layer
#
# A layer kind is three things: a **spec** (what it is), a **module** (what runs) and a **rule**
# (what the compiler must know). Ours is the *block soft threshold* of group-sparse models: every
# copy $v$ of every irrep gets shorter by a learned length $t$, and short ones vanish,
#
# $$ v \mapsto v \cdot \max\left(0,\ 1 - \frac{t}{\lvert v \rvert}\right). $$
#
# Lengths are invariant, because the matrices $\rho(g)$ are orthogonal. So it commutes with any
# group, on any type, and sparsity comes in whole copies.
#
# **The spec** is a frozen dataclass. A field called `feature_type` tells the library what goes in.


# %%
@dataclass(frozen=True)
class Shrink(specs.Spec):
    """Every copy of every irrep shorter by a learned length."""

    feature_type: ir.FeatureType
    init: float = 0.1


# %% [markdown]
# **The module** is a `torch.nn.Module` with a base class, `nn.Layer`, that adds `to_dense`. Plain
# integers of the type are taken out once, so that `forward` sees tensors only (`torch.compile`
# thanks you). Inside a block, components are outermost and copies innermost.


# %%
class ShrinkLayer(nn.Layer):
    def __init__(self, feature_type, init, device=None, dtype=None):
        super().__init__()
        self.spans = tuple((b.start, b.stop, b.irrep.dim) for b in feature_type.blocks)
        copies = sum(feature_type.multiplicities)
        self.length = torch.nn.Parameter(torch.full((copies,), init, device=device, dtype=dtype))

    def forward(self, x):
        parts, first = [], 0
        for start, stop, dim in self.spans:
            block = x[..., start:stop].unflatten(-1, (dim, -1))  # (..., components, copies)
            copies = block.shape[-1]
            # Added before the root, so that the gradient at zero is zero and not 0 / 0.
            size = (block.square().sum(-2, keepdim=True) + 1e-20).sqrt()
            factor = torch.relu(1 - self.length[first : first + copies] / size)
            parts.append((block * factor).flatten(-2))
            first += copies
        return torch.cat(parts, dim=-1)

    def _dense(self):
        return self  # it has no weights between channels: its own dense twin


# %% [markdown]
# **The rule** answers five questions. What does the layer take, if it stands first? What goes out
# for what comes in, or why not? How would you say it in words? What does it cost? Which module is
# it?


# %%
class ShrinkRule:
    def source(self, spec):
        return Features(spec.feature_type)

    def check(self, spec, edge):
        if edge.type != spec.feature_type:
            raise ir.IrrepnetError(
                f"got {edge.type}, expected {spec.feature_type}: give Shrink the type before it."
            )
        return spec, edge

    def decide(self, spec, edge):
        return f"{sum(spec.feature_type.multiplicities)} copies, each shorter by its own length"

    def cost(self, spec, edge, positions):
        dim, copies = spec.feature_type.dim, sum(spec.feature_type.multiplicities)
        return Cost(
            params=copies,
            other=(("activation", positions * (3 * dim + 5 * copies)),),
        )

    def emit(self, spec, edge, factory):
        return ShrinkLayer(spec.feature_type, spec.init, **factory.kwargs)


register(Shrink, ShrinkRule())
for operation in (torch.ops.aten.sqrt, torch.ops.aten.rsub):
    ir.accounting.state_operation(operation)  # elementwise; its FLOPs are in our cost

# %% [markdown]
# From here on it is a layer like any other, for every group: here the tones, the quaternions with
# their four-dimensional irrep of quaternionic type, and the symmetries of the square. It is
# checked, certified, counted, saved and explained.

# %%
for group in (G, ir.groups.quaternion(), ir.groups.octic()):
    X = ir.FeatureType(group, [2] * len(group.irreps))  # any multiplicities
    net = ir.compile(
        specs.Linear(X, X) >> Shrink(X, init=0.5) >> specs.residual(Shrink(X) >> specs.Linear(X, X))
    )
    testing.randomise_(net)
    testing.assert_equivariant(net)
    testing.assert_matches_dense(net)
    testing.assert_flops(net, (10, X.dim))
    assert specs.from_json(net.plan.spec.to_json()) == net.plan.spec
    x = torch.zeros(1, X.dim, requires_grad=True)
    net(x).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()  # at zero as well
print(net.plan.explain())

# %% [markdown]
# What it does to a plane of D4: each vector is pulled to the centre by the same length, whatever
# its direction. Circles stay circles.

# %%
E = ir.FeatureType(ir.groups.octic(), "E")
shrink = ir.compile(Shrink(E, init=0.5))
radii = np.array([0.3, 0.6, 0.9, 1.2])
before = np.concatenate([r * circle(48) for r in radii])
with torch.no_grad():
    after = shrink(torch.tensor(before)).numpy()

drawn = figure(5.0, 2.6)
for k, (points, title) in enumerate([(before, "before"), (after, "after, t = 0.5")], start=1):
    axes = drawn.add_subplot(1, 2, k)
    for ring, colour in zip(points.reshape(4, 48, 2), COLOURS, strict=False):
        axes.plot(*ring.T, ".", color=colour, ms=4)
    axes.set_title(title, fontsize=10)
    axes.set_aspect("equal")
    axes.set_xlim(-1.4, 1.4)
    axes.set_ylim(-1.4, 1.4)
png(drawn, "Four circles before, three smaller circles and a point after")

# %%
lengths = np.linalg.norm(after, axis=1).reshape(4, 48)
assert np.allclose(lengths, np.maximum(0, radii - 0.5)[:, None])

# %% [markdown]
# ## Reading the error messages
#
# Messages say what was got, what was expected and what to do. `refusal` collects one. First the
# everyday ones:


# %%
def refusal(attempt):
    """What the library says to a mistake."""
    try:
        attempt()
    except (ir.IrrepnetError, AssertionError) as problem:
        print(f"{type(problem).__name__}: {problem}\n")
        return str(problem)
    raise RuntimeError("accepted")


D4 = ir.groups.octic()
X = ir.FeatureType.regular(D4, 32)
planes = ir.FeatureType(D4, "3*E")
square = ir.actions.image("D4")

assert "not a permutation" in refusal(lambda: ir.groups.from_permutations([[0, 0, 1]]))
assert "no irrep named" in refusal(lambda: ir.FeatureType(D4, "4*A1 + 4*E1"))
assert "such as 40 or 48" in refusal(lambda: ir.FeatureType.regular(D4, 44))
assert "b.fc" in refusal(
    lambda: ir.compile(specs.chain(a=specs.Linear(X, X), b=specs.chain(fc=specs.Linear(2 * X, X))))
)

# %% [markdown]
# The next ones are theorems. A ReLU on planes only: no basis exists in which D4 permutes the
# channels. Three heads for multiplicities of four and eight. An image that a quarter turn does not
# preserve.

# %%
assert "no permutation representation" in refusal(
    lambda: ir.compile(specs.Activation(planes, "relu"))
)
assert "head counts" in refusal(lambda: ir.compile(specs.Attention(X, heads=3)))
assert "square" in refusal(lambda: ir.compile(specs.PatchEmbed(square, 3, (32, 48), (8, 8), X)))

# %% [markdown]
# The last ones are for authors of layers, and the most valuable, for each of these mistakes would
# otherwise train and be wrong. Your own message arrives with the layer's path; a layer without a
# rule; a cost that forgets the parameters; and a layer that is not equivariant, which thresholds
# every *channel* instead of every copy.


# %%
@dataclass(frozen=True)
class Forgetful(Shrink):
    """Shrink, with a cost that forgets its parameters."""


class ForgetfulRule(ShrinkRule):
    def cost(self, spec, edge, positions):
        return Cost()


@dataclass(frozen=True)
class Channelwise(Shrink):
    """Shrink, but each channel on its own."""


class ChannelwiseLayer(ShrinkLayer):
    def forward(self, x):
        return x * torch.relu(1 - self.length.mean() / (x.square() + 1e-20).sqrt())


class ChannelwiseRule(ShrinkRule):
    def emit(self, spec, edge, factory):
        return ChannelwiseLayer(spec.feature_type, spec.init, **factory.kwargs)


@dataclass(frozen=True)
class Unknown(specs.Spec):
    """No rule."""

    feature_type: ir.FeatureType


register(Forgetful, ForgetfulRule())
register(Channelwise, ChannelwiseRule())
S3 = ir.groups.symmetric(3)  # a turn by 120 degrees permutes no axes, unlike D4's quarter turn
Y = ir.FeatureType.regular(S3, 12)

assert "act.sparse" in refusal(
    lambda: ir.compile(specs.chain(act=specs.chain(fc=specs.Linear(X, X), sparse=Shrink(2 * X))))
)
assert "compiler.register" in refusal(lambda: ir.compile(specs.chain(mine=Unknown(X))))
assert "the plan counts 0 parameters" in refusal(
    lambda: ir.flops(ir.compile(Forgetful(X)), (1, X.dim))
)
channelwise = testing.randomise_(ir.compile(specs.Linear(Y, Y) >> Channelwise(Y)))
assert "not equivariant" in refusal(lambda: testing.assert_equivariant(channelwise))

# %% [markdown]
# ## What to remember
#
# - `groups.from_permutations` (or `from_matrices`, `from_cayley_table`, or products of what is
#   there), and everything else follows exactly.
# - Spec, module, rule, `register`. Then `assert_equivariant`, `assert_matches_dense` and
#   `assert_flops`, with `randomise_` before.
# - An error names the layer and says what would fit. If one does not help you, that is a mistake of
#   the library's.
#
# [docs/own_layer.md](../docs/own_layer.md) is the protocol on a page.
#
# ## Exercises
#
# 1. `[1, 2, 3, 4, 5, 6, 0]` and `[0, 1, 4, 3, 2, 6, 5]` generate the symmetries of the Fano plane,
#    which has seven points. How large is the group, and how many weights has a `TokenLinear` on
#    the points?
# 2. Is a triad (C major) of the same kind as a fourth chord (0, 5, 10) when tones may be multiplied
#    by five? Ask the network.
# 3. Why is `Channelwise` not caught for D4?
# 4. Write `Shrink` without parameters, with the fixed length `init`. Which of its parts change?

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 1. 168. Two weights, as for all permutations: the group moves any pair of points to any other.
fano = ir.groups.from_permutations([[1, 2, 3, 4, 5, 6, 0], [0, 1, 4, 3, 2, 6, 5]])
lines = ir.actions.natural(fano)
layer = specs.TokenLinear(ir.FeatureType.trivial(fano, 1), lines, bias=False)
assert fano.order == 168
assert sum(p.numel() for p in ir.compile(layer).parameters()) == 2

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 2. No: times five, 0, 4, 7 becomes 0, 8, 11, which is 0, 3, 7 transposed: a minor triad again.
net = chord_network(G)
chord = {name: torch.zeros(1, 12, 1) for name in ("major", "minor", "fourths")}
for name, played in [("major", [0, 4, 7]), ("minor", [0, 3, 7]), ("fourths", [0, 5, 10])]:
    chord[name][0, played] = 1
assert torch.allclose(net(chord["major"]), net(chord["minor"]))
assert not torch.allclose(net(chord["major"]), net(chord["fourths"]))

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 3. D4's irreps are permutations with signs in the library's basis, and the function of a channel
# is odd: there it is legal.
odd_on_signs = testing.randomise_(ir.compile(specs.Linear(X, X) >> Channelwise(X)))
testing.assert_equivariant(odd_on_signs)
assert all(types.is_signed_permutation(i) for i in D4.irreps)
assert not all(types.is_signed_permutation(i) for i in S3.irreps)


# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 4. The module has no parameter, and the cost no `params`. Spec and checks stay.
@dataclass(frozen=True)
class Fixed(Shrink):
    """Shrink by a fixed length."""


class FixedLayer(ShrinkLayer):
    def __init__(self, feature_type, init):
        super().__init__(feature_type, init)
        self.length.requires_grad_(False)
        length = self.length.data
        del self.length
        self.register_buffer("length", length)


class FixedRule(ShrinkRule):
    def cost(self, spec, edge, positions):
        return Cost(other=super().cost(spec, edge, positions).other)

    def emit(self, spec, edge, factory):
        return FixedLayer(spec.feature_type, spec.init)


register(Fixed, FixedRule())
net = ir.compile(specs.Linear(X, X) >> Fixed(X))
testing.assert_equivariant(testing.randomise_(net))
testing.assert_flops(net, (1, X.dim))
