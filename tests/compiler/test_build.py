"""Builds: what is in the folder, what the report says, what the simulation shows."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from mutations import EXAMPLES, SmallBuild
from networks import bits_only, classifier, every_layer

import lgn_hdl
from lgn_hdl.compiler import read_samples
from lgn_hdl.compiler.samples import Samples
from lgn_hdl.errors import BuildError, FormatError, LgnError, NetworkError, ToolError
from lgn_hdl.network import REAL, FixedPoint, GroupSum, Node, read_network
from lgn_hdl.network.storage import network_digest
from lgn_hdl.report import schema

FILES = {"top.v", "top.il", "network.lgn", "vectors.npz", "report.json", "report.md"}


def report_of(folder: Path) -> dict:
    """The report, checked against its schema."""
    report = json.loads((folder / "report.json").read_text())
    jsonschema.Draft202012Validator(schema()).validate(report)
    return report


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("target", ["verilog", "lut4"])
def test_digits(target: str, digits: lgn_hdl.Model, tmp_path: Path) -> None:
    steps: list[str] = []
    samples = read_samples(EXAMPLES / "digits.npz")
    result = lgn_hdl.build(
        digits, tmp_path / "out", target=target, samples=samples, vectors=80, progress=steps.append
    )
    mapped = target == "lut4"
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == FILES | ({"netlist.v", "netlist.blif"} if mapped else set())
    report = report_of(result.path)
    assert report == json.loads(result.report.to_json())
    assert report["options"]["target"] == target
    assert report["model"]["accuracy"]["accuracy"] > 0.95
    assert report["model"]["accuracy"]["decisions_changed_by_input_format"] == 0
    assert report["model"]["warnings"] == []
    passes = report["passes"]
    assert passes[0]["name"] == "network"
    assert passes[0]["gates"] == 800
    assert passes[-1]["gates"] < 800
    pipeline = report["pipeline"]
    assert sum(pipeline["latency_by_block"].values()) == pipeline["latency_cycles"]
    assert pipeline["stages"] == pipeline["latency_cycles"]
    assert report["timing"]["latency_ns"] == pipeline["latency_cycles"] * 10
    if mapped:
        resources = report["resources"]
        assert 1000 < resources["lut"] < 2500
        assert resources["ff"] > 0
        assert set(resources["by_block"]) >= {"binarizer", "gates", "groupsum", "argmax"}
        assert "synthesis" in steps
    else:
        assert report["resources"] is None
    page = (result.path / "report.md").read_text()
    assert f"| Latency | {pipeline['latency_cycles']} clocks" in page
    assert report["model"]["sha256"] == network_digest(read_network(result.path / "network.lgn"))
    outcome = lgn_hdl.simulate(result.path)
    assert outcome.samples == 80
    assert outcome.stalls > 0


def test_the_same_build_twice_is_the_same(small_build: SmallBuild, tmp_path: Path) -> None:
    lgn_hdl.build(small_build.model, tmp_path / "again", levels_per_stage=1, vectors=150)
    for name in ("top.v", "top.il", "network.lgn"):
        assert (tmp_path / "again" / name).read_bytes() == (small_build.path / name).read_bytes()
    with (
        np.load(tmp_path / "again" / "vectors.npz") as a,
        np.load(small_build.path / "vectors.npz") as b,
    ):
        assert set(a) == set(b)
        assert all(np.array_equal(a[name], b[name]) for name in a)


def test_simulation_of_given_samples(small_build: SmallBuild) -> None:
    x = np.random.default_rng(1).uniform(-2, 2, (90, 4))
    for seed in (0, 1):
        outcome = lgn_hdl.simulate(small_build.path, x, seed=seed)
        assert outcome.samples == 90
        assert outcome.cycles > 90 + small_build.design.pipeline.latency
    assert not (small_build.path / "sim.log").exists()


SMALL = FixedPoint(6, 4, signed=True)
VARIANTS = {
    "combinational": (classifier(element=SMALL), {"combinational": True}),
    "combinational bits": (bits_only(), {"combinational": True}),
    "bits": (bits_only(), {"levels_per_stage": 1}),
    "scores only": (classifier(element=SMALL), {"argmax": False, "levels_per_stage": 2}),
    "one class": (classifier(element=SMALL, classes=1), {"levels_per_stage": 1}),
    "clock": (classifier(element=SMALL, classes=7), {"clock_mhz": 300.0}),
    "counters": (
        classifier(element=SMALL, classes=2),
        {"counters": "counters", "levels_per_stage": 2},
    ),
    "branches": (
        replace(every_layer(FixedPoint(4)), outputs=("class", "scores", "joined")),
        {"levels_per_stage": 1},
    ),
    "class within": (replace(classifier(element=SMALL), outputs=("scores",)), {}),
    "scaled numbers": (classifier(element=FixedPoint.parse("fixed<8,4>*1/7")), {}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_build_and_simulate(name: str, tmp_path: Path) -> None:
    network, options = VARIANTS[name]
    model = lgn_hdl.Model(network)
    result = lgn_hdl.build(model, tmp_path / "out", vectors=70, **options)
    report = report_of(result.path)
    combinational = options.get("combinational", False)
    assert (report["pipeline"]["latency_cycles"] == 0) == combinational
    if combinational:
        assert report["timing"]["clock_mhz"] is report["timing"]["latency_ns"] is None
        assert "clk" not in (result.path / "top.v").read_text()
    assert lgn_hdl.simulate(result.path).samples == 70
    (tensor,) = network.inputs.values()
    x = np.random.default_rng(0).integers(0, 2, (20, *tensor.shape))
    assert lgn_hdl.simulate(result.path, x).samples == 20


def test_the_default_format_is_noted(tmp_path: Path) -> None:
    model = lgn_hdl.Model(classifier(element=REAL))
    result = lgn_hdl.build(model, tmp_path / "out", target="rtlil")
    (note,) = report_of(result.path)["model"]["warnings"]
    assert "No input format was given: fixed<16,1> was chosen" in note
    assert "--input-format" in note
    assert note in (result.path / "report.md").read_text()
    again = lgn_hdl.build(model, tmp_path / "out", target="rtlil", input_format="fixed<8,2>")
    assert again.report.model.warnings == []
    assert again.report.model.input_format == "fixed<8,2>"


def test_remarks_of_the_frontend_reach_the_report(tmp_path: Path) -> None:
    result = lgn_hdl.build(lgn_hdl.Model(every_layer()), tmp_path / "out", target="rtlil")
    assert "beware" in report_of(result.path)["model"]["warnings"]


def test_a_coarse_format_is_measured(tmp_path: Path) -> None:
    network = classifier(element=REAL)
    x = np.random.default_rng(0).uniform(-1, 1, (400, 4))
    labels = lgn_hdl.Model(network).predict(x)
    accuracy = lgn_hdl.build(
        lgn_hdl.Model(network),
        tmp_path / "out",
        target="rtlil",
        input_format="fixed<3,1>",
        samples=Samples(x, labels),
    ).report.model.accuracy
    assert accuracy is not None
    assert accuracy["trained_accuracy"] == 1.0
    assert accuracy["accuracy"] < 1.0
    changed = round(400 * (1 - accuracy["accuracy"]))
    assert accuracy["decisions_changed_by_input_format"] == changed


def test_scores_and_logits_are_told_apart(small_build: SmallBuild) -> None:
    model = small_build.result.report.model
    assert model.score_to_logit == "(score + 0.5) / 2"
    assert model.classes == ["left", "middle", "right"]


def test_ports_of_the_report_are_those_of_the_verilog(small_build: SmallBuild) -> None:
    ports = small_build.result.report.pipeline.ports
    verilog = (small_build.path / "top.v").read_text()
    for port, fields in ports.items():
        width = max(field["low"] + field["width"] for field in fields)
        assert f"put [{width - 1}:0] {port};" in verilog


def test_rtlil_only_has_nothing_to_simulate(tmp_path: Path) -> None:
    result = lgn_hdl.build(lgn_hdl.Model(bits_only()), tmp_path / "out", target="rtlil")
    assert {path.name for path in result.path.iterdir()} == FILES - {"top.v"}
    with pytest.raises(FormatError, match=r"has no top\.v"):
        lgn_hdl.simulate(result.path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "vhdl"}, "target 'vhdl' is unknown, expected one of rtlil, verilog"),
        ({"combinational": True, "clock_mhz": 5.0}, "--combinational and --clock-mhz exclude"),
        ({"combinational": True, "levels_per_stage": 2}, "--combinational and --levels-per-stage"),
        ({"clock_mhz": 5.0, "levels_per_stage": 2}, "--levels-per-stage and --clock-mhz exclude"),
        ({"levels_per_stage": 0}, "--levels-per-stage is 0, expected 1"),
        ({"levels_per_stage": 10**30}, "expected 1 to 1,000,000"),
        ({"clock_mhz": 0.0}, "--clock-mhz: 0 MHz, expected a positive number"),
        ({"clock_mhz": -5.0}, "--clock-mhz: -5 MHz, expected a positive number"),
        ({"clock_mhz": float("nan")}, "--clock-mhz: nan MHz"),
        ({"clock_mhz": 5000.0}, r"--clock-mhz: 5000 MHz leaves .* a single gate takes 450 ps"),
        ({"vectors": 0}, "--vectors is 0, expected at least 1"),
        ({"seed": -1}, "--seed is -1"),
        ({"input_format": "float32"}, "number format 'float32' is not understood"),
        ({"input_format": "int99"}, "width is 99"),
        ({"samples": Samples(np.zeros((5, 3)))}, r"samples have shape \(5, 3\), expected \(n, 4\)"),
        ({"samples": Samples(np.full((5, 4), np.nan))}, "cannot quantise NaN"),
        ({"samples": Samples(np.zeros((0, 4)), np.zeros(0, int))}, "no samples"),
    ],
)
def test_options_that_are_refused(options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(LgnError, match=message):
        lgn_hdl.build(lgn_hdl.Model(classifier()), tmp_path / "out", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("outputs", [("class",), ("more",)])
def test_outputs_of_another_group_sum_are_refused(outputs: tuple[str, ...], tmp_path: Path) -> None:
    """The hardware would give the scores of the last one instead."""
    network = classifier(element=SMALL)
    names = {node.name: node for node in network.nodes}
    first = Node("more_scores", GroupSum(3), names["scores"].inputs)
    renamed = [replace(names["class"], inputs=("more_scores",)), names["scores"]]
    nodes = (names["bits"], names["gates"], names["more"], first, *renamed)
    found = {"class": "class", "more": "more_scores"}[outputs[0]]
    network = replace(network, nodes=nodes, outputs=(found,)).validate()
    with pytest.raises(BuildError, match=f"the output '{found}' is neither bits, nor the scores"):
        lgn_hdl.build(lgn_hdl.Model(network), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_bits_have_no_format(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="--input-format: the network takes bits"):
        lgn_hdl.build(lgn_hdl.Model(bits_only()), tmp_path / "out", input_format="uint8")
    result = lgn_hdl.build(
        lgn_hdl.Model(bits_only()), tmp_path / "out", input_format="bit", target="rtlil"
    )
    assert result.report.model.input_format == "bit"


def test_samples_of_bits_are_bits(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="takes bits, found values other than 0 and 1"):
        lgn_hdl.build(
            lgn_hdl.Model(bits_only()), tmp_path / "out", samples=Samples(np.full((3, 6), 2))
        )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_failing_build_leaves_the_earlier_one(tmp_path: Path, monkeypatch) -> None:
    """It fails at the very end, when all files but the report are written."""
    out = tmp_path / "out"
    lgn_hdl.build(lgn_hdl.Model(bits_only()), out)
    before = contents(out)

    def fail(*_: object) -> None:
        raise ToolError("the disk is tired")

    monkeypatch.setitem(lgn_hdl.build.__globals__, "make_report", fail)
    with pytest.raises(ToolError):
        lgn_hdl.build(lgn_hdl.Model(bits_only(seed=1)), out)
    assert contents(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with pytest.raises(ToolError):
        lgn_hdl.build(lgn_hdl.Model(bits_only(seed=1)), tmp_path / "new" / "out")
    assert not list((tmp_path / "new").iterdir())


def test_an_earlier_build_is_replaced_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    lgn_hdl.build(lgn_hdl.Model(bits_only()), out)
    (out / "sim.log").write_text("old")
    lgn_hdl.build(lgn_hdl.Model(bits_only(seed=1)), out)
    assert set(contents(out)) == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_foreign_folders_and_files_are_refused(tmp_path: Path) -> None:
    model = lgn_hdl.Model(bits_only())
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    (tmp_path / "file").write_text("text")
    for name, message in {
        "photos": r"photos: the folder is not empty and holds no earlier build \(choose another",
        "file": "file: is a file, expected a folder",
        "file/below": "file/below: ",
    }.items():
        with pytest.raises(BuildError, match=message):
            lgn_hdl.build(model, tmp_path / name)
    assert contents(tmp_path / "photos") == {"cat.jpg": b"meow"}
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "file"}
    (tmp_path / "empty").mkdir()
    lgn_hdl.build(model, tmp_path / "empty", target="rtlil")


def test_simulating_something_else(small_build: SmallBuild, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"has no top\.v .*run lgn_hdl build first"):
        lgn_hdl.simulate(tmp_path)
    with pytest.raises(NetworkError, match="samples have shape"):
        lgn_hdl.simulate(small_build.path, np.zeros((3, 5)))


def test_no_simulator(small_build: SmallBuild, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolError, match=r"Icarus Verilog is not installed.*install iver"):
        lgn_hdl.simulate(small_build.path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": np.zeros(3)}, "holds z, expected x or images or features"),
        ({"x": np.array(["a"])}, "x is <U1 of shape"),
        ({"x": np.float64(3)}, r"x is float64 of shape \(\)"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(2)}, r"y has shape \(2,\), expected \(3,\)"),
        ({"x": np.array([None])}, "not a readable .npz"),
        ({"x": np.array([[1.0, 2.0], [3.0, np.nan]])}, r"x\[1, 1\] is not a number"),
    ],
)
def test_sample_files_that_are_refused(arrays: dict, message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", **arrays)
    with pytest.raises(FormatError, match=rf"s\.npz: .*{message}"):
        read_samples(tmp_path / "s.npz")


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04", npy(np.zeros(3)), None])
def test_sample_files_that_are_none(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "s.npz").write_bytes(content)
    with pytest.raises(FormatError, match=r"s\.npz: not a readable \.npz"):
        read_samples(tmp_path / "s.npz")


def test_sample_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", images=np.zeros((3, 2), bool), labels=np.arange(3))
    found = read_samples(tmp_path / "s.npz")
    assert (found.x.shape, found.source) == ((3, 2), "s.npz")
    assert found.labels is not None
