"""`certify`: what it measures, what it refuses, and that it sees what is wrong."""

import numpy as np
import pytest
import torch

import irrepnet as ir
from irrepnet import actions, groups, specs
from irrepnet._errors import CertificateError
from irrepnet.certificate import act, random_input
from irrepnet.compiler import Features, Images
from irrepnet.types import FeatureType
from tests.models.narrow import GROUPS, narrow, random_narrow

X = FeatureType(groups.flop(), "4*sym + 4*asym")
FLOP = actions.image("flop")


# -- how elements act, by hand ----------------------------------------------------------------


def grid(*rows: list[float]) -> torch.Tensor:
    return torch.tensor([[rows]])


@pytest.mark.parametrize(
    ("name", "element", "expected"),
    [
        ("flop", 1, [[3.0, 2, 1], [6, 5, 4]]),
        ("vflip", 1, [[4.0, 5, 6], [1, 2, 3]]),
        ("rot180", 1, [[6.0, 5, 4], [3, 2, 1]]),
        ("trivial", 0, [[1.0, 2, 3], [4, 5, 6]]),
    ],
)
def test_images_move(name: str, element: int, expected: list) -> None:
    x = grid([1.0, 2, 3], [4, 5, 6])
    got = act(Images(actions.image(name), 1, (2, 3)), element, x)
    assert got.tolist() == [[expected]]


def test_quarter_turn_of_an_image() -> None:
    """The pixel (row, column) from the centre goes to (-column, row): counter-clockwise."""
    x = grid([1.0, 2], [3, 4])
    got = act(Images(actions.image("C4"), 1, (2, 2)), 1, x)
    assert got.tolist() == [[[[2.0, 4], [1, 3]]]]
    assert torch.equal(got, x.rot90(1, (2, 3)))


@pytest.mark.parametrize("name", GROUPS)
def test_images_move_as_a_left_action(name: str) -> None:
    edge = Images(actions.image(name), 2, (3, 3))
    group = edge.group
    x = random_input(edge, 2, torch.Generator().manual_seed(0), torch.float64)
    for a in range(group.order):
        for b in range(group.order):
            got = act(edge, a, act(edge, b, x))
            assert torch.equal(got, act(edge, group.multiply(a, b), x))
    assert torch.equal(act(edge, group.identity, x), x)


def test_channels_move() -> None:
    x = torch.tensor([1.0, 2, 3, 4, 5, 6])
    V = FeatureType(groups.flop(), "2*sym + 4*asym")
    assert act(Features(V), 1, x).tolist() == [1, 2, -3, -4, -5, -6]
    assert act(Features(V), 0, x).tolist() == x.tolist()


def test_tokens_move_and_prefix_stays() -> None:
    V = FeatureType(groups.flop(), "sym + asym")
    edge = Features(V, positions=3, action=FLOP, grid=(1, 2), prefix=1)
    x = torch.tensor([[[1.0, 2], [3, 4], [5, 6]]])
    assert act(edge, 1, x).tolist() == [[[1, -2], [5, -6], [3, -4]]]


@pytest.mark.parametrize("name", ["klein_four", "C4", "D4"])
def test_tokens_move_as_a_left_action(name: str) -> None:
    action = actions.image(name)
    edge = Features(FeatureType.regular(action.group, 16), 10, action, (3, 3), 1)
    x = random_input(edge, 1, torch.Generator().manual_seed(0), torch.float64)
    for a in range(action.group.order):
        for b in range(action.group.order):
            torch.testing.assert_close(
                act(edge, a, act(edge, b, x)), act(edge, action.group.multiply(a, b), x)
            )


def test_random_input() -> None:
    generator = torch.Generator().manual_seed(0)
    assert random_input(Images(FLOP, 3, (4, 6)), 2, generator, torch.float32).shape == (2, 3, 4, 6)
    assert random_input(Features(X), 2, generator, torch.float64).shape == (2, 5, 8)
    again = [
        random_input(Features(X, 3), 1, torch.Generator().manual_seed(1), dtype)
        for dtype in (torch.float32, torch.float64)
    ]
    assert torch.equal(again[0], again[1].float())


# -- what is measured -------------------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
def test_a_certificate(group: str) -> None:
    model = random_narrow(group)
    certificate = ir.certify(model)
    assert certificate.worst < 1e-12
    assert certificate.worst == certificate.worst_in("float64")
    assert certificate.worst_in("float32") < 2e-5
    assert tuple(path for path in certificate.paths if path != "head.drop") == (
        "patch_embed",
        "pos_embed",
        "cls_token",
        "blocks.0.attention",
        "blocks.0.mlp",
        "blocks.0",
        "blocks.1.attention",
        "blocks.1.mlp",
        "blocks.1",
        "blocks",
        "norm",
        "head.pool",
        "head.invariants",
        "head.fc",
        "head",
        "",
    )
    generators = set(model.plan.source.group.generators) or {0}
    for path in certificate.paths:
        found = {e.element for e in certificate.errors if e.path == path and e.dtype == "float64"}
        assert found == generators


def test_every_element() -> None:
    certificate = ir.certify(random_narrow("D4"), every_element=True)
    assert {e.element for e in certificate.errors} == set(range(8))


def test_it_measures_against_the_definition() -> None:
    """The error of the output, by hand, for a network that is only nearly invariant."""
    model = random_narrow("flop")
    noise = torch.randn(16, 64, generator=torch.Generator().manual_seed(0)).double()
    model.patch_embed.register_forward_hook(lambda m, x, y: y + 1e-4 * noise)
    certificate = ir.certify(model, dtypes=(torch.float64,), batch=3, seed=4)
    x = random_input(model.plan.source, 3, torch.Generator().manual_seed(4), torch.float64)
    with torch.no_grad():
        expected = (model(x.flip(3)) - model(x)).abs().max() / model(x).abs().max()
    (found,) = (e.relative for e in certificate.errors if e.path == "")
    assert found == pytest.approx(expected.item(), rel=1e-9)
    assert found > 1e-9


def test_hybrids_are_asked_each_stage_by_its_own_group() -> None:
    breaks = [("klein_four", 1), ("flop", 2), ("trivial", 3)]
    model = random_narrow("D4", depth=4, break_at=breaks)
    certificate = ir.certify(model, every_element=True)
    assert certificate.worst < 1e-12
    order = {path: set() for path in certificate.paths}
    for error in certificate.errors:
        order[error.path].add(error.element)
    square = actions.image("D4")
    for path, name in (
        ("patch_embed", "D4"),
        ("blocks.0", "D4"),
        ("blocks.restrict1", "klein_four"),
        ("blocks.1.mlp", "klein_four"),
        ("blocks.restrict2", "flop"),
        ("blocks.2", "flop"),
        ("blocks.3", "trivial"),
        ("norm", "trivial"),
        ("", "trivial"),
    ):
        assert order[path] == set(actions.image(name).embedding(square))


def test_hybrids_are_not_invariant_to_what_they_gave_up() -> None:
    """Were the last stage asked for the whole group, it would fail."""
    model = random_narrow("D4", break_at=[("flop", 1)])
    x = random_input(model.plan.source, 2, torch.Generator().manual_seed(0), torch.float64)
    with torch.no_grad():
        change = (model(x.flip(2)) - model(x)).abs().max() / model(x).abs().max()
    assert change > 1e-3


def test_the_model_is_left_alone() -> None:
    model = random_narrow("flop").train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    ir.certify(model)
    assert model.training
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert {p.dtype for p in model.parameters()} == {torch.float64}
    assert not any(m._forward_hooks for m in model.modules())
    assert torch.is_grad_enabled()


def test_dict() -> None:
    certificate = ir.certify(ir.testing.randomise_(ir.compile(specs.Linear(X, X))))
    data = certificate.to_dict()
    assert data["worst"] == {
        "float64": certificate.worst,
        "float32": certificate.worst_in("float32"),
    }
    assert [error["element"] for error in data["errors"]] == [1, 1]
    assert data["errors"][0].keys() == {"path", "group", "element", "dtype", "relative"}


def test_table() -> None:
    lines = ir.certify(random_narrow("flop")).table().splitlines()
    assert lines[0] == "max |f(g x) - g f(x)| / max |f(x)|"
    header = [cell.strip() for cell in lines[2].strip("┃").split("┃")]
    assert header == ["layer", "group", "elements", "float64", "float32"]
    rows = [[c.strip() for c in line.strip("│").split("│")] for line in lines if "│" in line]
    assert [row[0] for row in rows][-2:] == ["head", "output"]
    assert all(row[1:3] == ["flop", "1"] for row in rows)
    assert all(float(row[3]) < 1e-12 < float(row[4]) < 2e-5 for row in rows if float(row[4]))


# -- what is refused --------------------------------------------------------------------------


def test_a_zero_output_certifies_nothing() -> None:
    model = narrow("flop")
    with torch.no_grad():
        model.head.fc.weight_sym.zero_()
    with pytest.raises(
        CertificateError,
        match=r"the output of layer head\.fc is zero, which would certify any "
        r"network: expected weights that are not zero; call irrepnet\.testing\.rando",
    ):
        ir.certify(model)
    net = ir.compile(specs.LayerScale(X, 0.0))
    with pytest.raises(CertificateError, match="the output of the network is zero"):
        ir.certify(net)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_numbers_that_are_none(value: float) -> None:
    model = random_narrow("flop")
    with torch.no_grad():
        model.blocks[0].mlp.fc1.bias[0] = value
    with pytest.raises(
        CertificateError,
        match=r"the output of (layer [\w.]+|the network) is not finite: expected numbers; ",
    ):
        ir.certify(model)


def test_meta() -> None:
    with pytest.raises(CertificateError, match="the network lies on the meta device and has no w"):
        ir.certify(narrow("flop", device="meta"))


def test_no_plan() -> None:
    with pytest.raises(CertificateError, match="Linear has no plan: expected a network made by"):
        ir.certify(torch.nn.Linear(2, 2))


def test_a_dtype_that_was_not_measured() -> None:
    certificate = ir.certify(ir.compile(specs.Linear(X, X)), dtypes=(torch.float32,))
    with pytest.raises(
        CertificateError, match="nothing was measured in float64: expected one of f"
    ):
        _ = certificate.worst


# -- negative controls: one layer is broken, and seen -----------------------------------------


def broken(group: str, change: str) -> ir.nn.Classifier:
    """A model with one mistake of the kinds that people make."""
    model = random_narrow(group)
    fc1 = model.blocks[0].mlp.fc1

    def hook(path: str, function: object) -> None:
        model.get_submodule(path).register_forward_hook(lambda m, x, y: function(x[0], y))

    if change == "antisymmetric bias":
        hook("blocks.0.mlp.fc1", lambda x, y: y + torch.arange(y.shape[-1]).gt(fc1.out_dim // 2))
    elif change == "wrong sign":
        signs = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(8)
        hook("patch_embed", lambda x, y: y * signs[:, None])  # every other column
    elif change == "swapped irreps":
        half = fc1.in_dim // 2
        hook("blocks.0.mlp.norm", lambda x, y: y.roll(half, dims=-1))
    elif change == "activation without a change of basis":
        hook("blocks.0.mlp.act", lambda x, y: torch.nn.functional.gelu(x))
    elif change == "free positions":
        free = torch.randn(16, 64, generator=torch.Generator().manual_seed(1)).double()
        hook("pos_embed", lambda x, y: x + free)
    elif change == "full class token":
        hook("cls_token", lambda x, y: torch.cat([y[:, :1] + 1, y[:, 1:]], dim=1))
    elif change == "heads that mix irreps":
        hook("blocks.1.attention.attend", lambda x, y: y.unflatten(-1, (8, 8)).mT.flatten(-2))
    elif change == "logits of non-invariant channels":
        hook("head.invariants", lambda x, y: x[..., : y.shape[-1]].roll(1) + x[..., -y.shape[-1] :])
    return model


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ("antisymmetric bias", "blocks.0.mlp"),
        ("wrong sign", "patch_embed"),
        ("swapped irreps", "blocks.0.mlp"),
        ("activation without a change of basis", "blocks.0.mlp"),
        ("free positions", "pos_embed"),
        ("full class token", "cls_token"),
        ("heads that mix irreps", "blocks.1.attention"),
        ("logits of non-invariant channels", "head.invariants"),
    ],
)
@pytest.mark.parametrize("group", ["flop", "C4", "D4"])
def test_a_broken_layer_is_seen_where_it_stands(group: str, change: str, path: str) -> None:
    model = broken(group, change)
    certificate = ir.certify(model, dtypes=(torch.float64,), every_element=True)
    assert certificate.worst > 1e-3
    with pytest.raises(AssertionError, match="the network is not equivariant: relative error"):
        ir.testing.assert_equivariant(model)
    worst = {
        p: max(e.relative for e in certificate.errors if e.path == p) for p in certificate.paths
    }
    where = certificate.paths.index(path)
    parents = {p for p in certificate.paths if path.startswith(f"{p}.")}
    for before in set(certificate.paths[:where]) - parents:
        assert worst[before] < 1e-12
    assert worst[path] > 1e-3


@pytest.mark.parametrize("group", ["flop", "C4", "D4"])
def test_the_models_of_the_negative_controls_are_right(group: str) -> None:
    ir.testing.assert_equivariant(broken(group, "nothing"))


def test_what_small_weights_hide() -> None:
    """As a network starts, LayerScale hides a broken branch; that is what `randomise_` is for."""
    model = narrow("flop")
    model.blocks[0].mlp.act.register_forward_hook(lambda m, x, y: torch.nn.functional.gelu(x[0]))
    hidden = ir.certify(model).worst
    assert hidden < 1e-5
    assert ir.certify(ir.testing.randomise_(model)).worst > 1e-2


def test_elements_are_the_input_groups() -> None:
    """After a break to a mirror that is not the first, its element of the whole group is named."""
    square = actions.image("D4")
    model = random_narrow("D4", break_at=[("vflip", 1)])
    certificate = ir.certify(model)
    (mirror,) = (a for a, m in enumerate(square.matrices) if m == ((-1, 0), (0, 1)))
    assert {e.element for e in certificate.errors if e.path == ""} == {mirror}
    assert np.array_equal(square.matrices[mirror], [[-1, 0], [0, 1]])
