"""Builds with a front end: charges in, class out, equal to PyTorch; and what breaks is caught."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from fronts import (
    FRONTS,
    ROWS,
    SLICES,
    front,
    fronted,
    image_logic,
    logic,
    profile,
    profiles,
    random_inputs,
)
from mutations import with_text

import lgn_hdl
from lgn_hdl.cli import main
from lgn_hdl.compiler import read_samples
from lgn_hdl.compiler.samples import Samples
from lgn_hdl.errors import BuildError, FormatError, NetworkError, VerifyError
from lgn_hdl.network import REAL, AxisSum, FixedPoint, TensorType
from lgn_hdl.network.partition import with_front
from lgn_hdl.report import schema


def report_of(folder: Path) -> dict:
    """The report, checked against its schema."""
    report = json.loads((folder / "report.json").read_text())
    jsonschema.Draft202012Validator(schema()).validate(report)
    return report


#: Front end, whether its numbers have a sign, options.
BUILDS = {
    "whole": ("profile", False, {}),
    "whole, deep": ("profiles", True, {"levels_per_stage": 1, "counters": "counters"}),
    "combinational": ("profile", False, {"combinational": True}),
    "no class": ("totals", True, {"argmax": False}),
    "folded sums": ("profiles", False, {"fold": "sums", "fold_width": 4}),
    "gates in memory": ("profile", True, {"fold": "gates", "fold_width": 8}),
    "slices": ("profiles", False, {"front": "slices", "levels_per_stage": 2}),
    "slices that add up": ("totals", True, {"front": "slices", "levels_per_stage": 2}),
    "slices before folded sums": ("profiles", True, {"front": "slices", "fold": "sums"}),
    "slices before gates in memory": ("totals", False, {"front": "slices", "fold": "gates"}),
}


@pytest.mark.parametrize("name", BUILDS)
def test_build_and_simulate(name: str, tmp_path: Path) -> None:
    made, signed, options = BUILDS[name]
    model = lgn_hdl.Model(fronted(FRONTS[made](signed=signed)))
    count = 40 if "fold" in options else 120
    result = lgn_hdl.build(model, tmp_path / "out", vectors=count, seed=1, **options)
    report = report_of(result.path)
    pipeline = report["pipeline"]
    assert sum(pipeline["latency_by_block"].values()) == pipeline["latency_cycles"]
    assert pipeline["initiation_interval"] >= (SLICES if "front" in options else 1)
    outcome = lgn_hdl.simulate(result.path)
    assert outcome.samples == count
    # Other samples than those of the build, as real numbers.
    inputs = random_inputs(model.network, 30, seed=9)
    assert lgn_hdl.simulate(result.path, inputs, seed=2).samples == 30


IMAGES = {
    "all positions": {},
    "columns": {"reuse": "column"},
    "slices, all positions": {"front": "slices", "levels_per_stage": 2},
    "slices, columns": {"front": "slices", "reuse": "column"},
    "slices, positions": {"front": "slices", "reuse": "position"},
}


@pytest.mark.parametrize("name", IMAGES)
def test_a_convolution_behind_a_front_end(name: str, tmp_path: Path) -> None:
    """Rows of the image are profiles, columns are slices; y0 goes past the convolution."""
    model = lgn_hdl.Model(with_front(profiles(), image_logic(1 + ROWS * SLICES, ROWS)))
    inputs = random_inputs(model.network, 40)
    assert len(np.unique(model.scores(inputs))) > 5
    lgn_hdl.build(model, tmp_path / "out", vectors=60, **IMAGES[name])
    assert lgn_hdl.simulate(tmp_path / "out").samples == 60
    assert lgn_hdl.simulate(tmp_path / "out", inputs, seed=3).samples == 40


def test_report(tmp_path: Path) -> None:
    model = lgn_hdl.Model(fronted(profiles()))
    result = lgn_hdl.build(model, tmp_path / "out", target="lut6", front="slices", vectors=30)
    report = report_of(result.path)
    assert (
        report["model"]["input"]
        == "y0 ufixed<6,6>[1], charges ufixed<3,3>[4x3x5], summed to 13 features"
    )
    assert set(report["resources"]["by_block"]) >= {
        "front",
        "collector",
        "binarizer",
        "gates",
        "groupsum",
    }
    ports = report["pipeline"]["ports"]["i__payload"]
    assert [(p["name"], p["low"], p["width"]) for p in ports] == [
        ("y0", 0, 6),
        ("charges", 6, 45),
        ("first", 51, 1),
    ]
    assert report["pipeline"]["initiation_interval"] == SLICES
    assert "13 features from 4 slices" in report["pipeline"]["folding"]
    assert "sums of the front end" in json.dumps(report["proof"]["checks"])


def test_model_answers_for_inputs_by_name() -> None:
    network = fronted(profiles(slices=6))
    model = lgn_hdl.Model(network)
    x = random_inputs(network, 60)
    expected = model.reference().outputs(x)
    assert np.array_equal(model.scores(x), expected["scores"])
    assert np.array_equal(model.predict(x), expected["class"])
    flat = {name: values.reshape(60, -1) for name, values in x.items()}
    assert np.array_equal(model.predict(flat), expected["class"])
    with pytest.raises(NetworkError, match="has the inputs y0, charges, found one array"):
        model.predict(x["charges"])
    with pytest.raises(NetworkError, match="inputs y0, expected y0, charges"):
        model.predict({"y0": x["y0"]})
    with pytest.raises(NetworkError, match="60 of y0, 59 of charges"):
        model.predict({"y0": x["y0"], "charges": x["charges"][1:]})
    with pytest.raises(NetworkError, match=r"input 'y0': samples have shape \(60, 2\)"):
        model.predict({**x, "y0": np.zeros((60, 2))})


def one_input() -> lgn_hdl.Model:
    """Sums over x, without a position."""
    rows = front({"charges": TensorType((3, 5), FixedPoint(3))}, ("sums", AxisSum((1,)), "charges"))
    return lgn_hdl.Model(fronted(rows))


def test_one_input_takes_an_array(tmp_path: Path) -> None:
    model = one_input()
    x = random_inputs(model.network, 50)["charges"]
    assert np.array_equal(model.predict(x), model.reference().predict(x))
    samples = Samples(x, model.predict(x))
    result = lgn_hdl.build(model, tmp_path / "out", samples=samples)
    assert report_of(result.path)["model"]["accuracy"]["accuracy"] == 1.0
    assert lgn_hdl.simulate(result.path, x[:20]).samples == 20


def test_sample_files(tmp_path: Path) -> None:
    model = lgn_hdl.Model(fronted(profiles()))
    x = random_inputs(model.network, 50)
    labels = model.predict(x)
    labels[:5] = (labels[:5] + 1) % 3
    path = tmp_path / "s.npz"
    np.savez(path, x_charges=x["charges"], y0=x["y0"], y=labels)
    result = lgn_hdl.build(model, tmp_path / "out", samples=path, vectors=20, front="slices")
    accuracy = report_of(result.path)["model"]["accuracy"]
    assert (accuracy["accuracy"], accuracy["samples"]) == (0.9, 50)
    assert accuracy["decisions_changed_by_input_format"] == 0
    assert lgn_hdl.simulate(result.path, path).samples == 50
    np.savez(path, x_charges=x["charges"], y=labels)
    with pytest.raises(FormatError, match=r"s\.npz: holds x_charges, y, and nothing for y0"):
        lgn_hdl.build(model, tmp_path / "out", samples=path)
    np.savez(path, charges=x["charges"])
    assert read_samples(path, ["charges"]).x.shape == (50, 4, 3, 5)


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (fronted(profile()), {"board": "hx8k"}, "--board: .*sends one array of features"),
        (fronted(profile()), {"prove": True}, "--prove knows no front end yet"),
        (fronted(profile()), {"input_format": "uint8"}, "the features are ufixed<6,6>"),
        (fronted(profiles()), {"front": "slices", "combinational": True}, "slices need a clock"),
        (fronted(profile()), {"front": "columns"}, "--front is 'columns'"),
        (logic(4, REAL), {"front": "slices"}, "the network has no front end"),
    ],
)
def test_refusals(network, options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=message):
        lgn_hdl.build(lgn_hdl.Model(network), tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def sliced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slice by slice, with registers inside the adder trees."""
    path = tmp_path_factory.mktemp("sliced") / "out"
    model = lgn_hdl.Model(fronted(profiles()))
    lgn_hdl.build(model, path, front="slices", levels_per_stage=2, vectors=80)
    return path


def changed(build: Path, folder: Path, pattern: str, new: str) -> Path:
    """A copy of the build with one thing changed in its Verilog."""
    text, count = re.subn(pattern, new, (build / "top.v").read_text())
    assert count == 1, f"{count} places for {pattern}"
    return with_text(build, folder, text)


def test_a_position_one_cluster_late_is_caught(sliced: Path, tmp_path: Path) -> None:
    """The register of y0 is filled with what the cluster before brought."""
    late = """reg [5:0] earlier = 0;
  always @(posedge clk)
    if (taken && now == 0) begin slice0_sum0 <= earlier; earlier <= i[5:0]; end"""
    pattern = r"always @\(posedge clk\)\s+slice0_sum0 <= \w+;"
    folder = changed(sliced, tmp_path / "out", pattern, late)
    with pytest.raises(
        VerifyError, match=r"sample \d, block front, bits [0-5](, [0-5])*: expected"
    ):
        lgn_hdl.simulate(folder)
    # The same register filled as it should be: it is not the change of the text that is caught.
    right = late.replace("<= earlier;", "<= i[5:0];")
    assert lgn_hdl.simulate(changed(sliced, tmp_path / "right", pattern, right)).samples == 80


def test_a_position_of_another_slice_is_caught(sliced: Path, tmp_path: Path) -> None:
    """The mark of the first slice comes a step early: it is then on the slice before."""
    folder = changed(
        sliced, tmp_path / "out", r"\.first\(front_first\[2\]\)", ".first(front_first[1])"
    )
    with pytest.raises(VerifyError, match="sample 0, block"):
        lgn_hdl.simulate(folder)


def test_a_charge_of_another_pixel_is_caught(sliced: Path, tmp_path: Path) -> None:
    folder = changed(sliced, tmp_path / "out", r" = i\[50:36\];", " = {i[50:39], i[35:33]};")
    with pytest.raises(VerifyError, match="block front, bits"):
        lgn_hdl.simulate(folder)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = lgn_hdl.Model(fronted(profiles()))
    model.save(tmp_path / "model.lgn")
    x = random_inputs(model.network, 40)
    np.savez(tmp_path / "s.npz", x_charges=x["charges"], x_y0=x["y0"], y=model.predict(x))
    out, samples = str(tmp_path / "out"), str(tmp_path / "s.npz")
    built = [str(tmp_path / "model.lgn"), "-o", out, "--front", "slices", "--samples", samples]
    assert main(["build", *built, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["options"]["front"] == "slices"
    assert report["model"]["accuracy"]["accuracy"] == 1.0
    assert main(["sim", out, "--samples", samples, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 40
