"""Builds whose positions take turns: unrolled RTL = streaming RTL = PyTorch."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from fronts import image_logic, profiles
from image_networks import conv_classifier, image_of_bits, random_conv
from mutations import with_text, without_register
from networks import classifier
from simulated import compile_device
from streamed import divide_always

import lgn_hdl
from lgn_hdl.cli import main
from lgn_hdl.compiler.options import BuildOptions, FrontForm, folds_from
from lgn_hdl.errors import BuildError, VerifyError
from lgn_hdl.logic import lower
from lgn_hdl.logic.stream import Reuse
from lgn_hdl.network import FixedPoint, OrPool, write_network
from lgn_hdl.network.partition import with_front
from lgn_hdl.report import schema
from sim.board import run_compiled

FORM = FixedPoint(6, 4, signed=True)
WAYS: tuple[Reuse, ...] = ("none", "column", "row", "position")
SIZE = (5, 4)


@pytest.fixture(scope="module")
def model() -> lgn_hdl.Model:
    return lgn_hdl.Model(conv_classifier(element=FORM, size=SIZE, thresholds=4))


@pytest.fixture(scope="module")
def builds(model: lgn_hdl.Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One build for every way to take turns."""
    folder = tmp_path_factory.mktemp("reuse")
    for reuse in WAYS:
        lgn_hdl.build(model, folder / reuse, reuse=reuse, vectors=100)
    return {reuse: folder / reuse for reuse in WAYS}


def report_of(build: Path) -> dict:
    report = json.loads((build / "report.json").read_text())
    jsonschema.validate(report, schema())
    return report


def registers_of(text: str, module: str) -> int:
    """Bits of the registers that a module of some Verilog declares."""
    modules = {m[1]: m[2] for m in re.finditer(r"module (\w+)\((.*?)endmodule", text, re.DOTALL)}
    found = re.findall(r"^  reg (?:\[(\d+):0\] )?\w+", modules[module], re.MULTILINE)
    return sum(1 + int(high or 0) for high in found)


@pytest.mark.parametrize("reuse", WAYS)
def test_simulation_equals_pytorch(builds: dict[str, Path], reuse: str) -> None:
    outcome = lgn_hdl.simulate(builds[reuse])
    interval = report_of(builds[reuse])["pipeline"]["initiation_interval"]
    assert outcome.samples == 100
    assert outcome.cycles >= 100 * interval
    assert outcome.stalls > 0


def test_other_samples_are_simulated(builds: dict[str, Path]) -> None:
    x = np.random.default_rng(3).uniform(-1.5, 1.5, (20, 21))
    assert lgn_hdl.simulate(builds["row"], x).samples == 20


def test_vectors_of_all_ways_are_the_same(builds: dict[str, Path]) -> None:
    found = []
    for build in builds.values():
        with np.load(build / "vectors.npz") as vectors:
            found.append((vectors["features"], vectors["result_bits"]))
    for features, results in found[1:]:
        assert features.shape == found[0][0].shape
        assert results.shape[1] == found[0][1].shape[1]


def test_the_ports_are_the_same(builds: dict[str, Path]) -> None:
    ports = [report_of(build)["pipeline"]["ports"] for build in builds.values()]
    inputs = {json.dumps(port["i__payload"]) for port in ports}
    outputs = {json.dumps([f["name"] for f in port["o__payload"]]) for port in ports}
    assert len(inputs) == len(outputs) == 1


@pytest.mark.parametrize(("reuse", "interval"), [("column", 6), ("row", 6), ("position", 30)])
def test_the_report_says_what_takes_turns(
    builds: dict[str, Path], model: lgn_hdl.Model, reuse: str, interval: int
) -> None:
    report = report_of(builds[reuse])
    pipeline, streaming = report["pipeline"], report["streaming"]
    assert pipeline["initiation_interval"] == interval
    assert sum(pipeline["latency_by_block"].values()) == pipeline["latency_cycles"]
    assert streaming["reuse"] == reuse
    assert [part["name"] for part in streaming["parts"]] == [
        "source",
        "conv0",
        "pool",
        "conv1",
        "collector",
        "aside",
        "dense",
    ]
    total = streaming["total"]
    assert total["unrolled_gates"] == lower(model.network).num_gates
    assert total["shared_gates"] == report["passes"][0]["gates"] < total["unrolled_gates"]
    assert total["gates"] == report["passes"][-1]["gates"]
    text = (builds[reuse] / "report.md").read_text()
    assert f"A {reuse}" in text
    assert f"one sample in {interval} clocks" in text
    assert "| conv1 | LogicConv |" in text


def test_an_unrolled_build_has_no_streams(builds: dict[str, Path]) -> None:
    assert report_of(builds["none"])["streaming"] is None


def test_registers_in_the_report_are_those_of_the_rtl(builds: dict[str, Path]) -> None:
    text = (builds["position"] / "top.v").read_text()
    streaming = report_of(builds["position"])["streaming"]
    parts = {part["name"]: part["delay_registers"] for part in streaming["parts"]}
    named = {"top_loader": "source", "top_delay3": "collector"}
    named |= {f"top_delay{n}": name for n, name in enumerate(("conv0", "pool", "conv1"))}
    for module, name in named.items():
        assert registers_of(text, module) == parts[name]


@pytest.mark.parametrize("reuse", WAYS[1:3])
def test_elements_in_parts(reuse: Reuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    divide_always(monkeypatch)
    rng, build = np.random.default_rng(0), tmp_path / "b"
    pool, conv = OrPool((2, 2), (2, 2), (0, 0)), random_conv(rng, 3, 4, depth=3)
    network = image_of_bits(random_conv(rng, 2, 3), pool, conv, shape=(2, 9, 8))
    lgn_hdl.build(lgn_hdl.Model(network), build, reuse=reuse, argmax=False, vectors=60)
    assert lgn_hdl.simulate(build).samples == 60
    report = report_of(build)
    parts = {part["name"]: part for part in report["streaming"]["parts"]}
    assert parts["layer2"]["multiplexers"] > 0
    assert "in parts: layer2 in " in report["pipeline"]["folding"]
    text = (build / "top.v").read_text()
    number = list(parts).index("layer2") - 1
    found = registers_of(text, f"top_delay{number}") + registers_of(text, f"top_join{number}")
    assert found == parts["layer2"]["delay_registers"]


def test_a_part_that_does_not_wait_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide_always(monkeypatch)
    rng, build = np.random.default_rng(0), tmp_path / "b"
    pool, conv = OrPool((2, 2), (2, 2), (0, 0)), random_conv(rng, 3, 4, k=4, depth=1)
    network = image_of_bits(random_conv(rng, 2, 3), pool, conv, shape=(2, 8, 8))
    lgn_hdl.build(lgn_hdl.Model(network), build, reuse="row", argmax=False, vectors=40)
    text = (build / "top.v").read_text()
    (joiner,) = set(re.findall(r"module (top_join\d+)\(", text))
    with pytest.raises(VerifyError, match="block binarizer"):
        lgn_hdl.simulate(with_text(build, tmp_path / "broken", without_register(text, joiner)))


def test_a_register_less_is_caught(tmp_path: Path) -> None:
    conv = random_conv(np.random.default_rng(0), 3, 6, k=4, depth=1)
    build = tmp_path / "b"
    model = lgn_hdl.Model(image_of_bits(conv, shape=(3, 5, 4)))
    lgn_hdl.build(model, build, reuse="position", argmax=False, vectors=40)
    broken = without_register((build / "top.v").read_text(), "top_delay0")
    with pytest.raises(VerifyError, match="block binarizer"):
        lgn_hdl.simulate(with_text(build, tmp_path / "broken", broken))


def test_bits_leave_a_streaming_build(tmp_path: Path) -> None:
    network = conv_classifier(element=FORM, size=SIZE)
    network = replace(network, outputs=("class", "conv1", "scores")).validate()
    lgn_hdl.build(lgn_hdl.Model(network), tmp_path / "b", reuse="row", vectors=30)
    fields = report_of(tmp_path / "b")["pipeline"]["ports"]["o__payload"]
    assert "bits" in [field["name"] for field in fields]
    assert lgn_hdl.simulate(tmp_path / "b").samples == 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fold": "sums"}, "--reuse and --fold exclude each other"),
        ({"combinational": True}, "--reuse and --combinational exclude each other"),
        ({"prove": True}, "--prove knows pipelines only"),
    ],
)
def test_options_that_exclude_each_other(options: dict, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        BuildOptions(reuse="row", **options).resolved()
    with pytest.raises(BuildError, match="--reuse is 'diagonal'"):
        BuildOptions(reuse="diagonal").resolved()  # pyright: ignore[reportArgumentType]


def test_a_network_without_convolutions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="--reuse: the network has no convolution"):
        lgn_hdl.build(lgn_hdl.Model(classifier(element=FORM)), tmp_path / "b", reuse="position")
    assert not (tmp_path / "b").exists()


def test_fit_goes_on_with_fewer_positions_per_clock() -> None:
    ways = [options.reuse for options in folds_from(BuildOptions(reuse="column"))]
    assert ways == ["column", "row", "position"]
    assert {options.reuse for options in folds_from(BuildOptions())} == {"none"}


def test_command_line(model: lgn_hdl.Model, tmp_path: Path, capsys) -> None:
    write_network(model.network, tmp_path / "m.lgn")
    arguments = ["build", str(tmp_path / "m.lgn"), "-o", str(tmp_path / "b")]
    assert main([*arguments, "--reuse", "row", "--vectors", "8", "--target", "rtlil"]) == 0
    assert "A row of positions of an image per clock" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["whole", "slices"])
@pytest.mark.parametrize("reuse", WAYS[1:])
def test_behind_a_front_end(reuse: Reuse, form: FrontForm, tmp_path: Path) -> None:
    network = with_front(profiles(), image_logic(13, 3))
    build = tmp_path / "b"
    lgn_hdl.build(lgn_hdl.Model(network), build, reuse=reuse, front=form, vectors=40)
    assert lgn_hdl.simulate(build).samples == 40


def test_as_a_device_behind_a_serial_line(model: lgn_hdl.Model, tmp_path: Path) -> None:
    options = BuildOptions(levels_per_stage=2, reuse="row")
    made = compile_device(model.network, tmp_path, options)
    made.write_vectors(tmp_path / "vectors.npz", 20)
    outcome = run_compiled(tmp_path, tmp_path / "vectors.npz", tmp_path)
    assert outcome["mismatch"] is None
    assert outcome["samples"] == 20


def test_mapped_to_luts(model: lgn_hdl.Model, tmp_path: Path) -> None:
    result = lgn_hdl.build(model, tmp_path / "b", reuse="row", target="ice40", vectors=20)
    assert result.report.resources is not None
    assert {"delay0", "layer0", "loader"} <= set(result.report.resources.by_block)
    assert lgn_hdl.simulate(tmp_path / "b").samples == 20
