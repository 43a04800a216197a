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
# # 8. Train one
#
# Does it help? This tutorial trains a flopping vision transformer against its dense twin on real
# images, with the same budget, several seeds and error bars: once where the symmetry is true
# (faces), once where it is nearly true (digits), and once where it is exactly wrong (mirrored
# digits). The three answers differ, and you can know them beforehand.
#
# The data ship with libraries, so nothing is downloaded. They are small, and so are the networks:
# all of it takes a minute on one core. What you see here is how to *ask*; for ImageNet, see the
# papers.

# %%
import numpy as np
import torch
from _draw import COLOURS, figure, pictures, png
from skimage.data import lfw_subset
from sklearn.datasets import load_digits

import irrepnet as ir

torch.set_num_threads(1)  # the networks are small: more threads only wait for each other


def standardised(array):
    """Images as a tensor with one channel, mean zero and variance one."""
    x = torch.tensor(np.asarray(array), dtype=torch.float32)[:, None]
    return (x - x.mean()) / x.std()


# %% [markdown]
# ## The question, and a budget
#
# 200 patches of 25 × 25 pixels from *Labeled Faces in the Wild*: the first hundred show a face, the
# others do not. Is it a face? The answer is the same for the mirror image, so flopping is a true
# statement about the problem. 25 is odd, and patches of 5 give a grid of 5 × 5 tokens with a middle
# column, which is no trouble.

# %%
faces, is_face = standardised(lfw_subset()), torch.arange(200) < 100
examples = [*faces[:4, 0], *faces[100:104, 0]]
pictures(
    [e.numpy() for e in examples],
    ["face"] * 4 + ["none"] * 4,
    "Four faces and four patches of background",
    size=0.95,
)

# %% [markdown]
# A comparison needs a budget. At equal *width*, the flopping network has half of the parameters and
# about half of the FLOPs, which is not a fair fight. So we spend what it saves: the dense network
# is 48 channels wide, the flopping one 64, and then it has fewer parameters and costs fewer FLOPs
# for an image still. Both see the same images in the same order, as often. The learning rate is the
# one of 0.003, 0.006 and 0.01 that suits the *dense* network best.
#
# There is a third competitor. Whoever wants mirror images to be treated alike without thinking
# about groups trains on them: half of the images of every batch are mirrored. That costs nothing.


# %%
def network(group, width, data, num_classes, break_at=None):
    """A small ViT of two blocks for square grey images; faces in 25 patches, digits in 4."""
    size = data.shape[-1]
    return ir.create_model(
        "vit_tiny_patch16_224",
        group=group,
        num_classes=num_classes,
        img_size=size,
        patch=5 if size == 25 else 4,
        in_chans=1,
        width=width,
        heads=4,
        depth=2,
        init_values=1.0,
        global_pool="avg",
        break_at=break_at,
    )


dense, flop = network("trivial", 48, faces, 2), network("flop", 64, faces, 2)
for name, model in [("dense, width 48", dense), ("flop, width 64", flop)]:
    report = ir.flops(model, (1, 25, 25))
    print(f"{name}: {report.params:,} parameters, {report.total / 1e6:.2f} million FLOPs an image")
assert ir.flops(flop, (1, 25, 25)).params < ir.flops(dense, (1, 25, 25)).params
assert ir.flops(flop, (1, 25, 25)).total < ir.flops(dense, (1, 25, 25)).total

# %% [markdown]
# The training loop is PyTorch. A compiled network is a module like any other.


# %%
def train(model, x, y, seed, steps, lr, flips=False):
    """AdamW with one cycle of learning rates; the seed decides which images a batch has."""
    draw = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps)
    model.train()
    for _ in range(steps):
        batch = torch.randint(len(x), (50,), generator=draw)
        images = x[batch]
        if flips:
            mirrored = torch.rand(50, 1, 1, 1, generator=draw) < 0.5
            images = torch.where(mirrored, images.flip(3), images)
        loss = torch.nn.functional.cross_entropy(model(images), y[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def answers(model, x):
    """The class with the largest logit."""
    return model(x).argmax(1)


def accuracy(model, x, y):
    """Share of right answers."""
    return (answers(model, x) == y).float().mean().item()


# %% [markdown]
# ## Faces: where the symmetry is true
#
# One run: draw 50 images to train on (half of them faces), test on the other 150. Six runs, each
# with another split and other initial weights; all three competitors get the same ones.

# %%
competitors = {
    "dense": {"group": "trivial", "width": 48},
    "dense + flips": {"group": "trivial", "width": 48, "flips": True},
    "flop": {"group": "flop", "width": 64},
}


def compete(competitors, split, runs, steps, lr):
    """Test accuracies, one row a run and one column a competitor; and the networks of each run."""
    table, models = np.empty((runs, len(competitors))), [{} for _ in range(runs)]
    for seed in range(runs):
        x, y, x_test, y_test = split(seed)
        for column, (name, options) in enumerate(competitors.items()):
            torch.manual_seed(seed)
            given = {k: v for k, v in options.items() if k != "flips"}
            model = network(data=x, num_classes=int(y.max()) + 1, **given)
            train(model, x, y, seed, steps, lr, options.get("flips", False))
            table[seed, column] = accuracy(model, x_test, y_test)
            models[seed][name] = model
    return table, models


def split_faces(seed):
    """25 faces and 25 others to train on, the rest to test on."""
    draw = torch.Generator().manual_seed(seed)
    order = torch.stack([torch.randperm(100, generator=draw) + start for start in (0, 100)])
    chosen, rest = order[:, :25].flatten(), order[:, 25:].flatten()
    return faces[chosen], is_face[chosen].long(), faces[rest], is_face[rest].long()


on_faces, face_models = compete(competitors, split_faces, runs=6, steps=60, lr=0.006)

# %% [markdown]
# Now an honest look. Accuracies of different runs differ because the splits differ, and that has
# nothing to do with the networks. What we want to know is the difference *within* a run, so we
# compare pairwise: the mean of the differences to the dense network, and its standard error.


# %%
def differences(table):
    """Mean difference to the first column, and its standard error, of each column."""
    paired = table - table[:, :1]
    return paired.mean(0), paired.std(0, ddof=1) / len(table) ** 0.5


def report_and_draw(table, names, alt):
    """The table in words, and every run as a line."""
    means, errors = differences(table)
    for name, column, mean, error in zip(names, table.T, means, errors, strict=True):
        print(f"{name:14} {column.mean():.3f}   against the first {mean:+.3f} ± {error:.3f}")
    drawn = figure(1.5 * len(names), 2.6)
    axes = drawn.add_subplot()
    axes.plot(range(len(names)), table.T, color="#ccc", lw=0.8, zorder=0)
    for k, column in enumerate(table.T):
        axes.plot([k] * len(column), column, "o", color=COLOURS[k], alpha=0.6, ms=4)
        axes.errorbar(k + 0.15, column.mean(), errors[k], fmt="s", color=COLOURS[k], capsize=4)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.4, len(names) - 0.4)
    axes.set_ylabel("test accuracy")
    axes.spines[["top", "right"]].set_visible(False)
    return png(drawn, alt)


report_and_draw(
    on_faces, list(competitors), "Test accuracies of six runs: the flopping network is the best"
)

# %%
mean, error = (part[2] for part in differences(on_faces))
assert mean > 2 * error  # flop against dense

# %% [markdown]
# Dots are runs, grey lines join the same split, squares are means; their bars are the standard
# errors of the difference to the dense network, and the dense network itself has none. (All runs
# share 200 images, so the splits are not quite independent, and the bars are a little too short.
# More runs cannot mend that, only more images can.)
#
# The flopping network wins clearly, on fewer FLOPs. It does not have to learn from 50 images that
# faces have two sides. And it does not merely *tend* to treat mirror images alike:

# %%
_, _, test_faces, _ = split_faces(5)
for name, model in face_models[5].items():
    with torch.no_grad():
        logits, mirrored = model(test_faces), model(test_faces.flip(3))
    changed = (logits.argmax(1) != mirrored.argmax(1)).float().mean().item()
    moved = (logits - mirrored).abs().max().item()
    print(f"{name:14} {changed:5.1%} of the answers change in the mirror; logits by {moved:.1e}")
    if name == "flop":
        assert moved < 1e-4
        assert ir.certify(model).worst < 1e-12  # after training as before
    if name == "dense":
        assert moved > 0.1

# %% [markdown]
# ## Digits: where it is nearly true
#
# The 1797 handwritten digits of scikit-learn, 8 × 8 pixels. Is a mirrored 8 an 8? Yes. A mirrored 6
# is no digit at all, and at this size it resembles a 3. An invariant network *must* give a digit
# and its mirror image the same answer.

# %%
loaded = load_digits()
digits, labels = standardised(loaded.images), torch.tensor(loaded.target)
firsts = [int((labels == d).nonzero()[0]) for d in range(10)]
pictures(
    [digits[i, 0].numpy() for i in firsts] + [digits[i, 0].flip(1).numpy() for i in firsts],
    [str(d) for d in range(10)] * 2,
    "Ten digits and their mirror images",
    columns=10,
    size=0.75,
)

# %%
competitors = {
    "dense": {"group": "trivial", "width": 48},
    "dense + flips": {"group": "trivial", "width": 48, "flips": True},
    "flop": {"group": "flop", "width": 64},
    "hybrid": {"group": "flop", "width": 48, "break_at": [("trivial", 1)]},
}


def split_digits(seed):
    """500 digits to train on, the rest to test on."""
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(seed))
    chosen, rest = order[:500], order[500:]
    return digits[chosen], labels[chosen], digits[rest], labels[rest]


on_digits, digit_models = compete(competitors, split_digits, runs=3, steps=150, lr=0.003)
report_and_draw(
    on_digits, list(competitors), "Test accuracies on digits: the invariant networks lose"
)

# %%
means, errors = differences(on_digits)
assert means[2] < -2 * errors[2]  # flop loses
assert means[1] < -2 * errors[1]  # and so does the dense network that was shown mirror images
assert means[3] > means[2]  # the hybrid does better than flop
for options in competitors.values():
    given = {k: v for k, v in options.items() if k != "flips"}
    cost = ir.flops(network(data=digits, num_classes=10, **given), (1, 8, 8)).total
    assert cost <= ir.flops(digit_models[0]["dense"], (1, 8, 8)).total  # nobody is over the budget

# %% [markdown]
# (Three runs make rough error bars; the differences are many times as large.)
#
# Here invariance hurts, and so does augmentation with mirror images, for the same reason: both say
# that handedness carries no information, and it carries some. Where? Show the mirror images of test
# digits to the *dense* network, which never saw one: its answers say which digit each looks like.
# Then split the test digits in two: those whose mirror image looks like the same digit, and those
# whose mirror image looks like another.

# %%
looks_like, shares, score = np.zeros((10, 10), dtype=int), [], np.empty((3, 4, 2))
for seed, models in enumerate(digit_models):
    _, _, x_test, y_test = split_digits(seed)
    mirrored_answers = answers(models["dense"], x_test.flip(3))
    looks_like += np.bincount((10 * y_test + mirrored_answers).numpy(), minlength=100).reshape(
        10, 10
    )
    same = mirrored_answers == y_test
    shares.append(same.float().mean().item())
    for k, model in enumerate(models.values()):
        score[seed, k] = [accuracy(model, x_test[part], y_test[part]) for part in (same, ~same)]

drawn = figure(8.0, 3.0)
axes = drawn.add_subplot(1, 2, 1)
axes.imshow(looks_like, cmap="Blues")
axes.set_xticks(range(10))
axes.set_yticks(range(10))
axes.set_xlabel("its mirror image looks like")
axes.set_ylabel("digit")
axes = drawn.add_subplot(1, 2, 2)
for side, label in enumerate(["mirror image alike", "mirror image looks like another"]):
    places = np.arange(4) + 0.4 * side - 0.2
    axes.bar(places, score[..., side].mean(0), 0.38, color=COLOURS[side], label=label)
axes.set_xticks(range(4), list(competitors), fontsize=8)
axes.set_ylim(0.6, 1.1)
axes.set_yticks([0.6, 0.7, 0.8, 0.9, 1.0])
axes.set_ylabel("test accuracy")
axes.legend(frameon=False, fontsize=8, loc="upper right")
axes.spines[["top", "right"]].set_visible(False)
png(
    drawn,
    "What mirrored digits look like; and accuracy for digits that mirror to themselves or not",
)

# %%
print(f"{np.mean(shares):.0%} of the digits look the same in the mirror")
loss = score[:, 0] - score[:, 2]  # dense minus flop, for both kinds of digits
print("flop loses {:.3f} where the mirror image is alike, {:.3f} elsewhere".format(*loss.mean(0)))
assert np.mean(shares) < 0.6
assert (loss[:, 1] > loss[:, 0]).all()  # in every run
assert loss[:, 1].mean() > 0.04 + abs(loss[:, 0].mean())

# %% [markdown]
# Where the mirror image looks like the same digit, invariance costs nothing. All of the loss comes
# from digits whose mirror image looks like another: the network has to give both the same answer.
# The hybrid is equivariant in its first block and free after it; it may use handedness, and does.
#
# ## Mirrored digits: where it is wrong
#
# To drive it home, a task that only handedness solves: *is this digit mirrored?* Every test digit
# comes twice, as it is and mirrored. An invariant network gives both the same answer, and exactly
# one of the two is wrong. No training, width or data will move it from one half. That is no
# experiment, but let us run it.


# %%
def split_mirrored(seed):
    """Train on 500 digits, each mirrored or not; test on the rest, each both ways."""
    x, _, x_test, _ = split_digits(seed)
    y = torch.randint(2, (500,), generator=torch.Generator().manual_seed(seed))
    x = torch.where(y[:, None, None, None] == 1, x.flip(3), x)
    y_test = torch.arange(2).repeat_interleave(len(x_test))
    return x, y, torch.cat([x_test, x_test.flip(3)]), y_test


competitors = {name: competitors[name] for name in ("dense", "flop", "hybrid")}
on_mirrored, _ = compete(competitors, split_mirrored, runs=2, steps=150, lr=0.003)
report_and_draw(
    on_mirrored,
    list(competitors),
    "Is it mirrored? Half right for the invariant network, most right for the others",
)

# %%
assert np.abs(on_mirrored[:, 1] - 0.5).max() < 0.01  # exactly half, but for rounding
assert on_mirrored[:, 0].min() > 0.7
assert on_mirrored[:, 2].min() > 0.7  # the hybrid's logits may depend on handedness

# %% [markdown]
# ## What to remember
#
# - Equivariance is a statement about your data. Where it is true, it is worth images and FLOPs;
#   where it is false, it costs accuracy, and augmentation that says the same costs as much.
# - Before you train, mirror an image and ask whether the answer may change.
# - If you are not sure, take a hybrid: equivariant where images are local, free where they are not.
#   (An equivariant network with an *equivariant* output, such as a map of boxes, is no invariant
#   network; there the symmetry may be true while the answer moves.)
# - Report paired differences with their standard errors, name the budget, and give the dense
#   network the learning rate that it likes.
#
# What this does *not* show: how it is on large data. The papers train on ImageNet. There, at the
# same width and half the FLOPs, small flopping networks lose some points to their dense twins,
# large ones hardly any.
#
# ## Exercises
#
# 1. Put the flopping network's features through `invariants="norm"` in place of symmetric channels
#    only. Can it now tell mirrored digits?
# 2. Which of the ten digits would a network for the half turn (`"rot180"`) confuse? Try the dense
#    network on turned digits.
# 3. A classifier with two classes, "digit" and "mirrored digit", can be made *equivariant* rather
#    than invariant: the mirror exchanges the classes. Which type have two such logits?

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 1. No: a norm is an invariant as well.
model = ir.create_model(
    "vit_tiny_patch16_224",
    group="flop",
    num_classes=2,
    img_size=8,
    patch=4,
    in_chans=1,
    width=48,
    heads=4,
    depth=2,
    invariants="norm",
)
assert ir.certify(ir.testing.randomise_(model)).worst < 1e-12
with torch.no_grad():
    assert torch.allclose(model(digits[:9]), model(digits[:9].flip(3)), atol=1e-4)

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 2. 6 and 9 above all. (The dense network never saw a turned digit: it also guesses.)
_, _, x_test, y_test = split_digits(0)
turned_sixes = answers(digit_models[0]["dense"], x_test[y_test == 6].flip(2, 3))
print(f"{(turned_sixes == 9).float().mean():.0%} of the turned 6 are taken for a 9")
assert turned_sixes.mode().values == 9

# %% tags=["hide-cell"] jupyter={"source_hidden": true}
# 3. The regular one, sym + asym: their sum stays and their difference changes its sign. Then the
# answer "mirrored" for an image is the answer "not mirrored" for its mirror image, always.
mirror = ir.actions.image("flop")
exchange = ir.reps.permutation(mirror.group, [[0, 1], [1, 0]])
assert exchange.multiplicities == (1, 1)
two_logits = ir.FeatureType(mirror.group, "sym + asym")
handed = ir.FeatureType(mirror.group, "24*sym + 24*asym")
head = ir.compile(
    ir.specs.PatchEmbed(mirror, 1, (8, 8), (8, 8), handed)
    >> ir.specs.Activation(handed, "gelu")
    >> ir.specs.Linear(handed, two_logits)
)
ir.testing.randomise_(head)
assert ir.certify(head).worst < 1e-12
with torch.no_grad():
    logits, mirrored = (
        torch.stack([y[..., 0] + y[..., 1], y[..., 0] - y[..., 1]], dim=-1)
        for y in (head(digits), head(digits.flip(3)))
    )
assert torch.allclose(mirrored, logits.flip(-1), atol=1e-4)
assert (logits[..., 0] != logits[..., 1]).any()
