"""`build --target sky130`: netlists of cells, one to one and optimised, proved and simulated."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from fronts import fronted, profile, profiles
from networks import bits_only, classifier, random_luts
from sparse_networks import sparse_classifier

import lgn_hdl
from lgn_hdl.cli import main
from lgn_hdl.compiler import build, silicon, simulate
from lgn_hdl.errors import BuildError, VerifyError
from lgn_hdl.network import BIT, ArgMax, FixedPoint, GroupSum, Network, Node, TensorType
from lgn_hdl.proof import Claim
from lgn_hdl.report import schema

SMALL = FixedPoint(6, 4, signed=True)


@pytest.fixture(scope="module")
def pdk(shared: Path) -> Path:
    return shared / "pdk/sky130hd"


def two_inputs(*, seed: int = 0, inputs: int = 12, classes: int = 3) -> Network:
    """Bits in, three layers of two-input gates, scores and class."""
    rng = np.random.default_rng(seed)
    return Network(
        inputs={"x": TensorType((inputs,), BIT)},
        nodes=(
            Node("first", random_luts(rng, inputs, 24, 2), ("x",)),
            Node("second layer", random_luts(rng, 24, 24, 2), ("first",)),
            Node("last", random_luts(rng, 24, 6 * classes, 2), ("second layer",)),
            Node("scores", GroupSum(classes), ("last",)),
            Node("class", ArgMax(), ("scores",)),
        ),
        outputs=("class", "scores"),
    ).validate()


@pytest.mark.parametrize("mapping", ["one-to-one", "optimised", "delay"])
@pytest.mark.parametrize("clock", [50.0, 400.0])
def test_cells_are_proved_and_simulated(
    pdk: Path, tmp_path: Path, mapping: str, clock: float
) -> None:
    out = tmp_path / "out"
    result = build(
        lgn_hdl.Model(two_inputs()),
        out,
        target="sky130",
        pdk_root=pdk,
        mapping=mapping,  # pyright: ignore[reportArgumentType]
        clock_mhz=clock,
        vectors=96,
        prove=True,
    )
    report = json.loads(result.report.to_json())
    jsonschema.validate(report, schema())
    section = report["silicon"]
    assert section["mapping"] == mapping
    assert sum(block["area_um2"] for block in section["blocks"]) == pytest.approx(
        section["area_um2"]
    )
    assert section["timing"]["fmax_mhz"] > 50
    assert section["power"]["total_w"] > 0
    claims = [c for c in report["proof"]["checks"] if c["what"] == "standard cells = RTL"]
    assert [c["proved"] for c in claims] == [True]
    assert simulate(out, gates=True).samples == 96
    assert (out / "librelane" / "config.json").is_file()


def test_one_to_one_has_the_trained_gates(pdk: Path, tmp_path: Path) -> None:
    model = lgn_hdl.Model(two_inputs(seed=4))
    result = build(
        model, tmp_path / "out", target="sky130", pdk_root=pdk, mapping="one-to-one", vectors=16
    )
    section = json.loads(result.report.to_json())["silicon"]
    text = (tmp_path / "out" / "netlist.v").read_text()
    names = re.findall(r"\b(\w+_g\d+)_cell\b", text)
    assert len(names) == len(set(names)) == sum(layer["cells"] for layer in section["layers"])
    assert {name.rsplit("_g", 1)[0] for name in names} == {"first", "second_layer", "last"}
    assert text.count("(* keep =") >= len(names)
    (gates,) = [block for block in section["blocks"] if block["name"] == "gates"]
    assert gates["area_um2"] == pytest.approx(sum(x["area_um2"] for x in section["layers"]))
    assert gates["cells"] == len(names)
    assert [layer["trained"] for layer in section["layers"]] == [24, 24, 18]
    for layer in section["layers"]:
        assert layer["cells"] + layer["unread"] <= layer["trained"]


def test_names_of_layers_that_would_collide(pdk: Path, tmp_path: Path) -> None:
    network = two_inputs()
    names = {"first": "a b", "second layer": "a_b", "last": "1é"}
    nodes = tuple(
        replace(
            node,
            name=names.get(node.name, node.name),
            inputs=tuple(names.get(name, name) for name in node.inputs),
        )
        for node in network.nodes
    )
    model = lgn_hdl.Model(replace(network, nodes=nodes).validate())
    build(model, tmp_path / "out", target="sky130", pdk_root=pdk, mapping="one-to-one", vectors=16)
    text = (tmp_path / "out" / "netlist.v").read_text()
    assert {"a_b", "a_b_2", "layer1_"} == {
        name.rsplit("_g", 1)[0] for name in re.findall(r"(\w+_g\d+)_cell\b", text)
    }


def test_a_proof_without_answer_is_said(
    pdk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gives_up(*arguments: object, **options: object) -> Claim:
        return Claim("standard cells = RTL", "cec", None, 600.0)

    monkeypatch.setattr(silicon, "prove_cells", gives_up)
    model = lgn_hdl.Model(two_inputs())
    report = build(model, tmp_path / "out", target="sky130", pdk_root=pdk, vectors=2).report
    assert "standard cells = RTL NOT proved" in report.proof.status
    assert "standard cells = RTL (no answer in 600 s)" in report.proof.not_proved


def test_a_broken_netlist_is_found_by_the_simulation(pdk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(lgn_hdl.Model(two_inputs(seed=1)), out, target="sky130", pdk_root=pdk, vectors=64)
    path = out / "netlist.v"
    text = path.read_text()
    broken = text.replace("sky130_fd_sc_hd__fa_1", "sky130_fd_sc_hd__wrong_1", 1)
    path.write_text(broken)
    models = (out / "cells.v").read_text()
    adder = re.search(r"module sky130_fd_sc_hd__fa_1\b.*?endmodule", models, re.DOTALL)
    assert adder is not None
    wrong = adder[0].replace("__fa_1", "__wrong_1").replace("assign SUM =", "assign SUM = ~")
    assert wrong.count("~") > adder[0].count("~")
    (out / "cells.v").write_text(models + wrong + "\n")
    with pytest.raises(VerifyError, match=r"netlist\.v: sample \d+, block result"):
        simulate(out, gates=True)


def test_features_and_wider_gates(pdk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = build(
        lgn_hdl.Model(classifier(element=SMALL)), out, target="sky130", pdk_root=pdk, vectors=48
    )
    section = json.loads(result.report.to_json())["silicon"]
    assert section["layers"] == []  # a gate of three inputs has no cell of its own in general
    assert {block["name"] for block in section["blocks"]} >= {"binarizer", "gates", "groupsum"}
    assert simulate(out, gates=True).samples == 48
    with pytest.raises(BuildError, match="one cell for each gate is for networks of two-input"):
        build(
            lgn_hdl.Model(classifier(element=SMALL)),
            tmp_path / "other",
            target="sky130",
            pdk_root=pdk,
            mapping="one-to-one",
        )
    assert not (tmp_path / "other").exists()


def test_without_registers(pdk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    model = lgn_hdl.Model(two_inputs())
    build(model, out, target="sky130", pdk_root=pdk, vectors=32, combinational=True)
    assert simulate(out, gates=True).samples == 32


def test_bits_only(pdk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(
        lgn_hdl.Model(bits_only()),
        out,
        target="sky130",
        pdk_root=pdk,
        vectors=32,
        mapping="one-to-one",
        handoff="rtl",
    )
    assert simulate(out, gates=True).samples == 32


@pytest.mark.parametrize("front", ["whole", "slices"])
def test_a_front_end(pdk: Path, tmp_path: Path, front: str) -> None:
    out = tmp_path / "out"
    result = build(
        lgn_hdl.Model(fronted(profiles() if front == "slices" else profile())),
        out,
        target="sky130",
        pdk_root=pdk,
        vectors=24,
        front=front,  # pyright: ignore[reportArgumentType]
    )
    section = json.loads(result.report.to_json())["silicon"]
    assert section["cells"]["sky130_fd_sc_hd__fa_1"] > 0
    assert section["power"]["total_w"] > 0
    assert simulate(out, gates=True).samples >= 24


def test_a_sparse_cnn(pdk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = build(
        lgn_hdl.Model(sparse_classifier(slots=2)),
        out,
        target="sky130",
        pdk_root=pdk,
        vectors=8,
        front="rows",
    )
    report = json.loads(result.report.to_json())
    (claim,) = [c for c in report["proof"]["checks"] if c["what"] == "standard cells = RTL"]
    assert claim["proved"] is True
    power, clocks = report["silicon"]["power"], report["pipeline"]["initiation_interval"]
    per_clock = power["total_w"] / (1e6 * power["clock_mhz"])
    assert power["energy_per_inference_j"] == pytest.approx(per_clock * clocks)
    assert simulate(out, gates=True).samples >= 8


def test_without_opensta(pdk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = lgn_hdl.Model(two_inputs())
    options = {"target": "sky130", "pdk_root": pdk, "vectors": 64}
    with_it = build(model, tmp_path / "a", **options).report.silicon
    monkeypatch.setattr(silicon, "find_sta", lambda: None)
    without = build(model, tmp_path / "b", **options).report
    assert with_it is not None
    assert with_it.timing is not None
    assert without.silicon is not None
    assert without.silicon.timing is None
    assert without.silicon.logic_ns == pytest.approx(1e3 / with_it.timing["fmax_mhz"], rel=0.5)
    assert without.silicon.power["total_w"] == pytest.approx(with_it.power["total_w"], rel=0.2)
    assert "without OpenSTA" in (tmp_path / "b" / "report.md").read_text()
    assert without.timing.source == "delay model"


def test_a_tiny_tapeout_project(pdk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = build(
        lgn_hdl.Model(two_inputs()),
        out,
        target="sky130",
        pdk_root=pdk,
        vectors=8,
        handoff="tinytapeout",
        macro_name="somebody_gates",
    )
    assert "tt_um_somebody_gates" in (out / "tinytapeout" / "info.yaml").read_text()
    handoff = json.loads(result.report.to_json())["silicon"]["handoff"]
    assert handoff["die_um"] == [161.0, 111.52]
    assert "1x1 tiles" in (out / "report.md").read_text()


def test_options_that_do_not_fit(tmp_path: Path) -> None:
    model = lgn_hdl.Model(two_inputs())
    for options, message in (
        ({"mapping": "one-to-one"}, "--mapping is for --target sky130"),
        ({"pdk_root": tmp_path}, "--pdk-root is for --target sky130"),
        ({"handoff": "rtl"}, "--handoff is for --target sky130"),
        ({"target": "sky130", "mapping": "best"}, "--mapping is 'best'"),
        ({"target": "sky130", "fold": "sums"}, "--fold is not for the target sky130"),
        ({"target": "sky130", "wire_ff": -1.0}, "--wire-ff is -1"),
        (
            {"target": "sky130", "mapping": "one-to-one", "reuse": "row"},
            "--mapping one-to-one and --reuse",
        ),
    ):
        with pytest.raises(BuildError, match=message):
            build(model, tmp_path / "out", **options)
        assert not (tmp_path / "out").exists()


def test_a_missing_pdk(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    lgn_hdl.Model(two_inputs()).save(tmp_path / "a.lgn")
    status = main(
        [
            *("build", str(tmp_path / "a.lgn"), "-o", str(tmp_path / "out")),
            *("--target", "sky130", "--pdk-root", str(tmp_path / "none")),
        ]
    )
    assert status == 2
    said = capsys.readouterr().err
    assert "ciel enable --pdk-family sky130" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
