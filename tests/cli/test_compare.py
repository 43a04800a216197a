"""`irrepnet compare`: what it prints and writes, and what it refuses before the long work."""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import irrepnet as ir
from irrepnet.cli import main
from irrepnet.report import Request

SIZES = {"depth": 2, "width": 16, "heads": 2, "patch": 8, "img_size": 32, "num_classes": 10}
VOID = {"meta", "img"}


@pytest.fixture(autouse=True)
def no_long_work(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Whoever does not ask for the comparison gets none: mistakes are found before it starts."""
    if "compared" not in request.fixturenames:
        for work in ("invariance", "memory", "latency"):
            monkeypatch.delattr(f"irrepnet.report._comparison.{work}")


def counts(group: str) -> ir.accounting.FlopReport:
    model = ir.create_model("vit_tiny_patch16_224", group=group, device="meta", **SIZES)
    return ir.flops(model, input_size=(3, 32, 32))


# -- what it says ------------------------------------------------------------------------------


def test_it_succeeds_and_stays_silent_in_a_pipe(compared) -> None:
    assert compared.status == 0
    assert compared.complaints == ""
    assert "\x1b" not in compared.printed


def test_every_part_of_every_block_is_printed(compared) -> None:
    for part in ("qkv", "attention", "projection", "MLP", "activation", "norm"):
        assert len(re.findall(rf"^ *(block \d: )?{part} +[\d.<]", compared.printed, re.M)) >= 2
    for block in ("embedding: patch embedding", "block 0: norm", "block 1: norm", "head", "total"):
        assert re.search(rf"^{block} +[\d.<]", compared.printed, re.M)


@pytest.mark.parametrize(
    "sentence",
    [
        "vit_tiny_patch16_224: dense against flop (group of 2 elements)",
        "Per image, 1 MAC = 2 FLOPs",
        "Latency: batch of 2 images, float32, 1 thread, eager",
        "Medians of 3 runs of each network, interleaved in one fresh process",
        "MALLOC_MMAP_THRESHOLD_",
        "times as fast as dense (",
        "of the saving shows as time",
        "Each network in a fresh process of its own",
        "flop: invariant up to rounding when mirrored left to right",
        "dense: visibly not invariant",
    ],
)
def test_it_says_how_and_what(compared, sentence: str) -> None:
    assert sentence in " ".join(compared.printed.split())


def test_nothing_is_wider_than_a_line(compared) -> None:
    assert max(map(len, compared.printed.splitlines())) <= 100


# -- the JSON ----------------------------------------------------------------------------------


def test_the_json_has_its_schema(compared) -> None:
    found = compared.json
    assert found["schema"] == "irrepnet.compare/1"
    assert set(found) == {
        "schema", "request", "group", "photo", "costs", "latency", "memory", "invariance",
        "machine",
    }  # fmt: skip
    assert set(found["costs"]) == {"unit", "rows", "parts", "blocks", "total"}
    assert set(found["costs"]["rows"][0]) == {
        "block",
        "part",
        "dense",
        "equivariant",
        "flops_ratio",
    }
    assert set(found["costs"]["total"]["dense"]) == {
        "params", "matmul_flops", "other_flops", "flops", "share_of_flops", "time_ms",
    }  # fmt: skip
    assert set(found["latency"]["dense"]) == {
        "median_ms", "min_ms", "quartiles_ms", "samples_ms", "compile_s",
    }  # fmt: skip
    assert set(found["memory"]["dense"]) == {
        "peak_bytes", "baseline_bytes", "above_baseline_bytes", "activation_bytes", "tensor_bytes",
    }  # fmt: skip
    assert set(found["invariance"]["changes"][0]) == {
        "move", "element", "dtype", "dense", "equivariant", "invariant", "tolerance", "kept",
    }  # fmt: skip


def test_the_json_states_the_conditions(compared) -> None:
    request = compared.json["request"]
    assert request["settings"] == {
        "batch": 2, "dtype": "float32", "threads": 1, "compiled": False, "runs": 3,
        "training": False, "autocast": False,
    }  # fmt: skip
    assert dict(request["sizes"]) == SIZES
    assert compared.json["latency"]["malloc_environment"]["MALLOC_TOP_PAD_"] == "268435456"
    assert compared.json["machine"]["num_cpus"] >= 1


@pytest.mark.parametrize(("network", "group"), [("dense", "trivial"), ("equivariant", "flop")])
def test_the_counts_are_those_of_flops(compared, network: str, group: str) -> None:
    expected, costs = counts(group), compared.json["costs"]
    for key in ("params", "matmul_flops", "other_flops"):
        value = getattr(expected, key)
        assert costs["total"][network][key] == value
        for lines in ("rows", "parts", "blocks"):
            assert sum(line[network][key] for line in costs[lines]) == value
    assert sum(line[network]["share_of_flops"] for line in costs["rows"]) == pytest.approx(1)


def test_every_layer_has_a_time(compared) -> None:
    for row in compared.json["costs"]["rows"]:
        assert row["dense"]["time_ms"] > 0
        assert row["equivariant"]["time_ms"] > 0


def test_latency_and_memory_were_measured(compared) -> None:
    latency, memory = compared.json["latency"], compared.json["memory"]
    for network in ("dense", "equivariant"):
        assert len(latency[network]["samples_ms"]) == 3
        assert latency[network]["compile_s"] is None
        assert memory[network]["peak_bytes"] > memory[network]["baseline_bytes"] > 50e6
    assert latency["speedup_of_medians"] == pytest.approx(
        latency["dense"]["median_ms"] / latency["equivariant"]["median_ms"]
    )


def test_only_the_equivariant_network_is_invariant(compared) -> None:
    changes = compared.json["invariance"]["changes"]
    assert [c["dtype"] for c in changes] == ["float64", "float32"]
    for change in changes:
        assert change["kept"]
        assert change["equivariant"] <= change["tolerance"]
        assert change["dense"] > 1e-3


# -- the page ----------------------------------------------------------------------------------


class Page(HTMLParser):
    """Notes elements and sources, and that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.sources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.sources += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else(compared) -> None:
    page = Page(compared.html)
    assert page.open == []
    assert "script" not in page.seen
    assert "link" not in page.seen
    assert page.sources
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert "http:" not in compared.html
    assert "https:" not in compared.html
    assert "@import" not in compared.html


def test_the_page_shows_photo_mirror_image_charts_and_tables(compared) -> None:
    page = Page(compared.html)
    assert page.seen.count("img") == 2
    assert page.sources[0] != page.sources[1]
    assert page.seen.count("svg") == 2
    assert page.seen.count("table") == 5
    for text in ("mirrored left to right", "million FLOPs", "1 MAC = 2 FLOPs", "block 1: MLP"):
        assert text in compared.html


# -- what it refuses, before the long work -------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["vit_smal"], r"unknown model 'vit_smal': expected one of .*vit_small_patch16_224"),
        ([], r"got no model: expected a name, such as vit_small_patch16_224"),
        (["vit_tiny_patch16_224", "--model", "x"], r"got two models, .* and --model x: give one"),
        (["{tiny}", "--group", "C8"], r"'C8' is no image action: expected one of trivial, flop"),
        (["{tiny}", "--group", "D4", "--width", "36"], r"36 channels .* expected a .* 32 or 40"),
        (["{tiny}", "--img-size", "30"], r"do not tile an image of 30 x 30: expected .* 24 x 24"),
        (["{tiny}", "--depth", "-1"], r"got --depth -1: expected a whole number of at least 1"),
        (["{tiny}", "--break-at", "6"], r"got --break-at 6: expected pairs .* such as trivial:6"),
        (["{tiny}", "--break-at", "D4:1"], r"'D4' is no subgroup of 'flop'"),
        (["{tiny}", "--break-at", "trivial:9"], r"expected increasing block indices between 0 and"),
        (["{tiny}", "--batch", "0"], r"got batch=0: expected a whole number of at least 1"),
        (["{tiny}", "--threads", "0"], r"got threads=0: expected a whole number of at least 1"),
        (["{tiny}", "--runs", "0"], r"got runs=0: expected a whole number of at least 1"),
        (["{tiny}", "--image", "no.jpg"], r"there is no file no.jpg: expected a picture"),
        (["{tiny}", "--html", "-"], r"got --html -: expected a file, such as --html report.html"),
        (["{tiny}", "--html", "no/r.html"], r"there is no folder no. Create it first"),
        (["{tiny}", "--json", "no/r.json"], r"there is no folder no. Create it first"),
        (["{tiny}", "--json", "r", "--html", "./r"], r"both name r: expected two different files"),
    ],
)
def test_a_mistake_is_explained_in_a_sentence(
    tiny: list[str],
    options: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [word for option in options for word in (tiny if option == "{tiny}" else [option])]
    assert main(["compare", *words]) == 2
    printed = capsys.readouterr()
    assert re.search(message, printed.err)
    assert printed.err.startswith("irrepnet compare: ")
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dtype", "int8"], "invalid choice 'int8' for argument '--dtype'"),
        (["--grop", "flop"], "Unrecognized options: --grop"),
        (["--batch", "many"], "--batch"),
    ],
)
def test_an_unknown_option_is_refused(
    tiny: list[str], options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["compare", *tiny, *options])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "options", "message"),
    [
        ("PIL.Image", [], "Pillow is not installed: reading pictures needs it"),
        ("skimage.data", [], r"scikit-image is not installed: the default photo \(or give --image"),
        ("jinja2", ["--html", "r.html"], "Jinja is not installed: --html needs it"),
    ],
)
def test_a_missing_extra_gets_a_hint(
    tiny: list[str],
    module: str,
    options: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["compare", *tiny, *options]) == 2
    said = capsys.readouterr().err
    assert re.search(message, said)
    assert "Install it with: pip install 'irrepnet[demo]'" in said
    assert said.count("\n") == 1


def test_a_missing_compiler_gets_a_hint(
    tiny: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert main(["compare", *tiny, "--compile"]) == 2
    assert "torch.compile needs a C++ compiler, and none of g++" in capsys.readouterr().err


# -- options reach the request -------------------------------------------------------------------


def test_options_do_what_they_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Request] = []

    class EnoughError(Exception):
        pass

    def compare(request: Request, progress: object) -> None:
        asked.append(request)
        raise EnoughError

    monkeypatch.setattr("irrepnet.report.compare", compare)
    words = (
        "compare --model vit_base_patch16_224 --group D4 --break-at flop:4,trivial:8 --image a.png "
        "--batch 3 --dtype bfloat16 --threads 2 --compile --runs 5 --seed 7 --depth 9"
    )
    with pytest.raises(EnoughError):
        main(words.split())
    request = asked[0]
    assert request.dense.group == "trivial"
    assert request.dense.break_at == ()
    assert request.equivariant.break_at == (("flop", 4), ("trivial", 8))
    assert request.dense.sizes == request.equivariant.sizes == (("depth", 9),)
    assert json.loads(json.dumps(request.to_dict())) == {
        "model": "vit_base_patch16_224",
        "group": "D4",
        "break_at": [["flop", 4], ["trivial", 8]],
        "sizes": [["depth", 9]],
        "picture": "a.png",
        "settings": {
            "batch": 3, "dtype": "bfloat16", "threads": 2, "compiled": True, "runs": 5,
            "training": False, "autocast": False,
        },
        "seed": 7,
    }  # fmt: skip
