"""The command line: exit codes, one line for an error, JSON, files that appear whole or not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from networks import bits_only, classifier

import lgn_hdl
from lgn_hdl.cli import main
from lgn_hdl.errors import ToolError
from lgn_hdl.network import BIT, FixedPoint, LutLayer, Network, Node, TensorType, write_network
from lgn_hdl.report import schema

ROOT = Path(__file__).parents[1]
DIGITS = ROOT / "examples" / "digits.lgn"
GOLDEN = ROOT / "tests" / "golden" / "torchlogix" / "structure.pt"
DIFFLOGIC = ROOT / "tests" / "golden" / "difflogic" / "cases.pt"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small models, samples, and things that are neither."""
    folder = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(0)
    write_network(classifier(), folder / "real.lgn")
    write_network(classifier(element=FixedPoint(6, 4, signed=True)), folder / "fixed.lgn")
    write_network(bits_only(), folder / "bits.lgn")
    wide = Network(
        {"x": TensorType((70_000,), BIT)},
        (Node("g", LutLayer(np.zeros((1, 1), np.int32), np.ones(1, np.uint64)), ("x",)),),
        ("g",),
    )
    write_network(wide, folder / "wide.lgn")
    np.savez(folder / "samples.npz", x=rng.uniform(-1, 1, (80, 4)), y=rng.integers(0, 3, 80))
    np.savez(folder / "narrow.npz", x=np.zeros((3, 2)))
    np.savez(folder / "empty.npz", x=np.zeros((0, 4)), y=np.zeros(0, int))
    (folder / "text.lgn").write_text("hello\n")
    (folder / "broken.lgn").write_bytes((folder / "real.lgn").read_bytes()[:-40])
    (folder / "photos").mkdir()
    (folder / "photos" / "cat.jpg").write_text("meow")
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


ERRORS = {
    "no model": (["build", "nothing.lgn", "-o", "@out"], "nothing.lgn: cannot be read: No such"),
    "text": (["build", "text.lgn", "-o", "@out"], "text.lgn: the content is of no known kind"),
    "broken": (["build", "broken.lgn", "-o", "@out"], "broken.lgn: the checksum does not match"),
    "folder": (["info", "photos"], "photos: is a directory, expected a file"),
    "target": (["build", "real.lgn", "-o", "@out", "--target", "vhdl"], "target 'vhdl' is unknown"),
    "two clocks": (
        ["build", "real.lgn", "-o", "@out", "--combinational", "--clock-mhz", "5"],
        "--combinational and --clock-mhz exclude each other",
    ),
    "levels": (["build", "real.lgn", "-o", "@out", "--levels-per-stage", "0"], "expected 1"),
    "clock": (["build", "real.lgn", "-o", "@out", "--clock-mhz", "nan"], "--clock-mhz: nan MHz"),
    "fast clock": (["build", "real.lgn", "-o", "@out", "--clock-mhz", "1e9"], "leaves -8"),
    "vectors": (["build", "real.lgn", "-o", "@out", "--vectors", "-3"], "--vectors is -3"),
    "seed": (["build", "real.lgn", "-o", "@out", "--seed", "-1"], "--seed is -1, expected 0"),
    "format": (
        ["build", "real.lgn", "-o", "@out", "--input-format", "float"],
        "number format 'float' is not understood",
    ),
    "endless format": (
        ["build", "real.lgn", "-o", "@out", "--input-format", "fixed<8,-99999999>"],
        "fractional bits, expected -1000 to 1000",
    ),
    "format of bits": (
        ["build", "bits.lgn", "-o", "@out", "--input-format", "uint8"],
        "the network takes bits, it has no number format to choose",
    ),
    "groups": (
        ["build", "real.lgn", "-o", "@out", "--groups", "3"],
        "option 'groups' does not apply to a .lgn file",
    ),
    "classes": (
        ["build", "real.lgn", "-o", "@out", "--classes", "a,b"],
        "2 class names are given for 3 scores",
    ),
    "no samples": (
        ["build", "real.lgn", "-o", "@out", "--samples", "nothing.npz"],
        "nothing.npz: not a readable .npz",
    ),
    "narrow samples": (
        ["build", "real.lgn", "-o", "@out", "--samples", "narrow.npz"],
        "samples have shape (3, 2), expected (n, 4)",
    ),
    "empty samples": (
        ["build", "real.lgn", "-o", "@out", "--samples", "empty.npz"],
        "empty.npz: there are no samples",
    ),
    "too wide": (
        ["build", "wide.lgn", "-o", "@out"],
        "a sample has 70000 input bits, a port can have 1 to 65530",
    ),
    "foreign folder": (
        ["build", "real.lgn", "-o", "photos"],
        "photos: the folder is not empty and holds no earlier build",
    ),
    "file": (["build", "real.lgn", "-o", "text.lgn"], "text.lgn: is a file, expected a folder"),
    "sim of nothing": (["sim", "nowhere"], "nowhere: has no top.v (run lgn_hdl build first"),
    "sim of another folder": (["sim", "photos"], "photos: has no top.v"),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_is_one_line_and_exit_status_two(
    name: str, as_json: bool, models: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    arguments, message = ERRORS[name]
    monkeypatch.chdir(models)
    before = sorted(path.name for path in models.rglob("*"))
    arguments = [str(tmp_path / "out") if a == "@out" else a for a in arguments]
    status, out, err = run(capsys, *arguments, *(["--json"] if as_json else []))
    assert status == 2
    assert err.startswith("lgn_hdl: error: ")
    assert message in err
    assert err.count("\n") == 1
    if as_json:
        assert message in json.loads(out)["error"]
    else:
        assert out == ""
    assert not list(tmp_path.iterdir()), "something half-written is left"
    assert sorted(path.name for path in models.rglob("*")) == before


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["build"], ["build", "x.lgn"], ["build", "x", "-o", "y", "--what"]]
)
def test_wrong_usage(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: lgn_hdl" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["build"], ["sim"], ["info"]])
def test_help(command: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    assert "usage: lgn_hdl" in capsys.readouterr().out


def test_build_and_sim(models: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    arguments = ["build", models / "real.lgn", "-o", out, "--input-format", "fixed<6,2>"]
    arguments += ["--levels-per-stage", "2", "--samples", models / "samples.npz"]
    status, text, err = run(capsys, *arguments)
    assert (status, err) == (0, "")
    assert "| Accuracy of this hardware |" in text
    assert f"Written to {out}: network.lgn, report.json, report.md, top.il, top.v" in text
    status, text, err = run(capsys, "sim", out)
    assert (status, err) == (0, "")
    assert text.startswith("80 samples: ")
    assert "equal to PyTorch" in text
    assert "stalled by back-pressure" in text
    status, text, _ = run(capsys, "sim", out, "--samples", models / "samples.npz", "--json")
    assert (status, set(json.loads(text))) == (0, {"samples", "cycles", "stalls"})


def test_json_of_a_build_is_the_report(models: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    status, text, err = run(
        capsys, "build", models / "real.lgn", "-o", out, "--combinational", "--no-argmax", "--json"
    )
    assert (status, err) == (0, "")
    report = json.loads(text)
    assert report == json.loads((out / "report.json").read_text())
    jsonschema.Draft202012Validator(schema()).validate(report)
    assert report["pipeline"]["latency_cycles"] == 0
    assert report["options"]["argmax"] is False
    assert "argmax" not in report["pipeline"]["latency_by_block"]
    assert "No input format was given" in report["model"]["warnings"][0]


def test_a_mismatch_is_an_error(models: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert run(capsys, "build", models / "fixed.lgn", "-o", out, "--vectors", "20")[0] == 0
    with np.load(out / "vectors.npz") as data:
        arrays = dict(data)
    arrays["groupsum_bits"][7, 0] ^= 1
    np.savez(out / "vectors.npz", **arrays)
    status, text, err = run(capsys, "sim", out)
    assert (status, text) == (2, "")
    assert "sample 7, block groupsum, bits 0: expected" in err
    assert err.count("\n") == 1


def test_a_failing_tool_leaves_the_earlier_build(
    models: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    out = tmp_path / "out"
    assert run(capsys, "build", models / "bits.lgn", "-o", out)[0] == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def fail(*_: object) -> None:
        raise ToolError("yosys is gone")

    monkeypatch.setitem(lgn_hdl.build.__globals__, "emit_files", fail)
    status, _, err = run(capsys, "build", models / "real.lgn", "-o", out)
    assert (status, err) == (2, "lgn_hdl: error: yosys is gone\n")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_interrupted(models: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(lgn_hdl.build.__globals__, "emit_files", interrupt)
    status, _, err = run(capsys, "build", models / "bits.lgn", "-o", tmp_path / "out")
    assert (status, err) == (130, "lgn_hdl: interrupted\n")
    assert not list(tmp_path.iterdir())


def test_info(models: Path, capsys) -> None:
    status, text, err = run(capsys, "info", DIGITS)
    assert (status, err) == (0, "")
    assert "input  x: ufixed<5,5>[8x8]" in text
    assert "layer  dense0: LutLayer -> bit[500]" in text
    status, text, _ = run(capsys, "info", models / "real.lgn", "--json", "--classes", "a,b,c")
    assert status == 0
    found = json.loads(text)
    assert found["inputs"] == {"x": "real[4]"}
    assert [layer["type"] for layer in found["layers"]] == [
        "Thermometer",
        "LutLayer",
        "LutLayer",
        "GroupSum",
        "ArgMax",
    ]
    assert found["classes"] == ["a", "b", "c"]


def test_info_on_a_torchlogix_state_dict(tmp_path: Path, capsys) -> None:
    case = torch.load(GOLDEN, weights_only=True)["nested"]
    torch.save(case["state_dict"], tmp_path / "net.pth")
    (tmp_path / "small.json").write_text(json.dumps(case["architecture"]))
    arguments = ["info", tmp_path / "net.pth", "--arch", tmp_path / "small.json", "--json"]
    status, text, _ = run(capsys, *arguments)
    assert status == 0
    assert "LutLayer" in [layer["type"] for layer in json.loads(text)["layers"]]
    status, _, err = run(capsys, "info", tmp_path / "net.pth")
    assert status == 2
    assert "no net.json or architecture.json beside it" in err


def test_a_difflogic_state_dict_and_its_indices(tmp_path: Path, capsys) -> None:
    case = torch.load(DIFFLOGIC, weights_only=True)["trained"]
    torch.save(case["state_dict"], tmp_path / "net.pth")
    arrays = {f"{i}.indices": pair.numpy() for i, pair in enumerate(case["indices"])}
    np.savez(tmp_path / "wires.npz", **arrays)
    np.savez(tmp_path / "samples.npz", x=case["x"], y=case["out"].argmax(1))
    arguments = [tmp_path / "net.pth", "--indices", tmp_path / "wires.npz", "--groups", "2"]
    status, text, _ = run(capsys, "info", *arguments)
    assert status == 0
    assert "input  x: bit[12]" in text
    assert "layer  scores: GroupSum -> ufixed<5,5>[2]" in text
    assert "source: difflogic" in text
    arguments += ["-o", tmp_path / "out", "--samples", tmp_path / "samples.npz", "--json"]
    status, text, err = run(capsys, "build", *arguments)
    assert (status, err) == (0, "")
    assert json.loads(text)["model"]["accuracy"]["accuracy"] == 1.0
    status, _, err = run(capsys, "info", tmp_path / "net.pth")
    assert status == 2
    assert "there is no net.indices.npz beside it" in err


@pytest.mark.parametrize(
    ("pattern", "gates"),
    [
        ("tt10/final_*.pth", 6 * 4000),
        ("tt10/final_*.npz", 6 * 4000),
        ("tt10/binarized_*.npz", 3 * 2550),
        ("carleton/*.csv", 2 * 4000),
    ],
)
def test_info_on_gate_lists(pattern: str, gates: int, shared: Path, capsys) -> None:
    (path,) = (shared / "models").glob(pattern)
    status, text, _ = run(capsys, "info", path, "--groups", "10", "--json")
    assert status == 0
    found = json.loads(text)
    sizes = [
        int(layer["output"].removeprefix("bit[").removesuffix("]"))
        for layer in found["layers"]
        if layer["type"] == "LutLayer"
    ]
    assert sum(sizes) == gates
    assert len(found["classes"]) == 10


def test_thresholds_of_a_gate_list(models: Path, tmp_path: Path, capsys) -> None:
    gates = {"layer0.a": [0, 1], "layer0.b": [2, 3], "layer0.gate": [6, 1]}
    np.savez(tmp_path / "gates.npz", **{k: np.array(v) for k, v in gates.items()})
    np.savez(tmp_path / "t.npz", thresholds=np.array([[0.25, 0.5], [0.25, 0.75]]))
    arguments = ["build", tmp_path / "gates.npz", "-o", tmp_path / "out", "--groups", "2"]
    arguments += ["--thresholds", tmp_path / "t.npz", "--target", "rtlil", "--json"]
    status, text, err = run(capsys, *arguments)
    assert (status, err) == (0, "")
    assert json.loads(text)["model"]["input_format"] == "ufixed<16,0>"


def python(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lgn_hdl", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_real_program(models: Path, tmp_path: Path) -> None:
    done = python("build", models / "wide.lgn", "-o", tmp_path / "out", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    done = python("build", models / "bits.lgn", "-o", "out", "--target", "rtlil", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "report.json").is_file()


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_output_into_a_closed_pipe(more: list[str], models: Path) -> None:
    """`lgn_hdl info ... | head` ends without a traceback."""
    command = [sys.executable, "-m", "lgn_hdl", "info", str(models / "real.lgn"), *more]
    process = subprocess.Popen(
        command, cwd=models, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
