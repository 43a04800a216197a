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
# # 6. From declaration to network
#
# The [theory](05_nonlinearities.ipynb) is behind us. This tutorial builds networks: say which group
# acts and which type each feature has, say which layers stand between them, and `compile`. We
# build a flopping MLP, then a vision transformer, a ResMLP and a ConvNeXt; ask each what it does,
# whether it is equivariant, what it costs, and how long it takes.
#
# You need PyTorch. Of the theory, one sentence: under the mirror, which we call **flop**, every
# feature vector splits into symmetric channels `sym`, which stay, and antisymmetric channels
# `asym`, which change their sign; and linear maps that respect this are two blocks instead of one.

# %%
import tempfile
from pathlib import Path

import numpy as np
import torch
from _draw import COLOURS, bars, figure, pictures, png
from IPython.display import SVG

import irrepnet as ir
from irrepnet import measure, nn, specs

torch.manual_seed(0)
torch.set_num_threads(1)

# %% [markdown]
# ## A feature type says what a channel is
#
# A `FeatureType` is a group and the number of copies of each irrep. It holds no numbers and no
# tensors. Feature tensors stay plain tensors; the type says how to read their last axis: block
# after block, here 32 symmetric channels and then 32 antisymmetric ones.

# %%
mirror = ir.actions.image("flop")  # a group, and how it moves images
flop = mirror.group
X = ir.FeatureType(flop, "32*sym + 32*asym")
print(X, "->", X.dim, "channels")
for block in X.blocks:
    print(f"  channels {block.start:2} to {block.stop - 1:2}: {block.irrep.name}")

assert X == ir.FeatureType.regular(flop, 64)  # as many of each as points of the group allow
assert str(4 * X) == "128*sym + 128*asym"
assert str(X + ir.FeatureType(flop, "8*sym")) == "40*sym + 32*asym"

x = torch.randn(5, X.dim)
mirrored = x @ torch.tensor(X.matrix(1), dtype=x.dtype).T  # element 1 of the group is the mirror
assert torch.equal(mirrored[:, :32], x[:, :32])
assert torch.equal(mirrored[:, 32:], -x[:, 32:])

# %% [markdown]
# ## A spec says which layers
#
# A spec is a frozen dataclass: a description, without weights. Specs compose: `chain` is one after
# another, `residual` adds the input at the end, `a >> b` and `3 * a` do what they look like. A spec
# knows its types, can be compared, printed as code, and written to JSON.

# %%
mlp = specs.residual(
    norm=specs.LayerNorm(X),
    fc1=specs.Linear(X, 4 * X),
    act=specs.Activation(4 * X, "gelu"),
    fc2=specs.Linear(4 * X, X),
)
assert mlp.in_type == mlp.out_type == X
assert specs.from_json(mlp.to_json()) == mlp
specs.Linear(X, 4 * X)

# %% [markdown]
# What does not fit is refused before a single weight exists, and the message names the layer, what
# it got and what it needs. Here somebody forgot to widen the activation:

# %%
wrong = specs.chain(fc1=specs.Linear(X, 4 * X), act=specs.Activation(X), fc2=specs.Linear(X, X))
try:
    ir.compile(wrong)
except ir.IrrepnetError as problem:
    refusal = str(problem)
print(refusal)
assert refusal.startswith("act (Activation)")
assert "expected 32*sym" in refusal

# %% [markdown]
# ## Compile it
#
# `ir.compile` returns a `torch.nn.Module` on plain tensors. Train it, move it to a GPU, give it to
# `torch.compile`: nothing about it is special. It carries its plan, which explains every decision:

# %%
net = ir.compile(mlp)
print(net.plan.explain())

# %%
assert isinstance(net, torch.nn.Module)
assert type(net(x)) is torch.Tensor
for name, p in net.named_parameters():
    print(f"{name:18} {tuple(p.shape)}")

# %% [markdown]
# Read `fc1`: one weight of 128 × 32 for each irrep. A dense layer from 64 to 256 channels has a
# matrix of 256 × 64; of that, the network has two blocks of a quarter, half of the weights. Written
# out as a dense matrix, which `to_dense` does with stock PyTorch layers, the rest is zero:

# %%
dense_twin = net.to_dense()
weights = [m.weight for m in dense_twin.modules() if isinstance(m, torch.nn.Linear)]
fc1 = next(w for w in weights if w.shape == (256, 64)).detach()
drawn = figure(5.4, 1.8)
axes = drawn.add_subplot()
axes.imshow(fc1.T.numpy(), cmap="RdBu_r", vmin=-0.06, vmax=0.06, interpolation="nearest")
axes.set_xlabel("256 outputs")
axes.set_ylabel("64 inputs")
axes.set_xticks([0, 128, 256])
axes.set_yticks([0, 32, 64])
png(drawn, "A matrix with two blocks on the diagonal; everything else is zero")

# %%
assert (fc1[:128, 32:] == 0).all()
assert (fc1[128:, :32] == 0).all()
assert fc1.count_nonzero() * 2 == fc1.numel()
assert torch.allclose(dense_twin(x), net(x), atol=1e-5)
ir.testing.assert_matches_dense(net)  # the same as a check of the test kit

# %% [markdown]
# A plan draws itself too. Boxes are layers with the type that leaves them, the dashed line is the
# skip connection; the darker, the more FLOPs.

# %%
with tempfile.TemporaryDirectory() as folder:
    net.plan.draw(Path(folder) / "mlp.svg", positions=1)
    drawn = (Path(folder) / "mlp.svg").read_text()
assert "fc1" in drawn
assert "FLOPs" in drawn
SVG(drawn)

# %% [markdown]
# ## Certify it
#
# A promise is good, a measurement is better. `certify` runs a copy of the network on random inputs
# and on their mirror images, and compares. In float64 only rounding is left.
#
# Fresh weights can hide a mistake: biases start at zero, and a zero commutes with everything. So
# the test kit first draws every parameter anew at order one.

# %%
ir.testing.randomise_(net)
certificate = ir.certify(net)
print(certificate.table())
assert certificate.worst < 1e-12

# %% [markdown]
# A test that cannot fail is no test. Replace the activation by PyTorch's own, which works on the
# stored channels and does not know about signs (tutorial 5 says why that is wrong):

# %%
broken = ir.compile(mlp)
broken.act = torch.nn.GELU()
ir.testing.randomise_(broken)
print(f"error with torch.nn.GELU: {ir.certify(broken).worst:.2f}")
assert ir.certify(broken).worst > 0.01

# %% [markdown]
# ## Count it
#
# `ir.flops` says what every layer costs. The counts are formulas of the plan, and their products
# are compared with `torch.utils.flop_counter`, layer by layer, before you see the table: a report
# that is returned is a true one. 1 multiply-accumulate is 2 FLOPs.
#
# The dense twin to compare with is no different program: it is the same spec over the trivial
# group, where every channel is symmetric and there is one block.


# %%
def mlp_of(X):
    """The same three lines for any type."""
    return specs.residual(
        norm=specs.LayerNorm(X),
        fc1=specs.Linear(X, 4 * X),
        act=specs.Activation(4 * X, "gelu"),
        fc2=specs.Linear(4 * X, X),
    )


assert mlp_of(X) == mlp
trivial = ir.groups.trivial()
dense = ir.compile(mlp_of(ir.FeatureType.trivial(trivial, 64)))
reports = {"dense": ir.flops(dense, (1, 64)), "flop": ir.flops(net, (1, 64))}
for name, report in reports.items():
    print(f"{name:6} {report.matmul_flops:7,} FLOPs in products, {report.other_flops:6,} in others")

# %%
assert reports["dense"].matmul_flops == 2 * (64 * 256 + 256 * 64)
assert reports["dense"].matmul_flops == 2 * reports["flop"].matmul_flops
assert reports["flop"].other_flops > reports["dense"].other_flops  # butterflies are not free

# %% [markdown]
# Products: exactly half. Other work is more, because the activation goes to points and back by
# additions. But there is little of it, and less in wide networks: products grow with the square of
# the width, additions with the width. Every number comes from a formula; `D` is the width:

# %%
for row in reports["flop"].symbolic.rows:
    print(
        f"{row.path:5} {row.params!s:13} parameters; FLOPs: {row.matmul_flops} + {row.other_flops}"
    )

# %% [markdown]
# ## A vision transformer, layer by layer
#
# Nothing new is needed: `PatchEmbed` takes an image action and gives typed tokens, and the rest is
# typed like the MLP. This is a whole classifier of images of 32 × 32. Its last layer sees symmetric
# channels only, so its logits do not change when the image is mirrored.

# %%
attention = specs.residual(
    norm=specs.LayerNorm(X),
    qkv=specs.Linear(X, 3 * X),
    attend=specs.Attention(X, heads=4),
    proj=specs.Linear(X, X),
    scale=specs.LayerScale(X),
)
channels = specs.residual(
    norm=specs.LayerNorm(X),
    fc1=specs.Linear(X, 4 * X),
    act=specs.Activation(4 * X, "gelu"),
    fc2=specs.Linear(4 * X, X),
    scale=specs.LayerScale(X),
)
invariant, logits = ir.FeatureType(flop, "32*sym"), ir.FeatureType(flop, "10*sym")
vit = specs.chain(
    patch_embed=specs.PatchEmbed(mirror, 3, (32, 32), (8, 8), X),
    pos_embed=specs.PositionalEmbedding(X, mirror, (4, 4)),
    cls_token=specs.ClassToken(X),
    blocks=2 * specs.chain(attention=attention, mlp=channels),
    norm=specs.LayerNorm(X),
    head=specs.chain(
        pool=specs.TokenPool(X, "token"),
        invariants=specs.InvariantMap(X, "trivial"),
        fc=specs.Linear(invariant, logits),
    ),
)
by_hand = ir.compile(vit)
images = torch.randn(2, 3, 32, 32)
assert by_hand(images).shape == (2, 10)
assert torch.allclose(by_hand(images.flip(3)), by_hand(images), atol=1e-5)

# %% [markdown]
# You need not write it. `create_model` knows the published families, each a function that returns
# such a spec. Sizes are options, so the name `vit_tiny` with another width, depth and patch is the
# network above. The same network exactly: its weights fit, and the logits agree to the last bit.

# %%
sizes = {"width": 64, "depth": 2, "img_size": 32, "patch": 8, "num_classes": 10}
model = ir.create_model("vit_tiny_patch16_224", group="flop", heads=4, **sizes)
model.load_state_dict(by_hand.state_dict())
assert torch.equal(model(images), by_hand(images))
print(ir.list_models())

# %% [markdown]
# Two things are worth a look. The linear map from pixels to tokens halves as well, because a patch
# is itself a representation of the mirror: 8 × 8 × 3 pixels are 96 symmetric and 96 antisymmetric
# combinations. And the certificate has one line for every layer, so that an error shows *where*.

# %%
print(model.plan.explain().split("    pos_embed")[0])
ir.testing.randomise_(model)
certificate = ir.certify(model)
print(certificate.table())
assert certificate.worst < 1e-12
assert "blocks.1.mlp" in certificate.paths

# %% [markdown]
# ## ResMLP: the group moves tokens too
#
# A ResMLP mixes *tokens* by a linear map instead of attention. The mirror permutes tokens, so this
# map has to commute with a permutation: `specs.TokenLinear` finds the maps that do, again two
# blocks. Below on the left, such a map of 16 tokens (a grid of 4 × 4, numbered row by row) as a
# matrix. Read it as 4 × 4 tiles of 4 × 4: each tile is unchanged by a half turn.
#
# ## ConvNeXt: kernels with a parity
#
# A ConvNeXt has depthwise convolutions: every channel is convolved with a kernel of its own. From a
# symmetric to a symmetric channel the kernel must be symmetric; where the sign changes it must be
# antisymmetric. On the right, one kernel of each kind.

# %%
resmlp = ir.create_model("resmlp_12_224", group="flop", **sizes)
convnext = ir.create_model("convnext_isotropic_small", group="flop", kernel_size=5, **sizes)
for other in (resmlp, convnext):
    ir.testing.randomise_(other)
    assert ir.certify(other).worst < 1e-12

points = mirror.on_grid(4, 4)  # the tokens' permutation, row by row
mix = ir.testing.randomise_(ir.compile(specs.TokenLinear(X, points)))
dwconv = convnext.get_submodule("blocks.0.dwconv")
assert isinstance(mix, nn.TokenLinear)
assert isinstance(dwconv, nn.PairedDepthwiseConv)
matrix, kernels = mix.weight_matrix().detach(), dwconv.filters().detach()[:, 0]
even = [i for i, k in enumerate(kernels) if torch.equal(k, k.flip(1))]
odd = [i for i, k in enumerate(kernels) if torch.equal(k, -k.flip(1))]
pictures(
    [matrix.numpy(), kernels[even[0]].numpy(), kernels[odd[0]].numpy()],
    ["mixes 16 tokens", "sym → sym", "sym → asym"],
    "A 16 by 16 matrix with tiles, a symmetric kernel and an antisymmetric one",
    size=2.2,
    signed=True,
)

# %%
tiles = matrix.unflatten(0, (4, 4)).unflatten(2, (4, 4)).transpose(1, 2)
assert torch.allclose(tiles.flip(2, 3), tiles)
assert len(even) == len(odd) == 32  # every kernel is one or the other
assert sum(p.numel() for n, p in mix.named_parameters() if n.startswith("weight")) == 16**2 // 2
assert dwconv.get_parameter("weight_sym").shape == (32, 15)  # free pixels of 25
assert dwconv.get_parameter("weight_asym").shape == (32, 10)

# %% [markdown]
# ## Read the FLOP report
#
# Now at full width, on images of 224 × 224, two blocks deep to be quick. On the meta device a
# network has shapes and no memory, so even the largest can be counted on a laptop.

# %%
families = {
    "ViT-B": ("vit_base_patch16_224", {}),
    "ResMLP-B": ("resmlp_b24_224", {}),
    "ConvNeXt-iso-B": ("convnext_isotropic_base", {}),
}
found = {}
for label, (name, options) in families.items():
    for group in ("trivial", "flop"):
        big = ir.create_model(name, group=group, depth=2, device="meta", **options)
        found[label, group] = ir.flops(big, (3, 224, 224))
print(found["ViT-B", "flop"].table(by="kind"))

# %%
bars(
    {
        "dense": [found[label, "trivial"].total / 1e9 for label in families],
        "flop": [found[label, "flop"].total / 1e9 for label in families],
    },
    list(families),
    "FLOPs of three families, dense and flopping: about half each",
    ylabel="billion FLOPs, two blocks",
)

# %% [markdown]
# About half, but where is the rest? Compare line by line. Linear maps halve exactly. The products
# *inside* attention, query with key and weight with value, do not: a logit is one number for all
# channels, symmetric and antisymmetric, and costs what it always did. At 197 tokens that is a small
# part; with more tokens it grows.


# %%
def by_layer(report):
    """FLOPs in products of all layers of one name, such as `fc1` of every block."""
    found = {}
    for row in report.rows:
        name = row.path.rpartition(".")[2]
        found[name] = found.get(name, 0) + row.matmul_flops
    return found


before, after = (by_layer(found["ViT-B", g]) for g in ("trivial", "flop"))
for name, count in before.items():
    if count:
        print(f"{name:12} {count / 1e6:7.0f} -> {after[name] / 1e6:6.0f} million FLOPs")
for name in ("qkv", "proj", "fc1", "fc2"):
    assert before[name] == 2 * after[name]
assert before["attend"] == after["attend"]
for label in families:
    params = [found[label, g].params for g in ("trivial", "flop")]
    assert 1.98 < params[0] / params[1] < 2.02
    assert 1.8 < found[label, "trivial"].total / found[label, "flop"].total < 2.02

# %% [markdown]
# ## Measure the time
#
# FLOPs are arithmetic; time is what you wait for. Measure it on *your* machine, and measure both
# networks in turn (`measure.interleaved`), so that a disturbance meets both. Below, the MLP at
# several widths with 196 rows, without gradients, on one core; the shortest of 25 runs. No number
# of this section is asserted: the committed output is from a busy machine, and yours will differ.

# %%
widths = [64, 128, 256, 512]
ratios = []
for width in widths:
    pair = [
        ir.compile(mlp_of(ir.FeatureType.regular(group, width))).eval() for group in (trivial, flop)
    ]
    rows = torch.randn(196, width)
    with torch.inference_mode():
        samples = measure.interleaved([lambda f=f, rows=rows: f(rows) for f in pair], rounds=25)
    slow, fast = (measure.Timing(s).min_ms for s in samples)
    counts = [ir.flops(f, (196, width)).total for f in pair]
    ratios.append((slow / fast, counts[0] / counts[1]))
    print(f"width {width:4}: {slow:6.2f} ms dense, {fast:6.2f} ms flop: {slow / fast:.2f} times")

drawn = figure(5.0, 2.8)
axes = drawn.add_subplot()
for label, values, colour in zip(
    ("measured time", "FLOPs"), np.array(ratios).T, COLOURS, strict=False
):
    axes.plot(widths, values, "o-", color=colour, label=f"dense / flop, {label}")
axes.axhline(1, color="#999", lw=0.8)
axes.set_xscale("log", base=2)
axes.set_xticks(widths, [str(w) for w in widths])
axes.set_xlabel("width")
axes.set_ylim(0, 2.4)
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
png(drawn, "Ratios of time and of FLOPs over the width; the ratio of FLOPs approaches two")

# %% [markdown]
# Read it like this. The curve of FLOPs is the most that one may hope for. Narrow networks stay
# below it, for every layer has work that does not shrink: norms, butterflies, the call itself. The
# wider the network, the more of its time is products, and the nearer it comes to two.
#
# For whole models, with a process of its own, batches, threads and precision under control, there
# is a command: `irrepnet compare vit_small_patch16_224 --group flop`.
#
# ## Keep it
#
# `ir.save` writes spec and weights to one file; `ir.load` needs nothing else and unpickles nothing.

# %%
with tempfile.TemporaryDirectory() as folder:
    ir.save(model, Path(folder) / "model.safetensors")
    again = ir.load(Path(folder) / "model.safetensors")
model.eval(), again.eval()
assert torch.equal(again(images), model(images))
assert again.plan.spec == model.plan.spec

# %% [markdown]
# ## What to remember
#
# - Three lines: an action, a type, `compile` of a spec. Tensors stay plain tensors.
# - `plan.explain()` says what was decided, `certify` measures what was promised, `flops` counts
#   what it costs, `to_dense()` is the same function in stock PyTorch.
# - The dense twin is the trivial group. There is no second code path.
# - Linear maps halve exactly, attention's own products do not, time follows where networks are
#   wide.
#
# ## Exercises
#
# 1. Which `FeatureType` makes the linear layers of `mlp_of` cost a quarter of the dense FLOPs, at
#    the same width of 64? (The group need not be the mirror.)
# 2. With `48*sym + 16*asym`, how many weights has `specs.Linear(X, X)`? Why is the even split the
#    cheapest?
# 3. Let the last layer see the sizes of the antisymmetric channels as well
#    (`specs.InvariantMap(X, "norm")`). How many invariants are there, and are logits still
#    invariant?
# 4. Build the ViT for images of 40 × 40 in patches of 8: the grid is 5 × 5 and has a middle
#    column. Which positional embeddings does the mirror allow there?

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 1. Two mirrors, C2 x C2: four irreps of dimension one, 16 copies of each.
four = ir.FeatureType.regular(ir.groups.klein_four(), 64)
quarter = by_layer(ir.flops(ir.compile(mlp_of(four)), (1, 64)))
assert all(4 * quarter[fc] == by_layer(reports["dense"])[fc] for fc in ("fc1", "fc2"))

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 2. 48^2 + 16^2 = 2560, more than 2 * 32^2 = 2048: of squares with a given sum of sides, the sum
# is least for equal ones.
uneven = ir.FeatureType(flop, "48*sym + 16*asym")
layer = ir.compile(specs.Linear(uneven, uneven, bias=False))
assert sum(p.numel() for p in layer.parameters()) == 48**2 + 16**2 == 2560

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 3. 32 symmetric channels and 32 absolute values; yes.
head = specs.InvariantMap(X, "norm")
assert head.out_type == ir.FeatureType(flop, "64*sym")
with_norms = ir.create_model("vit_tiny_patch16_224", "flop", heads=4, invariants="norm", **sizes)
assert ir.certify(ir.testing.randomise_(with_norms)).worst < 1e-12

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 4. A token of the middle column stays where it is, so its antisymmetric part must be zero: there
# are 10 free pairs of tokens with 64 channels, and 5 tokens with 32.
odd_grid = ir.create_model("vit_tiny_patch16_224", "flop", heads=4, **{**sizes, "img_size": 40})
position = odd_grid.get_submodule("pos_embed")
assert sum(p.numel() for p in position.parameters()) == 10 * 64 + 5 * 32
assert ir.certify(ir.testing.randomise_(odd_grid)).worst < 1e-12
