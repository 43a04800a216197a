"""The graph of layers and its picture."""

from pathlib import Path
from xml.etree import ElementTree

import networkx
import pytest

import irrepnet as ir
from irrepnet import specs
from irrepnet._errors import OutputError, SpecError
from irrepnet.types import FeatureType

OPTIONS = {"img_size": 32, "patch": 8, "width": 32, "heads": 2, "depth": 2, "num_classes": 3}


@pytest.fixture(scope="module")
def model() -> ir.nn.Classifier:
    return ir.create_model("vit_tiny_patch16_224", "D4", break_at=[("flop", 1)], **OPTIONS)


def test_nodes_are_layers_with_their_costs(model: ir.nn.Classifier) -> None:
    graph, report = model.plan.graph(), ir.flops(model, (3, 32, 32))
    assert sum(flops for _, flops in graph.nodes(data="flops")) == report.total
    parameters = sum(p.numel() for p in model.parameters())
    assert sum(n for _, n in graph.nodes(data="params")) == parameters
    modules = dict(model.named_modules())
    for name, kind in graph.nodes(data="kind"):
        assert kind in ("Input", "Output") or name in modules
    assert "over flop" in graph.nodes["blocks.1.mlp.fc1"]["type"]


def test_the_graph_is_a_path_with_skips(model: ir.nn.Classifier) -> None:
    graph = model.plan.graph()
    assert networkx.is_directed_acyclic_graph(graph)
    path = [(a, b) for a, b, skip in graph.edges(data="skip") if not skip]
    assert len(path) == len(graph) - 1
    assert networkx.is_path(graph, list(graph))
    skips = [(a, b) for a, b, skip in graph.edges(data="skip") if skip]
    assert ("cls_token", "blocks.0.attention.skip") in skips
    assert len(skips) == 4


def test_the_picture_shows_every_layer(model: ir.nn.Classifier, tmp_path: Path) -> None:
    model.plan.draw(tmp_path / "plan.svg")
    root = ElementTree.parse(tmp_path / "plan.svg").getroot()
    texts = [e.text or "" for e in root.iter() if e.tag.endswith("text")]
    graph = model.plan.graph()
    for name, layer in graph.nodes(data=True):
        assert any(t in (layer["kind"], f"{name}: {layer['kind']}") for t in texts), name
        assert f"{layer['flops']:,} FLOPs, {layer['params']:,} parameters" in texts
        assert layer["type"] in texts
    assert f"{ir.flops(model, (3, 32, 32)).total:,} FLOPs" in texts[0]
    assert len([e for e in root.iter() if e.tag.endswith("path")]) == 4


def test_a_layer_alone_and_what_is_refused(tmp_path: Path) -> None:
    x = FeatureType(ir.groups.flop(), "2*sym + 2*asym")
    plan = ir.compile(specs.Linear(x, x)).plan
    assert list(plan.graph(positions=7)) == ["input", "Linear", "output"]
    assert plan.graph(positions=7).nodes["Linear"]["flops"] == 7 * (16 + 2)
    with pytest.raises(SpecError, match=r"any number of positions: expected positions=\.\.\."):
        plan.graph()
    with pytest.raises(OutputError, match=r"cannot write .*no folder.*: No such file or directory"):
        plan.draw(tmp_path / "no folder" / "plan.svg", positions=1)
