"""The graph of layers and its picture."""

from pathlib import Path
from xml.etree import ElementTree

import networkx
import pytest

import irrepnet as ir
from irrepnet import specs
from irrepnet._errors import OutputError, SpecError
from irrepnet.compiler import Features, Images
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
    assert graph.nodes["blocks.1.mlp.fc1"]["spec"].in_type.group.name == "flop"


def test_edges_are_typed(model: ir.nn.Classifier) -> None:
    graph = model.plan.graph()
    layers = {node.path: node for node in model.plan.leaves()}
    for a, b, edge in graph.edges(data="type"):
        assert isinstance(edge, Images if a == "(input)" else Features)
        assert edge == layers[b].source if b in layers else edge.group.name
        assert edge == layers[a].target if a in layers else edge.group.name
    assert graph.edges["(input)", "patch_embed"]["type"] == model.plan.source
    assert graph.edges["head.fc", "(output)"]["type"] == model.plan.target


def test_the_graph_is_a_path_with_skips(model: ir.nn.Classifier) -> None:
    graph = model.plan.graph()
    assert networkx.is_directed_acyclic_graph(graph)
    path = [(a, b) for a, b, skip in graph.edges(data="skip") if not skip]
    assert len(path) == len(graph) - 1
    assert networkx.is_path(graph.edge_subgraph(path), [path[0][0], *(b for _, b in path)])
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
    for _, _, edge in graph.edges(data="type"):
        assert str(edge) in texts
    assert f"{ir.flops(model, (3, 32, 32)).total:,} FLOPs" in texts[0]
    assert len([e for e in root.iter() if e.tag.endswith("path")]) == 4


def test_a_layer_alone_and_what_is_refused(tmp_path: Path) -> None:
    x = FeatureType(ir.groups.flop(), "2*sym + 2*asym")
    plan = ir.compile(specs.Linear(x, x)).plan
    assert list(plan.graph()) == ["(input)", "", "(output)"]
    assert plan.graph(positions=7).nodes[""]["flops"] == 7 * (16 + 2)
    assert "flops" not in plan.graph().nodes[""]
    with pytest.raises(SpecError, match=r"any number of positions: expected positions=\.\.\."):
        plan.draw(tmp_path / "plan.svg")
    with pytest.raises(OutputError, match=r"cannot write .*no folder.*: No such file or directory"):
        plan.draw(tmp_path / "no folder" / "plan.svg", positions=1)


def test_a_layer_may_be_called_input(tmp_path: Path) -> None:
    x = FeatureType(ir.groups.flop(), "2*sym + 2*asym")
    fc = specs.Linear(x, x)
    plan = ir.compile(specs.chain(input=fc, output=fc)).plan
    assert list(plan.graph()) == ["(input)", "input", "output", "(output)"]
    plan.draw(tmp_path / "plan.svg", positions=1)
    assert len(ElementTree.parse(tmp_path / "plan.svg").findall(".//{*}rect")) == 5
