"""From the command line to a bitstream, and through the serial pins of what was built."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from amaranth_boards.icestick import ICEStickPlatform
from networks import classifier, random_luts

import lgn_hdl
from lgn_hdl.cli import main
from lgn_hdl.flow import Board, Budget, FitError
from lgn_hdl.network import BIT, FixedPoint, GroupSum, Network, Node, TensorType, write_network
from lgn_hdl.network.storage import network_digest
from lgn_hdl.report import schema
from sim.board import compile_board
from sim.pty_device import PtyDevice

FORM = FixedPoint(6, 4, signed=True)
X = np.random.default_rng(5).uniform(-1.5, 1.5, (40, 4))
#: At the beginning of every iCE40 bitstream, behind an empty comment.
MAGIC = bytes.fromhex("7eaa997e")


class ICEStick(Board):
    """A board of one's own with a small chip: 1,280 cells and 16 block memories."""

    name = "icestick"
    title = "Lattice iCEstick (iCE40HX1K)"
    target = "ice40"
    platform = ICEStickPlatform
    clock_hz = 12_000_000
    baud = 1_000_000
    usb_serial = "FT2232H"
    budget = Budget(lut=1280, ff=1280, bram=16, bram_bits=4096)
    nextpnr = ("--hx1k", "--package", "tq144")
    program = "iceprog {file}"


def wide_network() -> Network:
    """Layers of 600 and 900 gates: too many for 1,280 cells unless they take turns."""
    rng = np.random.default_rng(0)
    return Network(
        inputs={"x": TensorType((64,), BIT)},
        nodes=(
            Node("first", random_luts(rng, 64, 600, 2), ("x",)),
            Node("second", random_luts(rng, 600, 900, 2), ("first",)),
            Node("scores", GroupSum(3), ("second",)),
        ),
        outputs=("scores",),
    ).validate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and labelled samples."""
    folder = tmp_path_factory.mktemp("board")
    network = classifier(element=FORM, names=("left", "middle", "right"))
    write_network(network, folder / "model.lgn")
    labels = lgn_hdl.Model(network).predict(FORM.to_real(FORM.quantize(X)))
    labels[:10] = (labels[:10] + 1) % 3
    np.savez(folder / "samples.npz", x=X, y=labels)
    return folder


@pytest.fixture(scope="module")
def built(folder: Path) -> Path:
    """A build for the iCEBreaker with the real tools, tried with two seeds."""
    arguments = ["build", str(folder / "model.lgn"), "-o", str(folder / "out")]
    arguments += ["--board", "icebreaker", "--seeds", "2", "--samples", str(folder / "samples.npz")]
    assert main(arguments) == 0
    return folder / "out"


def report_of(build: Path) -> dict:
    report = json.loads((build / "report.json").read_text())
    jsonschema.validate(report, schema())
    return report


def test_the_folder_holds_a_bitstream_and_what_it_was_made_of(built: Path) -> None:
    assert MAGIC in (built / "icebreaker.bin").read_bytes()[:16]
    for name in ("top.v", "netlist.v", "network.lgn", "report.md"):
        assert (built / name).stat().st_size
    kept = {path.name for path in (built / "board").iterdir()}
    assert kept == {"device.v", "link.npz", "pins.pcf", "nextpnr.json", "nextpnr.log"}


def test_the_report_has_area_clock_and_throughput(built: Path) -> None:
    report = report_of(built)
    board = report["board"]
    assert board["closed"]
    assert board["fmax_mhz"] >= board["clock_mhz"] == 12
    assert 300 < board["utilisation"]["ICESTORM_LC"]["used"] < 1000
    assert board["utilisation"]["ICESTORM_LC"]["available"] == 5280
    assert sum(board["critical_path_ns"].values()) == pytest.approx(
        1e3 / board["fmax_mhz"], rel=0.05
    )
    assert [run["seed"] for run in board["seeds"]] == [1, 2]
    assert board["fmax_mhz"] == max(round(run["achieved_mhz"], 3) for run in board["seeds"])
    assert board["link"]["request_bytes"] == 5 + 3 + 2
    assert [choice["outcome"] for choice in board["choices"]] == ["built"]
    assert report["timing"]["source"] == "place and route"
    assert report["timing"]["samples_per_second"] == 12e6
    page = (built / "report.md").read_text()
    assert "iCEBreaker" in page
    assert f"{board['fmax_mhz']:.2f} MHz" in page


def test_the_device_equals_pytorch_through_its_pins(built: Path, folder: Path, capsys) -> None:
    arguments = ["sim", str(built), "--uart", "--samples", str(folder / "samples.npz"), "--json"]
    assert main(arguments) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["samples"] == 40
    assert outcome["checks"]["flipped_bits"] > 0
    assert outcome["checks"]["reset_in_a_frame"] > 0


def test_a_device_with_a_wrong_gate_is_caught(built: Path, tmp_path: Path, capsys) -> None:
    copy = tmp_path / "copy"
    (copy / "board").mkdir(parents=True)
    for name in ("network.lgn", "report.json", "board/link.npz"):
        (copy / name).write_bytes((built / name).read_bytes())
    text = (built / "board" / "device.v").read_text()
    first, second = text.split("module classifier_gates", 1)
    (copy / "board" / "device.v").write_text(
        first + "module classifier_gates" + second.replace(" & ", " | ", 1)
    )
    assert main(["sim", str(copy), "--uart"]) == 2
    assert "expected" in capsys.readouterr().err


@pytest.fixture(scope="module")
def port(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The device of the build on a pseudo-terminal."""
    work = tmp_path_factory.mktemp("pty")
    compile_board([built / "board" / "device.v"], "device", work, clock_hz=12e6, baud=1e6)
    with PtyDevice(work, work) as device:
        yield device.path


def test_infer_asks_the_device(port: str, built: Path, folder: Path, capsys) -> None:
    samples = str(folder / "samples.npz")
    arguments = ["infer", samples, "--port", port, "--model", str(built)]
    assert main([*arguments, "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["compared"]
    assert outcome["accuracy"] == 0.75
    assert main(arguments) == 0
    assert "equal to the model on every one" in capsys.readouterr().out


def test_infer_refuses_another_model(
    port: str, built: Path, folder: Path, tmp_path: Path, capsys
) -> None:
    other = classifier(element=FORM, seed=1)
    write_network(other, tmp_path / "other.lgn")
    arguments = ["infer", str(folder / "samples.npz"), "--port", port]
    assert main([*arguments, "--model", str(tmp_path / "other.lgn")]) == 2
    message = capsys.readouterr().err
    found = re.search(r"holds the model ([0-9a-f]{64}), the local model is ([0-9a-f]{64})", message)
    assert found, message
    assert found[1] == network_digest(lgn_hdl.load(built / "network.lgn").network)
    assert found[2] != found[1]


def test_a_clock_that_is_not_reached(folder: Path, tmp_path: Path, capsys) -> None:
    arguments = ["build", str(folder / "model.lgn"), "-o", str(tmp_path / "fast")]
    arguments += ["--board", "icebreaker", "--clock-mhz", "150"]
    assert main(arguments) == 2
    assert "MHz, not the 150.00 MHz asked for" in capsys.readouterr().err
    assert not (tmp_path / "fast").exists()
    assert main([*arguments, "--allow-timing-fail"]) == 0
    board = report_of(tmp_path / "fast")["board"]
    assert not board["closed"]
    assert board["fmax_mhz"] < 150
    assert "TOO SLOW" in (tmp_path / "fast" / "report.md").read_text()


def test_fit_folds_until_it_fits(tmp_path: Path) -> None:
    model, board = lgn_hdl.Model(wide_network()), f"{__name__}:ICEStick"
    with pytest.raises(FitError, match="does not fit") as caught:
        lgn_hdl.build(model, tmp_path / "out", board=board)
    assert caught.value.utilisation["ICESTORM_LC"].available == 1280
    assert not (tmp_path / "out").exists()
    lgn_hdl.build(model, tmp_path / "out", board=board, fit=True, vectors=30)
    report = report_of(tmp_path / "out")
    *failed, last = report["board"]["choices"]
    assert [choice["fold"] for choice in failed] == ["none", "sums"]
    for choice in failed:
        assert "does not fit" in choice["outcome"]
        assert choice["utilisation"]["ICESTORM_LC"]["used"] > 1280
    assert (last["fold"], last["outcome"]) == ("gates", "built")
    assert last["utilisation"]["ICESTORM_LC"]["used"] <= 1280
    assert report["options"]["fold"] == "gates"
    assert lgn_hdl.simulate(tmp_path / "out").samples == 30


def test_a_project_for_vivado(folder: Path, tmp_path: Path) -> None:
    arguments = ["build", str(folder / "model.lgn"), "-o", str(tmp_path / "arty")]
    assert main([*arguments, "--board", "arty_a7"]) == 0
    board = report_of(tmp_path / "arty")["board"]
    assert board["fmax_mhz"] is None
    assert {Path(name).name for name in board["files"]} == {
        "build.sh",
        "top.tcl",
        "top.v",
        "top.xdc",
    }
    assert all((tmp_path / "arty" / name).is_file() for name in board["files"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board", "nosuch"], "one of icebreaker, hx8k, ulx3s, tangnano9k, arty_a7"),
        (["--board", "ulx3s", "--target", "ice40"], "--target is ice40, ulx3s is ecp5"),
        (["--board", "icebreaker", "--combinational"], "exclude each other"),
        (["--board", "icebreaker", "--clock-mhz", "5"], "icebreaker"),
        (["--board", "icebreaker", "--baud", "9000000"], "9,?000,?000"),
        (["--board", "icebreaker", "--seeds", "0"], "--seeds is 0"),
    ],
)
def test_boards_that_cannot_be_built(
    folder: Path, tmp_path: Path, capsys, arguments: list[str], message: str
) -> None:
    command = ["build", str(folder / "model.lgn"), "-o", str(tmp_path / "out"), *arguments]
    assert main(command) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()
